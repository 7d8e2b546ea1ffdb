/* SPDX-License-Identifier: MIT */
#include "conf/snapshot/diff.h"

#include "conf/read/arena.h"
#include "conf/schema/schema.h"

#include <string.h>
#include <talloc.h>

struct differ {
	void *mem_ctx; /* the result's */
	struct arena *arena;
	struct conf_diff_entry *entry; /* being filled */
	const char **keys;             /* of it */
	size_t cap;
};

static void add_key(struct differ *d, const char *prefix, const char *name, enum option_reload reload)
{
	struct conf_diff_entry *entry = d->entry;
	if (entry->keys.n == d->cap) {
		d->cap += 16;
		d->keys = talloc_realloc(d->mem_ctx, d->keys, const char *, d->cap);
		assert(d->keys != NULL);
	}
	char *text = talloc_asprintf(d->mem_ctx, "%s%s", prefix, name);
	d->keys[entry->keys.n++] = arena_strdup(d->arena, text);
	talloc_free(text);
	entry->what = CONF_DIFF_CHANGED;
	if (reload > entry->reload)
		entry->reload = reload;
}

static void start_entry(struct differ *d, struct conf_diff_entry *entry, const char *name, enum conf_diff_what what)
{
	d->entry = entry;
	*entry = (struct conf_diff_entry){.name = arena_strdup(d->arena, name), .what = what};
}

/* The keys found go to the arena, the growing array is used again. */
static void end_entry(struct differ *d)
{
	struct conf_list *keys = &d->entry->keys;
	keys->items = keys->n > 0 ? arena_memdup(d->arena, d->keys, keys->n * sizeof *d->keys) : NULL;
}

static void compare_rows(struct differ *d, const struct option_table *table, const void *a, const void *b)
{
	for (size_t i = 0; i < table->n; i++)
		if (!option_equal(&table->rows[i], a, b))
			add_key(d, "", table->rows[i].key, table->rows[i].reload);
}

static const char *value_in(const struct viewd_kv *kv, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(kv[i].key, key) == 0)
			return kv[i].value;
	return NULL;
}

static void compare_database(struct differ *d, const struct conf_database *a, const struct conf_database *b)
{
	compare_rows(d, &schema_database, a, b);
	/* A relative path in the URL starts at the file's directory. */
	if (strcmp(a->base_dir, b->base_dir) != 0 && strcmp(a->url, b->url) == 0)
		add_key(d, "", "url", OPTION_RECONNECT);
	for (size_t i = 0; i < b->n_options; i++) {
		const char *before = value_in(a->options, a->n_options, b->options[i].key);
		if (before == NULL || strcmp(before, b->options[i].value) != 0)
			add_key(d, "", b->options[i].key, OPTION_RECONNECT);
	}
	for (size_t i = 0; i < a->n_options; i++)
		if (value_in(b->options, b->n_options, a->options[i].key) == NULL)
			add_key(d, "", a->options[i].key, OPTION_RECONNECT);
}

static const struct conf_definition *same_definition(const struct conf_view *view, const char *dialect)
{
	for (size_t i = 0; i < view->n_definitions; i++) {
		const char *other = view->definitions[i].dialect;
		if (dialect == NULL || other == NULL ? dialect == other : strcmp(dialect, other) == 0)
			return &view->definitions[i];
	}
	return NULL;
}

/* Definitions that b has and a has not or has otherwise; with only_missing: that a lacks altogether. */
static void compare_definitions(struct differ *d, const struct conf_view *a, const struct conf_view *b,
                                bool only_missing)
{
	for (size_t i = 0; i < b->n_definitions; i++) {
		const struct conf_definition *now = &b->definitions[i], *before = same_definition(a, now->dialect);
		if (before == NULL || (!only_missing && strcmp(before->text, now->text) != 0))
			add_key(d, now->dialect != NULL ? "definition_" : "definition", now->dialect != NULL ? now->dialect : "",
			        OPTION_REDEFINE);
	}
}

static void compare_indexes(struct differ *d, const struct conf_view *a, const struct conf_view *b, bool only_missing)
{
	for (size_t i = 0; i < b->n_indexes; i++) {
		const struct viewd_index *now = &b->indexes[i], *before = NULL;
		for (size_t k = 0; k < a->n_indexes; k++)
			if (strcmp(a->indexes[k].name, now->name) == 0)
				before = &a->indexes[k];
		if (before == NULL || (!only_missing && strcmp(before->text, now->text) != 0))
			add_key(d, "index_", now->name, OPTION_REDEFINE);
	}
}

