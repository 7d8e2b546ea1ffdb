/* SPDX-License-Identifier: MIT
 *
 * Change logs: nothing is lost by what several sessions do to one log at once, and what a log needs is asked for
 * before writers depend on it.
 */
#include "pg_support.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "common/incremental/change_log.h"

#define ROWS "SELECT id, amount FROM sale"

static struct viewd_view_spec kept(const char *name, const char *definition)
{
	struct viewd_view_spec view = pg_view(name, VIEWD_METHOD_TABLE, definition);
	view.mode = VIEWD_MODE_INCREMENTAL;
	return view;
}

static void begin(struct pg_scene *s, const char *definition)
{
	pg_begin_sale(s);
	s->view = kept("totals", definition);
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s->conn, &s->view);
}

static const char *reason(struct pg_scene *s)
{
	return talloc_strdup(harness_ctx(), pg_refreshed(s->conn, &s->view).reason);
}

/* A refresh that does only what has changed, or all rows; the relation is right after either. */
static void is_refreshed(struct pg_scene *s, const char *by)
{
	CHECK_CONTAINS(reason(s), by);
	const char *differing =
		talloc_asprintf(harness_ctx(), "SELECT count(*) FROM ((TABLE %s EXCEPT %s) UNION ALL (%s EXCEPT TABLE %s)) d",
	                    s->view.relation, s->view.definition, s->view.definition, s->view.relation);
	CHECK_STR(pg_ask(s->conn, differing), "0");
}

static const char *log_rows(struct pg_scene *s)
{
	return pg_ask(s->conn, "SELECT count(*) FROM viewd.change_1 WHERE viewd_sign <> 0");
}

/* ---- several readers ---- */

/* A reader may be reading at this moment, by a snapshot that is older than what was written since. */
static void a_reader_that_has_not_read_keeps_rows(void)
{
	struct pg_scene s;
	begin(&s, ROWS);
	pg_do(s.conn, "INSERT INTO viewd.log_readers (view, log) VALUES ('later', 1)");
	pg_do(s.app, "INSERT INTO sale SELECT g, 'q', 1 FROM generate_series(1001, 2000) g");
	is_refreshed(&s, "incremental: ");
	CHECK_STR(log_rows(&s), "1000");
	pg_do(s.conn, "UPDATE viewd.log_readers SET position = pg_current_snapshot()::text WHERE view = 'later'");
	pg_do(s.app, "UPDATE sale SET amount = 2 WHERE id > 1000");
	is_refreshed(&s, "incremental: ");
	CHECK_STR(log_rows(&s), "2000");
	pg_do(s.conn, "UPDATE viewd.log_readers SET position = pg_current_snapshot()::text WHERE view = 'later'");
	pg_do(s.app, "UPDATE sale SET amount = 3 WHERE id > 1000");
	pg_do(s.conn, "DELETE FROM viewd.log_readers WHERE view = 'later'");
	is_refreshed(&s, "incremental: ");
	CHECK_STR(log_rows(&s), "0");
}

/* ---- a log that was full ---- */

static void fill_log(struct pg_scene *s)
{
	pg_do(s->conn, "SELECT setval('viewd.full_1', 1)");
}

/* The changes of this writer are in no log, and nobody sees them before it commits. */
static struct viewd_conn *begin_late(void)
{
	struct viewd_conn *late = pg_session("app");
	pg_do(late, "BEGIN");
	pg_do(late, "UPDATE public.sale SET amount = amount + 1000 WHERE id = 7");
	return late;
}

static void late_writers_of_a_full_log_are_not_lost(void)
{
	struct pg_scene s;
	begin(&s, ROWS);
	fill_log(&s);
	struct viewd_conn *late = begin_late();
	is_refreshed(&s, "all rows: more was changed than the log holds");
	is_refreshed(&s, "all rows: ");
	pg_do(late, "COMMIT");
	is_refreshed(&s, "all rows: more was changed a while ago");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
}

static void a_domain_may_get_a_constraint(void)
{
	struct pg_scene s;
	pg_begin_sale(&s);
	pg_do(s.app, "CREATE DOMAIN short AS numeric(6, 2)");
	pg_do(s.app, "CREATE DOMAIN price AS short");
	pg_do(s.app, "ALTER TABLE sale ADD COLUMN cost price DEFAULT 1.50");
	s.view = kept("totals", "SELECT id, cost FROM sale WHERE cost > 1");
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	pg_do(s.app, "ALTER DOMAIN price SET NOT NULL");
	pg_do(s.app, "UPDATE sale SET cost = 3 WHERE id = 2");
	is_refreshed(&s, "incremental: 1 keys");
	pg_do(s.app, "TRUNCATE sale");
	is_refreshed(&s, "");
}

