/* SPDX-License-Identifier: MIT
 *
 * Views that are kept incrementally: what is true of MariaDB alone.
 */
#include "my_incremental.h"

#include <stdlib.h>

#include "base/err.h"

/* ---- what is written ---- */

static void only_what_differs_is_written(void)
{
	struct my_scene *s = my_incremental_begin(my_joined);
	CHECK_STR(my_compared(s), "nothing 0");
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 7");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("UPDATE acc SET note = 'A', other = 'x'"); /* not read */
	CHECK_STR(my_log_rows(), "2");
	CHECK_STR(my_compared(s), "nothing 0");
	my_do("DELETE FROM acc WHERE id = 8");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("UPDATE own SET g = 77 WHERE o = 5");
	CHECK_STR(strchr(my_compared(s), ' ') + 1, my_ask("SELECT COUNT(*) FROM acc WHERE own = 5"));
}

static void equal_values_of_other_bytes(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("UPDATE acc SET note = 'A' WHERE own = 4");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask("SELECT HEX(note) FROM v WHERE own = 4"), "41");
	my_do("UPDATE acc SET note = 'a ' WHERE own = 4");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask("SELECT HEX(note) FROM v WHERE own = 4"), "6120");
}

/* ---- who leads ---- */

static bool is_kept_under(struct my_scene *s, const char *leader)
{
	my_do("%s", leader);
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 7");
	return my_refreshed(s->conn, &s->view).did == VIEWD_DID_INCREMENTAL &&
	       strcmp(my_ask("SELECT bal FROM v WHERE id = 7"), my_ask("SELECT bal FROM acc WHERE id = 7")) == 0;
}

/* The rows and COMMIT go to the server as one block, which asks first who leads. */
static void who_was_overtaken_writes_nothing(void)
{
	struct viewd_err err;
	struct my_scene *s = my_incremental_begin(my_joined);
	my_do("CREATE TABLE IF NOT EXISTS viewd_daemon (id INT PRIMARY KEY, epoch BIGINT NOT NULL, holder VARCHAR(255))");
	s->compared = NULL; /* a statement would take along what waits */
	CHECK(is_kept_under(s, "DELETE FROM viewd_daemon"));
	my_do("INSERT INTO viewd_daemon (id, epoch, holder) VALUES (1, 1, 'another')");
	my_do("UPDATE acc SET bal = -123 WHERE id = 7");
	CHECK(my_refresh_fails(s->conn, &s->view, &err));
	CHECK_STR(err_class_word(err.cls), "standby");
	CHECK_CONTAINS(err.msg, "another viewd has taken over");
	CHECK_STR(my_ask("SELECT COUNT(*) FROM v WHERE bal = -123"), "0");
	CHECK(is_kept_under(s, "UPDATE viewd_daemon SET holder = ''"));
	CHECK(is_kept_under(s, "DROP TABLE viewd_daemon"));
}

/* ---- writers ---- */

static void transfers_are_seen_whole(void)
{
	my_beside_writers(my_totals);
}

static void joins_beside_writers(void)
{
	my_beside_writers(my_joined);
}

/* ---- readers ---- */

static void several_readers_of_one_log(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_view_spec other = my_incremental("w", "SELECT id, bal FROM acc WHERE bal <> 100");
	my_applied(s->conn, &other, VIEWD_CHANGE_CREATE);
	s->compared = NULL;
	my_refreshed(s->conn, &other);
	my_refreshed(s->conn, &s->view);
	my_refreshed(s->conn, &other);
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 5");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_log_rows(), "2");
	CHECK_INT(my_refreshed(s->conn, &s->view).did, VIEWD_DID_NO_DATA);
	CHECK_INT(my_refreshed(s->conn, &other).did, VIEWD_DID_INCREMENTAL);
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(id) FROM w"), "5");
	for (int i = 0; i < 20; i++) { /* removed now and then */
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = 6");
		my_refreshed(s->conn, &s->view);
		my_refreshed(s->conn, &other);
	}
	CHECK(strtoll(my_log_rows(), NULL, 10) < 40);
}