static void compare_view(struct differ *d, const struct conf_view *a, const struct conf_view *b)
{
	compare_rows(d, &schema_view, a, b);
	compare_definitions(d, a, b, false);
	compare_definitions(d, b, a, true);
	compare_indexes(d, a, b, false);
	compare_indexes(d, b, a, true);
}

static void diff_databases(struct differ *d, struct conf_diff *diff, const struct conf *old, const struct conf *new)
{
	size_t n_old = old != NULL ? old->n_databases : 0;
	struct conf_diff_entry *entries = arena_array(d->arena, struct conf_diff_entry, new->n_databases + n_old);
	for (size_t i = 0; i < new->n_databases; i++) {
		const struct conf_database *now = &new->databases[i];
		const struct conf_database *before = old != NULL ? conf_find_database(old, now->name) : NULL;
		start_entry(d, &entries[diff->n_databases++], now->name,
		            before != NULL ? CONF_DIFF_UNCHANGED : CONF_DIFF_ADDED);
		if (before != NULL)
			compare_database(d, before, now);
		end_entry(d);
	}
	for (size_t i = 0; i < n_old; i++)
		if (conf_find_database(new, old->databases[i].name) == NULL)
			start_entry(d, &entries[diff->n_databases++], old->databases[i].name, CONF_DIFF_REMOVED);
	diff->databases = entries;
}

/* Most sections stand where they stood: *near is where to look first, and moves behind the one that is found. */
static const struct conf_view *find_view_near(const struct conf *conf, size_t *near, const char *name)
{
	const struct conf_view *view = *near < conf->n_views && strcmp(conf->views[*near].name, name) == 0
	                                   ? &conf->views[*near]
	                                   : conf_find_view(conf, name);
	if (view != NULL)
		*near = (size_t)(view - conf->views) + 1;
	return view;
}

static void diff_views(struct differ *d, struct conf_diff *diff, const struct conf *old, const struct conf *new)
{
	size_t n_old = old != NULL ? old->n_views : 0, near = 0, n_both = 0;
	struct conf_diff_entry *entries = arena_array(d->arena, struct conf_diff_entry, new->n_views + n_old);
	for (size_t i = 0; i < new->n_views; i++) {
		const struct conf_view *now = &new->views[i];
		const struct conf_view *before = old != NULL ? find_view_near(old, &near, now->name) : NULL;
		n_both += before != NULL;
		start_entry(d, &entries[diff->n_views++], now->name, before != NULL ? CONF_DIFF_UNCHANGED : CONF_DIFF_ADDED);
		if (before != NULL)
			compare_view(d, before, now);
		end_entry(d);
	}
	near = 0;
	for (size_t i = 0; i < n_old && n_both < n_old; i++)
		if (find_view_near(new, &near, old->views[i].name) == NULL)
			start_entry(d, &entries[diff->n_views++], old->views[i].name, CONF_DIFF_REMOVED);
	diff->views = entries;
}

static size_t differences(const struct conf_diff_entry *entries, size_t n)
{
	size_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += entries[i].what != CONF_DIFF_UNCHANGED;
	return sum;
}

struct conf_diff *conf_diff_new(void *mem_ctx, const struct conf *old, const struct conf *new)
{
	struct conf_diff *diff = talloc_zero(mem_ctx, struct conf_diff);
	assert(diff != NULL);
	struct differ d = {.mem_ctx = diff, .arena = arena_new(diff)};
	start_entry(&d, &diff->daemon, "", old != NULL ? CONF_DIFF_UNCHANGED : CONF_DIFF_ADDED);
	if (old != NULL)
		compare_rows(&d, &schema_daemon, &old->daemon, &new->daemon);
	end_entry(&d);
	diff_databases(&d, diff, old, new);
	diff_views(&d, diff, old, new);
	talloc_free(d.keys);
	diff->n_differences = differences(&diff->daemon, 1) + differences(diff->databases, diff->n_databases) +
	                      differences(diff->views, diff->n_views);
	return diff;
}

static const struct conf_diff_entry *find_entry(const struct conf_diff_entry *entries, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(entries[i].name, name) == 0)
			return &entries[i];
	return NULL;
}

const struct conf_diff_entry *conf_diff_view(const struct conf_diff *diff, const char *name)
{
	return find_entry(diff->views, diff->n_views, name);
}

const struct conf_diff_entry *conf_diff_database(const struct conf_diff *diff, const char *name)
{
	return find_entry(diff->databases, diff->n_databases, name);
}

const char *conf_diff_word(enum conf_diff_what what)
{
	switch (what) {
	case CONF_DIFF_UNCHANGED:
		return "unchanged";
	case CONF_DIFF_ADDED:
		return "added";
	case CONF_DIFF_REMOVED:
		return "removed";
	case CONF_DIFF_CHANGED:
		return "changed";
	}
	return "unchanged";
}
