/* SPDX-License-Identifier: MIT
 *
 * Rows that are compared by viewd itself, and go back as texts.
 */
#include "my_incremental.h"

/* ---- texts ---- */

/* Columns over table odd. */
/* clang-format off */
static const char *const expressions[] = {
	"i", "IF(i > 1, 1, 2.5)", "CASE WHEN i > 1 THEN 1 ELSE 2.50 END", "COALESCE(i, 2.5)", "IFNULL(d, i)",
	"GREATEST(i, 2.5)", "LEAST(d, 1)", "NULLIF(d, 1)", "NULLIF(i, 2)", "ROUND(d, 1)", "ROUND(d)", "ROUND(-0.004, 2)",
	"ROUND(d * -0.001, 2)", "TRUNCATE(-0.004, 2)", "d * 0", "d * -1", "-d * 0", "d / 3", "i / 3", "i DIV 2", "d % 3",
	"i % 2.5", "SUM(d) OVER ()", "AVG(d) OVER ()", "AVG(i) OVER ()", "SUM(i) OVER ()", "COUNT(*) OVER ()", "d + i",
	"CAST(i AS DECIMAL(10,2))", "CAST(d AS SIGNED)", "CAST(t AS CHAR(3))", "CONCAT(t, i)", "UPPER(t)", "c",
	"CONCAT(c, '|')", "CONCAT(t, '  ')", "CAST('x  ' AS CHAR(5))", "LEFT(t, 1)", "REPEAT(t, 3)", "z", "z + 0", "y",
	"y + 1", "dt", "ts3", "TIME(ts3)", "SEC_TO_TIME(i * 1000.5)", "tm", "ADDTIME(tm, '0:0:0.5')", "LAST_DAY(dt)",
	"COALESCE(dt, '2024-01-01')", "IF(i > 1, t, i)", "IF(i > 1, d, t)", "IFNULL(dt, i)", "u", "u - 1", "-i", "i = 1",
	"NOT i", "i & 3", "BIT_COUNT(i)", "ABS(d)", "SIGN(d)", "CEIL(d)", "FLOOR(d)", "MOD(d, 0.3)", "LENGTH(t)",
	"HEX(t)", "l", "CONCAT(l, t)", "TRUE", "NULL", "1.50", "'a'", "DATE '2024-02-29'", "0x41", "big", "big * 2",
	"big / 7", "big + d", "MAX(d) OVER ()", "MIN(t) OVER ()", "FORMAT(d, 1)", "YEAR(dt)",
	"EXTRACT(YEAR_MONTH FROM dt)", "UNIX_TIMESTAMP(ts3)", "JSON_VALUE('{\"a\": 1.50}', '$.a')", "STD(i) OVER ()",
	"(SELECT SUM(d) FROM odd)", "(SELECT d FROM odd WHERE id = 2)", "CAST(d AS DECIMAL(20,10)) * 1.10",
	"d * d * d * d", "POW(i, 2)", "i * 1e0", "RAND(1) * 0", "CAST(t AS BINARY)", "e", "s", "e + 0", "b", "b + 0",
	"f", "CAST(f AS DECIMAL(10,3))", "dbl", "ROUND(dbl, 2)",
};
/* clang-format on */

static void make_odd(void)
{
	my_do("SET STATEMENT sql_mode = 'ALLOW_INVALID_DATES' FOR CREATE TABLE odd (id INT PRIMARY KEY, i INT, "
	      "d DECIMAL(10,3), t VARCHAR(20), c CHAR(6), z INT(5) ZEROFILL, y YEAR, dt DATE, ts3 DATETIME(3), tm TIME, "
	      "u BIGINT UNSIGNED, l TEXT CHARACTER SET latin1, big DECIMAL(40,20), e ENUM('x', 'y'), s SET('p', 'q'), "
	      "b BIT(9), f FLOAT, dbl DOUBLE)");
	my_do("INSERT INTO odd VALUES (1, 1, 1.5, 'a', 'b ', 7, 2024, '2024-02-29', '2024-02-29 12:13:14.015', "
	      "'-12:13:14', 18446744073709551615, 'ä', 12345678901234567890.12345678901234567890, 'x', 'p,q', 300, 0.1, "
	      "0.1)");
	my_do("SET STATEMENT sql_mode = 'ALLOW_INVALID_DATES' FOR INSERT INTO odd VALUES (2, -2, -0.001, "
	      "CONCAT('ß', CHAR(92), CHAR(39), 'x'), '', 0, 1970, '0000-00-00', '0000-00-00 00:00:00', '838:59:59', 1, "
	      "'', -0.5, 'y', '', 0, -0.0, -0.0), (4, 3, 0, ' ', 'x', 99999, 0, '2024-02-30', "
	      "'2024-02-31 23:59:59.999', '00:00:00', 2, '€', 0, 'x', 'q', 511, 1e5, 1e15)");
	my_do("INSERT INTO odd (id) VALUES (3)");
}

