/* SPDX-License-Identifier: MIT
 *
 * explain.c: asks a database, without a daemon, how a view can be kept incrementally.
 */
#include "core/offline/explain.h"

#include "base/err.h"
#include "base/mem.h"
#include "conf/snapshot/login.h"
#include "core/offline/offline.h"
#include "plugin/host.h"
#include "plugin/loader.h"

static bool ask_dialect(const struct viewd_dialect *dialect, const struct viewd_database_spec *db,
                        const struct viewd_view_spec *view, struct viewd_explained_sink facts, struct viewd_err *err)
{
	struct viewd_conn *conn = dialect->open(host_services(), db, err);
	bool done = conn != NULL && dialect->explain(conn, view, facts, err);
	dialect->close(&conn);
	return done;
}

static bool with_password(const struct viewd_dialect *dialect, const struct conf_database *db,
                          const struct conf_view *view, struct viewd_explained_sink facts, struct viewd_err *err)
{
	struct login login;
	struct viewd_view_spec view_spec;
	conf_view_spec(view, dialect->name, &view_spec);
	bool done = login_begin(&login, db, "explain", err) && ask_dialect(dialect, &login.spec, &view_spec, facts, err);
	login_end(&login);
	return done;
}

bool offline_explain(const struct conf *conf, struct registry *registry, const char *view,
                     struct viewd_explained_sink facts, struct viewd_err *err)
{
	const struct conf_view *found = NULL;
	const struct conf_database *db = NULL;
	struct viewd_err failure = {0};
	if (!offline_pick(conf, view, NULL, &found, &db, err))
		return false;
	const struct viewd_dialect *dialect = registry_open(registry, conf->daemon.plugin_dir, db->dialect, err);
	if (dialect == NULL)
		return false;
	if (dialect->explain == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "the plugin %s cannot explain", dialect->name);
	if (conf_definition_for(found, dialect->name) == NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "view '%s' has no definition for %s", found->name, dialect->name);
	if (with_password(dialect, db, found, facts, &failure))
		return true;
	*err = failure;
	return false;
}