/* Numbers below those that were read, of rows that were committed later, between others that are gone again. */
static void late_rows_are_read(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	MYSQL *late = my_root(), *back = my_root();
	REQUIRE(mysql_query(late, "START TRANSACTION") == 0 && mysql_query(back, "START TRANSACTION") == 0);
	for (int i = 1; i <= 20; i++) {
		char one[80], two[80];
		snprintf(one, sizeof one, "UPDATE acc SET bal = bal - 1 WHERE id = %d", i);
		snprintf(two, sizeof two, "UPDATE acc SET bal = bal + 1 WHERE id = %d", 40 + i);
		REQUIRE(mysql_query(late, one) == 0 && mysql_query(back, two) == 0);
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = %d", 80 + i);
		if (i % 5 == 0)
			CHECK_CONTAINS(my_compared(s), "incremental");
	}
	REQUIRE(mysql_query(back, "ROLLBACK") == 0);
	CHECK_STR(my_compared(s), "nothing 0");
	REQUIRE(mysql_query(late, "COMMIT") == 0);
	CHECK_STR(my_compared(s), "incremental 12");
	for (int i = 0; i < 20; i++) { /* rows are removed in between */
		my_do("UPDATE acc SET bal = bal + 1 WHERE id = %d", 1 + i);
		CHECK_STR(my_compared(s), "incremental 1");
	}
	CHECK(strtoll(my_log_rows(), NULL, 10) < 40);
}

/* Rows right behind those that are removed belong to a transaction that goes on. */
static void removing_waits_for_no_writer(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	MYSQL *late = my_root();
	for (int i = 0; i < 3; i++)
		my_do("UPDATE acc SET bal = bal + 1");
	REQUIRE(mysql_query(late, "START TRANSACTION") == 0);
	REQUIRE(mysql_query(late, "UPDATE acc SET bal = bal - 1 WHERE id = 7") == 0);
	CHECK_STR(my_log_rows(), "720");
	CHECK_CONTAINS(my_compared(s), "incremental");
	CHECK_STR(my_compared(s), "nothing 0"); /* and what was read is removed */
	CHECK_STR(my_log_rows(), "0");
	REQUIRE(mysql_query(late, "COMMIT") == 0);
	CHECK_STR(my_compared(s), "incremental 1");
}

/* ---- writers meet nothing ---- */

static const char *clerk(const char *sql)
{
	char *sock = talloc_asprintf(harness_ctx(), "%s/sock", getenv("VIEWD_TEST_MARIADB"));
	MYSQL *my = mysql_init(NULL);
	REQUIRE(mysql_real_connect(my, NULL, "clerk", NULL, "shop", 0, sock, CLIENT_MULTI_STATEMENTS) != NULL);
	bool good = mysql_query(my, sql) == 0;
	for (int more = 0; good && more == 0;) {
		mysql_free_result(mysql_store_result(my));
		more = mysql_next_result(my);
		good = more <= 0;
	}
	const char *met = talloc_strdup(harness_ctx(), good ? "" : mysql_error(my));
	mysql_close(my);
	return met;
}

static void writers_are_not_disturbed(void)
{
	static const char all[] = "UPDATE acc SET bal = bal + 1 WHERE id = 1; INSERT INTO acc VALUES (-1, 1, 0, '', NULL); "
							  "DELETE FROM acc WHERE id = -1";
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("REVOKE ALL ON shop.* FROM clerk@localhost");
	my_do("GRANT SELECT, INSERT, UPDATE, DELETE ON shop.acc TO clerk@localhost");
	my_do("GRANT LOCK TABLES ON shop.* TO clerk@localhost");
	CHECK_STR(clerk(all), "");
	CHECK_STR(clerk("LOCK TABLES acc WRITE; UPDATE acc SET bal = bal + 1; UNLOCK TABLES"), "");
	CHECK_CONTAINS(my_compared(s), "incremental");
	my_do("ALTER TABLE %s DROP COLUMN bal", my_log_name());
	CHECK_STR(clerk(all), "");
	my_do("DROP TABLE %s", my_log_name());
	CHECK_STR(clerk(all), "");
	my_do("DROP PROCEDURE %s", my_log_name());
	CHECK_STR(clerk(all), "");
	expect_log("change log of 'acc' is made again (the log is gone)");
	CHECK_CONTAINS(my_compared(s), "all");
}

