/* SPDX-License-Identifier: MIT
 *
 * Sums that triggers make of what a statement has written (docs/adr/025-sums-in-the-trigger.md): they are those of the
 * definition whatever writers do, no writer fails by them, and they are made where they pay.
 */
#include "pg_support.h"

#include <string.h>
#include <talloc.h>

#include "base/err.h"

#define TOTALS "SELECT product, count(*) AS n, sum(amount) AS total FROM sale GROUP BY product"

struct scene {
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view;
};

static void begin_table(struct scene *s)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, "CREATE TABLE sale (id int PRIMARY KEY, product text, amount int, price numeric(10,2), day date, "
	              "moment timestamptz)");
	pg_do(s->app, "INSERT INTO sale SELECT g, nullif('p' || g % 10, 'p3'), nullif(g, 7), g + 0.25, date '2024-01-01' + "
	              "g, '2024-01-01 00:00+00' FROM generate_series(1, 100) g");
	pg_do(s->app, "GRANT TRIGGER ON sale TO viewd");
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
}

/* Statements with semicolons between, as they are. */
static void run(struct viewd_conn *conn, const char *sql)
{
	struct viewd_err err = {0};
	char *rest = talloc_strdup(harness_ctx(), sql), *one;
	while ((one = strsep(&rest, ";")) != NULL)
		REQUIRE_OK(pg_exec(conn, one, &err), &err);
}

/* As if looks at the logs of this definition had been for sums. */
static void learn_sums(struct scene *s, const char *name, const char *definition)
{
	pg_do(s->conn,
	      talloc_asprintf(harness_ctx(),
	                      "INSERT INTO viewd.learnt (view, fact, digest, text, learnt_time) VALUES ('%s', 'sums', "
	                      "encode(sha256(convert_to($viewd$%s$viewd$, 'UTF8')), 'hex'), 'sums', now())",
	                      name, definition));
}

static void begin_view(struct scene *s, const char *name, const char *definition)
{
	s->view = pg_view(name, VIEWD_METHOD_TABLE, definition);
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	learn_sums(s, name, definition);
	pg_refreshed(s->conn, &s->view);
}

static void begin(struct scene *s, const char *definition)
{
	begin_table(s);
	begin_view(s, "totals", definition);
}

static void is_refreshed(struct scene *s, const char *by)
{
	CHECK_CONTAINS(pg_refreshed(s->conn, &s->view).reason, by);
	CHECK_STR(pg_differing(s->conn, &s->view), "0");
}

/* The rows of the newest log. */
static const char *log_rows(struct scene *s)
{
	const char *log = talloc_strdup(harness_ctx(), pg_ask(s->conn, "SELECT max(log) FROM viewd.change_logs"));
	return pg_ask(s->conn,
	              talloc_asprintf(harness_ctx(), "SELECT count(*) FROM viewd.change_%s WHERE viewd_sign <> 0", log));
}

/* Do the logs hold sums, in order? */
static const char *kinds(struct scene *s)
{
	return pg_ask(s->conn, "SELECT string_agg((columns LIKE 'viewd_sums %')::text, ' ' ORDER BY log) FROM "
	                       "viewd.change_logs");
}

/* A statement leaves as many rows as it has groups, whatever it writes. */
static void a_statement_leaves_a_row_a_group(void)
{
	struct scene s;
	begin(&s, TOTALS);
	CHECK_STR(log_rows(&s), "0");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1");
	CHECK_STR(log_rows(&s), "20");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "INSERT INTO sale (id, product, amount) SELECT g, 'p1', g FROM generate_series(1001, 2000) g");
	CHECK_STR(log_rows(&s), "1");
	pg_do(s.app, "DELETE FROM sale WHERE id > 1500");
	CHECK_STR(log_rows(&s), "2");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE sale SET price = price + 1, day = day + 1");
	CHECK_STR(log_rows(&s), "2");
	is_refreshed(&s, "incremental: no row");
}

