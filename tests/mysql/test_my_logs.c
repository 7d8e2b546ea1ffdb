/* SPDX-License-Identifier: MIT
 *
 * Change logs: what triggers do not hear, or no longer write down, is noticed.
 */
#include "my_incremental.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mysql/incremental/log.h"

/* ---- what triggers do not hear ---- */

static void truncate_is_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("TRUNCATE acc");
	CHECK_STR(my_compared(s), "all 12");
	my_do("INSERT INTO acc VALUES (1, 3, 5, 'a', NULL)");
	CHECK_STR(my_compared(s), "incremental 1");
}

static void a_table_made_anew_is_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("CREATE TABLE copied LIKE acc");
	my_do("INSERT INTO copied SELECT id, 1, 100, 'z', NULL FROM acc");
	my_do("DROP TABLE acc");
	my_do("RENAME TABLE copied TO acc");
	expect_log("change log of 'acc' is made again");
	my_compared(s);
	my_do("UPDATE acc SET own = 2 WHERE id = 3");
	CHECK_STR(my_compared(s), "incremental 2");
}

static void other_columns_are_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	expect_log("change log of 'acc' is made again");
	my_do("ALTER TABLE acc MODIFY note VARCHAR(30) COLLATE utf8mb4_bin");
	my_compared(s);
	my_do("UPDATE acc SET note = 'a' WHERE id < 0");
	my_do("UPDATE acc SET note = 'å of bytes' WHERE id = 3");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("ALTER TABLE acc ADD COLUMN further INT FIRST");
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 3");
	my_compared(s);
}

static void lost_triggers_are_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("DROP TRIGGER %s", my_ask("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE = "
	                                "'acc' AND EVENT_MANIPULATION = 'UPDATE'"));
	my_do("UPDATE acc SET bal = bal + 9 WHERE id = 11");
	expect_log("change log of 'acc' is made again (its triggers are not there as they should be)");
	CHECK_STR(my_compared(s), "all 1");
	my_do("UPDATE acc SET bal = bal - 9 WHERE id = 11");
	CHECK_STR(my_compared(s), "incremental 1");
}

static void a_broken_log_is_noticed(void)
{
	static const char *const breaks[] = {"DELETE FROM %s",
	                                     "TRUNCATE %s",
	                                     "DROP TABLE %s",
	                                     "ALTER TABLE %s DROP COLUMN bal",
	                                     "CREATE OR REPLACE TABLE %s (n INT)",
	                                     "DROP PROCEDURE %s"};
	struct my_scene *s = my_incremental_begin(my_totals);
	expect_log("change log of 'acc' is made again");
	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		const char *slot = strstr(breaks[i], "%s");
		my_do("%.*s%s%s", (int)(slot - breaks[i]), breaks[i], my_log_name(), slot + 2);
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = %zu", i + 1);
		CHECK_STR(my_compared(s), "all 1");
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = %zu", i + 1);
		CHECK_STR(my_compared(s), "incremental 1");
	}
}

/* With the text that it had: what writers did meanwhile is lost. */
static void a_procedure_made_again_is_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	for (int i = 0; i < 3; i++) {
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = 1");
		CHECK_STR(my_compared(s), "incremental 1");
	}
	my_do("SET STATEMENT timestamp = 2000000000 FOR ALTER PROCEDURE %s COMMENT '%s'", my_log_name(),
	      my_ask("SELECT ROUTINE_COMMENT FROM information_schema.ROUTINES WHERE ROUTINE_NAME = '%s'", my_log_name()));
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 1");
	CHECK_CONTAINS(my_compared(s), "all");
}

