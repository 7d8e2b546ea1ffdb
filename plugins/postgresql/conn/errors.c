/* SPDX-License-Identifier: MIT
 *
 * errors.c: gives a SQLSTATE its class, and takes all there is to tell of a failure at once.
 *
 * Codes: https://www.postgresql.org/docs/15/errcodes-appendix.html
 */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "postgresql/pg.h"

struct sqlstate_class {
	const char *prefix; /* of the SQLSTATE; the first that fits wins, so exact codes stand before their class */
	enum viewd_err_class cls;
};

static const struct sqlstate_class sqlstate_classes[] = {
	{"57014", VIEWD_ERR_CANCELLED}, /* query_canceled */
	{"55P03", VIEWD_ERR_CONFLICT},  /* lock_not_available */
	{"55006", VIEWD_ERR_CONFLICT},  /* object_in_use */
	{"40003", VIEWD_ERR_LOST},      /* statement_completion_unknown */
	{"40", VIEWD_ERR_CONFLICT},     /* deadlock, serialisation failure */
	{"25006", VIEWD_ERR_STANDBY},   /* read_only_sql_transaction */
	{"26000", VIEWD_ERR_CONFLICT},  /* somebody has removed what we had prepared: the next attempt does without */
	{"42P05", VIEWD_ERR_CONFLICT},  /* likewise */
	{"25P03", VIEWD_ERR_LOST},      /* idle_in_transaction_session_timeout */
	{"57P03", VIEWD_ERR_CONNECT},   /* cannot_connect_now */
	{"57P04", VIEWD_ERR_MISSING},   /* database_dropped */
	{"57P", VIEWD_ERR_LOST},        /* admin_shutdown, crash_shutdown, idle_session_timeout */
	{"08", VIEWD_ERR_CONNECT},      {"28", VIEWD_ERR_AUTH},
	{"3D000", VIEWD_ERR_MISSING}, /* no such database */
	{"3F000", VIEWD_ERR_MISSING}, /* no such schema */
	{"42P01", VIEWD_ERR_MISSING}, /* undefined_table */
	{"42704", VIEWD_ERR_MISSING}, /* undefined_object */
	{"42883", VIEWD_ERR_MISSING}, /* undefined_function */
	{"42P07", VIEWD_ERR_EXISTS},  /* duplicate_table */
	{"42710", VIEWD_ERR_EXISTS},  /* duplicate_object */
	{"42501", VIEWD_ERR_DENIED},    {"53", VIEWD_ERR_RESOURCE},
	{"58", VIEWD_ERR_RESOURCE}, /* system errors: disk, files */
};

enum viewd_err_class pg_error_class(const char *sqlstate)
{
	for (size_t i = 0; i < ARRAY_LEN(sqlstate_classes); i++)
		if (strncmp(sqlstate, sqlstate_classes[i].prefix, strlen(sqlstate_classes[i].prefix)) == 0)
			return sqlstate_classes[i].cls;
	return VIEWD_ERR_QUERY;
}

enum viewd_err_class pg_connect_class(const char *message)
{
	static const struct {
		const char *text;
		enum viewd_err_class cls;
	} rows[] = {
		{"session is read-only", VIEWD_ERR_STANDBY},
		{"server is in hot standby", VIEWD_ERR_STANDBY},
		{"authentication failed", VIEWD_ERR_AUTH},
		{"no password supplied", VIEWD_ERR_AUTH},
		{"no pg_hba.conf entry", VIEWD_ERR_AUTH},
		{"is not permitted to log in", VIEWD_ERR_AUTH},
		/* A certificate of another authority, for another host, out of date, not there, or wanted of viewd */
		{"certificate", VIEWD_ERR_AUTH},
		{"server does not support SSL", VIEWD_ERR_AUTH},
		{"SSL error: tlsv1 alert", VIEWD_ERR_AUTH},
		{"permission denied for database", VIEWD_ERR_DENIED},
		{"too many clients", VIEWD_ERR_RESOURCE},
		{"too many connections", VIEWD_ERR_RESOURCE},
		{"remaining connection slots", VIEWD_ERR_RESOURCE},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (strstr(message, rows[i].text) != NULL)
			return rows[i].cls;
	if (strstr(message, "does not exist") != NULL && strstr(message, "FATAL") != NULL)
		return strstr(message, "FATAL:  role") != NULL ? VIEWD_ERR_AUTH : VIEWD_ERR_MISSING;
	return VIEWD_ERR_CONNECT;
}

/* One line, first letter lowered unless the word is an abbreviation, no full stop. */
static void tidy(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		if (*p == '\n' || *p == '\r' || *p == '\t')
			*p = ' ';
	size_t len = strlen(text);
	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '.'))
		text[--len] = '\0';
	if (text[0] >= 'A' && text[0] <= 'Z' && text[1] >= 'a' && text[1] <= 'z')
		text[0] = (char)(text[0] - 'A' + 'a');
	err_redact(text);
}

