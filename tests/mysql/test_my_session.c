/* SPDX-License-Identifier: MIT
 *
 * The connection: what it refuses, how it is lost, what an account may lack; and what needs no server at all.
 */
#include "my_support.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/span.h"
#include "mysql/refresh/shadow_table.h"

/* ---- without a server */

static void urls_are_judged(void)
{
	static const struct {
		const char *url;
		const char *wrong; /* NULL: good */
	} cases[] = {
		{"mysql://u@h/db", NULL},
		{"mariadb+mariadbconnector://u:p%40ss@h:3307/db?charset=utf8mb4&ssl=yes&ssl_ca=ca.pem", NULL},
		{"mysql://u@h/db?unix_socket=/run/s&read_default_file=my.cnf&connect_timeout=3", NULL},
		{"mysql://u@h", "no database"},
		{"mysql://u@h/", "no database"},
		{"postgresql://u@h/db", "neither mysql nor mariadb"},
		{"mysql://u@h/db?sslca=x", "'sslca' is not known"},
		{"mysql://u@h/db?charset=latin1", "utf8mb4"},
		{"mysql://u@h/db?ssl=maybe", "neither yes nor no"},
		{"mysql://u@h/db?connect_timeout=1s", "seconds"},
		{"mysql://u@h/db?local_infile=1", "not accepted"},
		{"mysql://u@h/db?init_command=DROP", "not accepted"},
		{"mysql://u@h/db?ssl_ca=", "empty"},
		{"mysql://u@h/db?ssl=yes&ssl=no", "twice"},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct viewd_database_spec spec = {
			.struct_size = sizeof spec, .name = "d", .url = cases[i].url, .base_dir = "/"};
		struct viewd_err err = {0};
		bool good = DIALECT->check_database(&spec, &err);
		harness_check(good == (cases[i].wrong == NULL), __FILE__, __LINE__, "%s: %s", cases[i].url, err.msg);
		if (!good) {
			CHECK_STR(err_class_word(err.cls), "config");
			CHECK_CONTAINS(err.msg, cases[i].wrong != NULL ? cases[i].wrong : "");
		}
	}
}

static bool add_ref(void *ctx, const struct relation *ref, size_t start UNUSED, size_t len UNUSED)
{
	char **text = ctx;

	*text = talloc_asprintf_append(*text, "%s.%s ", ref->schema, ref->name);
	return true;
}

static void tables_are_told_from_columns(void)
{
	static const struct {
		const char *canonical;
		const char *refs;
	} cases[] = {
		{"select `d`.`t`.`a` AS `a` from `d`.`t`", "d.t "},
		{"select `x`.`a` AS `a` from (`d`.`t` `x` join `e`.`u` `y` on(`x`.`a` = `y`.`b`)) where `x`.`c` = `y`.`d`",
	     "d.t e.u "},
		{"select extract(year from `x`.`day`) AS `y`,trim('a' from `x`.`s`) AS `s` from `d`.`t` `x`", "d.t "},
		{"with q as (select `d`.`t`.`a` AS `a` from `d`.`t`)select `q`.`a` AS `a` from `q`", "d.t "},
		{"select `a`.`b` AS `from` from `d`.`we``ird` `a` where exists(select 1 from `d`.`u` limit 1)",
	     "d.we`ird d.u "},
		{"select 'from `no`.`no`' AS `x` from `d`.`t` straight_join `d`.`u` union all select 1 AS `1` from `d`.`w`",
	     "d.t d.u d.w "},
		{"select `t`.`a` AS `a` from `d`.`t`,`d`.`u` order by `t`.`a`,`t`.`b`", "d.t d.u "},
		{"select `q`.`a` AS `a` from (select `d`.`t`.`a` AS `a` from `d`.`t`) `q` left join `d`.`u` on(`u`.`a` in "
	     "(`q`.`a`,`u`.`b`))",
	     "d.t d.u "},
		{"select `t`.`a` AS `a` from `d`.`t` FOR SYSTEM_TIME ALL join `d`.`u`", "d.t d.u "},
		{"select sum(`d`.`t`.`a`) over ( partition by `d`.`t`.`b` order by `d`.`t`.`c`) AS `s` from `d`.`t`", "d.t "},
	};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *found = talloc_strdup(harness_ctx(), "");
		my_scan_refs(cases[i].canonical, add_ref, &found);
		CHECK_STR(found, cases[i].refs);
	}
}