static void what_foreign_keys_change_is_noticed(void)
{
	my_incremental_tables();
	struct my_scene *s = my_incremental_begin(my_joined);
	my_do("ALTER TABLE acc ADD CONSTRAINT f FOREIGN KEY (own) REFERENCES own (o) ON DELETE CASCADE ON UPDATE CASCADE");
	expect_log("change log of 'acc' is made again");
	my_compared(s);
	my_do("UPDATE acc SET bal = 7 WHERE id = 9");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("UPDATE own SET o = 99 WHERE o = 3");
	CHECK_CONTAINS(my_compared(s), "all ");
	my_do("DELETE FROM own WHERE o = 4");
	CHECK_CONTAINS(my_compared(s), "all ");
	my_do("UPDATE acc SET bal = 8 WHERE id = 9");
	CHECK_CONTAINS(my_compared(s), " 1");
}

/* ---- bounds ---- */

/* A writer that has left a row that says "everything" and commits after the refresh is not lost. */
static void a_log_has_a_bound(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	MYSQL *late = my_root();
	my_do("INSERT INTO acc SELECT seq, 1, 100, 'b', NULL FROM seq_1001_to_61000");
	CHECK(strtoll(my_log_rows(), NULL, 10) <= 50100);
	REQUIRE(mysql_query(late, "START TRANSACTION") == 0);
	REQUIRE(mysql_query(late, "UPDATE acc SET bal = bal + 1 WHERE id <= 40") == 0);
	CHECK_STR(my_compared(s), "all 1");
	REQUIRE(mysql_query(late, "COMMIT") == 0);
	CHECK_STR(my_compared(s), "all 12");
	CHECK_STR(my_log_rows(), "0");
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 5");
	CHECK_STR(my_log_rows(), "2");
	CHECK_STR(my_compared(s), "incremental 1");
}

/* Sums are not moved by what computing all rows has covered already. Each of these transactions holds the place from
 * which it counts, and a log is short again while the others' rows are not to be seen. */
static void a_log_of_many_late_rows_is_read_once(void)
{
	struct my_scene *s = my_incremental_begin("SELECT own, count(*) AS n, sum(bal) AS sum FROM acc GROUP BY own");
	MYSQL *late[3];
	for (int i = 0; i < (int)ARRAY_LEN(late); i++) {
		late[i] = my_root();
		char *sql = talloc_asprintf(harness_ctx(), "INSERT INTO acc SELECT seq, 1, 100, 'b', NULL FROM seq_%d_to_%d",
		                            (i + 1) * 100000 + 1, (i + 1) * 100000 + 45000);
		REQUIRE(mysql_query(late[i], "START TRANSACTION") == 0 && mysql_query(late[i], sql) == 0);
		my_do("INSERT INTO acc SELECT seq, 2, 100, 'b', NULL FROM seq_%d_to_%d", (i + 1) * 1000, (i + 1) * 1000 + 599);
		CHECK_CONTAINS(my_compared(s), "incremental");
	}
	for (size_t i = 0; i < ARRAY_LEN(late); i++)
		REQUIRE(mysql_query(late[i], "COMMIT") == 0);
	CHECK(strtoll(my_log_rows(), NULL, 10) > LOG_UNREAD_MAX + 1);
	CHECK_CONTAINS(my_compared(s), "all 1");
	CHECK_STR(my_compared(s), "nothing 0");
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 5");
	CHECK_STR(my_compared(s), "incremental 1");
}

/* A backup may have the log as it was before the positions: numbers above its rows are given again. */
static void a_log_of_before_is_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("UPDATE acc SET bal = bal + 1 WHERE id <= 5");
	CHECK_CONTAINS(my_compared(s), "incremental");
	const char *log = my_log_name();
	my_do("CREATE TABLE backup AS SELECT * FROM %s", log);
	my_do("UPDATE acc SET bal = bal + 1 WHERE id <= 15");
	CHECK_CONTAINS(my_compared(s), "incremental");
	my_do("CREATE TABLE restored LIKE %s", log);
	my_do("INSERT INTO restored SELECT * FROM backup");
	my_do("DROP TABLE %s", log);
	my_do("RENAME TABLE restored TO %s", log);
	my_compared(s);
	my_do("UPDATE acc SET bal = bal + 1 WHERE id <= 7");
	CHECK_CONTAINS(my_compared(s), "incremental");
}

