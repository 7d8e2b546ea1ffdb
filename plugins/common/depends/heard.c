/* SPDX-License-Identifier: MIT */
#include "common/depends/heard.h"
#include "common/state/state.h"

#include "base/err.h"
#include "base/words.h"
#include "common/sqltext/lexer.h"
#include "common/sqltext/sqltext.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

/* ---- finding ---- */

static void add_relation(struct db *db, struct dependencies *list, const char *schema, const char *name)
{
	struct dependency entry = {.kind = VIEWD_DEPENDS_TABLE};
	snprintf(entry.rel.schema, sizeof entry.rel.schema, "%s", schema);
	snprintf(entry.rel.name, sizeof entry.rel.name, "%s", name);
	dependencies_add(db, list, &entry);
}

/* With what can be compared of it, where the account may read it. */
static bool add_table(struct db *db, struct dependencies *list, const struct viewd_view_spec *view,
                      const struct relation *rel, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	char *query = sql_add(sql_new(list->mem), "SELECT 1 FROM %s", relation_quoted(db->syntax, list->mem, rel));
	bool walked = db->ops->depends.walk != NULL && dependencies_walk(db, view, query, list, &failed);
	if (walked || db->ops->depends.walk == NULL || failed.cls == VIEWD_ERR_DENIED) {
		add_relation(db, list, rel->schema, rel->name);
		return true;
	}
	*err = failed;
	return false;
}

/* `sources` as written must name tables. */
static bool add_named(struct db *db, struct dependencies *list, const struct viewd_view_spec *view, const char *name,
                      struct relation *rel, struct viewd_err *err)
{
	struct db_object found;
	if (!relation_parse(db->syntax, name, rel, err) || !db->ops->find_object(db, rel, &found, err))
		return false;
	if (found.kind != VIEWD_KIND_TABLE) {
		err_set(err, found.kind == VIEWD_KIND_NONE ? VIEWD_ERR_MISSING : VIEWD_ERR_CONFIG,
		        "source '%s' is not a table that exists", name);
		return false;
	}
	snprintf(rel->schema, sizeof rel->schema, "%s", found.schema);
	snprintf(rel->name, sizeof rel->name, "%s", found.name);
	return add_table(db, list, view, rel, err);
}

static bool walk(struct db *db, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
                 struct dependencies *list, struct viewd_err *err)
{
	if (view->definition == NULL || db->ops->depends.walk == NULL) {
		for (size_t i = 0; i < req->n_sources; i++)
			add_relation(db, list, req->sources[i].schema, req->sources[i].name);
		for (size_t i = 0; i < req->n_kept; i++)
			add_relation(db, list, req->kept[i].schema, req->kept[i].name);
		return true;
	}
	struct state_row row;
	char *query = NULL;
	if (!state_load(db, view->name, false, &row, err) ||
	    (row.kept && !state_definition(db, list->mem, view->name, &query, err)))
		return false;
	if (query == NULL)
		query = lex_one_query(db->syntax, list->mem, view->definition, err);
	return query != NULL && dependencies_walk(db, view, query, list, err);
}

/* ---- sorting ---- */

static bool same_relation(const struct relation *rel, const char *schema, const char *name)
{
	return strcmp(rel->name, name) == 0 && strcmp(rel->schema, schema) == 0;
}

static bool is_upstream(const struct viewd_capture_request *req, const struct relation *rel)
{
	for (size_t i = 0; i < req->n_kept; i++)
		if (same_relation(rel, req->kept[i].schema, req->kept[i].name))
			return true;
	return false;
}

static bool is_named(const struct relation *named, size_t n, const struct relation *rel)
{
	for (size_t i = 0; i < n; i++)
		if (same_relation(rel, named[i].schema, named[i].name))
			return true;
	return false;
}