static void tags_are_read_strictly(void)
{
	struct tag tag = {.data_timestamp_us = 1795340151087756, .rows = 12, .duration_us = 34}, again = {0};
	char text[TAG_TEXT_MAX];

	memset(tag.uid, 'a', 32);
	CHECK(tag_parse(tag_format(&tag, text), &again));
	CHECK_STR(again.uid, tag.uid);
	CHECK_INT(again.data_timestamp_us, tag.data_timestamp_us);
	CHECK_INT(again.rows, 12);
	CHECK(tag_parse("viewd:0123456789abcdef0123456789abcdef", &again));
	CHECK_INT(again.data_timestamp_us, 0);
	static const char *const foreign[] = {"",
	                                      "viewd:",
	                                      "viewd:0123456789abcdef",
	                                      "viewd:0123456789abcdef0123456789abcdeg",
	                                      "viewd:0123456789abcdef0123456789abcdef0",
	                                      "my viewd:0123456789abcdef0123456789abcdef",
	                                      "viewd:0123456789abcdef0123456789abcdef by hand"};
	for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
		harness_check(!tag_parse(foreign[i], &again), __FILE__, __LINE__, "'%s' is no tag", foreign[i]);
}

/* ---- with one */

/* ---- statements that wait for the next one */

static void a_commit_tells_what_has_failed(void)
{
	struct viewd_err err = {0}, again = {0};
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct db *db = &conn->db;
	REQUIRE_OK(my_begin(db, DB_BEGIN_GROUP, &err), &err);
	CHECK_OK(my_exec_later(db, "INSERT INTO no_such VALUES (1)", NULL, 0, &err), &err);
	CHECK(!my_flush(db, &err));
	CHECK_STR(err_class_word(err.cls), "missing");
	CHECK(!my_commit(db, &again));
	CHECK_STR(again.msg, err.msg);
	my_rollback(db);
	REQUIRE_OK(my_begin(db, DB_BEGIN_SNAPSHOT, &err), &err);
	my_do("KILL %lu", conn->thread_id);
	CHECK(!my_commit(db, &err));
	CHECK(err.cls == VIEWD_ERR_LOST || err.cls == VIEWD_ERR_CONNECT);
	CHECK(conn->lost);
}

/* The victim of a deadlock has no transaction any more. The other one has changed more rows. */
static void nothing_is_sent_after_a_deadlock(void)
{
	struct viewd_err err = {0};
	my_fresh();
	my_do("CREATE TABLE d (id INT PRIMARY KEY, n INT)");
	my_do("CREATE TABLE late (id INT)");
	my_do("INSERT INTO d SELECT seq, 0 FROM seq_1_to_500");
	struct viewd_conn *conn = my_session();
	struct db *db = &conn->db;
	MYSQL *other = my_root();
	REQUIRE_OK(my_begin(db, DB_BEGIN_GROUP, &err), &err);
	CHECK_OK(db_exec(db, "UPDATE d SET n = 1 WHERE id = 1", &err), &err);
	CHECK(mysql_query(other, "BEGIN") == 0 && mysql_query(other, "UPDATE d SET n = 2 WHERE id > 1") == 0);
	CHECK(mysql_send_query(other, "UPDATE d SET n = 2 WHERE id = 1", 31) == 0);
	CHECK_OK(my_exec_later(db, "UPDATE d SET n = 1 WHERE id = 2", NULL, 0, &err), &err);
	CHECK(!db_exec(db, "DROP TEMPORARY TABLE IF EXISTS t", &err)); /* what is tidied up may fail */
	CHECK_INT(err.native, 1213);
	bool waits = my_exec_later(db, "INSERT INTO late VALUES (1)", NULL, 0, &err);
	CHECK(!waits || !my_commit(db, &err));
	CHECK_STR(err_class_word(err.cls), "conflict");
	my_rollback(db);
	CHECK(mysql_read_query_result(other) == 0 && mysql_query(other, "COMMIT") == 0);
	CHECK_STR(my_ask("SELECT COUNT(*) FROM late"), "0");
	REQUIRE_OK(my_begin(db, DB_BEGIN_GROUP, &err), &err);
	CHECK_OK(my_exec_later(db, "INSERT INTO late VALUES (2)", NULL, 0, &err), &err);
	CHECK_OK(my_commit(db, &err), &err);
	CHECK_STR(my_ask("SELECT id FROM late"), "2");
}

