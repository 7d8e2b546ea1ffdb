/* SPDX-License-Identifier: MIT
 *
 * doctor.c: hands the views of each database to its dialect, which examines the account.
 */
#include "core/offline/doctor.h"

#include "base/err.h"
#include "base/mem.h"
#include "conf/snapshot/login.h"
#include "plugin/host.h"
#include "plugin/loader.h"

struct examined_list {
	struct viewd_view_spec *specs;
	struct viewd_examined *items;
	size_t n;
};

struct told {
	const struct offline_finding_sink *sink;
	const char *database;
};

static void list_views(void *mem, const struct conf *conf, const struct conf_database *db, struct examined_list *out)
{
	*out = (struct examined_list){.specs = mem_array(mem, struct viewd_view_spec, conf->n_views),
	                              .items = mem_array(mem, struct viewd_examined, conf->n_views)};
	for (size_t i = 0; i < conf->n_views; i++) {
		const struct conf_view *view = &conf->views[i];
		if (!view->enabled || !conf_view_is_on(view, db->name) || conf_definition_for(view, db->dialect) == NULL)
			continue;
		struct viewd_view_spec *spec = &out->specs[out->n];
		conf_view_spec(view, db->dialect, spec);
		out->items[out->n++] = (struct viewd_examined){.struct_size = sizeof(struct viewd_examined),
		                                               .view = spec,
		                                               .on_change = view->on_change,
		                                               .adopt = view->adopt,
		                                               .capture = (enum viewd_capture)view->capture};
	}
}

static bool pass_on(void *ctx, const struct viewd_finding *finding)
{
	const struct told *told = ctx;
	struct viewd_finding known;
	host_copy_row(&known, sizeof known, finding);
	told->sink->fn(told->sink->ctx, told->database, &known);
	return true;
}

static void say_nothing(void *ctx, enum viewd_log_level level, const char *msg)
{
	(void)ctx, (void)level, (void)msg; /* findings say it */
}

static bool examine(const struct viewd_dialect *dialect, const struct viewd_database_spec *spec,
                    const struct examined_list *views, struct told *told, struct viewd_err *err)
{
	if (dialect->advice == NULL || dialect->advice->examine == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "the plugin %s cannot examine an account", dialect->name);
	struct viewd_host host = *host_services();
	host.log = say_nothing;
	return dialect->advice->examine(&host, spec, views->items, views->n, (struct viewd_finding_sink){pass_on, told},
	                                err);
}

static void examine_database(const struct conf *conf, struct registry *registry, const struct conf_database *db,
                             const struct offline_finding_sink *sink)
{
	struct viewd_err err = {0};
	struct login login = {.password = NULL};
	struct told told = {sink, db->name};
	struct examined_list views;
	void *mem = talloc_new(NULL);
	const struct viewd_dialect *dialect = registry_open(registry, conf->daemon.plugin_dir, db->dialect, &err);
	list_views(mem, conf, db, &views);
	bool done = dialect != NULL && login_begin(&login, db, "doctor", &err) &&
	            examine(dialect, &login.spec, &views, &told, &err);
	const struct viewd_finding failure = {.struct_size = sizeof failure,
	                                      .missing = true,
	                                      .what = err.msg,
	                                      .advice = err.hint[0] != '\0' ? err.hint : NULL};
	if (!done)
		sink->fn(sink->ctx, db->name, &failure);
	login_end(&login);
	talloc_free(mem);
}

void offline_doctor(const struct conf *conf, struct registry *registry, struct offline_finding_sink sink)
{
	for (size_t i = 0; i < conf->n_databases; i++)
		examine_database(conf, registry, &conf->databases[i], &sink);
}
