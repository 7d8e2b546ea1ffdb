/* SPDX-License-Identifier: MIT */
#include "common/depends/dependencies.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

static const char *copy_text(void *mem, const char *text)
{
	if (text == NULL)
		return NULL;
	char *own = talloc_strdup(mem, text);
	assert(own != NULL);
	return own;
}

static struct dependency *find_entry(const struct dependencies *list, const char *source)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i].source, source) == 0)
			return &list->items[i];
	return NULL;
}

static void fill_in(const char **field, void *mem, const char *text)
{
	if (*field == NULL)
		*field = copy_text(mem, text);
}

static struct dependency *append(struct dependencies *list, const char *source)
{
	/* Room grows by powers of two. */
	if ((list->n & (list->n - 1)) == 0)
		list->items =
			talloc_realloc(list->mem, list->items, struct dependency, (unsigned)(list->n == 0 ? 1 : list->n * 2));
	assert(list->items != NULL);
	list->items[list->n] = (struct dependency){.source = copy_text(list->mem, source)};
	return &list->items[list->n++];
}

void dependencies_add(struct db *db, struct dependencies *list, const struct dependency *entry)
{
	char *quoted = entry->source == NULL ? relation_quoted(db->syntax, list->mem, &entry->rel) : NULL;
	const char *source = entry->source != NULL ? entry->source : quoted;
	struct dependency *own = find_entry(list, source);
	if (own == NULL) {
		own = append(list, source);
		own->kind = entry->kind;
		own->rel = entry->rel;
	}
	fill_in(&own->identity, list->mem, entry->identity);
	fill_in(&own->stamp, list->mem, entry->stamp);
	fill_in(&own->digest, list->mem, entry->digest);
	fill_in(&own->unheard, list->mem, entry->unheard);
	talloc_free(quoted);
}

/* ---- a dialect without a walk ---- */

struct adapter {
	struct db *db;
	struct dependencies *list;
};

static enum viewd_depends depends_of_kind(enum viewd_kind kind)
{
	switch (kind) {
	case VIEWD_KIND_TABLE:
		return VIEWD_DEPENDS_TABLE;
	case VIEWD_KIND_VIEW:
		return VIEWD_DEPENDS_VIEW;
	case VIEWD_KIND_MATVIEW:
		return VIEWD_DEPENDS_MATVIEW;
	case VIEWD_KIND_NONE:
	case VIEWD_KIND_OTHER:
		break;
	}
	return VIEWD_DEPENDS_FOREIGN;
}

static bool add_source(void *ctx, const struct viewd_source *src)
{
	struct adapter *a = ctx;
	struct dependency entry = {.kind = depends_of_kind(src->kind)};
	snprintf(entry.rel.schema, sizeof entry.rel.schema, "%s", src->schema != NULL ? src->schema : "");
	snprintf(entry.rel.name, sizeof entry.rel.name, "%s", src->name);
	dependencies_add(a->db, a->list, &entry);
	return true;
}

bool dependencies_walk(struct db *db, const struct viewd_view_spec *view, const char *definition,
                       struct dependencies *list, struct viewd_err *err)
{
	if (db->ops->depends.walk != NULL)
		return db->ops->depends.walk(db, view, definition, list, err);
	struct adapter adapter = {.db = db, .list = list};
	return db->ops->list_sources(db, definition, (struct viewd_source_sink){add_source, &adapter}, err);
}

/* ---- relations ---- */

static bool is_relation(enum viewd_depends kind, enum viewd_kind *kind_r)
{
	static const struct {
		enum viewd_depends depends;
		enum viewd_kind kind;
	} rows[] = {
		{VIEWD_DEPENDS_TABLE, VIEWD_KIND_TABLE},     {VIEWD_DEPENDS_VIEW, VIEWD_KIND_VIEW},
		{VIEWD_DEPENDS_MATVIEW, VIEWD_KIND_MATVIEW}, {VIEWD_DEPENDS_FOREIGN, VIEWD_KIND_OTHER},
		{VIEWD_DEPENDS_VIRTUAL, VIEWD_KIND_OTHER},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].depends == kind) {
			*kind_r = rows[i].kind;
			return true;
		}
	return false;
}

void dependencies_sources(const struct dependencies *list, struct viewd_source_sink sink)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct dependency *entry = &list->items[i];
		struct viewd_source source = {.schema = entry->rel.schema, .name = entry->rel.name};
		if (entry->rel.name[0] != '\0' && is_relation(entry->kind, &source.kind) && !sink.fn(sink.ctx, &source))
			return;
	}
}