/* Rows that somebody writes. A materialized view of others is compared instead where the dialect can. */
static bool has_rows(const struct dependency *entry)
{
	switch (entry->kind) {
	case VIEWD_DEPENDS_TABLE:
	case VIEWD_DEPENDS_FOREIGN:
	case VIEWD_DEPENDS_VIRTUAL:
		return true;
	case VIEWD_DEPENDS_MATVIEW:
		return entry->digest == NULL;
	case VIEWD_DEPENDS_VIEW:
	case VIEWD_DEPENDS_FUNCTION:
	case VIEWD_DEPENDS_TYPE:
	case VIEWD_DEPENDS_SEQUENCE:
	case VIEWD_DEPENDS_CATALOGUE:
	case VIEWD_DEPENDS_CLOCK:
	case VIEWD_DEPENDS_SETTING:
	case VIEWD_DEPENDS_OTHER:
	case VIEWD_DEPENDS_COUNT:
		break;
	}
	return false;
}

/* `sources` says what a function reads, and which tables need not be followed. Of time and of other servers it says
 * nothing. */
static bool can_be_vouched(const struct dependency *entry)
{
	return entry->kind == VIEWD_DEPENDS_FUNCTION || entry->kind == VIEWD_DEPENDS_TABLE ||
	       entry->kind == VIEWD_DEPENDS_MATVIEW || entry->kind == VIEWD_DEPENDS_OTHER;
}

static struct heard sort(const struct viewd_capture_request *req, const struct relation *named,
                         const struct dependency *entry)
{
	struct heard item = {.entry = entry, .by = VIEWD_HEARD_LOOK};
	bool relation = entry->rel.name[0] != '\0';
	bool is_source = relation && is_named(named, req->n_names, &entry->rel);
	if (relation && is_upstream(req, &entry->rel))
		item.by = VIEWD_HEARD_KEPT;
	else if (req->n_names > 0 && !is_source && can_be_vouched(entry) && (entry->unheard != NULL || has_rows(entry)))
		item.by = VIEWD_HEARD_VOUCHED;
	else if (entry->unheard != NULL) {
		item.by = VIEWD_HEARD_NONE;
		item.reason = entry->unheard;
	} else if (has_rows(entry))
		item.followed = true;
	return item;
}

/* Where the view itself is, as the catalogue spells it. Asked only where something of its name was found. */
static bool find_own(struct db *db, const struct viewd_view_spec *view, const struct dependencies *found,
                     struct relation *own, struct viewd_err *err)
{
	struct db_object object = {0};
	bool named = false;
	if (!relation_parse(db->syntax, view->relation != NULL ? view->relation : view->name, own, err))
		return false;
	for (size_t i = 0; i < found->n; i++)
		named |= strcasecmp(found->items[i].rel.name, own->name) == 0;
	if (!named)
		return true;
	if (!db->ops->find_object(db, own, &object, err))
		return false;
	snprintf(own->schema, sizeof own->schema, "%s", object.schema);
	if (object.kind != VIEWD_KIND_NONE)
		snprintf(own->name, sizeof own->name, "%s", object.name);
	return true;
}

bool heard_find(struct db *db, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
                struct heard_list *list, struct viewd_err *err)
{
	struct relation *named = talloc_zero_array(list->mem, struct relation, (unsigned)req->n_names + 1);
	assert(named != NULL);
	list->found.mem = list->mem;
	if (req->mode == VIEWD_CAPTURE_NONE)
		return true;
	if (!walk(db, view, req, &list->found, err))
		return false;
	for (size_t i = 0; i < req->n_names; i++)
		if (!add_named(db, &list->found, view, req->names[i], &named[i], err))
			return false;
	list->items = talloc_array(list->mem, struct heard, (unsigned)list->found.n + 1);
	list->followed = talloc_array(list->mem, struct relation, (unsigned)list->found.n + 1);
	assert(list->items != NULL && list->followed != NULL);
	struct relation own;
	if (!find_own(db, view, &list->found, &own, err))
		return false;
	for (size_t i = 0; i < list->found.n; i++) {
		if (same_relation(&list->found.items[i].rel, own.schema, own.name))
			continue; /* its own refreshes would call for the next one, for ever */
		list->items[list->n] = sort(req, named, &list->found.items[i]);
		if (list->items[list->n++].followed)
			list->followed[list->n_followed++] = list->found.items[i].rel;
	}
	return true;
}