/* The first row of the log cannot be written when writers are to be let on. */
static void letting_on_may_stop_halfway(void)
{
	struct pg_scene s;
	begin(&s, ROWS);
	struct viewd_conn *holder = pg_session("viewd");
	s.view.lock_timeout_us = 100000;
	fill_log(&s);
	struct viewd_conn *late = begin_late();
	pg_do(holder, "BEGIN");
	pg_do(holder, "SELECT * FROM viewd.change_1 WHERE viewd_sign = 0 FOR UPDATE");
	expect_log("change log 1 keeps rows that were read");
	is_refreshed(&s, "all rows: more was changed than the log holds");
	is_refreshed(&s, "all rows: ");
	pg_do(holder, "ROLLBACK");
	pg_do(late, "COMMIT");
	is_refreshed(&s, "all rows: ");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "all rows: ");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 2");
	is_refreshed(&s, "incremental: 1 keys");
}

/* The state between the two steps: nothing is believed, and the next session that finds it finishes it. */
static void what_stopped_is_finished(void)
{
	struct pg_scene s;
	begin(&s, ROWS);
	pg_do(s.conn, "UPDATE viewd.change_1 SET viewd_xid = '9223372036854775817' WHERE viewd_sign = 0");
	is_refreshed(&s, "all rows: more was changed a while ago");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "all rows: ");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 2");
	is_refreshed(&s, "incremental: 1 keys");
}

/* A snapshot from before writers were let on does not believe the log that it finds. */
static void older_snapshots_see_that_writers_were_let_on(void)
{
	struct pg_scene s;
	struct viewd_err err = {0};
	begin(&s, ROWS);
	struct viewd_conn *reader = pg_session("viewd");
	struct change_log log = {.number = 1};
	fill_log(&s);
	pg_do(s.app, "UPDATE sale SET amount = amount + 1000 WHERE id = 7");
	REQUIRE_OK(pg_op_begin(&reader->db, DB_BEGIN_GROUP, &err), &err);
	REQUIRE_OK(relation_parse(&pg_syntax, "public.sale", &log.source, &err), &err);
	pg_ask(reader, "SELECT count(*) FROM viewd.log_readers");
	is_refreshed(&s, "all rows: more was changed than the log holds");
	REQUIRE_OK(change_logs_ask(&reader->db, harness_ctx(), "totals", &log, 1, &err), &err);
	REQUIRE_OK(change_logs_look(&reader->db, harness_ctx(), "totals", &log, 1, &err), &err);
	CHECK(!log.unsound && log.everything);
	pg_op_rollback(&reader->db);
}

/* A late writer has nothing in the log, as a prepared one after the server was killed. */
static void logs_that_were_emptied_are_believed_again(void)
{
	struct pg_scene s;
	begin(&s, ROWS);
	fill_log(&s);
	struct viewd_conn *late = begin_late();
	pg_do(s.conn, "SELECT setval('viewd.full_1', 1, false)");
	pg_do(s.conn, "DELETE FROM viewd.change_1");
	is_refreshed(&s, "all rows: the log was emptied");
	is_refreshed(&s, "all rows: ");
	pg_do(late, "COMMIT");
	is_refreshed(&s, "all rows: more was changed a while ago");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
	pg_do(s.conn, "TRUNCATE viewd.change_1");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 2");
	is_refreshed(&s, "all rows: the log was emptied");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 3");
	is_refreshed(&s, "incremental: 1 keys");
}

/* ---- what a view is made from ---- */

static void make_functions(struct pg_scene *s, const char *factor)
{
	pg_do(s->app, talloc_asprintf(
					  harness_ctx(),
					  "CREATE OR REPLACE FUNCTION factor() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT %s'", factor));
}