static void whatever_writers_do_sums_are_right(void)
{
	static const char *const writes[] = {
		"INSERT INTO sale (id, product, amount) VALUES (501, 'p1', 5)",
		"UPDATE sale SET product = 'p2' WHERE product = 'p1'",
		"UPDATE sale SET product = NULL WHERE id % 4 = 0",
		"UPDATE sale SET product = 'new' WHERE product IS NULL",
		"UPDATE sale SET amount = NULL WHERE id < 50",
		"UPDATE sale SET amount = 2147483647 WHERE id > 90",
		"UPDATE sale SET amount = -2147483648 WHERE id > 95",
		"BEGIN; UPDATE sale SET amount = 1; UPDATE sale SET product = 'p4' WHERE id < 9; DELETE FROM sale WHERE id = "
		"5; COMMIT",
		"BEGIN; SAVEPOINT s; UPDATE sale SET amount = 2; ROLLBACK TO s; UPDATE sale SET amount = 3 WHERE id = 8; "
		"COMMIT",
		"BEGIN; UPDATE sale SET amount = 4; ROLLBACK",
		"INSERT INTO sale (id, product, amount) SELECT g, 'p5', 1 FROM generate_series(90, 110) g ON CONFLICT (id) DO "
		"UPDATE SET amount = sale.amount / 2, product = excluded.product",
		"MERGE INTO sale t USING generate_series(105, 120) s (id) ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT "
		"MATCHED THEN INSERT (id, product, amount) VALUES (s.id, 'm', 6)",
		"DELETE FROM sale WHERE product = 'p4'",
		"UPDATE sale SET id = id WHERE false",
		"DELETE FROM sale",
		"INSERT INTO sale (id, product, amount) VALUES (1, 'a', 1), (2, 'A', 2), (3, 'a', NULL), (4, NULL, NULL)",
	};
	struct scene s;
	begin(&s, TOTALS);
	run(s.app, "SET search_path = public");
	for (size_t i = 0; i < ARRAY_LEN(writes); i++) {
		run(s.app, writes[i]);
		is_refreshed(&s, "incremental: ");
	}
	pg_do(s.app, "TRUNCATE sale");
	is_refreshed(&s, "all rows: the table was truncated");
	pg_do(s.app, "INSERT INTO sale (id, product, amount) VALUES (1, 'a', 1)");
	is_refreshed(&s, "incremental: ");
}

/* Groups and terms of all types that are exact; conditions; without groups. */
static void all_kinds_of_sums_are_right(void)
{
	static const char *const definitions[] = {
		"SELECT count(*) AS n, sum(price) AS total FROM sale",
		"SELECT count(*) AS n FROM sale WHERE product = 'p1' AND amount BETWEEN 3 AND 50",
		"SELECT product, day, avg(price) AS average, count(product) AS n FROM sale GROUP BY product, day",
		"SELECT day, sum(price * (1 - price)) AS s FROM sale WHERE day < date '2024-03-01' GROUP BY day",
		("SELECT s.product, sum(CASE WHEN s.amount IN (1, 2, 33) THEN s.price ELSE 0.00 END) AS s FROM sale AS s WHERE "
	     "(s.product IS NOT NULL OR s.price <> 4.25) GROUP BY s.product"),
	};
	static const char *const writes[] = {
		"UPDATE sale SET price = price + 1, product = 'p' || (id % 4)",
		"UPDATE sale SET day = day + 40 WHERE id % 3 = 0",
		"DELETE FROM sale WHERE amount > 40",
		"UPDATE sale SET amount = amount + 15, product = NULL WHERE id > 5",
		"INSERT INTO sale SELECT g, 'p1', g, g, date '2024-02-01' FROM generate_series(200, 260) g",
		"DELETE FROM sale",
		"INSERT INTO sale SELECT g, 'p1', g, g, date '2024-02-01' FROM generate_series(1, 60) g",
	};
	struct scene s;
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		begin(&s, definitions[i]);
		CHECK_STR(kinds(&s), "true");
		for (size_t k = 0; k < ARRAY_LEN(writes); k++) {
			pg_do(s.app, writes[k]);
			is_refreshed(&s, "incremental: ");
		}
	}
}