static void stays_the_same(struct my_scene *s, const char *expression)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	for (int k = 0; k < 6; k++) {
		bool done = k == 0 ? DIALECT->apply(s->conn, &s->view, VIEWD_CHANGE_CREATE, &out, &err)
		                   : DIALECT->refresh(s->conn, &s->view, &req, &out, &err);
		harness_check(done, __FILE__, __LINE__, "%s, %d: %s", expression, k, err.msg);
		if (!done)
			return;
		/* The value that takes the place of others may be the same. */
		harness_check(k == 0 || k == 4 || (out.did == VIEWD_DID_NO_DATA) == (k != 2), __FILE__, __LINE__,
		              "%s, %d: %lld rows were written", expression, k, (long long)out.rows_written);
		if (k == 1)
			my_do("DELETE FROM %s", s->view.name);
		if (k == 3)
			my_do("UPDATE IGNORE %s SET x = NULL", s->view.name);
	}
}

/* A value has the text that it has once it is stored: a diff finds nothing to write, before rows went back as texts and
 * after that. */
static void a_stored_value_has_the_text_of_before(void)
{
	static const char *const id[] = {"id"};
	struct my_scene *s = my_incremental_begin(my_totals);
	s->compared = NULL;
	make_odd();
	for (size_t i = 0; i < ARRAY_LEN(expressions); i++) {
		s->view = my_view(talloc_asprintf(harness_ctx(), "x%zu", i), VIEWD_METHOD_TABLE,
		                  talloc_asprintf(harness_ctx(), "SELECT id, %s AS x FROM odd", expressions[i]));
		s->view.mode = VIEWD_MODE_DIFF;
		s->view.unique_key = id;
		s->view.n_unique_key = 1;
		stays_the_same(s, expressions[i]);
	}
}

/* ---- many bytes ---- */

static int close_packets(char *name UNUSED)
{
	my_do("SET GLOBAL max_allowed_packet = DEFAULT");
	return 0;
}

/* Rows that are compared here go back in statements that a server takes; those that are too many bytes stay there. */
static void many_bytes_are_written(void)
{
	static const int lengths[] = {100, 300, 1000, 100000};
	static const char *const id[] = {"id"};
	my_incremental_begin(my_totals)->compared = NULL;
	char *name = talloc_strdup(harness_ctx(), "");
	talloc_set_destructor(name, close_packets);
	my_do("SET GLOBAL max_allowed_packet = 1048576");
	struct viewd_conn *conn = my_session(); /* a session has the size of its beginning */
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		int rows = lengths[i] < 100000 ? 20000 : 30;
		name = talloc_asprintf_append(name, "x");
		struct viewd_view_spec view =
			my_view(talloc_strdup(harness_ctx(), name), VIEWD_METHOD_TABLE,
		            talloc_asprintf(harness_ctx(),
		                            "SELECT s.seq AS id, CAST(REPEAT(a.note, %d) AS CHAR(100000)) AS text FROM "
		                            "seq_1_to_%d s JOIN acc a ON a.id = 1",
		                            lengths[i], rows));
		view.mode = VIEWD_MODE_DIFF;
		view.unique_key = id;
		view.n_unique_key = 1;
		my_applied(conn, &view, VIEWD_CHANGE_CREATE);
		my_do("UPDATE acc SET note = CHAR(92) WHERE id = 1");
		my_refreshed(conn, &view);
		my_do("UPDATE acc SET note = 'ä' WHERE id = 1");
		my_refreshed(conn, &view);
		CHECK_STR(my_ask("SELECT COUNT(*) = %d, SUM(text <> REPEAT('ä', %d)) FROM %s", rows, lengths[i], view.name),
		          "1,0");
	}
}

