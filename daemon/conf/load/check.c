/* SPDX-License-Identifier: MIT
 *
 * check.c: checks the sections against each other. Checks that need a plugin are in core/offline/.
 */
#include "base/address.h"
#include "base/nearest.h"
#include "conf/load/dialect.h"
#include "conf/load/load.h"
#include "conf/schema/schema.h"
#include "conf/snapshot/url.h"
#include "conf/snapshot/view_name.h"

#include <string.h>
#include <talloc.h>

/* The line that sets key of this view, or its header when it is a default. */
static struct report_at at_key(const struct load_section *s, const struct conf_view *view, const char *key)
{
	struct report_at at = load_at(s, NULL);
	struct conf_origin origin = conf_origin_of(view->origins, schema_row(&schema_view, key));
	if (origin.file != CONF_FILE_DEFAULT) {
		at.file = origin.file;
		at.line = origin.line;
	}
	at.key = key;
	return at;
}

/* "did you mean x", or nothing; allocated on the load. */
static const char *suggestion(struct load *load, const struct load_sections *sections, const char *name)
{
	const char **names = talloc_array(load->tmp, const char *, sections->n);
	for (size_t i = 0; i < sections->n; i++)
		names[i] = sections->items[i].name;
	const char *near = nearest_word(names, sections->n, name);
	talloc_free(names);
	return near != NULL ? talloc_asprintf(load->tmp, "; did you mean %s", near) : "";
}

static void check_databases(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	struct report_at at = at_key(s, view, "database");
	for (size_t i = 0; i < view->database.n; i++)
		if (conf_find_database(&load->box->conf, view->database.items[i]) == NULL)
			report_error(load->report, &at, "there is no [database %s]%s", view->database.items[i],
			             suggestion(load, &load->databases, view->database.items[i]));
}

/* Files are shared between machines: what another dialect needs is no mistake here. */
static void say_absent(struct load *load, const struct report_at *at, const char *name)
{
	if (load->absent == NULL)
		load->absent = names_new(load->tmp, 8);
	if (names_add(load->absent, name, 0, NULL))
		report_warning(load->report, at,
		               "no dialect '%s' is installed here, so this is not used; the dialects installed are: %s", name,
		               dialect_names(load));
}

static void check_definition_names(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	for (size_t i = 0; i < view->n_definitions; i++) {
		const char *name = view->definitions[i].dialect, *near = NULL;
		struct report_at at = load_at(s, NULL);
		at.line = conf_origin_of(view->origins, schema_view.n + i).line;
		at.key = view->definitions[i].file != NULL ? "definition_file_*" : "definition_*";
		switch (name != NULL ? dialect_suffix(load, name, &near) : DIALECT_SUFFIX_GOOD) {
		case DIALECT_SUFFIX_GOOD:
			break;
		case DIALECT_SUFFIX_MISTAKE:
			report_error(load->report, &at, "no database has the dialect '%s'; did you mean %s", name, near);
			break;
		case DIALECT_SUFFIX_UNKNOWN:
			say_absent(load, &at, name);
			break;
		}
	}
}

static void check_definitions(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	struct report_at at = load_at(s, NULL);
	check_definition_names(load, s, view);
	if (view->n_definitions == 0)
		report_error(load->report, &at,
		             "there is no query; write definition = SELECT ... or definition_file = NAME.sql");
	for (size_t i = 0; view->n_definitions > 0 && i < view->database.n; i++) {
		const struct conf_database *db = conf_find_database(&load->box->conf, view->database.items[i]);
		if (db == NULL || db->dialect == NULL || conf_definition_for(view, db->dialect) != NULL ||
		    !dialect_is_there(load, db->dialect))
			continue; /* what the definitions of an absent dialect are called is not known */
		at = at_key(s, view, "database");
		report_error(load->report, &at,
		             "there is no query for database %s; write definition_%s or a general definition", db->name,
		             db->dialect);
	}
}

static void check_values(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	struct report_at at = at_key(s, view, "retry_max_backoff");
	if (view->retry_max_backoff < view->retry_backoff)
		report_error(load->report, &at, "shorter than retry_backoff; make it at least as long");
}

/* Says the view's own section so, not [view-defaults]? What is said for all may be meant for others. */
static bool says_itself(const struct conf_view *view, const char *key)
{
	struct conf_origin origin = conf_origin_of(view->origins, schema_row(&schema_view, key));
	return origin.file != CONF_FILE_DEFAULT && origin.from_defaults == 0;
}