static bool take_one(void *ctx UNUSED, const char *const *values UNUSED, size_t n UNUSED)
{
	return false;
}

/* The rows come as they are read, and who reads them has had enough before. */
static void an_answer_that_breaks_off_is_a_failure(void)
{
	static const struct db_reader reader[] = {{take_one, "*", "rows"}};
	struct my_questions list = {.mem = harness_ctx()};
	struct viewd_err err = {0};
	my_fresh();
	struct viewd_conn *conn = my_session();
	my_do("CREATE TABLE late (id INT)");
	my_ask_later(&list,
	             talloc_strdup(harness_ctx(), "SELECT seq, (SELECT a.seq FROM seq_1_to_2 a WHERE a.seq <= 1 + (s.seq > "
	                                          "50000)) FROM seq_1_to_60000 s"),
	             reader, NULL);
	list.items[0].streamed = true;
	my_ask_later(&list, talloc_strdup(harness_ctx(), "INSERT INTO late VALUES (1)"), NULL, NULL);
	CHECK(!my_ask_now(conn, &list, &err));
	CHECK_INT(err.native, 1242);
	CHECK_STR(my_ask("SELECT COUNT(*) FROM late"), "0");
}

/* ---- */

static const char regions[] = "SELECT region, count(*) AS n FROM sales GROUP BY region";

static void a_killed_session_is_lost_not_replaced(void)
{
	static const char *const sql[] = {"KILL USER viewd@localhost", NULL};
	struct viewd_err err;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, regions);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_kill = (struct my_kill){.at = "mysql:filled", .sql = sql};
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK(err.cls == VIEWD_ERR_LOST || err.cls == VIEWD_ERR_CONNECT);
	CHECK(!DIALECT->alive(conn));
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "connect");
	conn = my_session();
	CHECK_STR(my_leftovers(), "0,0");
	CHECK(DIALECT->alive(conn));
	my_refreshed(conn, &view);
}

static void a_read_only_server_is_a_standby(void)
{
	struct viewd_err err = {0};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, regions);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_do("SET GLOBAL read_only = 1");
	CHECK(!DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, &err));
	CHECK_STR(err_class_word(err.cls), "standby");
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "standby");
	my_do("SET GLOBAL read_only = 0");
	my_refreshed(conn, &view);
}

static void refusals_have_classes(void)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};

	my_fresh();
	my_do("ALTER USER viewd@localhost IDENTIFIED BY 'secret'");
	CHECK(DIALECT->open(&my_host, &spec, &err) == NULL);
	CHECK_STR(err_class_word(err.cls), "auth");
	spec.password = "secret";
	struct viewd_conn *conn = DIALECT->open(&my_host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	DIALECT->close(&conn);
	CHECK(conn == NULL);
	spec.url = talloc_asprintf(harness_ctx(), "mysql://viewd@/nowhere?unix_socket=%s", strchr(spec.url, '=') + 1);
	CHECK(DIALECT->open(&my_host, &spec, &err) == NULL);
	CHECK(err.cls == VIEWD_ERR_DENIED || err.cls == VIEWD_ERR_MISSING);
	spec.url = "mysql://viewd@/shop?unix_socket=/nonexistent/sock";
	CHECK(DIALECT->open(&my_host, &spec, &err) == NULL);
	CHECK_STR(err_class_word(err.cls), "connect");
}

struct names {
	char *text;
};

static bool add_source(void *ctx, const struct viewd_source *source)
{
	struct names *names = ctx;

	names->text = talloc_asprintf_append(names->text, "%s.%s ", source->schema, source->name);
	return true;
}