/* A statement that writes what the definition cannot add up, multiply, divide or read leaves images. */
static void whatever_may_fail_reads_images(void)
{
	static const char *const definitions[] = {
		"SELECT product, sum(amount * amount) AS s FROM sale GROUP BY product",
		"SELECT product, count(*) AS n FROM sale WHERE 100 / amount > 2 GROUP BY product",
		"SELECT product, count(*) AS n FROM sale WHERE product LIKE 'p%' GROUP BY product",
		"SELECT product, count(*) AS n FROM sale WHERE mine(amount) GROUP BY product",
		"SELECT product, count(*) AS n FROM sale WHERE amount ### 1 GROUP BY product",
		"SELECT product, count(*) AS n FROM sale WHERE product <> 'a\\b' GROUP BY product",
		"SELECT product, sum(price * 1e3) AS n FROM sale GROUP BY product",
	};
	struct scene s;
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		begin_table(&s);
		pg_do(s.app, "CREATE FUNCTION mine(a int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a > 5'");
		pg_do(s.app, "CREATE FUNCTION mine(a int, b int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT a > b'");
		pg_do(s.app, "CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = mine)");
		begin_view(&s, "totals", definitions[i]);
		CHECK_STR(kinds(&s), "false");
		if (i < 2)
			CHECK_CONTAINS(pg_ask(s.conn, "SELECT text FROM viewd.learnt WHERE fact = 'sums'"), " may fail there");
		pg_do(s.app, "UPDATE sale SET amount = 8, product = 'p1' WHERE id < 7");
		is_refreshed(&s, "incremental: ");
	}
}

/* Whatever a session has set, and whoever writes. */
static void settings_of_writers_mean_nothing(void)
{
	struct scene s;
	begin_table(&s);
	run(s.app,
	    "CREATE SCHEMA evil; CREATE FUNCTION evil.less(a date, b date) RETURNS bool LANGUAGE sql IMMUTABLE AS "
	    "'SELECT 1 / 0 > 0'; CREATE OPERATOR evil.< (LEFTARG = date, RIGHTARG = date, FUNCTION = evil.less); GRANT "
	    "USAGE ON SCHEMA evil TO other; GRANT SELECT, INSERT, UPDATE, DELETE ON public.sale TO other");
	begin_view(&s, "totals",
	           "SELECT product, count(*) AS n FROM sale WHERE (day < date '2024-02-03' OR moment < '2024-01-01 01:00') "
	           "GROUP BY product");
	CHECK_STR(kinds(&s), "true");
	struct viewd_conn *other = pg_session("other");
	run(other, "SET search_path = evil, pg_catalog; SET DateStyle = 'SQL, DMY'; SET TimeZone = 'Asia/Tokyo'; SET "
	           "transform_null_equals = on; SET standard_conforming_strings = off");
	run(other, "UPDATE public.sale SET day = day + 5, moment = moment + interval '30 minutes'");
	is_refreshed(&s, "incremental: ");
	run(other, "DELETE FROM public.sale WHERE id < 20");
	run(other, "INSERT INTO public.sale (id, product, day) VALUES (900, 'p1', '2024-01-05')");
	is_refreshed(&s, "incremental: ");
}

/* Names that PL/pgSQL has variables for. */
static void columns_may_have_any_name(void)
{
	struct scene s;
	begin_table(&s);
	pg_do(s.app,
	      "ALTER TABLE sale ADD COLUMN found int, ADD COLUMN tg_op text, ADD COLUMN place int, ADD COLUMN \"or der\" "
	      "int");
	begin_view(&s, "totals",
	           "SELECT tg_op, \"or der\", sum(found) AS s, sum(place) AS p FROM sale GROUP BY tg_op, "
	           "\"or der\"");
	CHECK_STR(kinds(&s), "true");
	pg_do(s.app, "UPDATE sale SET found = id, tg_op = id % 3, place = 2, \"or der\" = id % 2");
	is_refreshed(&s, "incremental: ");
}