static void field(const PGresult *res, int code, char *out, size_t size)
{
	const char *value = res != NULL ? PQresultErrorField(res, code) : NULL;
	snprintf(out, size, "%s", value != NULL ? value : "");
	tidy(out);
}

static bool lost(struct viewd_conn *conn, const PGresult *res, struct viewd_err *err)
{
	char text[400], state[8];
	field(res, PG_DIAG_MESSAGE_PRIMARY, text, sizeof text);
	field(res, PG_DIAG_SQLSTATE, state, sizeof state);
	if (text[0] == '\0') {
		snprintf(text, sizeof text, "%s", PQerrorMessage(conn->pg));
		tidy(text);
	}
	err_set(err, VIEWD_ERR_LOST, "connection to database '%s' lost while a statement ran (%s)", conn->db.database_name,
	        text);
	if (err != NULL)
		snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
	return err_hint(err, "whether the statement took effect is checked before it is tried again");
}

/* 57014 is one code for three causes, and its text is translated: time and our own flag tell them apart. */
static bool cancelled(struct viewd_conn *conn, int64_t ran_us, struct viewd_err *err)
{
	char span[64];
	if (atomic_load(&conn->cancelled))
		return err_set(err, VIEWD_ERR_CANCELLED, "statement cancelled on request");
	if (conn->timeout_us > 0 && ran_us >= conn->timeout_us - conn->timeout_us / 20)
		return err_set(err, VIEWD_ERR_TIMEOUT, "statement cancelled (time limit of %s reached)",
		               span_format(conn->timeout_us, span, sizeof span));
	return err_set(err, VIEWD_ERR_CANCELLED, "statement cancelled by somebody else (pg_cancel_backend)");
}

static void capture_object(const PGresult *res, struct viewd_err *err)
{
	char schema[80], table[80];
	field(res, PG_DIAG_SCHEMA_NAME, schema, sizeof schema);
	field(res, PG_DIAG_TABLE_NAME, table, sizeof table);
	if (table[0] != '\0')
		err_object(err, "%s%s%s", schema, schema[0] != '\0' ? "." : "", table);
}

/* The session goes on after an ERROR. One that speaks of a connection then comes from a server behind this one
 * (postgres_fdw, dblink), and is the failure of who reads from there. */
static enum viewd_err_class own_class(const PGresult *res, const char *state)
{
	enum viewd_err_class cls = pg_error_class(state);
	if (cls != VIEWD_ERR_CONNECT && cls != VIEWD_ERR_LOST && cls != VIEWD_ERR_AUTH)
		return cls;
	const char *severity = PQresultErrorField(res, PG_DIAG_SEVERITY_NONLOCALIZED);
	if (severity == NULL)
		severity = PQresultErrorField(res, PG_DIAG_SEVERITY); /* poolers give no other */
	return severity != NULL && strcmp(severity, "ERROR") == 0 ? VIEWD_ERR_RESOURCE : cls;
}

bool pg_error_result(struct viewd_conn *conn, const PGresult *res, int64_t ran_us, struct viewd_err *err)
{
	if (conn->silent) {
		err_set(err, VIEWD_ERR_LOST, "database '%s' does not answer", conn->db.database_name);
		return err_hint(err, "whether the statement took effect is checked before it is tried again");
	}
	if (PQstatus(conn->pg) == CONNECTION_BAD)
		return lost(conn, res, err);
	char state[8], text[400], detail[300], constraint[80];
	field(res, PG_DIAG_SQLSTATE, state, sizeof state);
	if (strcmp(state, "57014") == 0) {
		cancelled(conn, ran_us, err);
	} else {
		field(res, PG_DIAG_MESSAGE_PRIMARY, text, sizeof text);
		field(res, PG_DIAG_MESSAGE_DETAIL, detail, sizeof detail);
		field(res, PG_DIAG_CONSTRAINT_NAME, constraint, sizeof constraint);
		if (text[0] == '\0')
			snprintf(text, sizeof text, "%s", PQerrorMessage(conn->pg));
		if (constraint[0] != '\0' && strstr(text, constraint) != NULL)
			constraint[0] = '\0';
		bool more = detail[0] != '\0' || constraint[0] != '\0';
		err_set(err, own_class(res, state), "%s%s%s%s%s%s", text, more ? " (" : "", detail,
		        detail[0] != '\0' && constraint[0] != '\0' ? ", constraint "
		        : constraint[0] != '\0'                    ? "constraint "
		                                                   : "",
		        constraint, more ? ")" : "");
		field(res, PG_DIAG_MESSAGE_HINT, text, sizeof text);
		err_hint(err, "%s", text);
	}
	capture_object(res, err);
	if (err != NULL)
		snprintf(err->sqlstate, sizeof err->sqlstate, "%s", state);
	return false;
}

void pg_error_name_refused(const char *sql, struct viewd_err *err)
{
	if (err != NULL && sql != NULL && strcmp(err->sqlstate, "0A000") == 0 && err->hint[0] == '\0')
		err_hint(err, "the server has refused: %.150s", sql);
}