static void missing_privileges_are_told(void)
{
	struct names names = {talloc_strdup(harness_ctx(), "")};
	struct viewd_found found;
	struct viewd_outcome out;
	struct viewd_err err = {0};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, regions);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	struct viewd_view_spec many = my_view("many", VIEWD_METHOD_TABLE, "SELECT region, seq FROM sales, seq_1_to_1000");
	my_applied(conn, &many, VIEWD_CHANGE_CREATE);
	my_do("REVOKE CREATE VIEW ON shop.* FROM viewd@localhost");
	conn = my_session();
	REQUIRE_OK(DIALECT->inspect(conn, &view, &found, (struct viewd_source_sink){add_source, &names}, &err), &err);
	CHECK_CONTAINS(names.text, "shop.sales");
	my_do("REVOKE CREATE ON shop.* FROM viewd@localhost");
	conn = my_unprepared();
	struct viewd_outcome refreshed = my_refreshed(conn, &many);
	CHECK_INT(refreshed.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(refreshed.reason, "denied");
	CHECK_CONTAINS(my_refreshed(conn, &view).reason, "small");
	my_do("REVOKE CREATE TEMPORARY TABLES ON shop.* FROM viewd@localhost");
	conn = my_unprepared();
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_CONTAINS(err.hint, "CREATE TEMPORARY TABLES");
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_STR(my_ask("SELECT count(*) FROM v"), "3");
}

static void views_that_need_a_column_stop_a_replacement(void)
{
	struct viewd_outcome out;
	struct viewd_err err = {0};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, regions);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_do("CREATE VIEW plain AS SELECT n FROM v");
	my_do("CREATE VIEW aliased AS SELECT x.n + 1 AS m FROM sales s JOIN v x ON x.region = s.region");
	my_do("CREATE VIEW other_column AS SELECT region FROM v");
	view.definition = "SELECT region, max(amount) AS top FROM sales GROUP BY region";
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.msg, "shop.plain");
	CHECK_CONTAINS(err.msg, "shop.aliased");
	CHECK(strstr(err.msg, "other_column") == NULL);
	CHECK_STR(my_leftovers(), "0,0");
	CHECK_STR(my_ask("SELECT count(*) FROM plain"), "3");
	my_do("DROP VIEW plain, aliased");
	my_applied(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(my_ask("SELECT count(*) FROM other_column"), "3");
}

static void types_have_room(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view =
		my_view("v", VIEWD_METHOD_TABLE,
	            "SELECT region, NULL AS nothing, '' AS blank, CURRENT_TIMESTAMP AS t, json_object('a', 1) AS j,"
	            " max(amount) / 3 AS third, group_concat(region) AS g FROM sales GROUP BY region");
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_refreshed(conn, &view);
	CHECK_STR(my_ask("SELECT count(*), count(nothing), max(length(g)) FROM v"), "3,0,11");
	CHECK_STR(my_ask("SELECT group_concat(IS_NULLABLE) FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'shop' AND "
	                 "TABLE_NAME = 'v' AND COLUMN_NAME <> 'viewd_pk'"),
	          "YES,YES,YES,YES,YES,YES,YES");
}

static bool ignore_row(void *ctx UNUSED, const struct viewd_recorded *row UNUSED)
{
	return true;
}

static bool count_fn(void *ctx, const char *const *v UNUSED, size_t n UNUSED)
{
	++*(int *)ctx;
	return true;
}

static void an_answer_of_another_shape_is_a_failure(void)
{
	static const struct db_reader reader[] = {{count_fn, "nt", "the tide"}};
	static const char *const answers[] = {"SELECT 1",         "SELECT 1, 'x', 2", "SELECT 'one', 'x'",
	                                      "SELECT NULL, 'x'", "SELECT 1, NULL",   "SELECT 18446744073709551615, 'x'"};
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_err err = {0};
	int n = 0;
	CHECK_OK(my_query(&conn->db, "SELECT 1, 'x'", NULL, 0, reader, &n, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		err = (struct viewd_err){0};
		CHECK(!my_query(&conn->db, answers[i], NULL, 0, reader, &n, &err));
		CHECK_INT(err.cls, VIEWD_ERR_QUERY);
		CHECK_CONTAINS(err.msg, "the tide");
	}
	CHECK_INT(n, 1);
	CHECK_OK(my_query(&conn->db, "SELECT 1, 'x' UNION ALL SELECT 2, 'y'", NULL, 0, reader, &n, &err), &err);
	CHECK_INT(n, 3);
}

/* Left by a predecessor, or by anybody: nothing there may end the daemon, or be taken for a place in the log. */
static void any_row_of_our_tables_can_be_read(void)
{
	static const char *const rows[] = {
		"INSERT INTO viewd_intents (name) VALUES ('')",
		"UPDATE viewd_intents SET method = 'nonsense', identity = ''",
		("INSERT INTO viewd_view_state (name, relation, method, definition_hash, index_hash, identity, canonical, "
	     "on_remove, indexes, consecutive_errors)"
	     " VALUES ('%s%n', 'no relation', '', '', '', 'table:', '', '', '', -1)"),
	};
	my_fresh();
	my_session();
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		my_do("SET STATEMENT sql_mode = '' FOR %s", rows[i]);
		struct viewd_conn *conn = my_unprepared();
		struct viewd_err err = {0};
		bool good = DIALECT->prepare(conn, (struct viewd_recorded_sink){ignore_row, NULL}, &err);
		CHECK(good || err.msg[0] != '\0');
	}
}

