/* SPDX-License-Identifier: MIT
 *
 * exchange_probe.c: does an exchange of names end what others have open? A server alone lets it wait for them. In a
 * cluster where definitions change in one order on all nodes it waits for nobody, and a transaction that uses the table
 * fails, on every node. Tried on two empty tables, each time somebody begins to watch the database; not where it is
 * known that nothing holds definitions against the rows of other nodes.
 */
#include "mysql/my.h"

#include <stdlib.h>
#include <talloc.h>

#include "base/err.h"
#include "base/span.h"

#define ONE "viewd_exchange_1"
#define TWO "viewd_exchange_2"
#define OLD "viewd_exchange_3"
#define MARK "a probe of viewd, empty"
#define PATIENCE (200 * SPAN_MS) /* a server alone waits for the reader, until it is told to stop */

/* Tables that a killed process has left; one that looks otherwise is somebody else's. */
static bool drop_tables(struct viewd_conn *conn, struct viewd_err *err)
{
	int64_t others = 0;

	if (!my_query_int(
			conn,
			"SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN "
			"('" ONE "', '" TWO "', '" OLD "') AND TABLE_COMMENT <> '" MARK "'",
			NULL, 0, &others, err))
		return false;
	if (others > 0)
		return err_set(err, VIEWD_ERR_EXISTS, "'" ONE "' or one like it is in the way and was not made by viewd");
	return db_exec(&conn->db, "DROP TABLE IF EXISTS " ONE ", " TWO ", " OLD, err);
}

static bool make_tables(struct viewd_conn *conn, struct viewd_err *err)
{
	return drop_tables(conn, err) &&
	       db_exec(&conn->db, "CREATE TABLE " ONE " (n INT NOT NULL PRIMARY KEY) ENGINE=InnoDB COMMENT='" MARK "'",
	               err) &&
	       db_exec(&conn->db, "CREATE TABLE " TWO " LIKE " ONE, err);
}

static bool run(MYSQL *my, const char *sql)
{
	if (mysql_query(my, sql) != 0)
		return false;
	mysql_free_result(mysql_store_result(my));
	return mysql_errno(my) == 0;
}

/* The names are exchanged under a reader: *ends_r, it could not go on. */
static bool exchange_under(struct viewd_conn *conn, MYSQL *reader, bool *ends_r, struct viewd_err *err)
{
	static const char rename[] = "RENAME TABLE " ONE " TO " OLD ", " TWO " TO " ONE;
	struct viewd_err failure = {0};

	if (!run(reader, "START TRANSACTION") || !run(reader, "SELECT n FROM " ONE))
		return my_fail(reader, true, err);
	if (my_exec_within(conn, rename, PATIENCE, &failure))
		*ends_r = !run(reader, "SELECT n FROM " ONE) || !run(reader, "COMMIT");
	else if (failure.cls == VIEWD_ERR_CONFLICT)
		*ends_r = false;
	else if (err != NULL)
		*err = failure;
	return failure.cls == VIEWD_ERR_OK || failure.cls == VIEWD_ERR_CONFLICT;
}

/* Telling a statement to stop takes one more connection, for want of which ours would be cut. */
static bool can_be_stopped(struct viewd_conn *conn, struct viewd_err *err)
{
	MYSQL *spare = my_connect(conn, conn->node.connect_timeout_s, true, err);
	if (spare != NULL)
		mysql_close(spare);
	return spare != NULL;
}

static bool probe(struct viewd_conn *conn, bool *ends_r, struct viewd_err *err)
{
	struct viewd_err ignored;
	MYSQL *reader = my_connect(conn, conn->node.connect_timeout_s, true, err);
	bool done = reader != NULL && can_be_stopped(conn, err) && make_tables(conn, err) &&
	            exchange_under(conn, reader, ends_r, err);

	if (reader != NULL)
		mysql_close(reader);
	return drop_tables(conn, done ? err : &ignored) && done;
}

static bool remember(struct viewd_conn *conn, bool ends, struct viewd_err *err)
{
	const char *answer = ends ? "1" : "0";

	return db_exec(&conn->db,
	               "CREATE TABLE IF NOT EXISTS viewd_probed (what VARCHAR(64) NOT NULL PRIMARY KEY, answer INT NOT "
	               "NULL) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
	               err) &&
	       my_exec(&conn->db, "REPLACE INTO viewd_probed VALUES ('exchange', ?)", &answer, 1, NULL, err);
}

bool exchange_probe(struct viewd_conn *conn, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	bool ends = conn->node.cluster != NULL && conn->node.cluster->unordered;

	if ((ends || probe(conn, &ends, &failure)) && remember(conn, ends, &failure)) {
		if (ends)
			db_log(&conn->db, VIEWD_LOG_INFO,
			       "database '%s', an exchange of names gets in the way of others' transactions: rows are exchanged "
			       "instead",
			       conn->db.database_name);
		return true;
	}
	if (conn->lost && err != NULL)
		*err = failure;
	if (!conn->lost)
		db_log(&conn->db, VIEWD_LOG_DEBUG, "database '%s', how names are exchanged is not known (%s)",
		       conn->db.database_name, failure.msg);
	return !conn->lost;
}

bool exchange_ends_others(struct viewd_conn *conn, bool *ends_r, struct viewd_err *err)
{
	struct viewd_err failure = {0};
	int64_t answer = 0;

	if (!my_query_int(conn, "SELECT answer FROM viewd_probed WHERE what = 'exchange'", NULL, 0, &answer, &failure) &&
	    failure.cls != VIEWD_ERR_MISSING) {
		if (err != NULL)
			*err = failure;
		return false;
	}
	*ends_r = answer == 1;
	return true;
}