/* Keys that only have a meaning together with on_change. */
static void check_idle_keys(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	const struct {
		const char *key;
		bool idle;
	} keys[] = {
		{"sources", view->sources.n == 0},
		{"capture", view->capture == VIEWD_CAPTURE_NONE || view->capture == VIEWD_CAPTURE_AUTO},
		{"debounce", view->debounce == 0},
		{"max_delay", view->max_delay == 0},
		{"at_most_every", view->at_most_every == 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		struct report_at at = at_key(s, view, keys[i].key);
		if (!keys[i].idle && says_itself(view, keys[i].key))
			report_error(load->report, &at, "has no effect without on_change; write on_change = yes, or remove it");
	}
}

/* Said in [view-defaults] it is for those that have rows. */
static void check_group(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	struct report_at at = at_key(s, view, "refresh_group");
	if (view->refresh_group != NULL && view->method == VIEWD_METHOD_SIMPLE && says_itself(view, "refresh_group"))
		report_error(
			load->report, &at,
			"a simple view has no rows to refresh with others; remove refresh_group, or choose another method");
}

static void check_zone(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	struct report_at at = at_key(s, view, "timezone");
	if (view->cron == NULL && says_itself(view, "timezone") && strcmp(view->timezone, "UTC") != 0)
		report_error(load->report, &at, "has no effect without cron; write cron = ..., or remove it");
}

static void check_changes(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	struct report_at at = at_key(s, view, "on_change");
	if (!view->on_change) {
		check_idle_keys(load, s, view);
		return;
	}
	if (view->method == VIEWD_METHOD_SIMPLE && says_itself(view, "on_change"))
		report_error(load->report, &at,
		             "a simple view is always fresh and never refreshed; remove on_change, or choose another method");
	at = at_key(s, view, "max_delay");
	if (view->max_delay > 0 && view->max_delay < view->debounce)
		report_error(load->report, &at, "shorter than debounce; make it at least as long");
}

/* Two sections for one object of one database would fight over it. */
static void check_relation(struct load *load, const struct load_section *s, const struct conf_view *view,
                           struct name_set *seen, uint32_t number)
{
	const char *relation = view->relation != NULL ? view->relation : view->name;
	for (size_t i = 0; i < view->database.n; i++) {
		uint32_t other;
		const char *object = talloc_asprintf(load->tmp, "%s:%s", view->database.items[i], relation);
		if (names_add(seen, object, number, &other) || other == number)
			continue;
		struct report_at at = at_key(s, view, "relation");
		report_error(load->report, &at,
		             "'%s' in database %s is the object of [view %s] already (%s:%u); choose another relation",
		             relation, view->database.items[i], load->box->conf.views[other].name,
		             report_file_name(load->report, load->views.items[other].file), load->views.items[other].sec->line);
	}
}

/* Records of a name go on under one other name. */
static void check_renamed(struct load *load, const struct load_section *s, const struct conf_view *view)
{
	uint32_t other;
	const char *from = view->renamed_from;
	struct report_at at = at_key(s, view, "renamed_from");
	if (from == NULL)
		return;
	const struct conf_view *old = names_find(load->box->views, from, &other) ? &load->box->conf.views[other] : NULL;
	for (size_t i = 0; i < view->database.n; i++) {
		const char *database = view->database.items[i];
		const struct conf_view *follower = conf_find_follower(&load->box->conf, from, database);
		if (old != NULL && conf_view_is_on(old, database))
			report_error(load->report, &at,
			             "[view %s] is there for database %s as well (%s:%u); remove one of the two, or this key", from,
			             database, report_file_name(load->report, load->views.items[other].file),
			             load->views.items[other].sec->line);
		if (follower != NULL && follower != view)
			report_error(load->report, &at, "[view %s] says that it was %s in database %s; only one can follow",
			             follower->name, from, database);
	}
}

/* ---- dependencies ---- */

/* `view` or `db:view` -> the view's number. */
static bool resolve(struct load *load, const char *item, uint32_t *view_r)
{
	struct view_name name = view_name_split(item);
	if (!names_find(load->box->views, name.name, view_r))
		return false;
	const struct conf_view *view = &load->box->conf.views[*view_r];
	for (size_t i = 0; i < view->database.n; i++)
		if (view_name_allows(&name, view->database.items[i]))
			return true;
	return false;
}

static void check_depends_on(struct load *load, const struct load_section *s, const struct conf_view *view,
                             uint32_t number)
{
	struct report_at at = at_key(s, view, "depends_on");
	for (size_t i = 0; i < view->depends_on.n; i++) {
		uint32_t other;
		const char *item = view->depends_on.items[i];
		if (!resolve(load, item, &other))
			report_error(load->report, &at, "there is no view %s%s", item,
			             suggestion(load, &load->views, view_name_split(item).name));
		else if (other == number)
			report_error(load->report, &at, "the view depends on itself; remove %s", item);
	}
}

/* Depth-first search with its own stack: a chain may be as long as there are views. */
struct search {
	struct load *load;
	uint8_t *color; /* 0 new, 1 on the path, 2 done */
	uint32_t *path; /* views on the path */
	uint32_t *edge; /* next item of depends_on to follow, for each of them */
	size_t depth;
};

static void report_cycle(struct search *search, uint32_t start)
{
	const struct conf_view *views = search->load->box->conf.views;
	size_t i = search->depth;
	while (search->path[i - 1] != start)
		i--;
	uint32_t first = search->path[i - 1];
	char *text = talloc_strdup(search->load->tmp, "");
	for (; i <= search->depth; i++)
		text = talloc_asprintf_append_buffer(text, "%s -> ", views[search->path[i - 1]].name);
	uint32_t last = search->path[search->depth - 1];
	struct report_at at = at_key(&search->load->views.items[last], &views[last], "depends_on");
	report_error(search->load->report, &at, "a cycle of dependencies: %s%s; remove one of them", text,
	             views[first].name);
	talloc_free(text);
}

static void push(struct search *search, uint32_t view)
{
	search->color[view] = 1;
	search->path[search->depth] = view;
	search->edge[search->depth++] = 0;
}

static void follow(struct search *search)
{
	uint32_t from = search->path[search->depth - 1], to;
	const struct conf_list *list = &search->load->box->conf.views[from].depends_on;
	if (search->edge[search->depth - 1] == list->n) {
		search->color[from] = 2;
		search->depth--;
		return;
	}
	const char *item = list->items[search->edge[search->depth - 1]++];
	if (!resolve(search->load, item, &to) || to == from)
		return; /* reported already */
	if (search->color[to] == 0)
		push(search, to);
	else if (search->color[to] == 1)
		report_cycle(search, to);
}

static void check_cycles(struct load *load)
{
	size_t n = load->box->conf.n_views;
	struct search search = {.load = load};
	search.color = talloc_zero_array(load->tmp, uint8_t, n);
	search.path = talloc_array(load->tmp, uint32_t, n);
	search.edge = talloc_array(load->tmp, uint32_t, n);
	for (uint32_t i = 0; i < n; i++) {
		if (search.color[i] == 0)
			push(&search, i);
		while (search.depth > 0)
			follow(&search);
	}
}

/* As far as the texts tell. What is the same under two spellings is found when it is opened: the database says who
 * keeps it. */
static bool same_place(const struct conf_database *a, const struct conf_database *b)
{
	if (a->url == NULL || b->url == NULL || a->dialect == NULL || b->dialect == NULL ||
	    strcmp(a->dialect, b->dialect) != 0)
		return false;
	const char *place = url_place(a->url);
	bool relative = place[0] == '/' && place[1] != '/';
	return strcmp(place, url_place(b->url)) == 0 && (!relative || strcmp(a->base_dir, b->base_dir) == 0);
}

/* One session watches a database and holds its lock: the second section would stand by for ever. */
static void check_twice(struct load *load, size_t i)
{
	const struct conf_database *all = load->box->conf.databases;
	for (size_t first = 0; first < i; first++) {
		if (!same_place(&all[first], &all[i]))
			continue;
		struct report_at at = load_at(&load->databases.items[i], NULL);
		at.key = "url";
		at.line = all[i].origins[schema_row(&schema_database, "url")].line;
		report_error(load->report, &at,
		             "the same database as [database %s]; give the views of both sections to one of them",
		             all[first].name);
		return;
	}
}

/* The address shows definitions and errors: letting other machines in must be meant. */
static void check_http(struct load *load)
{
	const struct conf_daemon *daemon = &load->box->conf.daemon;
	if (daemon->http_listen == NULL || daemon->http_allow_remote || address_is_loopback(daemon->http_listen))
		return;
	struct report_at at = load_at(&load->daemon, NULL);
	struct conf_origin origin = daemon->origins[schema_row(&schema_daemon, "http_listen")];
	at.line = origin.line;
	at.key = "http_listen";
	report_error(
		load->report, &at,
		"other machines can reach %s, without TLS and without a password; write http_allow_remote = yes if that "
		"is meant, or listen on 127.0.0.1",
		daemon->http_listen);
}

void check_references(struct load *load)
{
	check_http(load);
	for (size_t i = 0; i < load->box->conf.n_databases; i++)
		check_twice(load, i);
	struct name_set *objects = names_new(load->tmp, load->views.n);
	for (uint32_t i = 0; i < load->views.n; i++) {
		const struct load_section *s = &load->views.items[i];
		const struct conf_view *view = &load->box->conf.views[i];
		check_databases(load, s, view);
		check_definitions(load, s, view);
		check_values(load, s, view);
		check_changes(load, s, view);
		check_zone(load, s, view);
		check_group(load, s, view);
		check_relation(load, s, view, objects, i);
		check_renamed(load, s, view);
		check_depends_on(load, s, view, i);
	}
	check_cycles(load);
}