static void versions_are_read_by_us(void)
{
	static const struct {
		const char *text;
		unsigned number;
	} versions[] = {
		{"10.11.19-MariaDB-log", 101119},
		{"5.5.5-10.11.19-MariaDB", 101119},
		{"8.0.36", 80036},
		{"11.4.2-MariaDB-ubu2404", 110402},
		{"", 0},
		{"x", 0},
		{"8", 0},
		{"8.", 0},
		{"8.0", 0},
		{"5.5.5-", 0},
		{"99999999999.1-MariaDB", 0},
		{"8.100.1", 0},
		{"8.0.-1", 0},
	};
	for (size_t i = 0; i < ARRAY_LEN(versions); i++)
		CHECK_INT(my_version_number(versions[i].text), versions[i].number);
}

static struct viewd_conn *refused(const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_outcome out;

	my_fresh();
	expect_log("the view that tells applications how fresh views are is not made"); /* CREATE VIEW is missing as well */
	my_do("REVOKE ALL PRIVILEGES, GRANT OPTION FROM viewd@localhost");
	my_do("GRANT SELECT, INSERT, UPDATE, DELETE, CREATE ON shop.* TO viewd@localhost");
	struct viewd_conn *conn = my_session();
	CHECK(!DIALECT->apply(conn, view, VIEWD_CHANGE_CREATE, &out, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	return conn;
}

/* The server keeps what it has found of a database's privileges for as long as the session lasts. */
static void what_is_granted_after_a_refusal_counts(void)
{
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, my_before);
	struct viewd_conn *conn = refused(&view);
	CHECK(DIALECT->alive(conn));
	my_do("GRANT ALL ON shop.* TO viewd@localhost");
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(my_ask("SELECT count(*) FROM v"), "3");
}

/* Between the refusal and the GRANT the session does something else. */
static void what_is_granted_later_counts(void)
{
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, my_before);
	struct viewd_conn *conn = refused(&view);
	my_enter(&conn->db); /* of a call that is refused nothing */
	my_do("GRANT ALL ON shop.* TO viewd@localhost");
	conn->denied.renewed -= 2 * SPAN_SECOND; /* an administrator takes longer than that */
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
}

static const struct harness_test offline[] = {
	{"urls are judged", urls_are_judged},
	{"tables are told from columns", tables_are_told_from_columns},
	{"versions are read by us", versions_are_read_by_us},
	{"tags are read strictly", tags_are_read_strictly},
};
static const struct harness_test online[] = {
	{"a killed session is lost, not replaced", a_killed_session_is_lost_not_replaced},
	{"a read-only server is a standby", a_read_only_server_is_a_standby},
	{"refusals have classes", refusals_have_classes},
	{"missing privileges are told", missing_privileges_are_told},
	{"what is granted after a refusal counts", what_is_granted_after_a_refusal_counts},
	{"what is granted later counts", what_is_granted_later_counts},
	{"views that need a column stop a replacement", views_that_need_a_column_stop_a_replacement},
	{"an answer of another shape is a failure", an_answer_of_another_shape_is_a_failure},
	{"any row of our tables can be read", any_row_of_our_tables_can_be_read},
	{"types have room", types_have_room},
	{"a commit tells what has failed", a_commit_tells_what_has_failed},
	{"nothing is sent after a deadlock", nothing_is_sent_after_a_deadlock},
	{"an answer that breaks off is a failure", an_answer_that_breaks_off_is_a_failure},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql offline", offline), SUITE("mysql session", online))