/* The relation tells spellings apart that the definition takes for one. */
static void a_key_of_another_collation(void)
{
	static const struct viewd_column columns[] = {{.name = "note", .type = "VARCHAR(20) COLLATE utf8mb4_bin"},
	                                              {.name = "n", .type = "BIGINT"}};
	struct my_scene *s = my_incremental_begin(my_totals);
	s->compared = NULL;
	s->view = my_incremental("c", "SELECT note, count(*) AS n FROM acc GROUP BY note");
	s->view.columns = columns;
	s->view.n_columns = ARRAY_LEN(columns);
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	my_do("UPDATE acc SET note = 'A' WHERE id <= 60");
	my_refreshed(s->conn, &s->view);
	my_do("UPDATE acc SET note = 'A' WHERE id > 60");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(CONCAT(note, n)) FROM c"), "A120");
}

/* A date of zeros does not fit a strict column, but the log takes it. */
static void odd_values_are_logged(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	s->compared = NULL;
	my_do("CREATE TABLE odd (id INT PRIMARY KEY, d DATE, e ENUM('x', 'y'), f FLOAT, b BIT(3), t TIMESTAMP NULL, g "
	      "GEOMETRY, j JSON, y YEAR, s SET('p', 'q'), bl BLOB)");
	my_do("INSERT INTO odd (id) VALUES (1)");
	s->view = my_incremental("o", "SELECT id, d, e, f, b, t, g, j, y, s, bl FROM odd");
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	my_do("SET STATEMENT sql_mode = '' FOR INSERT INTO odd VALUES (2, '0000-00-00', 'z', 1.0000001, 5, '2024-01-01', "
	      "POINT(1, 2), '{\"a\": 1}', 2020, 'p,q', 0x00FF)");
	CHECK_INT(my_refreshed(s->conn, &s->view).did, VIEWD_DID_INCREMENTAL);
	my_do("UPDATE odd SET f = 1.0000002 WHERE id = 2");
	my_do("UPDATE odd SET g = POINT(1, 3), e = 'x' WHERE id = 2");
	CHECK_INT(my_refreshed(s->conn, &s->view).rows_written, 1);
	CHECK_STR(my_ask("SELECT COUNT(*), SUM(a.bl IS NOT NULL) FROM odd a JOIN o b ON a.id = b.id AND a.d <=> b.d AND "
	                 "a.e <=> b.e AND a.f <=> b.f AND a.b <=> b.b AND a.t <=> b.t AND a.g <=> b.g AND a.j <=> b.j AND "
	                 "a.y <=> b.y AND a.s <=> b.s AND a.bl <=> b.bl"),
	          "2,1");
}

/* ---- places ---- */