/* Equal queries share a log, others have their own, of which there are not too many. Rows are read by images. */
static void logs_are_shared(void)
{
	struct scene s, first;
	begin(&s, TOTALS);
	first = s;
	begin_view(&s, "twice", TOTALS);
	CHECK_STR(kinds(&s), "true");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1");
	is_refreshed(&s, "incremental: ");
	is_refreshed(&first, "incremental: ");
	begin_view(&s, "rows", "SELECT id, amount FROM sale");
	CHECK_STR(kinds(&s), "true false");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1");
	is_refreshed(&s, "incremental: 99 keys");
	is_refreshed(&first, "incremental: ");
	for (int i = 0; i < 4; i++)
		begin_view(&s, talloc_asprintf(harness_ctx(), "more%d", i),
		           talloc_asprintf(harness_ctx(),
		                           "SELECT product, sum(amount) AS s FROM sale WHERE amount > %d GROUP BY "
		                           "product",
		                           i));
	CHECK_STR(kinds(&s), "true true true true false");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1");
	is_refreshed(&s, "incremental: ");
	is_refreshed(&first, "incremental: ");
}

/* Pieces of a top are rolls like any others. */
static void pieces_are_summed(void)
{
	struct scene s;
	begin(&s,
	      "SELECT product, sum(amount) AS s FROM sale GROUP BY product HAVING sum(amount) > (SELECT sum(amount) * 0.05 "
	      "FROM sale)");
	CHECK_STR(kinds(&s), "true true");
	for (int i = 0; i < 3; i++) {
		pg_do(s.app,
		      "UPDATE sale SET amount = amount + id, product = 'p' || id % (SELECT 3 + count(*) FROM sale WHERE id > "
		      "1000)");
		is_refreshed(&s, "incremental: ");
		pg_do(s.app, talloc_asprintf(harness_ctx(), "INSERT INTO sale (id, product, amount) VALUES (%d, 'x', 70000)",
		                             1001 + i));
		is_refreshed(&s, "incremental: ");
	}
}

/* One large table, summed by what it is joined by. */
static void sums_are_made_below_joins(void)
{
	static const char *const definitions[] = {
		"SELECT d.name, sum(s.amount) AS total, count(*) AS cnt FROM sale s JOIN dim d ON s.product = d.product GROUP "
		"BY "
		"d.name",
		"SELECT name, sum(price) AS total, count(amount) AS n, sum(amount) AS s FROM sale, dim WHERE sale.product = "
		"dim.product AND amount > 5 AND factor < 3 GROUP BY name HAVING count(*) > 1",
		"SELECT count(*) AS n, sum(s.amount) AS total FROM dim AS d JOIN sale AS s ON s.product = d.product AND "
		"s.amount < "
		"5 * d.factor",
	};
	struct scene s;
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		begin_table(&s);
		run(s.app,
		    "SET search_path = public; CREATE TABLE dim (id serial PRIMARY KEY, product text, name text, factor int); "
		    "INSERT INTO dim (product, name, factor) SELECT 'p' || g, 'n' || g % 3, g FROM generate_series(0, 11) g; "
		    "INSERT INTO dim (product, name, factor) VALUES (NULL, 'n1', 1), ('p1', 'n2', 2); INSERT INTO sale "
		    "SELECT g, 'p' || g % 10, g % 20, g FROM generate_series(101, 4000) g; ANALYZE sale, dim; GRANT SELECT, "
		    "TRIGGER ON dim TO viewd");
		begin_view(&s, "totals", definitions[i]);
		if (i < 2)
			CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.change_logs WHERE columns LIKE 'viewd_sums %'"), "1");
		pg_do(s.app, "UPDATE sale SET amount = amount + 1");
		is_refreshed(&s, "incremental: ");
		pg_do(s.app, "UPDATE dim SET name = 'other', factor = 2 WHERE id < 4");
		is_refreshed(&s, "incremental: ");
		pg_do(s.app, "UPDATE sale SET product = 'p' || id % 3, amount = NULL WHERE id % 7 = 0");
		pg_do(s.app, "DELETE FROM dim WHERE product = 'p2'");
		is_refreshed(&s, "incremental: ");
		pg_do(s.app, "DELETE FROM sale");
		is_refreshed(&s, "incremental: ");
		pg_do(s.app, "INSERT INTO sale (id, product, amount, price) VALUES (1, 'p1', 7, 1.5), (2, 'p1', 8, NULL)");
		is_refreshed(&s, "incremental: ");
	}
}