#define MANY_TABLES 12
#define MANY_KEYS 3000

/* Each table of the definition is narrowed to the keys, which are written out for each. */
static void many_keys_of_many_digits_are_written(void)
{
	char *name = talloc_strdup(harness_ctx(), ""), *joins = talloc_strdup(harness_ctx(), "");
	my_incremental_begin(my_totals)->compared = NULL;
	talloc_set_destructor(name, close_packets);
	my_do("SET GLOBAL max_allowed_packet = 1048576");
	struct viewd_conn *conn = my_session();
	for (int i = 0; i < MANY_TABLES; i++) {
		my_do("CREATE TABLE m%d (id BIGINT PRIMARY KEY, g INT NOT NULL, n INT NOT NULL)", i);
		my_do("INSERT INTO m%d SELECT 1000000000000000000 + seq, seq %% 7, seq FROM seq_1_to_%d", i, 20 * MANY_KEYS);
		joins = i > 0 ? talloc_asprintf_append(joins, " JOIN m%d ON m%d.id = m0.id", i, i) : joins;
	}
	struct viewd_view_spec view =
		my_incremental("many", talloc_asprintf(harness_ctx(),
	                                           "SELECT m0.g, sum(m%d.n) AS s, count(*) AS n FROM m0%s GROUP BY "
	                                           "m0.g",
	                                           MANY_TABLES - 1, joins));
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_refreshed(conn, &view);
	for (int k = 0; k < 2; k++) {
		my_do("UPDATE m1 SET n = n + 1 WHERE id <= 1000000000000000000 + %d", MANY_KEYS);
		my_do("UPDATE m%d SET n = n + 1 WHERE id <= 1000000000000000000 + %d", MANY_TABLES - 1, MANY_KEYS);
		CHECK_INT(my_refreshed(conn, &view).did, VIEWD_DID_INCREMENTAL);
		CHECK_STR(my_ask("SELECT COUNT(*) FROM (SELECT * FROM many EXCEPT ALL %s) x", view.definition), "0");
	}
}

/* ---- rows that change ---- */

static void changes_to(struct my_scene *s, const char *rows)
{
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(id, '=', u ORDER BY id) FROM placed"), rows);
}

/* A row that is deleted and inserted gets another number, and is twice as much for whoever has to carry it out. */
static void a_changed_row_stays_in_its_place(void)
{
	static const char *const id[] = {"id"}, numbers[] = "SELECT GROUP_CONCAT(viewd_pk ORDER BY id) FROM placed";
	struct my_scene *s = my_incremental_begin(my_totals);
	s->compared = NULL;
	my_do("CREATE TABLE moved (id INT PRIMARY KEY, u INT)");
	my_do("INSERT INTO moved VALUES (1, 10), (2, 20), (3, 30)");
	s->view = my_view("placed", VIEWD_METHOD_TABLE, "SELECT id, u FROM moved");
	s->view.mode = VIEWD_MODE_DIFF;
	s->view.unique_key = id;
	s->view.n_unique_key = 1;
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	char *before = talloc_strdup(harness_ctx(), my_ask(numbers));
	my_do("UPDATE moved SET u = IF(id = 1, NULL, u + 1)");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask(numbers), before);
	my_do("UPDATE moved SET u = id");
	my_do("DELETE FROM moved WHERE id = 2");
	my_do("INSERT INTO moved VALUES (4, 40)");
	changes_to(s, "1=1,3=3,4=40");
	/* Where something else is unique as well, the first of two rows would meet the other. */
	my_do("ALTER TABLE placed ADD UNIQUE (u)");
	my_do("UPDATE moved SET u = 4 - id WHERE id < 4");
	changes_to(s, "1=3,3=1,4=40");
}

