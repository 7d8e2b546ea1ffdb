/* SPDX-License-Identifier: MIT */
#include "mysql/targets.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/lexer.h"

static void add(struct targets *all, const struct relation *table, bool inserts, const char *source)
{
	all->items = talloc_realloc(all->mem, all->items, struct target, (unsigned)all->n + 1);
	all->items[all->n++] = (struct target){.table = *table, .inserts = inserts, .source = talloc_strdup(all->mem, source)};
}

static bool add_source(struct viewd_conn *conn, struct targets *all, const char *source, struct viewd_err *err)
{
	struct cascades list = {.mem = all->mem};
	struct relation rel;

	if (!relation_parse(&my_syntax, source, &rel, err) || !cascade_find(conn, &rel, &list, err))
		return false;
	add(all, &rel, true, source);
	for (size_t i = 0; i < list.n; i++)
		add(all, &list.items[i].parent, false, source);
	return true;
}

bool targets_load(struct viewd_conn *conn, struct targets *out, struct viewd_err *err)
{
	struct targets all = {.mem = talloc_new(NULL)};
	struct texts sources = {.mem = all.mem};
	bool good = my_query(&conn->db, "SELECT source FROM viewd_captures WHERE mode = 'binlog' LOCK IN SHARE MODE", NULL, 0, texts_keep,
	                     &sources, err);

	for (size_t i = 0; i < sources.n && good; i++)
		good = add_source(conn, &all, sources.items[i], err);
	if (!good) {
		talloc_free(all.mem);
		return false;
	}
	talloc_free(out->mem);
	*out = all;
	return true;
}

static bool same(const struct viewd_conn *conn, const char *a, const char *b)
{
	return (conn->names_fold ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

static void touch(struct texts *touched, const struct target *target)
{
	const char *const value[] = {target->source};

	if (!texts_contain(touched, target->source))
		texts_keep(touched, value, 1);
}

bool targets_match(const struct viewd_conn *conn, const struct targets *all, const struct relation *table)
{
	for (size_t i = 0; i < all->n; i++)
		if (same(conn, all->items[i].table.name, table->name) && same(conn, all->items[i].table.schema, table->schema))
			return true;
	return false;
}

void targets_touch(const struct viewd_conn *conn, const struct targets *all, const struct relation *table, bool insert,
                   struct texts *touched)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct target *t = &all->items[i];
		if ((t->inserts || !insert) && same(conn, t->table.name, table->name) && same(conn, t->table.schema, table->schema))
			touch(touched, t);
	}
}

/* ---- statements */

/* The beginnings of statements that change rows or put another table in a name's place. Definitions of views and triggers, which
 * viewd makes itself all the time, are none. */
static bool changes_tables(const char *statement)
{
	static const char *const beginnings[] = {"TRUNCATE", "DROP TABLE", "DROP DATABASE", "DROP SCHEMA", "ALTER", "RENAME", "CREATE TABLE",
	                                         "CREATE OR REPLACE TABLE", "INSERT", "UPDATE", "DELETE", "REPLACE", "LOAD", "WITH"};

	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
		if (strncasecmp(statement, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

static const char *first_word(const char *statement)
{
	struct lex_token tok;

	do
		tok = lex_next(my_syntax.lexer, &statement);
	while (tok.kind != LEX_WORD && tok.kind != LEX_END);
	return tok.kind == LEX_WORD ? tok.text : "";
}

struct mentions {
	const struct viewd_conn *conn;
	const struct targets *all;
	struct texts *touched;
	bool databases;
};

/* Which database a name without one means does not matter: too much is touched rather than too little. */
static bool see(void *ctx, const char *name)
{
	struct mentions *m = ctx;

	for (size_t i = 0; i < m->all->n; i++) {
		const struct relation *table = &m->all->items[i].table;
		if (strcasecmp(table->name, name) == 0 || (m->databases && strcasecmp(table->schema, name) == 0))
			touch(m->touched, &m->all->items[i]);
	}
	return true;
}

void targets_statement(const struct viewd_conn *conn, const struct targets *all, const char *statement, struct texts *touched)
{
	statement = first_word(statement);
	if (!changes_tables(statement))
		return;
	struct mentions m = {conn, all, touched,
	                     strncasecmp(statement, "DROP DATABASE", 13) == 0 || strncasecmp(statement, "DROP SCHEMA", 11) == 0};
	lex_mentions(&my_syntax, statement, (struct viewd_text_sink){see, &m});
}
