/* SPDX-License-Identifier: MIT
 *
 * view_settings.c: settings that one view has for itself. One session serves many views, so what the last one has set
 * is taken back.
 */
#include "mysql/my.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"

/* A value with commas comes in quotes. */
static char *bare(void *mem, const char *value)
{
	size_t len = strlen(value);
	bool quoted = len >= 2 && (value[0] == '"' || value[0] == '`') && value[len - 1] == value[0];

	return quoted ? talloc_strndup(mem, value + 1, len - 2) : talloc_strdup(mem, value);
}

static char *own_settings(void *mem, const struct viewd_view_spec *view)
{
	char *own = sql_new(mem);

	for (size_t i = 0; i < view->n_settings; i++) {
		char *value = bare(NULL, view->settings[i].value);
		own = my_setting_add(own, view->settings[i].key, value);
		talloc_free(value);
	}
	return own;
}

/* The database's sql_mode follows. */
static char *undo_settings(void *mem, const struct viewd_view_spec *view)
{
	char *undo = sql_new(mem);

	for (size_t i = 0; i < view->n_settings; i++)
		if (strcasecmp(view->settings[i].key, "sql_mode") != 0)
			undo = sql_add(undo, "%s = DEFAULT, ", view->settings[i].key);
	return undo;
}

bool my_settings_check_view(const struct viewd_view_spec *view, struct viewd_err *err)
{
	bool good = true;

	for (size_t i = 0; i < view->n_settings && good; i++) {
		char *value = bare(NULL, view->settings[i].value);
		good = my_setting_check(view->settings[i].key, value, err) || err_wrap(err, "settings");
		talloc_free(value);
	}
	return good;
}

bool my_settings_render(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                        enum viewd_render_kind kind, struct viewd_text_sink statements)
{
	void *mem = talloc_new(NULL);

	if (view->n_settings > 0 && kind != VIEWD_RENDER_DROP)
		statements.fn(statements.ctx,
		              talloc_asprintf(mem, "SET SESSION %s%s", my_settings_list(mem, db), own_settings(mem, view)));
	talloc_free(mem);
	return true;
}

bool my_use_settings(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err)
{
	static const struct viewd_view_spec none;
	struct viewd_conn *conn = my_conn(db);

	view = view != NULL ? view : &none;
	if (!my_settings_check_view(view, err))
		return false;
	char *own = own_settings(conn, view);
	if (conn->own.set != NULL && strcmp(conn->own.set, own) == 0) {
		talloc_free(own);
		return true;
	}
	char *sql =
		talloc_asprintf(own, "SET SESSION %s%s%s", conn->own.undo != NULL ? conn->own.undo : "", conn->settings, own);
	if (!db_exec(db, sql, err)) {
		conn->hooked = true; /* renewed before the next call, whatever is in force now */
		talloc_free(own);
		return view->n_settings > 0 ? err_wrap(err, "settings") : false;
	}
	talloc_free(sql);
	talloc_free(conn->own.set);
	talloc_free(conn->own.undo);
	conn->own.set = own;
	conn->own.undo = undo_settings(conn, view);
	return true;
}