static void is_joined(struct my_scene *s)
{
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask("SELECT COUNT(*), COUNT(*) - (SELECT COUNT(*) FROM joined) FROM (SELECT id, n, name FROM joined "
	                 "INTERSECT ALL %s) x",
	                 s->view.definition),
	          my_ask("SELECT COUNT(*), 0 FROM (%s) x", s->view.definition));
}

/* Nothing but unique_key says that a row of the join is the only one of its id. */
static void a_row_that_its_key_tells_apart_stays(void)
{
	static const char *const id[] = {"id"}, numbers[] = "SELECT GROUP_CONCAT(viewd_pk ORDER BY id) FROM joined";
	struct my_scene *s = my_incremental_begin(my_totals);
	s->compared = NULL;
	my_do("CREATE TABLE sold (id INT PRIMARY KEY, r INT NOT NULL, n INT NOT NULL)");
	my_do("CREATE TABLE place (id INT PRIMARY KEY, code INT NOT NULL, name VARCHAR(10))");
	my_do("INSERT INTO sold SELECT seq, seq %% 3, seq FROM seq_1_to_30");
	my_do("INSERT INTO place VALUES (1, 0, 'a'), (2, 1, 'b'), (3, 2, 'c')");
	s->view = my_incremental("joined", "SELECT s.id, s.n, p.name FROM sold s JOIN place p ON p.code = s.r");
	s->view.unique_key = id;
	s->view.n_unique_key = 1;
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_refreshed(s->conn, &s->view);
	char *before = talloc_strdup(harness_ctx(), my_ask(numbers));
	my_do("UPDATE sold SET n = n + 1 WHERE id < 9");
	my_do("UPDATE place SET name = NULL WHERE id = 2");
	CHECK_INT(my_refreshed(s->conn, &s->view).did, VIEWD_DID_INCREMENTAL);
	CHECK_STR(my_ask(numbers), before);
	is_joined(s);
	/* The index is believed to be there as long as the session knows the view. */
	my_do(
		"ALTER TABLE joined DROP INDEX %s",
		my_ask("SELECT INDEX_NAME FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = "
	           "'joined' AND COLUMN_NAME = 'id' AND NON_UNIQUE = 0"));
	my_do("INSERT INTO place VALUES (4, 2, 'c'), (5, 2, 'd')");
	is_joined(s);
	my_do("UPDATE place SET name = 'c' WHERE id = 5");
	is_joined(s);
	my_do("UPDATE sold SET n = n + 1 WHERE id = 2");
	is_joined(s);
}

/* A text that differs, of a value that is the same once it is stored: nobody else has changed the row. */
static void a_value_with_more_digits_than_its_column_is_no_conflict(void)
{
	static const char *const id[] = {"id"};
	struct my_scene *s = my_incremental_begin(my_totals);
	s->compared = NULL;
	my_do("CREATE TABLE dear (id INT PRIMARY KEY, u DECIMAL(10,2))");
	my_do("INSERT INTO dear VALUES (1, 10), (2, 20)");
	s->view = my_view("cheap", VIEWD_METHOD_TABLE, "SELECT id, u FROM dear");
	s->view.mode = VIEWD_MODE_DIFF;
	s->view.unique_key = id;
	s->view.n_unique_key = 1;
	my_applied(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	my_do("ALTER TABLE dear MODIFY u DECIMAL(10,4)");
	my_do("UPDATE dear SET u = 30 WHERE id = 2");
	my_refreshed(s->conn, &s->view);
	CHECK_STR(my_ask("SELECT GROUP_CONCAT(u ORDER BY id) FROM cheap"), "10.00,30.00");
}

static const struct harness_test tests[] = {
	{"a stored value has the text of before", a_stored_value_has_the_text_of_before},
	{"a changed row stays in its place", a_changed_row_stays_in_its_place},
	{"a row that its key tells apart stays in its place", a_row_that_its_key_tells_apart_stays},
	{"a value with more digits than its column is no conflict",
     a_value_with_more_digits_than_its_column_is_no_conflict},
	{"many bytes are written", many_bytes_are_written},
	{"many keys of many digits are written", many_keys_of_many_digits_are_written},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql compared", tests))
