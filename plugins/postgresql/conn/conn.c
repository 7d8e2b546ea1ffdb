/* SPDX-License-Identifier: MIT
 *
 * conn.c: opening, judging and closing a session.
 */
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "base/span.h"
#include "common/conn/process.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/pg.h"

#define CONNECT_US (10 * SPAN_SECOND)
#define STATEMENT_US (60 * SPAN_SECOND) /* until an operation sets its own; as in setup_session() */
#define LOCK_US (2 * SPAN_SECOND)       /* likewise, settings.c */

void pg_log(struct viewd_conn *conn, enum viewd_log_level level, const char *fmt, ...)
{
	char text[768];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_redact(text);
	conn->db.host->log(conn->db.host->ctx, level, text);
}

/* Without a receiver libpq prints to stderr. That the server goes down (57P) is said by the error that follows. */
static void notice_received(void *ctx, const PGresult *res)
{
	struct viewd_conn *conn = ctx;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	bool going = state != NULL && strncmp(state, "57P", 3) == 0;
	bool warning = severity != NULL && strcmp(severity, "WARNING") == 0 && !going;
	pg_log(conn, warning ? VIEWD_LOG_WARNING : VIEWD_LOG_DEBUG, "database '%s', server says: %s",
	       conn->db.database_name, text != NULL ? text : PQresultErrorMessage(res));
}

static bool connect_failed(struct viewd_conn *conn, struct viewd_err *err)
{
	char text[500];
	snprintf(text, sizeof text, "%s", PQerrorMessage(conn->pg));
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n')
			*p = p[1] == '\0' ? '\0' : ' ';
	err_redact(text);
	bool wants = PQconnectionNeedsPassword(conn->pg) != 0;
	enum viewd_err_class cls = wants ? VIEWD_ERR_AUTH : pg_connect_class(text);
	err_set(err, cls, "database '%s' cannot be opened (%s)", conn->db.database_name, text);
	if (wants)
		return err_hint(err, "set password_file or password_credential, or use peer authentication");
	if (strstr(text, "Peer authentication failed") != NULL)
		return err_hint(err, "the server lets in only who runs as user '%s' of the system: runuser -u %s -- COMMAND",
		                PQuser(conn->pg), PQuser(conn->pg));
	if (strstr(text, "role \"") != NULL && strstr(text, "does not exist") != NULL)
		return err_hint(err, "an administrator makes the role: CREATE ROLE ... LOGIN");
	return false;
}

static const char facts_sql[] =
	"SELECT pg_catalog.current_setting('search_path') = $1,"
	" pg_catalog.current_setting('standard_conforming_strings'),"
	" pg_catalog.current_setting('client_encoding'),"
	" pg_catalog.pg_is_in_recovery() OR pg_catalog.current_setting('transaction_read_only') = 'on',"
	" coalesce((SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user), false), current_user,"
	" coalesce((SELECT n FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS s (n, o)"
	"            WHERE n <> 'pg_catalog' AND n NOT LIKE 'pg\\_temp%' ORDER BY o LIMIT 1), ''),"
	" EXISTS (SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace AND "
	"n.nspname = 'viewd'"
	"          WHERE c.relname = 'daemon' AND pg_catalog.has_table_privilege(c.oid, 'UPDATE'))";

/* v: one text for each fact. */
static bool judge_session(struct viewd_conn *conn, const char *const *v, struct viewd_err *err)
{
	const char *name = conn->db.database_name;
	if (strcmp(v[3], "t") == 0)
		return err_set(err, VIEWD_ERR_STANDBY,
		               "database '%s' is read-only (a standby, or "
		               "default_transaction_read_only)",
		               name);
	if (strcmp(v[0], "t") != 0 || strcmp(v[1], "on") != 0 || strcmp(v[2], "UTF8") != 0) {
		err_set(err, VIEWD_ERR_CONFIG, "database '%s' does not keep session settings", name);
		return err_hint(err, "connect to the server itself, not through a pooler in transaction mode");
	}
	if (strcmp(v[4], "t") == 0 && !conn->reading.allow_superuser) {
		err_set(err, VIEWD_ERR_CONFIG, "database '%s', role '%s' is a superuser", name, v[5]);
		return err_hint(err, "use an ordinary role that owns its views, or set allow_superuser = yes in [database %s]",
		                name);
	}
	conn->fenced = strcmp(v[7], "t") == 0;
	conn->default_schema = talloc_strdup(conn, v[6]);
	if (conn->default_schema[0] != '\0')
		return true;
	err_set(err, VIEWD_ERR_MISSING, "database '%s', no schema of search_path exists (%s)", name, conn->search_path);
	return err_hint(err, "create it, or name an existing one in search_path");
}

struct session {
	struct viewd_conn *conn;
	struct viewd_err *err;
	bool told, good;
};

static bool take_facts_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct session *s = ctx;
	s->told = true;
	s->good = judge_session(s->conn, v, s->err);
	return false;
}

static const struct db_reader take_facts[] = {{take_facts_fn, "tttttttt", "the session"}};

static bool setup_session(struct viewd_conn *conn, struct viewd_err *err)
{
	struct session s = {conn, err, false, false};
	conn->timeout_us = STATEMENT_US;
	conn->lock_us = LOCK_US;
	const char *params[] = {conn->search_path};
	/* Alone, since the server's own limit may be too short for anything else. */
	if ((!conn->pooled && !pg_exec(conn, "SET statement_timeout = '60s'", err)) || !pg_settings_apply(conn, err) ||
	    !pg_op_query(&conn->db, facts_sql, params, 1, take_facts, &s, err))
		return err_wrap(err, "database '%s', session settings", conn->db.database_name);
	if (!s.told)
		return err_set(err, VIEWD_ERR_QUERY, "database '%s' tells nothing of the session", conn->db.database_name);
	return s.good;
}

