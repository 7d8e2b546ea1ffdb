/* SPDX-License-Identifier: MIT
 *
 * The classes of failures that need a server to say them.
 */
#include "my_support.h"

#include <pthread.h>
#include <string.h>

#include "base/err.h"

/* Errors that a server passes on from another one behind it (FEDERATED, Spider). */
static void a_server_behind_the_server_is_the_views_own_failure(void)
{
	static const int numbers[] = {1158, 1160, 1429, 1430, 12701};
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_err err = {0};
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		my_do("CREATE OR REPLACE PROCEDURE behind() SIGNAL SQLSTATE '08S01' SET MYSQL_ERRNO = %d,"
		      " MESSAGE_TEXT = 'the other server has gone away'",
		      numbers[i]);
		my_do("GRANT EXECUTE ON PROCEDURE behind TO viewd@localhost");
		err = (struct viewd_err){0};
		CHECK(!db_exec(&conn->db, "CALL behind()", &err));
		CHECK_STR(err_class_word(err.cls), "resource");
		CHECK_INT(err.native, numbers[i]);
		CHECK_CONTAINS(err.hint, "another server");
		CHECK(DIALECT->alive(conn) && !conn->lost);
	}
}

static enum viewd_err_class class_of_interruption(struct viewd_conn *conn)
{
	struct viewd_err err = {0};
	static const char interrupted[] = "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'interrupted'";
	CHECK(!db_exec(&conn->db, interrupted, &err));
	CHECK(!conn->lost);
	return err.cls;
}

/* A node ends whoever is in the way of another node's change: that is tried again. What viewd has cancelled is not. */
static void an_interruption_of_a_cluster_is_a_conflict(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	conn->node.certifies = true;
	CHECK_STR(err_class_word(class_of_interruption(conn)), "conflict");
	CHECK(err_class_retries(VIEWD_ERR_CONFLICT));
	DIALECT->cancel(conn);
	CHECK_STR(err_class_word(class_of_interruption(conn)), "cancelled");
	CHECK_STR(err_class_word(class_of_interruption(conn)), "conflict");
}

/* KILL QUERY on a server alone is somebody's wish that the statement ends, not that it begins again. */
static void an_interruption_of_a_server_alone_is_a_cancel(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	CHECK_STR(err_class_word(class_of_interruption(conn)), "cancelled");
	DIALECT->cancel(conn);
	CHECK_STR(err_class_word(class_of_interruption(conn)), "cancelled");
	CHECK_STR(err_class_word(class_of_interruption(conn)), "cancelled");
}

static void a_node_without_its_cluster_is_left(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_err err = {0};
	CHECK(!db_exec(&conn->db,
	               "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1180, MESSAGE_TEXT = 'Got error 149 during COMMIT'",
	               &err));
	CHECK_STR(err_class_word(err.cls), "query");
	CHECK(!conn->lost);
	CHECK(!db_exec(&conn->db,
	               "SIGNAL SQLSTATE 'HY000' SET MYSQL_ERRNO = 1180, MESSAGE_TEXT = 'Error while appending streaming "
	               "replication fragment(provider status: Not connected to Primary Component)'",
	               &err));
	CHECK_STR(err_class_word(err.cls), "lost");
	CHECK(conn->lost);
}

/* ---- a statement that is ended */

struct sleeper {
	struct viewd_conn *conn;
	struct viewd_err err;
};

static void *sleep_long(void *ctx)
{
	struct sleeper *sleeper = ctx;
	mysql_thread_init();
	CHECK(!db_exec(&sleeper->conn->db,
	               "CREATE TEMPORARY TABLE slept AS SELECT SLEEP(600) AS n FROM (SELECT 1 UNION SELECT 2) AS two",
	               &sleeper->err));
	mysql_thread_end();
	return NULL;
}

/* How a statement ends that viewd wants to end, as its class. */
static const char *end_of_sleep(struct viewd_conn *conn)
{
	struct sleeper sleeper = {.conn = conn};
	pthread_t thread;
	REQUIRE(pthread_create(&thread, NULL, sleep_long, &sleeper) == 0);
	WAIT_UNTIL(
		strcmp(my_ask("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = %lu AND INFO LIKE '%%SLEEP%%'",
	                  conn->thread_id),
	           "1") == 0);
	my_kill_query(conn);
	pthread_join(thread, NULL);
	return err_class_word(sleeper.err.cls);
}

/* An address that leads to several servers: another one gives the session's number to somebody else, whose statement
 * must not be ended. */
static void a_statement_is_ended_on_its_own_server_only(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	CHECK_STR(end_of_sleep(conn), "cancelled");
	CHECK(DIALECT->alive(conn));
	conn->node.where[0]++;
	CHECK_STR(end_of_sleep(conn), "lost");
}

/* Such a session does not know yet which server it is at. */
static void a_session_that_is_being_set_up_is_cut(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	TALLOC_FREE(conn->node.where);
	CHECK_STR(end_of_sleep(conn), "lost");
}

static const struct harness_test tests[] = {
	{"a server behind the server is the view's own failure", a_server_behind_the_server_is_the_views_own_failure},
	{"an interruption of a cluster is a conflict", an_interruption_of_a_cluster_is_a_conflict},
	{"an interruption of a server alone is a cancel", an_interruption_of_a_server_alone_is_a_cancel},
	{"a node without its cluster is left", a_node_without_its_cluster_is_left},
	{"a statement is ended on its own server only", a_statement_is_ended_on_its_own_server_only},
	{"a session that is being set up is cut", a_session_that_is_being_set_up_is_cut},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql errors", tests))
