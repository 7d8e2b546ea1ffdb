/* SPDX-License-Identifier: MIT */
#include "conf/conf.h"

#include "conf/snapshot/box.h"

#include <string.h>
#include <talloc.h>

static struct conf_box *box_of(const struct conf *conf)
{
	return CONTAINER_OF((uintptr_t)conf, struct conf_box, conf);
}

struct conf *conf_ref(struct conf *conf)
{
	box_of(conf)->refs++;
	return conf;
}

void conf_unref(struct conf **conf)
{
	if (conf == NULL || *conf == NULL)
		return;
	struct conf_box *box = box_of(*conf);
	*conf = NULL;
	if (--box->refs == 0)
		talloc_free(box);
}

const struct conf_database *conf_find_database(const struct conf *conf, const char *name)
{
	uint32_t i;
	return names_find(box_of(conf)->databases, name, &i) ? &conf->databases[i] : NULL;
}

const struct conf_view *conf_find_view(const struct conf *conf, const char *name)
{
	uint32_t i;
	return names_find(box_of(conf)->views, name, &i) ? &conf->views[i] : NULL;
}

const struct conf_view *conf_find_follower(const struct conf *conf, const char *name, const char *database)
{
	for (size_t i = 0; i < conf->n_views; i++) {
		const struct conf_view *view = &conf->views[i];
		if (view->renamed_from != NULL && strcmp(view->renamed_from, name) == 0 && conf_view_is_on(view, database))
			return view;
	}
	return NULL;
}

bool conf_view_is_on(const struct conf_view *view, const char *database)
{
	for (size_t i = 0; i < view->database.n; i++)
		if (strcmp(view->database.items[i], database) == 0)
			return true;
	return false;
}

struct conf_origin conf_origin_of(const struct conf_origins *origins, size_t number)
{
	for (; origins != NULL; origins = origins->inherited)
		for (uint32_t i = 0; i < origins->n && origins->set[i].number <= number; i++)
			if (origins->set[i].number == number)
				return origins->set[i].origin;
	return (struct conf_origin){.file = CONF_FILE_DEFAULT};
}

bool conf_view_is_scheduled(const struct conf_view *view)
{
	return view->every > 0 || view->after > 0 || view->cron != NULL || view->max_staleness > 0 || view->target_lag > 0;
}

const struct conf_definition *conf_definition_for(const struct conf_view *view, const char *dialect)
{
	const struct conf_definition *general = NULL;
	for (size_t i = 0; i < view->n_definitions; i++) {
		const struct conf_definition *d = &view->definitions[i];
		if (d->dialect == NULL)
			general = d;
		else if (strcmp(d->dialect, dialect) == 0)
			return d;
	}
	return general;
}

void conf_database_spec(const struct conf_database *db, struct viewd_database_spec *out)
{
	*out = (struct viewd_database_spec){
		.struct_size = sizeof *out,
		.name = db->name,
		.url = db->url,
		.base_dir = db->base_dir,
		.options = db->options,
		.n_options = db->n_options,
		.connect_timeout_us = db->connect_timeout,
	};
}

void conf_view_spec(const struct conf_view *view, const char *dialect, struct viewd_view_spec *out)
{
	const struct conf_definition *definition = conf_definition_for(view, dialect);
	*out = (struct viewd_view_spec){
		.struct_size = sizeof *out,
		.name = view->name,
		.relation = view->relation != NULL ? view->relation : view->name,
		.definition = definition != NULL ? definition->text : NULL,
		.method = (enum viewd_method)view->method,
		.mode = (enum viewd_refresh_mode)view->refresh_mode,
		.unique_key = view->unique_key.items,
		.n_unique_key = view->unique_key.n,
		.columns = view->columns,
		.n_columns = view->n_columns,
		.indexes = view->indexes,
		.n_indexes = view->n_indexes,
		.options = view->options,
		.n_options = view->n_options,
		.materialized_as_table = view->materialized_as_table,
		.with_data = view->with_data,
		.cascade = view->cascade,
		.on_remove = view->on_remove == CONF_REMOVE_DROP ? VIEWD_REMOVE_DROP : VIEWD_REMOVE_KEEP,
		.timeout_us = view->timeout,
		.lock_timeout_us = view->lock_timeout,
		.captured = view->on_change,
		.notify_channel = view->notify_channel,
		.run_as = view->run_as,
		.pre_hook = view->pre_hook,
		.post_hook = view->post_hook,
		.refresh_group = view->refresh_group,
		.settings = view->settings,
		.n_settings = view->n_settings,
		.grants = view->grants,
	};
}