static int conn_destroy(struct viewd_conn *conn)
{
	if (conn->canceller != NULL)
		PQfreeCancel(conn->canceller);
	PQfinish(conn->pg);
	return 0;
}

static struct viewd_conn *conn_new(const struct viewd_host *host, const struct viewd_database_spec *spec)
{
	struct viewd_conn *conn = talloc_zero(NULL, struct viewd_conn);
	assert(conn != NULL);
	talloc_set_destructor(conn, conn_destroy);
	conn->db = (struct db){
		.syntax = &pg_syntax, .ops = &pg_ops, .host = host, .database_name = talloc_strdup(conn, spec->name)};
	conn->who.holder = process_holder(conn, spec->name);
	return conn;
}

static bool conn_connect(struct viewd_conn *conn, const struct viewd_database_spec *spec, struct viewd_err *err)
{
	struct pg_params params;
	void *tmp = talloc_new(NULL);
	bool ok = pg_url_params(tmp, spec, &params, err);
	if (ok)
		conn->pg = PQconnectdbParams(params.keywords, params.values, 0);
	talloc_free(tmp);
	if (!ok)
		return false;
	if (PQstatus(conn->pg) != CONNECTION_OK)
		return connect_failed(conn, err);
	PQsetNoticeReceiver(conn->pg, notice_received, conn);
	conn->canceller = PQgetCancel(conn->pg);
	return conn->canceller != NULL || err_set(err, VIEWD_ERR_RESOURCE, "database '%s', no memory", spec->name);
}

struct viewd_conn *pg_conn_connect(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                   struct viewd_err *err)
{
	struct viewd_conn *conn = conn_new(host, spec);
	conn->answer_us = spec->connect_timeout_us > 0 ? spec->connect_timeout_us : CONNECT_US;
	if (!conn_connect(conn, spec, err))
		pg_conn_close(&conn);
	return conn;
}

struct viewd_conn *pg_conn_open(const struct viewd_host *host, const struct viewd_database_spec *spec,
                                struct viewd_err *err)
{
	struct viewd_conn *conn = pg_conn_connect(host, spec, err);
	if (conn == NULL)
		return NULL;
	bool ok = pg_search_path(conn, spec, &conn->search_path, err) &&
	          pg_schema_owner(conn, spec, &conn->schema_owner, err) &&
	          pg_allow_superuser(spec, &conn->reading.allow_superuser, err) && pg_pooler_judge(conn, spec, err) &&
	          setup_session(conn, err) && pg_own_check(conn, err);
	if (!ok)
		pg_conn_close(&conn);
	else
		conn->answer_us = 0;
	if (conn != NULL)
		conn->reading.spec = pg_read_spec(conn, spec);
	return conn;
}

void pg_conn_close(struct viewd_conn **conn)
{
	talloc_free(*conn);
	*conn = NULL;
}

void pg_conn_cancel(struct viewd_conn *conn)
{
	char why[256];
	atomic_store(&conn->cancelled, true);
	/* A failure means that the server is gone or the statement ended: both end the operation by themselves. */
	(void)PQcancel(conn->canceller, why, sizeof why);
}

void pg_conn_fresh(struct viewd_conn *conn)
{
	atomic_store(&conn->cancelled, false);
}

bool pg_conn_alive(struct viewd_conn *conn)
{
	pg_conn_fresh(conn);
	pg_op_rollback(&conn->db);
	return pg_answers(conn);
}

/* 15.6 and its siblings close CVE-2024-0985 (REFRESH CONCURRENTLY could run code as another role); libpq 15.11 and its
 * siblings close CVE-2025-1094 (quoting of invalid encodings). https://www.postgresql.org/support/security/ */
static bool older_than_fix(int version, const int *fixed, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (version / 10000 == fixed[i] / 10000)
			return version < fixed[i];
	return version / 10000 < fixed[0] / 10000;
}

void pg_conn_warn_versions(struct viewd_conn *conn)
{
	static const int refresh_fix[] = {120018, 130014, 140011, 150006};
	static const int notify_fix[] = {140021, 150016, 160012, 170008, 180002};
	static const int quote_fix[] = {130019, 140016, 150011, 160007, 170003};
	int server = PQserverVersion(conn->pg), client = PQlibVersion();
	if (older_than_fix(server, refresh_fix, ARRAY_LEN(refresh_fix)))
		pg_log(conn, VIEWD_LOG_WARNING,
		       "database '%s', server %d.%d has CVE-2024-0985 (update it before using concurrent refreshes)",
		       conn->db.database_name, server / 10000, server % 10000);
	else if (older_than_fix(server, notify_fix, ARRAY_LEN(notify_fix)))
		pg_log(conn, VIEWD_LOG_WARNING, "database '%s', server %d.%d has known faults in LISTEN/NOTIFY (update it)",
		       conn->db.database_name, server / 10000, server % 10000);
	if (older_than_fix(client, quote_fix, ARRAY_LEN(quote_fix)))
		pg_log(conn, VIEWD_LOG_WARNING, "libpq %d.%d has CVE-2025-1094 (update the package libpq5)", client / 10000,
		       client % 10000);
}
