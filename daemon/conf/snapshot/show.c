/* SPDX-License-Identifier: MIT */
#include "conf/snapshot/show.h"

#include "conf/schema/schema.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

struct show {
	const struct conf *conf;
	conf_show_fn *fn;
	void *ctx;
	void *tmp;
};

char *conf_origin_text(void *mem_ctx, const struct conf *conf, struct conf_origin origin)
{
	if (origin.file == CONF_FILE_DEFAULT)
		return talloc_strdup(mem_ctx, "default");
	return talloc_asprintf(mem_ctx, "%s:%u%s", conf->files[origin.file], origin.line,
	                       origin.from_defaults ? " [view-defaults]" : "");
}

static void show(const struct show *s, const char *key, const char *value, struct conf_origin origin, const char *help)
{
	struct conf_setting setting = {.key = key, .value = value, .help = help};
	setting.origin = conf_origin_text(s->tmp, s->conf, origin);
	s->fn(s->ctx, &setting);
}

static void show_row(const struct show *s, const struct option_row *row, const void *base, struct conf_origin origin)
{
	if (row->type == OPTION_DEFINITION || row->type == OPTION_INDEX)
		return; /* no field; shown apart */
	char *value = option_format(s->tmp, row, base);
	if (value != NULL && (row->flags & OPTION_SECRET) != 0)
		value = conf_redact_url(s->tmp, value);
	show(s, row->key, value, origin, row->help);
}

static void show_rows(const struct show *s, const struct option_table *table, const void *base,
                      const struct conf_origin *origins)
{
	for (size_t i = 0; i < table->n; i++)
		show_row(s, &table->rows[i], base, origins[i]);
}

void conf_show_daemon(const struct conf *conf, conf_show_fn *fn, void *ctx)
{
	struct show s = {.conf = conf, .fn = fn, .ctx = ctx, .tmp = talloc_new(NULL)};
	show_rows(&s, &schema_daemon, &conf->daemon, conf->daemon.origins);
	talloc_free(s.tmp);
}

void conf_show_database(const struct conf *conf, const struct conf_database *db, conf_show_fn *fn, void *ctx)
{
	struct show s = {.conf = conf, .fn = fn, .ctx = ctx, .tmp = talloc_new(NULL)};
	show_rows(&s, &schema_database, db, db->origins);
	for (size_t i = 0; i < db->n_options; i++)
		show(&s, db->options[i].key, conf_redact_url(s.tmp, db->options[i].value), db->origins[schema_database.n + i],
		     "a key of the dialect");
	talloc_free(s.tmp);
}

static void show_definitions(const struct show *s, const struct conf_view *view, const char *help)
{
	for (size_t i = 0; i < view->n_definitions; i++) {
		const struct conf_definition *d = &view->definitions[i];
		const char *key = talloc_asprintf(s->tmp, "definition%s%s%s", d->file != NULL ? "_file" : "",
		                                  d->dialect != NULL ? "_" : "", d->dialect != NULL ? d->dialect : "");
		show(s, key, d->file != NULL ? d->file : d->text, conf_origin_of(view->origins, schema_view.n + i), help);
	}
}

static void show_indexes(const struct show *s, const struct conf_view *view, const char *help)
{
	for (size_t i = 0; i < view->n_indexes; i++)
		show(s, talloc_asprintf(s->tmp, "index_%s", view->indexes[i].name), view->indexes[i].text,
		     conf_origin_of(view->origins, schema_view.n + view->n_definitions + i), help);
}

void conf_show_view(const struct conf *conf, const struct conf_view *view, conf_show_fn *fn, void *ctx)
{
	struct show s = {.conf = conf, .fn = fn, .ctx = ctx, .tmp = talloc_new(NULL)};
	for (size_t i = 0; i < schema_view.n; i++) {
		const struct option_row *row = &schema_view.rows[i];
		if (strcmp(row->key, "relation") == 0)
			show(&s, row->key, view->relation != NULL ? view->relation : view->name, conf_origin_of(view->origins, i),
			     row->help);
		else if (strcmp(row->key, "definition") == 0)
			show_definitions(&s, view, row->help);
		else if (row->type == OPTION_INDEX)
			show_indexes(&s, view, row->help);
		else
			show_row(&s, row, view, conf_origin_of(view->origins, i));
	}
	talloc_free(s.tmp);
}

/* The number behind the rows of the definition or index that key names, or -1. */
static ptrdiff_t collected(const struct conf_view *view, const char *key)
{
	for (size_t i = 0; i < view->n_indexes; i++)
		if (strncmp(key, "index_", 6) == 0 && strcmp(view->indexes[i].name, key + 6) == 0)
			return (ptrdiff_t)(view->n_definitions + i);
	for (size_t i = 0; i < view->n_definitions; i++) {
		const char *dialect = view->definitions[i].dialect;
		if (dialect != NULL && strncmp(key, "definition_", 11) == 0 && strcmp(dialect, key + 11) == 0)
			return (ptrdiff_t)i;
		if (dialect == NULL && strcmp(key, "definition") == 0)
			return (ptrdiff_t)i;
	}
	return -1;
}

char *conf_view_place(void *mem_ctx, const struct conf *conf, const struct conf_view *view, const char *key)
{
	const struct option_row *row = option_find(&schema_view, key);
	struct conf_origin origin = {.file = CONF_FILE_DEFAULT};
	ptrdiff_t i = collected(view, key);
	if (i >= 0)
		origin = conf_origin_of(view->origins, schema_view.n + (size_t)i);
	else if (row != NULL)
		origin = conf_origin_of(view->origins, row - schema_view.rows);
	if (origin.file == CONF_FILE_DEFAULT)
		origin = view->where;
	return talloc_asprintf(mem_ctx, "%s:%u", conf->files[origin.file], origin.line);
}

char *conf_daemon_place(void *mem_ctx, const struct conf *conf, const char *key)
{
	struct conf_origin origin = conf->daemon.origins[schema_row(&schema_daemon, key)];
	if (origin.file == CONF_FILE_DEFAULT)
		return talloc_asprintf(mem_ctx, "%s: [viewd] %s", conf->main_file, key);
	return talloc_asprintf(mem_ctx, "%s:%u: [viewd] %s", conf->files[origin.file], origin.line, key);
}