/* A new type of the source's columns is seen before anything is made of them. */
static void columns_that_change_are_seen(void)
{
	struct scene s;
	begin(&s, TOTALS);
	pg_do(s.app, "ALTER TABLE sale ALTER COLUMN amount TYPE bigint");
	pg_do(s.app, "UPDATE sale SET amount = 3000000000 WHERE id < 10");
	expect_log("is made again");
	pg_do(s.conn, "DROP TABLE totals");
	pg_do(s.conn, "DELETE FROM viewd.view_state");
	begin_view(&s, "later", TOTALS);
	is_refreshed(&s, "");
	pg_do(s.app, "UPDATE sale SET amount = 3000000001 WHERE id < 10");
	is_refreshed(&s, "incremental: ");
}

static void partitions_are_summed(void)
{
	struct scene s;
	begin_table(&s);
	run(s.app, "SET search_path = public; CREATE TABLE part (id int, g int, v int) PARTITION BY LIST (g); CREATE TABLE "
	           "part1 PARTITION OF part FOR "
	           "VALUES IN (1, 2); CREATE TABLE part2 PARTITION OF part FOR VALUES IN (3, 4)");
	pg_do(s.app, "GRANT SELECT, TRIGGER ON part, part1, part2 TO viewd");
	begin_view(&s, "totals", "SELECT g, count(*) AS n, sum(v) AS s FROM part GROUP BY g");
	CHECK_STR(kinds(&s), "true");
	pg_do(s.app, "INSERT INTO part SELECT g, 1 + g % 4, g FROM generate_series(1, 100) g");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "UPDATE part SET g = 5 - g WHERE id < 50");
	is_refreshed(&s, "incremental: ");
	run(s.app, "UPDATE public.part1 SET v = v + 1; DELETE FROM public.part2 WHERE id < 30");
	is_refreshed(&s, "incremental: ");
}

/* ---- what is chosen ---- */

static void bulk(struct scene *s)
{
	pg_do(s->app, "UPDATE sale SET amount = amount + 1");
}

/* Three looks for sums, eight against them; a log that nobody reads goes. */
static void statements_of_many_rows_are_summed(void)
{
	struct scene s;
	begin_table(&s);
	pg_do(s.app, "INSERT INTO sale SELECT g, 'p' || g % 10, g FROM generate_series(101, 500) g");
	s.view = pg_view("totals", VIEWD_METHOD_TABLE, TOTALS);
	s.view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	for (int i = 0; i < 3; i++) {
		CHECK_STR(kinds(&s), "false");
		bulk(&s);
		is_refreshed(&s, "incremental: ");
	}
	bulk(&s);
	is_refreshed(&s, "all rows: ");
	CHECK_STR(kinds(&s), "true");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'viewd_log_1_%'"), "0");
	bulk(&s);
	is_refreshed(&s, "incremental: ");
	struct scene other = s; /* learns of it */
	other.conn = pg_session("viewd");
	pg_prepared(other.conn);
	bulk(&s);
	is_refreshed(&other, "incremental: ");
	for (int i = 0; i < 8; i++) {
		CHECK_STR(kinds(&s), "true");
		for (int k = 0; k < 15; k++)
			pg_do(s.app, talloc_asprintf(harness_ctx(), "UPDATE sale SET amount = amount + 1 WHERE id = %d", k));
		is_refreshed(&s, "incremental: ");
	}
	bulk(&s);
	is_refreshed(&s, "all rows: ");
	CHECK_STR(kinds(&s), "false");
	for (int i = 0; i < 5; i++) {
		bulk(&s);
		is_refreshed(&s, "incremental: ");
	}
	CHECK_STR(kinds(&s), "false");
}