/* One is called by the definition, the other by that one; nothing marks the view. */
static void functions_that_are_redefined_are_seen(void)
{
	struct pg_scene s;
	pg_begin_sale(&s);
	make_functions(&s, "1");
	pg_do(s.app,
	      "CREATE FUNCTION worth(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN i * factor(); END'");
	s.view = kept("totals", "SELECT id, public.worth(amount) AS amount FROM sale");
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	is_refreshed(&s, "incremental: no row");
	make_functions(&s, "2");
	is_refreshed(&s, "all rows: the table, its triggers, a function or an inner node was changed");
	is_refreshed(&s, "incremental: no row");
	pg_do(s.app,
	      "CREATE OR REPLACE FUNCTION worth(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN -i; END'");
	is_refreshed(&s, "all rows: the table, its triggers, a function or an inner node was changed");
	pg_do(s.app, "CREATE FUNCTION unheard_of() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1'");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
}

static void operators_that_are_redefined_are_seen(void)
{
	struct pg_scene s;
	pg_begin_sale(&s);
	pg_do(s.app, "CREATE FUNCTION joint(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a + b'");
	pg_do(s.app, "CREATE OPERATOR ### (LEFTARG = int, RIGHTARG = int, FUNCTION = joint)");
	s.view = kept("totals", "SELECT id, amount ### 1 AS amount FROM sale");
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	is_refreshed(&s, "incremental: no row");
	pg_do(s.app, "CREATE OR REPLACE FUNCTION joint(a int, b int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a - b'");
	is_refreshed(&s, "all rows: the table, its triggers, a function or an inner node was changed");
	is_refreshed(&s, "incremental: no row");
}

/* A refresh goes on from what they hold. */
static void inner_nodes_that_were_touched_are_seen(void)
{
	static const char *const touches[] = {
		"TRUNCATE viewd.%s",
		"VACUUM FULL viewd.%s",
		"DROP TABLE viewd.%s",
	};
	struct pg_scene s;
	begin(&s, "SELECT product, count(*) AS n, sum(amount) AS amount FROM sale GROUP BY product");
	for (size_t i = 0; i < ARRAY_LEN(touches); i++) {
		const char *node = talloc_strdup(harness_ctx(), pg_ask(s.conn, "SELECT 'node_' || max(node) FROM viewd.nodes"));
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 3");
		is_refreshed(&s, "incremental: ");
		if (i == 2)
			expect_log("is made again (an inner node is gone)");
		const char *slot = strchr(touches[i], '%');
		pg_do(s.conn, talloc_asprintf(harness_ctx(), "%.*s%s", (int)(slot - touches[i]), touches[i], node));
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 3");
		is_refreshed(&s, "all rows: ");
	}
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 3");
	is_refreshed(&s, "incremental: ");
}

/* ---- what a log needs ---- */

static struct viewd_err is_refused(struct pg_scene *s, enum viewd_err_class cls, const char *hint)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	CHECK(!DIALECT->refresh(s->conn, &s->view, &req, &out, &err));
	CHECK_STR(err_class_word(err.cls), err_class_word(cls));
	CHECK_CONTAINS(err.hint, hint);
	return err;
}

/* The trial's first row would be one without a value, as no writer writes it. */
static void types_without_null_are_refused(void)
{
	struct pg_scene s;
	pg_begin_sale(&s);
	pg_do(s.app, "CREATE DOMAIN code AS int NOT NULL");
	pg_do(s.app, "ALTER TABLE sale ADD COLUMN mine code DEFAULT 1, ADD COLUMN other code DEFAULT 1");
	s.view = kept("totals", "SELECT id, mine FROM sale");
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	is_refused(&s, VIEWD_ERR_CONFIG, "refresh_mode = auto always works");
	s.view = kept("others", ROWS); /* which does not read those columns */
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
}

static void each_right_that_lacks_is_named(void)
{
	struct pg_scene s;
	pg_begin_sale(&s);
	struct viewd_conn *admin = pg_session("postgres");
	pg_do(admin, "REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC");
	pg_do(admin, "GRANT TEMPORARY ON DATABASE shop TO viewd");
	pg_do(s.app, "REVOKE TRIGGER ON sale FROM viewd");
	s.view = kept("totals", ROWS);
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	is_refused(&s, VIEWD_ERR_DENIED, "GRANT TRIGGER ON \"public\".\"sale\" TO \"viewd\"");
	pg_do(s.app, "GRANT TRIGGER ON sale TO viewd");
	pg_do(admin, "REVOKE TEMPORARY ON DATABASE shop FROM viewd");
	is_refused(&s, VIEWD_ERR_DENIED, "GRANT TEMPORARY ON DATABASE \"shop\" TO \"viewd\"");
	pg_do(admin, "GRANT TEMPORARY ON DATABASE shop TO viewd");
	pg_do(s.app, "REVOKE SELECT ON sale FROM viewd");
	CHECK_CONTAINS(is_refused(&s, VIEWD_ERR_DENIED, "").msg, "permission denied for table sale");
	pg_do(s.app, "GRANT SELECT (id, amount) ON sale TO viewd");
	CHECK_CONTAINS(reason(&s), "all rows: ");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
}

