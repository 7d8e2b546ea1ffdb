/* SPDX-License-Identifier: MIT */
#include "core/exec/uninstall_run.h"

#include "base/err.h"
#include "base/mem.h"
#include "conf/snapshot/login.h"
#include "plugin/host.h"

#include <poll.h>

/* A server needs a moment to notice that the session which held the lock has ended. */
#define LOCK_TRIES 30
#define LOCK_PAUSE_MS 100

static struct viewd_watch *take_lock(const struct viewd_dialect *dialect, const struct viewd_database_spec *spec,
                                     struct viewd_err *err)
{
	struct viewd_watch *watch = dialect->capture->watch_open(host_services(), spec, err);
	for (int i = 0; watch == NULL && err->cls == VIEWD_ERR_STANDBY && i < LOCK_TRIES; i++) {
		poll(NULL, 0, LOCK_PAUSE_MS);
		watch = dialect->capture->watch_open(host_services(), spec, err);
	}
	if (watch == NULL && err->cls == VIEWD_ERR_STANDBY)
		err_hint(err,
		         "viewctl uninstall without -c has the viewd that keeps it take itself out; or stop that one first");
	return watch;
}

static bool with_spec(const struct viewd_dialect *dialect, const struct viewd_database_spec *spec, bool print,
                      struct viewd_text_sink statements, struct viewd_err *err)
{
	const struct viewd_uninstall_request req = {.struct_size = sizeof req, .print = print};
	bool lock = !print && dialect->capture != NULL;
	struct viewd_watch *watch = lock ? take_lock(dialect, spec, err) : NULL;
	if (lock && watch == NULL)
		return false;
	struct viewd_conn *conn = dialect->open(host_services(), spec, err);
	bool done = conn != NULL && dialect->uninstall(conn, &req, statements, err);
	dialect->close(&conn);
	if (watch != NULL)
		dialect->capture->watch_close(&watch);
	return done;
}

bool uninstall_is_possible(const struct viewd_dialect *dialect, const struct conf_database *conf, struct viewd_err *err)
{
	return dialect->uninstall != NULL ||
	       err_set(err, VIEWD_ERR_CONFIG, "database '%s', the plugin for %s cannot take viewd out of it", conf->name,
	               conf->dialect);
}

bool uninstall_carry_out(const struct viewd_dialect *dialect, const struct conf_database *conf, bool print,
                         struct viewd_text_sink statements, struct viewd_err *err)
{
	struct login login = {.password = NULL};
	struct viewd_err failure = {0};
	bool done = uninstall_is_possible(dialect, conf, &failure) && login_begin(&login, conf, "uninstall", &failure) &&
	            with_spec(dialect, &login.spec, print, statements, &failure);
	login_end(&login);
	if (!done)
		*err = failure;
	return done;
}