static void a_table_of_another_database(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	my_do("CREATE TABLE other.far (id INT PRIMARY KEY, x INT)");
	my_do("INSERT INTO other.far VALUES (1, 1), (2, 2)");
	s->compared = NULL;
	s->view = my_incremental("f", "SELECT id, x FROM other.far WHERE x > 0");
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	my_do("UPDATE other.far SET x = 9 WHERE id = 2");
	CHECK_INT(my_refreshed(s->conn, &s->view).did, VIEWD_DID_INCREMENTAL);
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(x ORDER BY id) FROM f"), "1,9");
}

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static void leaving_takes_logs_out(void)
{
	struct viewd_uninstall_request req = {.struct_size = sizeof req};
	struct viewd_err err = {0};
	struct my_scene *s = my_incremental_begin(my_joined);
	my_do("CREATE TABLE other.far (id INT PRIMARY KEY, x INT)");
	s->compared = NULL;
	s->view = my_incremental("f", "SELECT id, x FROM other.far WHERE x > 0");
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	static const char *const rights[] = {"TRIGGER", "ALL"}; /* without any the catalogue does not show them at all */
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		my_do("REVOKE %s ON other.* FROM viewd@localhost", rights[i]);
		CHECK(!DIALECT->uninstall(my_unprepared(), &req, (struct viewd_text_sink){ignore_text, NULL}, &err));
		CHECK_STR(err_class_word(err.cls), "denied");
		CHECK_CONTAINS(err.hint, "grant TRIGGER on other.*");
		CHECK_STR(my_ask("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%'"), "9");
		my_do("GRANT %s ON other.* TO viewd@localhost", rights[i]);
	}
	REQUIRE_OK(DIALECT->uninstall(my_unprepared(), &req, (struct viewd_text_sink){ignore_text, NULL}, &err), &err);
	CHECK_STR(my_ask("SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%' AND "
	                 "TRIGGER_SCHEMA IN ('shop', 'other')), "
	                 "(SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_NAME LIKE 'viewd%%' AND "
	                 "ROUTINE_SCHEMA IN ('shop', 'other')), (SELECT "
	                 "COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'viewd%%' AND TABLE_SCHEMA IN "
	                 "('shop', 'other'))"),
	          "0,0,0");
	my_do("INSERT INTO other.far VALUES (5, 5)");
}

static void without_process_it_says_so(void)
{
	struct viewd_err err;
	my_incremental_tables();
	my_do("REVOKE PROCESS ON *.* FROM viewd@localhost");
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_incremental("v", my_totals);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_CONTAINS(err.msg, "without the privilege PROCESS");
	CHECK_CONTAINS(err.msg, "grant PROCESS on *.* to viewd's account");
	view.mode = VIEWD_MODE_AUTO;
	my_refreshed(conn, &view);
}

static void process_that_is_taken_away_is_named(void)
{
	struct my_scene *s = my_incremental_begin(my_totals);
	struct viewd_err err;
	my_do("REVOKE PROCESS ON *.* FROM viewd@localhost");
	s->conn->denied.now = true; /* the session goes by the rights of its beginning */
	my_do("UPDATE acc SET bal = bal + 1 WHERE id = 7");
	for (int i = 0; i < 2; i++) {
		CHECK(my_refresh_fails(s->conn, &s->view, &err));
		CHECK_STR(err_class_word(err.cls), "denied");
		CHECK_CONTAINS(err.hint, "grant PROCESS on *.* to viewd's account");
	}
	my_do("GRANT PROCESS ON *.* TO viewd@localhost");
	CHECK_STR(my_compared(s), "incremental 1");
	my_do("REVOKE PROCESS ON *.* FROM viewd@localhost");
	s->conn->denied.now = true;
	s->view.mode = VIEWD_MODE_AUTO;
	CHECK_CONTAINS(my_compared(s), "all");
}

static const struct harness_test tests[] = {
	{"who was overtaken writes nothing", who_was_overtaken_writes_nothing},
	{"only what differs is written", only_what_differs_is_written},
	{"equal values of other bytes", equal_values_of_other_bytes},
	{"transfers are seen whole", transfers_are_seen_whole},
	{"joins beside writers", joins_beside_writers},
	{"several readers of one log", several_readers_of_one_log},
	{"late rows are read", late_rows_are_read},
	{"removing waits for no writer", removing_waits_for_no_writer},
	{"writers are not disturbed", writers_are_not_disturbed},
	{"a key of another collation", a_key_of_another_collation},
	{"odd values are logged", odd_values_are_logged},
	{"a table of another database", a_table_of_another_database},
	{"leaving takes logs out", leaving_takes_logs_out},
	{"without process it says so", without_process_it_says_so},
	{"process that is taken away is named", process_that_is_taken_away_is_named},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql incremental", tests))