/* Another session finds all of it made. */
static void what_is_made_is_not_tried_again(void)
{
	struct pg_scene s;
	begin(&s, ROWS);
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_conn *admin = pg_session_of(&spec);
	pg_do(admin, "CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''a trial''; END'");
	pg_do(admin,
	      "CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE AS') EXECUTE FUNCTION refuse()");
	s.conn = pg_session("viewd");
	pg_prepared(s.conn);
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
}

/* Before anything was changed, by the definition or when its logs are made. */
static void keys_that_are_arrays_are_refused(void)
{
	static const char *const definitions[] = {
		"SELECT tags, count(DISTINCT n) AS n FROM tagged GROUP BY tags",
		"SELECT tags, sum(n) AS n FROM tagged GROUP BY tags",
		"SELECT t.tags, t.n FROM tagged t",
		"SELECT s.id, t.n FROM sale s JOIN labelled l ON l.id = s.id JOIN tagged t ON t.tags = l.tags",
	};
	struct pg_scene s;
	pg_begin_sale(&s);
	pg_do(s.app, "CREATE TABLE tagged (tags text[] PRIMARY KEY, n int NOT NULL)");
	pg_do(s.app, "CREATE TABLE labelled (id int PRIMARY KEY, tags text[] NOT NULL)");
	pg_do(s.app, "GRANT SELECT, TRIGGER ON tagged, labelled TO viewd");
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		s.view = kept(talloc_asprintf(harness_ctx(), "v%zu", i), definitions[i]);
		pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
		is_refused(&s, VIEWD_ERR_CONFIG, "refresh_mode = auto always works");
	}
	s.view = kept("v9", "SELECT l.id, l.tags FROM labelled l"); /* no key */
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s.conn, &s.view);
	pg_do(s.app, "INSERT INTO labelled VALUES (1, '{a,b}'), (2, '{c}'), (3, '{}')");
	is_refreshed(&s, "incremental: 3 keys");
}

