/* SPDX-License-Identifier: MIT
 *
 * test_pg_diff.c: refresh_mode = diff in one pass.
 */
#include "pg_support.h"

#include <string.h>
#include <talloc.h>

static const char *const key_id[] = {"id"};

struct scene {
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view;
};

static void start(struct scene *s, const char *table, const char *definition)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, table);
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
	s->view = pg_view("stats", VIEWD_METHOD_TABLE, definition);
	s->view.mode = VIEWD_MODE_DIFF;
	s->view.unique_key = key_id;
	s->view.n_unique_key = 1;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
}

static void start_sales(struct scene *s)
{
	start(s, "CREATE TABLE sale AS SELECT g AS id, g AS amount FROM generate_series(1, 100) g",
	      "SELECT id, amount FROM sale");
}

static void wants_equal(struct scene *s, int64_t written)
{
	struct viewd_verdict verdict = {0};
	struct viewd_err err = {0};
	CHECK_INT(pg_refreshed(s->conn, &s->view).rows_written, written);
	REQUIRE_OK(DIALECT->verify(s->conn, &s->view, &verdict, &err), &err);
	CHECK_INT(verdict.missing + verdict.unexpected, 0);
	struct viewd_outcome out = pg_refreshed(s->conn, &s->view);
	CHECK_INT(out.did, VIEWD_DID_NO_DATA);
	CHECK_INT(out.rows, verdict.rows);
}

static void rows_that_do_not_differ_are_left_alone(void)
{
	struct scene s;
	start_sales(&s);
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id <= 3");
	pg_do(s.app, "DELETE FROM sale WHERE id = 50");
	pg_do(s.app, "INSERT INTO sale VALUES (101, 1)");
	wants_equal(&s, 3 * 2 + 1 + 1);
	CHECK_STR(pg_ask(s.conn, "SELECT xmin::text <> (SELECT xmin::text FROM stats WHERE id = 4), count(*) FROM stats "
	                         "GROUP BY 1 ORDER BY 1"),
	          "f,96;t,4");
}

static void a_definition_may_yield_nothing(void)
{
	struct scene s;
	start_sales(&s);
	pg_do(s.app, "DELETE FROM sale");
	wants_equal(&s, 100);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM stats"), "0");
	pg_do(s.app, "INSERT INTO sale VALUES (1, NULL), (2, 2)");
	wants_equal(&s, 2);
}

/* Rows are written one after the other, and a unique index looks at each. */
static void rows_may_exchange_what_is_unique(void)
{
	struct scene s;
	start_sales(&s);
	pg_do(s.conn, "CREATE UNIQUE INDEX ON stats (amount)");
	pg_do(s.app, "UPDATE sale SET amount = 3 - amount WHERE id <= 2");
	wants_equal(&s, 4);
	pg_do(s.app, "UPDATE sale SET id = 200 WHERE id = 5");
	wants_equal(&s, 2);
	pg_do(s.conn, "CREATE UNIQUE INDEX ON stats ((amount % 1000))");
	pg_do(s.app, "UPDATE sale SET amount = 21 - amount WHERE amount IN (10, 11)");
	wants_equal(&s, 4);
}

static void equal_keys_of_other_bytes_are_written(void)
{
	struct scene s;
	start(&s, "CREATE TABLE sale AS SELECT g::numeric AS id, 'p' || g AS product FROM generate_series(1, 9) g",
	      "SELECT id, product FROM sale");
	pg_do(s.app, "UPDATE sale SET id = 3.00 WHERE id = 3");
	wants_equal(&s, 2);
	CHECK_STR(pg_ask(s.conn, "SELECT id FROM stats WHERE id = 3"), "3.00");
}

/* ---- somebody else ---- */

static struct viewd_conn *other;
static const char *statement;

static void interfere(void *ctx UNUSED, const char *place)
{
	if (other != NULL && strcmp(place, "refresh:staged") == 0)
		pg_do(other, statement);
}

static void rows_that_others_write_meanwhile_are_not_overwritten(void)
{
	static const char *const statements[] = {"UPDATE stats SET amount = 77 WHERE id = 1",
	                                         "DELETE FROM stats WHERE id = 1", "DELETE FROM stats WHERE id = 2",
	                                         "INSERT INTO stats VALUES (77, 77)"};
	for (size_t i = 0; i < ARRAY_LEN(statements); i++) {
		struct scene s;
		struct viewd_err err = {0};
		struct viewd_outcome out;
		const struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
		start_sales(&s);
		struct viewd_host host = pg_host;
		host.failpoint = interfere;
		s.conn->db.host = &host;
		pg_do(s.app, "DELETE FROM sale WHERE id > 50");
		pg_do(s.conn, "DELETE FROM stats WHERE id > 50");
		pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
		pg_do(s.app, "DELETE FROM sale WHERE id = 2");
		other = pg_session("viewd");
		statement = statements[i];
		CHECK(!DIALECT->refresh(s.conn, &s.view, &req, &out, &err));
		CHECK_INT(err.cls, i < 3 ? VIEWD_ERR_CONFLICT : VIEWD_ERR_QUERY);
		other = NULL;
		s.conn->db.host = &pg_host;
		pg_refreshed(s.conn, &s.view);
		wants_equal(&s, 0);
	}
}

/* Nobody else has changed anything. */
static void rows_of_one_key_are_no_conflict(void)
{
	static const char *const more[] = {"(1, 777), (1, 778)", "(1, 1)", "(500, 777), (500, 778)"};
	for (size_t i = 0; i < 2 * ARRAY_LEN(more); i++) {
		struct scene s;
		struct viewd_err err = {0};
		struct viewd_outcome out;
		const struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
		start_sales(&s);
		if (i >= ARRAY_LEN(more))
			pg_do(s.conn, "CREATE UNIQUE INDEX ON stats (amount)");
		pg_do(s.app, "UPDATE sale SET amount = 333 WHERE id = 1");
		pg_do(s.app, talloc_asprintf(harness_ctx(), "INSERT INTO sale VALUES %s", more[i % ARRAY_LEN(more)]));
		CHECK(!DIALECT->refresh(s.conn, &s.view, &req, &out, &err));
		CHECK_INT(err.cls, VIEWD_ERR_QUERY);
		pg_do(s.app, "DELETE FROM sale WHERE id IN (1, 500) AND amount <> 333");
		wants_equal(&s, 2);
	}
}

static const struct harness_test diff_tests[] = {
	{"rows that do not differ are left alone", rows_that_do_not_differ_are_left_alone},
	{"a definition may yield nothing", a_definition_may_yield_nothing},
	{"rows may exchange what is unique", rows_may_exchange_what_is_unique},
	{"equal keys of other bytes are written", equal_keys_of_other_bytes_are_written},
	{"rows of one key are no conflict", rows_of_one_key_are_no_conflict},
	{"rows that others write meanwhile are not overwritten", rows_that_others_write_meanwhile_are_not_overwritten},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql diff", diff_tests))
