/* SPDX-License-Identifier: MIT
 *
 * objects.c: what the schema viewd holds besides the state tables: the log of changes, the functions that write it, who leads.
 *
 * The functions name everything with its schema, operators included, so the caller's search_path means nothing to them, and the
 * three microseconds that SET search_path would cost every writer are saved.
 */
#include <string.h>

#include "base/err.h"
#include "common/state.h"
#include "postgresql/pg.h"

/* UNLOGGED: a log row costs no WAL. After a crash the server empties such tables, and an empty log_intact says so. */
static const char *const table_sql[] = {
	"CREATE UNLOGGED TABLE IF NOT EXISTS viewd.changes (source text NOT NULL) WITH (vacuum_truncate = false)",
	"CREATE UNLOGGED TABLE IF NOT EXISTS viewd.log_intact (since timestamptz NOT NULL)",
	"CREATE TABLE IF NOT EXISTS viewd.counters (source text NOT NULL PRIMARY KEY, reading text NOT NULL)",
	/* by a group's transaction, until captures can be updated */
	("CREATE TABLE IF NOT EXISTS viewd.carried (id bigint NOT NULL GENERATED ALWAYS AS IDENTITY PRIMARY KEY, view text,"
	 " source text NOT NULL, seq bigint, members text[])"),
	("CREATE TABLE IF NOT EXISTS viewd.daemon (one boolean NOT NULL PRIMARY KEY CHECK (one), epoch bigint NOT NULL,"
	 " holder text NOT NULL, since timestamptz NOT NULL)"),
	"INSERT INTO viewd.daemon VALUES (true, 0, '', pg_catalog.now()) ON CONFLICT DO NOTHING",
};

/* A row in the log, then a wake-up, but only while the watcher sleeps: it holds the lock then. Whoever gets the lock instead keeps it
 * to the end of the transaction, and the watcher cannot fall asleep before that: no commit goes unheard. */
#define NOTE(source)                                                                                                                  \
	" INSERT INTO viewd.changes VALUES (" source ");"                                                                                 \
	" IF NOT pg_catalog.pg_try_advisory_xact_lock_shared(" PG_LOCK_ASLEEP ") THEN"                                                     \
	" PERFORM pg_catalog.pg_notify('" PG_CHANNEL "', ''); END IF;"

static const struct {
	const char *signature;
	const char *head;
	const char *body;
	const char *privilege;
} functions[] = {
	{"viewd.note_change()", "viewd.note_change() RETURNS trigger", "BEGIN" NOTE("TG_ARGV[0]") " RETURN NULL; END",
     "REVOKE EXECUTE ON FUNCTION viewd.note_change() FROM PUBLIC"},
	{"viewd.request_refresh(text)", "viewd.request_refresh(view text) RETURNS void",
     "BEGIN INSERT INTO viewd.requests (view) VALUES ($1);" NOTE("''") " END",
     "GRANT EXECUTE ON FUNCTION viewd.request_refresh(text) TO PUBLIC"},
};

static bool count_row(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(bool *)ctx = strcmp(v[0], "0") != 0;
	return false;
}

/* Replacing what is equal would make every session of the server plan it anew. */
static bool make_function(struct viewd_conn *conn, size_t i, struct viewd_err *err)
{
	const char *params[] = {functions[i].signature, functions[i].body};
	bool same = false;
	if (!pg_op_query(&conn->db,
	                 "SELECT pg_catalog.count(*) FROM pg_catalog.pg_proc WHERE oid = pg_catalog.to_regprocedure($1) AND prosrc = $2",
	                 params, 2, count_row, &same, err))
		return false;
	return same || (pg_execf(conn, err, "CREATE OR REPLACE FUNCTION %s LANGUAGE plpgsql SECURITY DEFINER AS $viewd$%s$viewd$",
	                         functions[i].head, functions[i].body) &&
	                pg_exec(conn, functions[i].privilege, err));
}

static bool make_all(struct viewd_conn *conn, struct viewd_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(table_sql); i++)
		if (!pg_exec(conn, table_sql[i], err))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(functions); i++)
		if (!make_function(conn, i, err))
			return false;
	return true;
}

/* One session at a time: replacing a function meets another one that does the same in the catalogue. */
bool pg_objects_make(struct viewd_conn *conn, struct viewd_err *err)
{
	if (!pg_exec(conn, "SELECT pg_catalog.pg_advisory_lock(" PG_LOCK_SETUP ")", err))
		return false;
	bool made = make_all(conn, err);
	conn->fenced |= made;
	return pg_exec(conn, "SELECT pg_catalog.pg_advisory_unlock(" PG_LOCK_SETUP ")", made ? err : NULL) && made;
}

/* Two sessions that create the same thing at once meet in a unique index of the catalogue, whatever IF NOT EXISTS says. */
bool pg_is_creation_race(const struct viewd_err *err)
{
	static const char *const states[] = {"23505", "42P07", "42P06", "42710", "42723", "40001", "XX000"};
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (strcmp(err->sqlstate, states[i]) == 0)
			return true;
	return false;
}
