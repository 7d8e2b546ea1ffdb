/* SPDX-License-Identifier: MIT */
#include "mysql/capture/binlog/targets.h"
#include "mysql/depends/cascade.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void add_target(struct targets *all, const struct relation *table, bool inserts, const char *source)
{
	all->items = talloc_realloc(all->mem, all->items, struct target, (unsigned)all->n + 1);
	all->items[all->n++] =
		(struct target){.table = *table, .inserts = inserts, .source = talloc_strdup(all->mem, source)};
}

static bool add_source(struct viewd_conn *conn, struct targets *all, const char *source, struct viewd_err *err)
{
	struct cascades list = {.mem = all->mem};
	struct relation rel;

	if (!relation_parse(&my_syntax, source, &rel, err) || !cascade_find(conn, &rel, &list, err))
		return false;
	add_target(all, &rel, true, source);
	for (size_t i = 0; i < list.n; i++)
		add_target(all, &list.items[i].parent, false, source);
	return true;
}

bool targets_load(struct viewd_conn *conn, struct targets *out, struct viewd_err *err)
{
	struct targets all = {.mem = talloc_new(NULL)};
	struct texts sources = {.mem = all.mem};
	bool good = my_query(&conn->db, "SELECT source FROM viewd_captures WHERE mode = 'binlog' LOCK IN SHARE MODE", NULL,
	                     0, texts_reader, &sources, err);

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

bool targets_same(const struct viewd_conn *conn, const char *a, const char *b)
{
	return (conn->names_fold ? strcasecmp(a, b) : strcmp(a, b)) == 0;
}

void targets_add(struct texts *touched, const struct target *target)
{
	const char *const value[] = {target->source};

	if (!texts_contain(touched, target->source))
		texts_keep(touched, value, 1);
}

bool targets_match(const struct viewd_conn *conn, const struct targets *all, const struct relation *table)
{
	for (size_t i = 0; i < all->n; i++)
		if (targets_same(conn, all->items[i].table.name, table->name) &&
		    targets_same(conn, all->items[i].table.schema, table->schema))
			return true;
	return false;
}

void targets_touch(const struct viewd_conn *conn, const struct targets *all, const struct relation *table, bool insert,
                   struct texts *touched)
{
	for (size_t i = 0; i < all->n; i++) {
		const struct target *t = &all->items[i];
		if ((t->inserts || !insert) && targets_same(conn, t->table.name, table->name) &&
		    targets_same(conn, t->table.schema, table->schema))
			targets_add(touched, t);
	}
}
