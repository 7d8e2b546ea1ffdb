/* SPDX-License-Identifier: MIT
 *
 * Rows whose key stays are updated in place by an incremental refresh; and changes of which no row could be logged.
 */
#include "pg_support.h"

#include <string.h>
#include <talloc.h>

static const char *const key[] = {"id"};

/* Nothing but unique_key says that a row of the join is the only one of its id. */
static void begin(struct pg_scene *s)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, "CREATE TABLE sale (id int PRIMARY KEY, region int NOT NULL, amount int NOT NULL)");
	pg_do(s->app, "CREATE TABLE region (id int PRIMARY KEY, code int NOT NULL, name text NOT NULL)");
	pg_do(s->app, "INSERT INTO sale SELECT n, n % 5, n FROM generate_series(1, 200) n");
	pg_do(s->app, "INSERT INTO region SELECT n, n, 'r' || n FROM generate_series(0, 4) n");
	pg_do(s->app, "GRANT TRIGGER, UPDATE ON sale, region TO viewd");
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
	s->view = pg_view("v", VIEWD_METHOD_TABLE,
	                  "SELECT s.id, s.amount, r.name FROM sale s JOIN region r ON r.code = s.region");
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	s->view.unique_key = key;
	s->view.n_unique_key = 1;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
}

static void refresh(struct pg_scene *s, int64_t written)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	CHECK(DIALECT->refresh(s->conn, &s->view, &req, &out, &err));
	CHECK_STR(err.msg, "");
	CHECK_STR(pg_differing(s->conn, &s->view), "0");
	if (written >= 0) {
		CHECK_INT(out.did, written > 0 ? VIEWD_DID_INCREMENTAL : VIEWD_DID_NO_DATA);
		CHECK_INT(out.rows_written, written);
	}
}

static void in_place(void)
{
	struct pg_scene s;
	begin(&s);
	refresh(&s, -1);
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id <= 7");
	refresh(&s, 7);
	pg_do(s.app, "UPDATE region SET name = 'other' WHERE id = 2");
	refresh(&s, 40);
	pg_do(s.app, "UPDATE sale SET region = 9 WHERE id = 3");
	refresh(&s, 1);
	pg_do(s.app, "UPDATE sale SET region = 1 WHERE id = 3");
	refresh(&s, 1);
}

/* The index is believed to be there as long as the chain is open. */
static void index_gone(void)
{
	struct pg_scene s;
	begin(&s);
	refresh(&s, -1);
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
	refresh(&s, 1);
	pg_do(s.conn, "DO $$ DECLARE name text; BEGIN SELECT indexrelid::regclass INTO name FROM pg_index WHERE indrelid = "
	              "'v'::regclass AND indisunique; EXECUTE 'DROP INDEX ' || name; END $$");
	pg_do(s.app, "INSERT INTO region VALUES (10, 2, 'twice'), (11, 2, 'twice'), (12, 2, 'thrice')");
	refresh(&s, -1);
	pg_do(s.app, "UPDATE region SET name = 'twice' WHERE id = 12");
	refresh(&s, -1);
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 2");
	refresh(&s, -1);
	pg_do(s.app, "DELETE FROM region WHERE id = 11");
	refresh(&s, -1);
}

/* A writer that gets none of its locks in time goes on, and leaves word of it where it can. */
static void not_logged(void)
{
	struct pg_scene s;
	begin(&s);
	struct viewd_conn *holder = pg_session("viewd");
	refresh(&s, -1);
	pg_do(s.app, "UPDATE sale SET amount = 70 WHERE id = 1");
	refresh(&s, 1);
	pg_do(holder, "BEGIN");
	pg_do(holder, "ALTER SEQUENCE viewd.full_1 CACHE 1");
	pg_do(holder, "ALTER SEQUENCE viewd.full_2 CACHE 1");
	pg_do(s.app, "SET lock_timeout = 50");
	pg_do(s.app, "UPDATE sale SET amount = 77 WHERE id = 1");
	pg_do(s.app, "INSERT INTO sale VALUES (501, 2, 1)");
	pg_do(holder, "ROLLBACK");
	refresh(&s, -1);
	pg_do(s.app, "UPDATE sale SET amount = 78 WHERE id = 1");
	refresh(&s, 1);
}

/* Writers have come to the cap before anybody has seen that a crash had emptied the log. */
static void emptied_and_filled(void)
{
	struct pg_scene s;
	begin(&s);
	refresh(&s, -1);
	for (int log = 1; log <= 2; log++) {
		pg_do(s.conn, talloc_asprintf(harness_ctx(), "TRUNCATE viewd.change_%d", log));
		pg_do(s.conn, talloc_asprintf(harness_ctx(),
		                              "INSERT INTO viewd.change_%d (viewd_xid, viewd_sign) SELECT "
		                              "pg_current_xact_id(), 1 FROM generate_series(1, 1200000)",
		                              log));
		pg_do(s.conn, talloc_asprintf(harness_ctx(), "SELECT setval('viewd.full_%d', 1)", log));
	}
	for (int i = 1; i <= 4; i++) {
		pg_do(s.app, talloc_asprintf(harness_ctx(), "UPDATE sale SET amount = amount + 1 WHERE id = %d", i));
		refresh(&s, i > 2 ? 1 : -1);
	}
}

static const struct harness_test updates_tests[] = {
	{"a row whose key stays is updated in place", in_place},
	{"rows of a key that is not unique any more", index_gone},
	{"what a writer cannot log is told", not_logged},
	{"a log that was emptied and filled is believed again", emptied_and_filled},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql updates", updates_tests))