/* ---- choosing ---- */

static enum viewd_heard heard_by(enum viewd_capture mode)
{
	switch (mode) {
	case VIEWD_CAPTURE_TRIGGER:
		return VIEWD_HEARD_TRIGGER;
	case VIEWD_CAPTURE_BINLOG:
		return VIEWD_HEARD_BINLOG;
	case VIEWD_CAPTURE_POLL:
		return VIEWD_HEARD_POLL;
	case VIEWD_CAPTURE_AUTO:
	case VIEWD_CAPTURE_NONE:
	case VIEWD_CAPTURE_COUNT:
		break;
	}
	return VIEWD_HEARD_NONE;
}

static bool all_upstream(const struct heard_list *list)
{
	bool any = false;
	for (size_t i = 0; i < list->n; i++) {
		any |= list->items[i].by == VIEWD_HEARD_KEPT;
		if (list->items[i].by != VIEWD_HEARD_KEPT && list->items[i].by != VIEWD_HEARD_LOOK)
			return false;
	}
	return any;
}

static void say_heard(char *text, size_t size, const char *mode, const char *reason, size_t n)
{
	size_t len = strlen(text);
	snprintf(text + len, size - len, "%s%s on %zu table%s%s%s", len > 0 ? "; " : "", mode, n, n == 1 ? "" : "s",
	         reason[0] != '\0' ? ": " : "", reason);
}

/* Each mode once with the reason of the first of its sources. */
static void summarise(const struct viewd_captured *each, size_t n, struct viewd_captured *out)
{
	out->reason[0] = '\0';
	out->mode = VIEWD_CAPTURE_NONE;
	for (int mode = VIEWD_CAPTURE_TRIGGER; mode <= VIEWD_CAPTURE_NONE; mode++) {
		size_t count = 0, first = n;
		for (size_t i = 0; i < n; i++)
			if ((int)each[i].mode == mode && count++ == 0)
				first = i;
		if (count == 0)
			continue;
		if (out->mode == VIEWD_CAPTURE_NONE)
			out->mode = (enum viewd_capture)mode;
		say_heard(out->reason, sizeof out->reason, word_heard(heard_by((enum viewd_capture)mode)), each[first].reason,
		          count);
	}
}

static void take_choice(struct heard_list *list, const struct viewd_captured *each)
{
	size_t k = 0;
	for (size_t i = 0; i < list->n; i++) {
		struct heard *item = &list->items[i];
		if (!item->followed)
			continue;
		item->by = heard_by(each[k].mode);
		item->followed = item->by != VIEWD_HEARD_NONE;
		item->reason = talloc_strdup(list->mem, each[k++].reason);
	}
}

bool heard_choose(struct db *db, const struct viewd_capture_request *req, struct heard_list *list,
                  struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	*out = (struct viewd_captured){.mode = VIEWD_CAPTURE_NONE};
	if (req->mode == VIEWD_CAPTURE_NONE)
		return true;
	if (list->n_followed == 0) {
		snprintf(out->reason, sizeof out->reason, "%s",
		         all_upstream(list) ? "it reads only views that viewd keeps: their refreshes tell"
		                            : "it reads no table whose rows could be followed");
		return true;
	}
	struct viewd_captured *each = talloc_zero_array(list->mem, struct viewd_captured, (unsigned)list->n_followed);
	assert(each != NULL);
	if (!db->ops->capture.choose(db, req->mode, list->followed, list->n_followed, each, warnings, err))
		return false;
	summarise(each, list->n_followed, out);
	take_choice(list, each);
	return true;
}

void heard_tell(const struct heard_list *list, struct viewd_dependency_sink sink)
{
	for (size_t i = 0; i < list->n && sink.fn != NULL; i++) {
		const struct heard *item = &list->items[i];
		const struct viewd_dependency row = {.struct_size = sizeof row,
		                                     .kind = item->entry->kind,
		                                     .name = item->entry->source,
		                                     .heard_by = item->by,
		                                     .reason = item->reason};
		if (!sink.fn(sink.ctx, &row))
			return;
	}
}
