/* SPDX-License-Identifier: MIT */
#include "sqlite/existing.h"

#include "common/sqltext/lexer.h"
#include "sqlite/conn/syntax.h"
#include "sqlite/objects/catalogue.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

struct view_text {
	const char *name, *sql;
};

struct view_list {
	void *mem;
	struct view_text *items;
	size_t n;
};

static bool take_view_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct view_list *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct view_text, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct view_text){talloc_strdup(list->mem, v[0]), talloc_strdup(list->mem, v[1])};
	return true;
}

static const struct db_reader take_view[] = {{take_view_fn, "tt", "the views of the database"}};

/* The names in CREATE VIEW v (a, b) AS, without the parentheses; NULL: the definition tells them. */
static char *column_list(void *mem, const char *sql)
{
	const char *begin = NULL;
	struct lex_token tok;
	for (const char *p = sql; (tok = lex_next(sqlite_syntax.lexer.flags, &p)).kind != LEX_END && !lex_is(&tok, "AS");) {
		if (tok.kind != LEX_OTHER)
			continue;
		if (tok.text[0] == '(')
			begin = tok.text + 1;
		else if (tok.text[0] == ')' && begin != NULL)
			return talloc_strndup(mem, begin, (size_t)(tok.text - begin));
	}
	return NULL;
}

struct own_names {
	const char *rest; /* of the list, as far as it was the same */
	bool same;
};

static bool compare_name_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct own_names *names = ctx;
	char name[IDENT_MAX];
	struct viewd_err ignored;
	names->rest += strspn(names->rest, " \t\r\n");
	size_t len = strcspn(names->rest, ","), used = len;
	while (used > 0 && strchr(" \t\r\n", names->rest[used - 1]) != NULL)
		used--;
	char *item = talloc_strndup(NULL, names->rest, used);
	names->same = ident_parse(&sqlite_syntax, item, name, &ignored) && ident_same(&sqlite_syntax, name, v[0]);
	names->rest += len + (names->rest[len] == ',');
	talloc_free(item);
	return names->same;
}

static const struct db_reader compare_name[] = {{compare_name_fn, "tT*", "the columns of a view"}};

/* Does the query itself yield the names of the list? */
static bool yields_names(struct db *db, const char *query, const char *list)
{
	struct own_names names = {.rest = list, .same = true};
	struct viewd_err ignored;
	return sqlite_op_query_columns(db, query, compare_name, &names, &ignored) && names.same && names.rest[0] == '\0';
}

bool sqlite_op_list_existing(struct db *db, const char *schema UNUSED, const struct db_reader *row, void *ctx,
                             struct viewd_err *err)
{
	static const char renames[] = "its columns have other names than its query yields; write them into the query";
	struct view_list list = {.mem = talloc_new(NULL)};
	bool more = true;
	bool done = sqlite_op_query(db,
	                            "SELECT name, sql FROM main.sqlite_master WHERE type = 'view' AND sql IS NOT NULL AND "
	                            "name NOT LIKE 'viewd\\_%' ESCAPE '\\' ORDER BY name",
	                            NULL, 0, take_view, &list, err);
	for (size_t i = 0; i < list.n && done && more; i++) {
		const char *sql = list.items[i].sql, *definition = sqlite_view_definition(sql);
		const char *columns = column_list(list.mem, sql);
		const char *values[] = {"",  list.items[i].name, "VIEW", definition + strspn(definition, " \t\r\n"), NULL, NULL,
		                        NULL};
		values[6] = columns != NULL && !yields_names(db, values[3], columns) ? renames : NULL;
		done = db_give(row, ctx, values, ARRAY_LEN(values), &more, err);
	}
	talloc_free(list.mem);
	return done;
}
