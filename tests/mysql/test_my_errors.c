/* SPDX-License-Identifier: MIT
 *
 * The classes of failures that need a server to say them.
 */
#include "my_support.h"

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

/* An interruption that viewd did not ask for is tried again; one that it did is not. */
static void an_interruption_of_others_is_a_conflict(void)
{
	static const char interrupted[] = "SIGNAL SQLSTATE '70100' SET MYSQL_ERRNO = 1317, MESSAGE_TEXT = 'interrupted'";
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_err err = {0};
	CHECK(!db_exec(&conn->db, interrupted, &err));
	CHECK_STR(err_class_word(err.cls), "conflict");
	CHECK(err_class_retries(err.cls) && !conn->lost);
	DIALECT->cancel(conn);
	CHECK(!db_exec(&conn->db, interrupted, &err));
	CHECK_STR(err_class_word(err.cls), "cancelled");
	CHECK(!db_exec(&conn->db, interrupted, &err));
	CHECK_STR(err_class_word(err.cls), "conflict");
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

static const struct harness_test tests[] = {
	{"a server behind the server is the view's own failure", a_server_behind_the_server_is_the_views_own_failure},
	{"an interruption of others is a conflict", an_interruption_of_others_is_a_conflict},
	{"a node without its cluster is left", a_node_without_its_cluster_is_left},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql errors", tests))
