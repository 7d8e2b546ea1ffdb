/* SPDX-License-Identifier: MIT
 *
 * cycles.c: views that read each other through functions. What a definition reads by itself is an edge between views,
 * and a cycle of those is refused by the daemon. What the body of a function names is none, and may be a mere word:
 * followed like any table, two such views would refresh each other for ever.
 */
#include "base/words.h"
#include "common/depends/heard.h"

#include "common/sqltext/sqltext.h"
#include "common/state/state.h"
#include "common/state/stmt.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* The view whose relation is `reader` follows `source`. */
struct edges {
	void *mem;
	struct edge {
		char *reader, *source;
		bool passed;
	} * items;
	size_t n;
};

static bool take_edge_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct edges *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct edge, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct edge){talloc_strdup(list->mem, v[0]), talloc_strdup(list->mem, v[1]), false};
	return true;
}

static const struct db_reader take_edge[] = {{take_edge_fn, "tt", "what views follow"}};

static bool load(struct db *db, struct edges *list, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	st.sql = sql_add(st.sql, "SELECT v.relation, c.source FROM %s c JOIN %s v ON v.name = c.",
	                 state_table(db, st.sql, "captures"), db->syntax->state.views);
	stmt_name(&st, "view");
	stmt_text(&st, " WHERE c.");
	stmt_name(&st, "mode");
	stmt_text(&st, " <> ");
	stmt_param(&st, word_heard(VIEWD_HEARD_NONE));
	return stmt_query(&st, take_edge, list, err);
}

static bool reaches(struct edges *list, const char *from, const char *to)
{
	for (size_t i = 0; i < list->n; i++) {
		struct edge *edge = &list->items[i];
		if (edge->passed || strcmp(edge->reader, from) != 0)
			continue;
		edge->passed = true;
		if (strcmp(edge->source, to) == 0 || reaches(list, edge->source, to))
			return true;
	}
	return false;
}

static bool has_function(const struct heard_list *list)
{
	for (size_t i = 0; i < list->found.n; i++)
		if (list->found.items[i].kind == VIEWD_DEPENDS_FUNCTION)
			return true;
	return false;
}

static void cut(struct heard_list *list, struct edges *edges, const char *own)
{
	for (size_t i = 0; i < list->n; i++) {
		struct heard *item = &list->items[i];
		if (!item->followed)
			continue;
		for (size_t k = 0; k < edges->n; k++)
			edges->items[k].passed = false;
		if (!reaches(edges, item->entry->source, own))
			continue;
		item->by = VIEWD_HEARD_NONE;
		item->followed = false;
		item->reason = "a function names it, and it reads this view itself: followed, the two would refresh each other "
					   "for ever (name what is read in sources)";
	}
}

bool heard_cut_cycles(struct db *db, const struct viewd_view_spec *view, struct heard_list *list, struct viewd_err *err)
{
	struct edges edges = {.mem = list->mem};
	struct relation own;
	struct db_object found = {0};
	if (list->n_followed == 0 || !has_function(list))
		return true;
	if (!relation_parse(db->syntax, view->relation != NULL ? view->relation : view->name, &own, err) ||
	    !db->ops->find_object(db, &own, &found, err) || !load(db, &edges, err))
		return false;
	snprintf(own.schema, sizeof own.schema, "%s", found.schema);
	if (found.kind != VIEWD_KIND_NONE)
		snprintf(own.name, sizeof own.name, "%s", found.name);
	cut(list, &edges, relation_quoted(db->syntax, list->mem, &own));
	return true;
}