/* Sums are audited, but not at once: that computes all rows. */
static void one_look_is_enough_for_large_statements(void)
{
	struct scene s;
	begin_table(&s);
	pg_do(s.app, "INSERT INTO sale SELECT g, 'p' || g % 10, g FROM generate_series(101, 2000) g");
	s.view = pg_view("totals", VIEWD_METHOD_TABLE, TOTALS);
	s.view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	bulk(&s);
	is_refreshed(&s, "incremental: ");
	bulk(&s);
	is_refreshed(&s, "all rows: ");
	CHECK_STR(kinds(&s), "true");
	pg_do(s.conn, "UPDATE totals SET n = n + 1 WHERE product = 'p1'");
	for (int i = 0; i < 7; i++) {
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE product = 'p2'");
		CHECK_CONTAINS(pg_refreshed(s.conn, &s.view).reason, "incremental: ");
	}
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE product = 'p2'");
	expect_log("an incremental refresh was wrong");
	is_refreshed(&s, "all rows: an audit has found a difference");
}

static void statements_of_single_rows_leave_images(void)
{
	struct scene s;
	begin_table(&s);
	s.view = pg_view("totals", VIEWD_METHOD_TABLE, TOTALS);
	s.view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	for (int i = 0; i < 4; i++) {
		for (int k = 0; k < 300; k++)
			pg_do(s.app,
			      talloc_asprintf(harness_ctx(), "UPDATE sale SET amount = amount + 1 WHERE id = %d", 1 + k % 100));
		is_refreshed(&s, "incremental: ");
	}
	CHECK_STR(kinds(&s), "false");
}

/* The log cannot be made while somebody writes: the view goes on with images. */
static void a_writer_keeps_sums_away(void)
{
	struct scene s;
	begin_table(&s);
	s.view = pg_view("totals", VIEWD_METHOD_TABLE, TOTALS);
	s.view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	learn_sums(&s, "totals", TOTALS);
	s.conn = pg_session("viewd");
	pg_prepared(s.conn);
	struct viewd_conn *late = pg_session("app");
	run(late, "BEGIN; UPDATE public.sale SET amount = 9 WHERE id = 9");
	pg_do(s.app, "UPDATE sale SET amount = 8 WHERE id = 8");
	is_refreshed(&s, "incremental: ");
	pg_do(late, "COMMIT");
	is_refreshed(&s, "incremental: ");
	CHECK_STR(kinds(&s), "false");
}

static const struct harness_test tests[] = {
	{"a statement leaves a row a group", a_statement_leaves_a_row_a_group},
	{"whatever writers do sums are right", whatever_writers_do_sums_are_right},
	{"all kinds of sums are right", all_kinds_of_sums_are_right},
	{"whatever may fail reads images", whatever_may_fail_reads_images},
	{"settings of writers mean nothing", settings_of_writers_mean_nothing},
	{"columns may have any name", columns_may_have_any_name},
	{"logs are shared", logs_are_shared},
	{"pieces are summed", pieces_are_summed},
	{"sums are made below joins", sums_are_made_below_joins},
	{"columns that change are seen", columns_that_change_are_seen},
	{"partitions are summed", partitions_are_summed},
	{"statements of many rows are summed", statements_of_many_rows_are_summed},
	{"one look is enough for large statements", one_look_is_enough_for_large_statements},
	{"statements of single rows leave images", statements_of_single_rows_leave_images},
	{"a writer keeps sums away", a_writer_keeps_sums_away},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("sums in the trigger", tests))