/* An exchange takes the triggers of the table along. */
static void an_exchanged_table_hands_over_everything(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_view_spec below = my_view("below", VIEWD_METHOD_TABLE, "SELECT id, own, bal FROM acc");
	static const char *const id[] = {"id"};
	below.mode = VIEWD_MODE_SWAP;
	below.unique_key = id;
	below.n_unique_key = 1;
	my_applied(s->conn, &below, VIEWD_CHANGE_CREATE);
	s->view = my_incremental("above", "SELECT own, sum(bal) AS bal FROM below GROUP BY own");
	s->compared = s->view.definition;
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	expect_log("change log of 'below' is made again");
	for (int i = 0; i < 4; i++) {
		below.mode = i < 3 ? VIEWD_MODE_SWAP : VIEWD_MODE_DIFF;
		s->compared = NULL;
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = 7");
		CHECK_INT(my_refreshed(s->conn, &below).did, i < 3 ? VIEWD_DID_SWAP : VIEWD_DID_DIFF);
		s->compared = s->view.definition;
		CHECK_STR(my_compared(s), i < 3 ? "all 1" : "incremental 1");
	}
}

/* Rows that a view which nobody refreshes has not read do not keep the log full. When the view comes back it reads
 * everything. */
static void a_view_that_stays_away_fills_no_log(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_view_spec away = my_incremental("w", "SELECT id, bal FROM acc WHERE bal <> 100");
	s->compared = NULL;
	my_applied(s->conn, &away, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &away);
	my_refreshed(s->conn, &away);
	my_do("INSERT INTO acc SELECT seq, 1, 100, 'b', NULL FROM seq_1001_to_61000");
	my_refreshed(s->conn, &s->view);
	CHECK(strtoll(my_log_rows(), NULL, 10) < 1000);
	for (int i = 0; i < 20; i++) {
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = %d", 1 + i);
		CHECK_INT(my_refreshed(s->conn, &s->view).did, VIEWD_DID_INCREMENTAL);
	}
	CHECK(strtoll(my_log_rows(), NULL, 10) < 1000);
	CHECK_CONTAINS(my_refreshed(s->conn, &away).reason, "more rows were changed than the log holds");
	CHECK_STR(my_ask("SELECT COUNT(*) FROM w"), my_ask("SELECT COUNT(*) FROM acc WHERE bal <> 100"));
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 70");
	CHECK_INT(my_refreshed(s->conn, &away).did, VIEWD_DID_INCREMENTAL);
	CHECK_STR(my_ask("SELECT bal FROM w WHERE id = 70"), my_ask("SELECT bal FROM acc WHERE id = 70"));
}

/* A view that has everything to read is at it when another one removes what nobody else needs. */
static struct {
	struct viewd_conn *conn;
	struct viewd_view_spec view;
} other;

static void change_and_remove(void *ctx UNUSED, const char *place)
{
	struct viewd_conn *conn = other.conn;
	if (conn == NULL || strcmp(place, "refresh:looked") != 0)
		return;
	other.conn = NULL;
	my_do("UPDATE acc SET bal = 777 WHERE id = 7");
	my_refreshed(conn, &other.view);
}