/* A session has the server read and plan once what it asks with each refresh, but not what it has asked once. */
static void statements_of_refreshes_are_prepared(void)
{
	static const char *const beginnings[] = {
		"SELECT log, position, looked", "SELECT pg_catalog.count(*) FILTER",     "SELECT n, nulls",
		"WITH viewd_q AS MATERIALIZED", "UPDATE viewd.log_readers SET position", "SELECT 1 / (CASE WHEN holder",
		"SELECT pg_catalog.set_config("};
	struct pg_scene s;
	begin(&s, ROWS);
	for (int i = 0; i < 4; i++) {
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 1");
		is_refreshed(&s, "incremental: 1 keys");
	}
	CHECK_STR(
		pg_ask(s.conn, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'WITH RECURSIVE called%'"),
		"0");
	for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
		CHECK_STR(
			pg_ask(s.conn,
		           talloc_asprintf(harness_ctx(),
		                           "SELECT '%s', count(*) > 0 FROM pg_prepared_statements WHERE statement LIKE '%s%%'",
		                           beginnings[i], beginnings[i])),
			talloc_asprintf(harness_ctx(), "%s,t", beginnings[i]));
}

/* ---- refresh_mode auto ---- */

/* Change logs need a lock on their source; whoever keeps it from being had does not keep the view from being refreshed.
 */
static void auto_waits_for_no_writer(void)
{
	struct pg_scene s;
	pg_begin_sale(&s);
	pg_do(s.app, "INSERT INTO sale SELECT g, 'p', g FROM generate_series(101, 100000) g");
	s.view = pg_view("totals", VIEWD_METHOD_TABLE, ROWS);
	s.view.mode = VIEWD_MODE_AUTO;
	s.view.captured = true;
	s.view.lock_timeout_us = 100000;
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_do(s.conn, "INSERT INTO viewd.captures VALUES ('totals', 'public.sale', 'trigger', 0, 0, now())");
	struct viewd_conn *late = begin_late();
	for (int i = 0; i < 4; i++)
		is_refreshed(&s, "");
	CHECK_CONTAINS(reason(&s), "change logs of view 'totals' cannot be made");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.log_readers"), "0");
	pg_do(late, "COMMIT");
	for (int i = 0; i < 3; i++)
		is_refreshed(&s, "");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.log_readers"), "1");
	pg_do(s.app, "UPDATE sale SET amount = 0 WHERE id = 1");
	is_refreshed(&s, "incremental: 1 keys");
}

/* Rows of the view take over from each other what is unique besides the key. */
static void unique_values_are_exchanged(void)
{
	static const char *const changes[] = {
		"UPDATE sale SET amount = 3 - amount WHERE id IN (1, 2)",
		"WITH u AS (UPDATE sale SET amount = 501 WHERE id = 3) INSERT INTO sale VALUES (601, 'p1', 3)",
		"WITH d AS (DELETE FROM sale WHERE id = 601) UPDATE sale SET amount = amount + 1 WHERE id IN (1, 2)"};
	struct pg_scene s;
	begin(&s, ROWS);
	pg_do(s.conn, "CREATE UNIQUE INDEX amounts ON totals (amount)");
	s.conn = pg_session("viewd");
	pg_prepared(s.conn);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		pg_do(s.app, changes[i]);
		is_refreshed(&s, "incremental: ");
	}
	s.view = kept("sums", "SELECT product, sum(amount) AS total FROM sale GROUP BY product");
	pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
	pg_do(s.conn, "CREATE UNIQUE INDEX sums_total ON sums (total)");
	pg_refreshed(s.conn, &s.view);
	pg_do(s.app, "UPDATE sale SET product = translate(product, '45', '54') WHERE product IN ('p4', 'p5')");
	is_refreshed(&s, "incremental: ");
}

/* A log that nobody reads is dropped from a table of somebody else's. Who writes there waits no longer than for a log
 * that is made. */
static void dropping_a_log_keeps_nobody_waiting(void)
{
	struct pg_scene s;
	struct viewd_err err = {0};
	begin(&s, ROWS);
	struct viewd_conn *reader = pg_session("app");
	CHECK(pg_exec(reader, "BEGIN", &err) && pg_exec(reader, "SELECT count(*) FROM public.sale", &err));
	pg_do(s.conn, "DELETE FROM viewd.log_readers");
	expect_log("stay for now");
	int64_t before = clock_system()->mono(clock_system());
	change_logs_sweep(&s.conn->db);
	CHECK(clock_system()->mono(clock_system()) - before < 1000000);
	pg_do(reader, "COMMIT");
	change_logs_sweep(&s.conn->db);
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'viewd_log_%'"), "0");
}

static const struct harness_test log_tests[] = {
	{"a reader that has not read keeps rows", a_reader_that_has_not_read_keeps_rows},
	{"late writers of a full log are not lost", late_writers_of_a_full_log_are_not_lost},
	{"letting on may stop halfway", letting_on_may_stop_halfway},
	{"what stopped is finished", what_stopped_is_finished},
	{"older snapshots see that writers were let on", older_snapshots_see_that_writers_were_let_on},
	{"logs that were emptied are believed again", logs_that_were_emptied_are_believed_again},
	{"functions that are redefined are seen", functions_that_are_redefined_are_seen},
	{"operators that are redefined are seen", operators_that_are_redefined_are_seen},
	{"inner nodes that were touched are seen", inner_nodes_that_were_touched_are_seen},
	{"types without NULL are refused", types_without_null_are_refused},
	{"a domain may get a constraint", a_domain_may_get_a_constraint},
	{"each right that lacks is named", each_right_that_lacks_is_named},
	{"what is made is not tried again", what_is_made_is_not_tried_again},
	{"keys that are arrays are refused", keys_that_are_arrays_are_refused},
	{"statements of refreshes are prepared", statements_of_refreshes_are_prepared},
	{"auto waits for no writer", auto_waits_for_no_writer},
	{"unique values are exchanged", unique_values_are_exchanged},
	{"dropping a log keeps nobody waiting", dropping_a_log_keeps_nobody_waiting},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql change logs", log_tests))
