/* SPDX-License-Identifier: MIT */
#include "mysql/capture/trigger_procedure.h"

#include <stdlib.h>
#include <string.h>

#include "common/state/marks.h"

#define TABLE_SUFFIX " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin"

#define LEASE_COLUMNS(next) \
	"server VARCHAR(512) NOT NULL DEFAULT ''" next "asked VARCHAR(255) NOT NULL DEFAULT ''" next "expires DATETIME(6)"

#define TABLES_SERVER "server VARCHAR(16) NOT NULL DEFAULT ''"

static const char log_table[] =
	"CREATE TABLE IF NOT EXISTS " NOTE_LOG
	" (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, source VARCHAR(255) NOT NULL)" TABLE_SUFFIX;

static const char *const tables[] = {
	("CREATE TABLE IF NOT EXISTS " NOTE_SLOTS " (id INT NOT NULL PRIMARY KEY, base BIGINT NOT NULL)" TABLE_SUFFIX),
	"CREATE TABLE IF NOT EXISTS viewd_triggers (source VARCHAR(255) NOT NULL, trigger_schema VARCHAR(64) NOT NULL,"
	" trigger_name VARCHAR(64) NOT NULL, PRIMARY KEY (source, trigger_schema, trigger_name))" TABLE_SUFFIX,
	"CREATE TABLE IF NOT EXISTS viewd_tables (source VARCHAR(255) NOT NULL, file_name VARCHAR(700) NOT NULL,"
	" fingerprint VARCHAR(255) NOT NULL, " TABLES_SERVER ", PRIMARY KEY (source, server))" TABLE_SUFFIX,
	"CREATE TABLE IF NOT EXISTS viewd_position (id INT NOT NULL PRIMARY KEY, server VARCHAR(1024) NOT NULL,"
	" file_name VARCHAR(512) NOT NULL, position BIGINT NOT NULL)" TABLE_SUFFIX,
	("CREATE TABLE IF NOT EXISTS viewd_daemon (id INT NOT NULL PRIMARY KEY, epoch BIGINT NOT NULL, holder VARCHAR(255) "
     "NOT NULL, " LEASE_COLUMNS(", ") ")" TABLE_SUFFIX),
};

/* Without it triggers have lost what they should have told. They go first: that waits for their writers, and who looks
 * for triggers then finds that they are gone, makes them again and marks what they were on. */
static bool make_log(struct viewd_conn *conn, struct viewd_err *err)
{
	int64_t there, triggers;

	if (!my_query_int(
			conn,
			"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = '" NOTE_LOG
			"'",
			NULL, 0, &there, err))
		return false;
	if (there > 0)
		return true;
	return my_query_int(conn, "SELECT COUNT(*) FROM viewd_triggers", NULL, 0, &triggers, err) &&
	       (triggers == 0 || trigger_drop_all(conn, err)) && db_exec(&conn->db, log_table, err);
}

/* Slots that are there stay. */
static bool make_slots(struct viewd_conn *conn, struct viewd_err *err)
{
	return db_exec(
		&conn->db,
		"INSERT INTO " NOTE_SLOTS
		" (id, base) WITH RECURSIVE s (id) AS (SELECT 0 UNION ALL SELECT id + 1 FROM s WHERE id + 1 < " NOTE_N_SLOTS
		") SELECT s.id, 0 FROM s WHERE NOT EXISTS (SELECT 1 FROM " NOTE_SLOTS " k WHERE k.id = s.id)",
		err);
}

static bool count_index(struct viewd_conn *conn, int64_t *there_r, struct viewd_err *err)
{
	return my_query_int(conn,
	                    "SELECT COUNT(*) FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND "
	                    "TABLE_NAME = 'viewd_captures' AND INDEX_NAME = 'viewd_captures_source'",
	                    NULL, 0, there_r, err);
}

/* The index lets a writer that marks the views of one source pass the rows of all others. Tables of older versions lack
 * it. Without the right to make it writers wait, and that is all. Another session may have made it meanwhile. */
static bool make_index(struct viewd_conn *conn, struct viewd_err *err)
{
	int64_t there;

	if (!count_index(conn, &there, err))
		return false;
	if (there > 0 || db_exec(&conn->db, "CREATE INDEX viewd_captures_source ON viewd_captures (source)", err) ||
	    err->cls == VIEWD_ERR_DENIED)
		return true;
	struct viewd_err failed = *err;
	if (count_index(conn, &there, err) && there > 0)
		return true;
	*err = failed;
	return false;
}

/* Tables of older versions lack them. */
static bool add_columns(struct viewd_conn *conn, struct viewd_err *err)
{
	static const struct {
		const char *table, *column, *alter;
	} added[] = {
		{"viewd_daemon", "expires", "ALTER TABLE viewd_daemon ADD COLUMN " LEASE_COLUMNS(", ADD COLUMN ")},
		{"viewd_tables", "server",
	     "ALTER TABLE viewd_tables ADD COLUMN " TABLES_SERVER ", DROP PRIMARY KEY, ADD PRIMARY KEY (source, server)"},
	};

	for (size_t i = 0; i < ARRAY_LEN(added); i++) {
		const char *params[] = {added[i].table, added[i].column};
		int64_t there = 0;
		if (!my_query_int(conn,
		                  "SELECT COUNT(*) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND "
		                  "TABLE_NAME = ? AND COLUMN_NAME = ?",
		                  params, ARRAY_LEN(params), &there, err) ||
		    (there == 0 && !db_exec(&conn->db, added[i].alter, err)))
			return false;
	}
	return true;
}

bool capture_setup(struct viewd_conn *conn, struct viewd_err *err)
{
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!db_exec(&conn->db, tables[i], err))
			return false;
	return add_columns(conn, err) && tables_know(conn, err) && make_index(conn, err) && make_log(conn, err) &&
	       make_slots(conn, err);
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

bool texts_touch(struct viewd_conn *conn, struct texts *sources, struct viewd_err *err)
{
	if (sources->n > 1)
		qsort(sources->items, sources->n, sizeof *sources->items, compare_names);
	for (size_t i = 0; i < sources->n; i++)
		if (!marks_touch(&conn->db, sources->items[i], NULL, err))
			return false;
	return true;
}

bool capture_touch(struct viewd_conn *conn, struct texts *sources, capture_then_fn *and_then, void *ctx,
                   struct viewd_err *err)
{
	bool done = my_begin(&conn->db, DB_BEGIN_WRITE, err) && texts_touch(conn, sources, err);

	done = done && (and_then == NULL || and_then(conn, ctx, err)) && my_commit(&conn->db, err);
	if (!done)
		my_rollback(&conn->db);
	return done;
}
