/* SPDX-License-Identifier: MIT
 *
 * example.c: the smallest dialect that viewd accepts. docs/plugin-guide.md explains it; replace one function after the
 * other.
 */
#include "viewd_dialect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct viewd_conn {
	const struct viewd_host *host; /* outlives the connection */
};

static bool fail(struct viewd_err *err, enum viewd_err_class cls, const char *msg, const char *hint)
{
	memset(err, 0, sizeof *err);
	err->cls = cls;
	snprintf(err->msg, sizeof err->msg, "%s", msg);
	snprintf(err->hint, sizeof err->hint, "%s", hint);
	return false;
}

static bool not_yet(struct viewd_err *err)
{
	return fail(err, VIEWD_ERR_QUERY, "the example keeps no views", "write this function");
}

static bool check_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	if (strncmp(db->url, "example://", 10) != 0)
		return fail(err, VIEWD_ERR_CONFIG, "the URL is not one of mine", "example://NAME");
	return true;
}

static bool check_view(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                       struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err)
{
	(void)db;
	(void)mentions; /* call it once for each identifier in view->definition */
	if (view->method != VIEWD_METHOD_SIMPLE)
		return fail(err, VIEWD_ERR_CONFIG, "only simple views are possible here", "method = simple");
	memset(out, 0, sizeof *out);
	out->method = view->method;
	out->mode = VIEWD_MODE_FULL;
	snprintf(out->relation, sizeof out->relation, "\"%s\"", view->relation);
	/* A real one hashes everything that counts */
	snprintf(out->hash, sizeof out->hash, "%zu", strlen(view->definition));
	return true;
}

static bool render(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                   enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                   struct viewd_text_sink statements, struct viewd_err *err)
{
	char text[512];
	(void)db;
	(void)flags;
	(void)err;
	snprintf(text, sizeof text, "%s VIEW \"%s\"", kind == VIEWD_RENDER_DROP ? "DROP" : "CREATE", view->relation);
	statements.fn(statements.ctx, text);
	return true;
}

static struct viewd_conn *open_conn(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err)
{
	(void)db;
	struct viewd_conn *conn = calloc(1, sizeof *conn);
	if (conn == NULL)
		fail(err, VIEWD_ERR_RESOURCE, "out of memory", "");
	else
		conn->host = host;
	return conn;
}

static void close_conn(struct viewd_conn **conn)
{
	free(*conn);
	*conn = NULL;
}

static void cancel(struct viewd_conn *conn)
{
	(void)conn;
}

static bool alive(struct viewd_conn *conn)
{
	return conn != NULL;
}

static bool prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	(void)conn;
	(void)rows; /* call it for each row of the state table */
	(void)err;
	return true;
}

static bool inspect(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_found *out,
                    struct viewd_source_sink sources, struct viewd_err *err)
{
	(void)conn;
	(void)sources;
	(void)err;
	memset(out, 0, sizeof *out);
	out->kind = VIEWD_KIND_NONE;
	out->rows = -1;
	snprintf(out->name, sizeof out->name, "%s", view->relation);
	return true;
}

static bool apply(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change,
                  struct viewd_outcome *out, struct viewd_err *err)
{
	(void)conn;
	(void)view;
	(void)change;
	(void)out;
	return not_yet(err);
}

static bool refresh(struct viewd_conn *conn, const struct viewd_view_spec *view,
                    const struct viewd_refresh_request *req, struct viewd_outcome *out, struct viewd_err *err)
{
	(void)conn;
	(void)view;
	(void)req;
	(void)out;
	return not_yet(err);
}

static bool record_failure(struct viewd_conn *conn, const struct viewd_view_spec *view,
                           const struct viewd_refresh_request *req, enum viewd_failure how,
                           const struct viewd_err *failure, struct viewd_err *err)
{
	(void)conn;
	(void)view;
	(void)req;
	(void)how;
	(void)failure;
	(void)err;
	return true;
}

static bool verify(struct viewd_conn *conn, const struct viewd_view_spec *view, struct viewd_verdict *out,
                   struct viewd_err *err)
{
	(void)conn;
	(void)view;
	(void)out;
	return not_yet(err);
}

static bool history(struct viewd_conn *conn, const struct viewd_view_spec *view, int limit,
                    struct viewd_history_sink rows, struct viewd_err *err)
{
	(void)conn;
	(void)view;
	(void)limit;
	(void)rows;
	(void)err;
	return true;
}

VIEWD_DIALECT_EXPORT = {
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.struct_size = sizeof(struct viewd_dialect),
	.name = "example",
	.version = "0.1",
	.caps = VIEWD_CAP_SINGLE_WRITER,
	.check_database = check_database,
	.check_view = check_view,
	.render = render,
	.open = open_conn,
	.close = close_conn,
	.cancel = cancel,
	.alive = alive,
	.prepare = prepare,
	.inspect = inspect,
	.apply = apply,
	.refresh = refresh,
	.record_failure = record_failure,
	.verify = verify,
	.history = history,
};