static void what_is_committed_meanwhile_stays_in_the_log(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_view_spec away = my_incremental("w", "SELECT id, bal FROM acc WHERE bal <> 100");
	struct viewd_database_spec spec = my_spec();
	struct viewd_host host = my_host;
	struct viewd_err err = {0};
	host.failpoint = change_and_remove;
	struct viewd_conn *conn = DIALECT->open(&host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	s->compared = NULL;
	my_applied(conn, &away, VIEWD_CHANGE_CREATE);
	my_refreshed(conn, &away);
	my_refreshed(conn, &away);
	my_refreshed(s->conn, &s->view); /* its log has another column now */
	my_do("INSERT INTO acc SELECT seq, 1, 100, 'b', NULL FROM seq_1001_to_61000");
	other.view = s->view;
	other.conn = s->conn;
	CHECK_CONTAINS(my_refreshed(conn, &away).reason, "more rows were changed than the log holds");
	CHECK(other.conn == NULL);
	my_refreshed(conn, &away);
	CHECK_STR(my_ask("SELECT bal FROM w WHERE id = 7"), "777.00");
	DIALECT->close(&conn);
}

static int64_t rows_read(struct viewd_conn *conn)
{
	struct viewd_err err = {0};
	int64_t n = 0;
	REQUIRE_OK(my_query_int(conn,
	                        "SELECT CAST(SUM(VARIABLE_VALUE) AS INT) FROM information_schema.SESSION_STATUS "
	                        "WHERE VARIABLE_NAME LIKE 'Handler_read%'",
	                        NULL, 0, &n, &err),
	           &err);
	return n;
}

/* A log is tried at each refresh, also when the log holds much that other views have not read. */
static void trying_reads_one_row(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct relation source = {"shop", "acc"};
	struct viewd_err err = {0};
	struct log_plan plan;
	bool works = false;
	my_do("INSERT INTO acc SELECT seq, 1, 100, 'b', NULL FROM seq_1001_to_21000");
	CHECK_STR(my_log_rows(), "20000");
	log_names(s->conn, harness_ctx(), 1, &source, &plan);
	REQUIRE_OK(my_begin(&s->conn->db, DB_BEGIN_WRITE, &err), &err);
	int64_t before = rows_read(s->conn), asking = rows_read(s->conn) - before;
	REQUIRE_OK(log_try(&plan, &works, &err), &err);
	CHECK(works);
	CHECK(rows_read(s->conn) - before - 2 * asking < 1000);
	my_rollback(&s->conn->db);
	my_do("DROP PROCEDURE viewd_change_1");
	REQUIRE_OK(my_begin(&s->conn->db, DB_BEGIN_WRITE, &err), &err);
	REQUIRE_OK(log_try(&plan, &works, &err), &err);
	CHECK(!works);
	my_rollback(&s->conn->db);
}

/* Changes that were lost in silence are made up for. */
static void lost_rights_are_noticed(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_err err;
	my_do("REVOKE EXECUTE ON shop.* FROM viewd@localhost");
	my_do("UPDATE acc SET bal = bal + 9 WHERE id = 11");
	CHECK_STR(my_log_rows(), "0");
	CHECK_STR(my_compared(s), "all 1");
	my_do("UPDATE acc SET bal = bal + 9 WHERE id = 11");
	CHECK(my_refresh_fails(s->conn, &s->view, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_CONTAINS(err.msg, "execute command denied");
	my_do("GRANT EXECUTE ON shop.* TO viewd@localhost");
	CHECK_STR(my_compared(s), "all 1");
	my_do("UPDATE acc SET bal = bal - 9 WHERE id = 11");
	CHECK_STR(my_compared(s), "incremental 1");
}

static void revoke(struct my_scene *s, const char *rights)
{
	my_do("REVOKE %s ON shop.* FROM viewd@localhost", rights);
	s->conn->denied.now = true; /* the session goes by the rights of its beginning */
}

/* A trigger that the account may not see is neither taken for another's nor made again. */
static void hidden_triggers_are_left(void)
{
	static const char *const rights[] = {"TRIGGER",
	                                     "SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, TRIGGER"};
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_err err;
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		revoke(s, rights[i]);
		for (int again = 0; again < 3; again++) {
			CHECK(my_refresh_fails(s->conn, &s->view, &err));
			CHECK_STR(err_class_word(err.cls), "denied");
			if (i == 0)
				CHECK_CONTAINS(err.hint, "grant TRIGGER on shop.*");
		}
		CHECK_STR(my_log_name(), "viewd_change_1");
		my_do("GRANT %s ON shop.* TO viewd@localhost", rights[i]);
		my_do("UPDATE acc SET bal = bal + 9 WHERE id = 11");
		CHECK_CONTAINS(my_compared(s), " 1");
	}
	CHECK_STR(my_log_name(), "viewd_change_1");
	revoke(s, "TRIGGER");
	s->view.mode = VIEWD_MODE_FULL;
	expect_log("change logs that nobody reads stay for now (trigger 'viewd_l");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_log_name(), "viewd_change_1");
	CHECK_STR(my_ask("SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_NAME = 'viewd_change_1'"), "1");
	my_do("GRANT TRIGGER ON shop.* TO viewd@localhost");
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	my_refreshed(s->conn, &s->view);
	my_do("UPDATE acc SET bal = bal + 9 WHERE id = 11");
	CHECK_STR(my_compared(s), "incremental 1");
}

/* A role that may not read what triggers name is not used. */
static void a_role_writes_logs(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_err err;
	my_do("CREATE OR REPLACE ROLE " DEFINER_ROLE);
	my_do("GRANT TRIGGER, EXECUTE, SELECT, INSERT ON shop.* TO " DEFINER_ROLE);
	my_do("GRANT " DEFINER_ROLE " TO viewd@localhost");
	my_do("DROP TRIGGER viewd_ld_1");
	expect_log("change log of 'acc' is made again");
	my_compared(s);
	CHECK_STR(
		my_ask("SELECT GROUP_CONCAT(DISTINCT DEFINER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'"),
		DEFINER_ROLE "@");
	my_do("UPDATE acc SET bal = bal - 9 WHERE id = 11");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("REVOKE SELECT ON shop.* FROM " DEFINER_ROLE);
	my_compared(s);
	CHECK_STR(
		my_ask("SELECT GROUP_CONCAT(DISTINCT DEFINER) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'"),
		"viewd@localhost");
	my_do("GRANT SELECT ON shop.* TO " DEFINER_ROLE);
	my_do("DROP TRIGGER %s",
	      my_ask("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop' LIMIT 1"));
	my_compared(s);
	my_do("UPDATE acc SET bal = bal - 9 WHERE id = 11");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("REVOKE INSERT ON shop.* FROM " DEFINER_ROLE);
	my_do("UPDATE acc SET bal = bal - 9 WHERE id = 11");
	expect_log("its triggers would leave nothing in it");
	CHECK(my_refresh_fails(s->conn, &s->view, &err));
	CHECK_CONTAINS(err.hint, "to viewd_definer");
	my_do("GRANT INSERT ON shop.* TO " DEFINER_ROLE);
	my_compared(s);
	my_do("DROP ROLE " DEFINER_ROLE);
}

static const struct harness_test tests[] = {
	{"truncate is noticed", truncate_is_noticed},
	{"a table made anew is noticed", a_table_made_anew_is_noticed},
	{"other columns are noticed", other_columns_are_noticed},
	{"lost triggers are noticed", lost_triggers_are_noticed},
	{"a broken log is noticed", a_broken_log_is_noticed},
	{"what foreign keys change is noticed", what_foreign_keys_change_is_noticed},
	{"a log has a bound", a_log_has_a_bound},
	{"a log of many late rows is read once", a_log_of_many_late_rows_is_read_once},
	{"a log of before is noticed", a_log_of_before_is_noticed},
	{"an exchanged table hands over everything", an_exchanged_table_hands_over_everything},
	{"a view that stays away fills no log", a_view_that_stays_away_fills_no_log},
	{"what is committed meanwhile stays in the log", what_is_committed_meanwhile_stays_in_the_log},
	{"a procedure made again is noticed", a_procedure_made_again_is_noticed},
	{"trying reads one row", trying_reads_one_row},
	{"lost rights are noticed", lost_rights_are_noticed},
	{"hidden triggers are left", hidden_triggers_are_left},
	{"a role writes logs", a_role_writes_logs},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql change logs", tests))
