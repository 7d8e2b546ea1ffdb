/* SPDX-License-Identifier: MIT
 *
 * orphans.c: compares what each database has recorded with the sections of the files.
 */
#include "core/offline/orphans.h"

#include "base/err.h"
#include "base/mem.h"
#include "base/words.h"
#include "conf/snapshot/login.h"
#include "plugin/host.h"
#include "plugin/loader.h"

struct recorded_list {
	const struct conf *conf;
	const char *database;
	struct viewd_recorded *rows; /* a talloc context for their texts */
	size_t n;
};

static bool is_named(const struct conf *conf, const char *name, const char *database)
{
	const struct conf_view *view = conf_find_view(conf, name);
	return (view != NULL && conf_view_is_on(view, database)) || conf_find_follower(conf, name, database) != NULL;
}

static bool take_row(void *ctx, const struct viewd_recorded *row)
{
	struct recorded_list *list = ctx;
	struct viewd_recorded known;
	host_copy_row(&known, sizeof known, row);
	if (is_named(list->conf, known.name, list->database))
		return true;
	list->rows = mem_grow(NULL, list->rows, struct viewd_recorded, list->n + 1);
	known.name = mem_strdup(list->rows, known.name);
	known.relation = mem_strdup(list->rows, known.relation);
	list->rows[list->n++] = known;
	return true;
}

static bool ignore_source(void *ctx UNUSED, const struct viewd_source *src UNUSED)
{
	return true;
}

static bool add_statement(void *ctx, const char *text)
{
	char **all = ctx;
	*all = *all == NULL ? mem_strdup(NULL, text) : talloc_asprintf_append(*all, "; %s", text);
	return *all != NULL;
}

/* Tells of the object, when it is still there and ours. */
static bool tell(const struct viewd_dialect *dialect, struct viewd_conn *conn, const struct viewd_database_spec *db,
                 const struct viewd_recorded *row, const struct recorded_list *list,
                 const struct offline_orphan_sink *sink, struct viewd_err *err)
{
	const struct viewd_view_spec spec = {
		.struct_size = sizeof spec,
		.name = row->name,
		.relation = row->relation,
		.definition = "SELECT 1",
		.method = row->method,
		.materialized_as_table = true,
		.only_look = true,
	};
	const struct viewd_render_flags flags = {.cascade = false};
	struct viewd_found found = {0};
	char *remove = NULL;
	if (!dialect->inspect(conn, &spec, &found, (struct viewd_source_sink){.fn = ignore_source}, err))
		return false;
	if (!found.ours)
		return true;
	bool done =
		dialect->render(db, &spec, VIEWD_RENDER_DROP, &flags, (struct viewd_text_sink){add_statement, &remove}, err);
	if (done)
		sink->fn(sink->ctx, &(struct offline_orphan){.database = list->database,
		                                             .name = row->name,
		                                             .relation = row->relation,
		                                             .kind = word_kind(found.kind),
		                                             .created_us = row->created_us,
		                                             .last_success_us = row->last_success_us,
		                                             .remove = remove});
	talloc_free(remove);
	return done;
}

static bool list_database(const struct viewd_dialect *dialect, const struct viewd_database_spec *db,
                          struct recorded_list *list, const struct offline_orphan_sink *sink, struct viewd_err *err)
{
	if (dialect->recorded == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "the plugin %s cannot list what is recorded", dialect->name);
	struct viewd_conn *conn = dialect->open(host_services(), db, err);
	bool done = conn != NULL && dialect->recorded(conn, (struct viewd_recorded_sink){take_row, list}, err);
	for (size_t i = 0; done && i < list->n; i++)
		done = tell(dialect, conn, db, &list->rows[i], list, sink, err);
	dialect->close(&conn);
	talloc_free(list->rows);
	return done;
}

void offline_orphans(const struct conf *conf, struct registry *registry, struct offline_orphan_sink sink)
{
	for (size_t i = 0; i < conf->n_databases; i++) {
		const struct conf_database *db = &conf->databases[i];
		struct viewd_err err = {0};
		struct login login = {.password = NULL};
		struct recorded_list list = {.conf = conf, .database = db->name};
		const struct viewd_dialect *dialect = registry_open(registry, conf->daemon.plugin_dir, db->dialect, &err);
		if (dialect == NULL || !login_begin(&login, db, "list", &err) ||
		    !list_database(dialect, &login.spec, &list, &sink, &err))
			sink.fn(sink.ctx, &(struct offline_orphan){.database = db->name, .error = &err});
		login_end(&login);
	}
}
