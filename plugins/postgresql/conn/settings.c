/* SPDX-License-Identifier: MIT
 *
 * settings.c: what viewd's sessions run under. A session that is kept is told once. Where each transaction may get
 * another one, each transaction is told, and the settings end with it: nobody else finds them.
 */
#include "base/err.h"
#include "postgresql/conn/pooled.h"
#include "postgresql/pg.h"

/* client_connection_check_interval (PostgreSQL 14): a server that notices our death aborts what it runs for us, instead
 * of committing a refresh that nobody waits for. What a server does not know is not set. What viewd makes belongs to
 * the server that it speaks to, and is not made on the others of a cluster. A commit of the watch that is lost in a
 * crash takes the log with it, and then every view is marked anew: nothing is waited for there. */
static const char sql[] =
	"SELECT pg_catalog.set_config('search_path', $1, $2::boolean),"
	" pg_catalog.set_config('standard_conforming_strings', 'on', $2::boolean),"
	" pg_catalog.set_config('lock_timeout', '2s', $2::boolean),"
	" pg_catalog.set_config('idle_in_transaction_session_timeout', '60s', $2::boolean),"
	" pg_catalog.set_config('row_security', 'on', $2::boolean),"
	" pg_catalog.set_config('default_transaction_isolation', 'read committed', $2::boolean),"
	" pg_catalog.set_config('DateStyle', 'ISO, YMD', $2::boolean),"
	" pg_catalog.set_config('IntervalStyle', 'iso_8601', $2::boolean),"
	" pg_catalog.set_config('TimeZone', 'UTC', $2::boolean),"
	" pg_catalog.set_config('extra_float_digits', '1', $2::boolean),"
	" (SELECT pg_catalog.count(pg_catalog.set_config(name, value, $2::boolean))"
	"    FROM (VALUES ('client_connection_check_interval', '2s', true), ('idle_session_timeout', '0', true),"
	"                 ('transaction_timeout', '0', true), ('tcp_keepalives_idle', '30', true),"
	"                 ('tcp_keepalives_interval', '10', true), ('tcp_keepalives_count', '3', true),"
	"                 ('citus.enable_ddl_propagation', 'off', true),"
	"                 ('citus.enable_schema_based_sharding', 'off', true),"
	"                 ('synchronous_commit', 'off', $3::boolean), ('jit', 'off', $3::boolean))"
	"      AS wanted (name, value, applies)"
	"   WHERE applies AND pg_catalog.current_setting(name, true) IS NOT NULL)";

const char *pg_settings_local(const struct viewd_conn *conn)
{
	return conn->pooled ? "true" : "false";
}

const char *pg_settings_of_transaction(const struct viewd_conn *conn, const char *params[static PG_SETTINGS_PARAMS])
{
	params[0] = conn->search_path;
	params[1] = pg_settings_local(conn);
	params[2] = conn->watching ? "true" : "false";
	return sql;
}

bool pg_settings_apply(struct viewd_conn *conn, struct viewd_err *err)
{
	const char *params[PG_SETTINGS_PARAMS];
	const char *statement = pg_settings_of_transaction(conn, params);
	return conn->pooled || pg_op_exec(&conn->db, statement, params, ARRAY_LEN(params), NULL, err);
}
