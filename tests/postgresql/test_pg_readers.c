/* SPDX-License-Identifier: MIT
 *
 * Readers that never stop, in processes of their own, while views are refreshed and replaced: they must never see an
 * error, an empty view, or rows of two generations at once. And a view that reads change logs: it sees what becomes of
 * them.
 */
#include "pg_support.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

#define READERS 4

/* Each round replaces the view once; every fifth is another kind of it. */
static int rounds(void)
{
	return getenv("VIEWD_LONG") != NULL ? 50 : 15;
}

static volatile sig_atomic_t stop;

static void on_term(int sig UNUSED)
{
	stop = 1;
}

/* Each query yields one value; it must be 1. A relation that is gone, empty or mixed gives an error or another value.
 * The last query locks the relations in the order that meets ours head on. */
static const char *const queries[READERS] = {
	"SELECT (count(*) = 200 AND count(DISTINCT generation) = 1)::int FROM stats",
	"SELECT (count(*) = 10 AND count(DISTINCT generation) = 1)::int FROM by_product",
	"SELECT (count(*) = 10 AND sum(n) = 200)::int FROM stored",
	("SELECT (count(*) = 2000 AND count(DISTINCT b.generation) = 1)::int FROM stats t JOIN by_product b ON true JOIN "
     "stored s ON t.product = s.product"),
};

static int read_on(const char *query, int report)
{
	PGconn *conn = PQconnectdb(talloc_asprintf(NULL, "%s user=app dbname=shop", getenv("VIEWD_TEST_PG")));
	PQclear(PQprepare(conn, "q", query, 0, NULL));
	long n = 0;
	for (; !stop; n++) {
		PGresult *res = n % 2 == 0 ? PQexec(conn, query) : PQexecPrepared(conn, "q", 0, NULL, NULL, NULL, 0);
		if (PQresultStatus(res) != PGRES_TUPLES_OK || strcmp(PQgetvalue(res, 0, 0), "1") != 0) {
			dprintf(report, "%s: %s%s\n", query, PQerrorMessage(conn), PQntuples(res) > 0 ? PQgetvalue(res, 0, 0) : "");
			_exit(1);
		}
		PQclear(res);
	}
	PQfinish(conn);
	return n > 10 ? 0 : 2;
}

struct readers {
	pid_t pids[READERS];
	int report[2];
};

static void readers_start(struct readers *r)
{
	REQUIRE(pipe(r->report) == 0);
	for (size_t i = 0; i < READERS; i++) {
		r->pids[i] = fork();
		if (r->pids[i] == 0) {
			signal(SIGTERM, on_term);
			_exit(read_on(queries[i], r->report[1]));
		}
	}
	close(r->report[1]);
}

static void readers_stop(struct readers *r)
{
	char text[2000] = "";
	for (size_t i = 0; i < READERS; i++) {
		int status = -1;
		kill(r->pids[i], SIGTERM);
		CHECK(waitpid(r->pids[i], &status, 0) == r->pids[i]);
		CHECK_INT(status, 0);
	}
	ssize_t n = read(r->report[0], text, sizeof text - 1);
	CHECK_INT(n, 0);
	CHECK_STR(text, "");
	close(r->report[0]);
}

static bool is_busy(const struct viewd_err *err)
{
	return err->cls == VIEWD_ERR_CONFLICT;
}

/* As the daemon does: a conflict is tried again. */
static void replace(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	bool done = false;
	for (int i = 0; !done && i < 5; i++) {
		done = DIALECT->apply(conn, view, VIEWD_CHANGE_REPLACE, &out, &err);
		if (!done && !is_busy(&err))
			break;
	}
	REQUIRE_OK(done, &err);
}

static void start(struct viewd_conn **viewd_r, struct viewd_view_spec *view)
{
	static const char *const key[] = {"id"};
	pg_fresh();
	struct viewd_conn *app = pg_session("app");
	pg_do(app, "CREATE TABLE sale (id int PRIMARY KEY, product text NOT NULL)");
	pg_do(app, "INSERT INTO sale SELECT g, 'p' || g % 10 FROM generate_series(1, 200) g");
	struct viewd_conn *conn = *viewd_r = pg_session("viewd");
	pg_prepared(conn);
	*view = pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id, product, 1 AS generation FROM sale");
	view->unique_key = key;
	view->n_unique_key = 1;
	pg_apply(conn, view, VIEWD_CHANGE_CREATE);
	pg_do(conn, "CREATE VIEW by_product AS SELECT product, generation, count(*) AS n FROM stats GROUP BY 1, 2");
	pg_do(conn, "CREATE MATERIALIZED VIEW stored AS SELECT product, n, generation FROM by_product");
	pg_do(conn, "GRANT SELECT ON stats, by_product, stored TO app");
}

static void readers_notice_nothing(void)
{
	struct viewd_conn *conn;
	struct viewd_view_spec view;
	struct readers readers;
	start(&conn, &view);
	readers_start(&readers);
	for (int i = 2; i < rounds() + 2; i++) {
		/* Another column each round, so that it is never the gentle way. */
		view.definition = talloc_asprintf(harness_ctx(),
		                                  "SELECT %d AS generation, '%d'::text AS c%d, id, product FROM sale", i, i, i);
		view.method = i % 5 == 0 ? VIEWD_METHOD_SIMPLE : VIEWD_METHOD_MATERIALIZED;
		replace(conn, &view);
		pg_refreshed(conn, &view);
	}
	readers_stop(&readers);
	CHECK_STR(pg_ask(conn, "SELECT DISTINCT generation FROM stats"),
	          talloc_asprintf(harness_ctx(), "%d", rounds() + 1));
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'viewd_stage%'"), "0");
}

static void readers_of_a_table_notice_nothing(void)
{
	struct viewd_conn *conn;
	struct viewd_view_spec view;
	struct readers readers;
	start(&conn, &view);
	view.method = VIEWD_METHOD_TABLE;
	replace(conn, &view);
	readers_start(&readers);
	for (int i = 2; i < rounds() / 2 + 2; i++) {
		view.definition = talloc_asprintf(harness_ctx(), "SELECT id, product, %d%s AS generation FROM sale", i,
		                                  i % 3 == 0 ? "::bigint" : "");
		replace(conn, &view);
		view.mode = i % 2 == 0 ? VIEWD_MODE_FULL : VIEWD_MODE_AUTO;
		pg_refreshed(conn, &view);
	}
	readers_stop(&readers);
}

static void gives_way_to_a_long_reader(void)
{
	struct viewd_conn *conn;
	struct viewd_view_spec view;
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	start(&conn, &view);
	struct viewd_conn *app = pg_session("app");
	pg_do(app, "BEGIN");
	REQUIRE_OK(pg_exec(app, "SELECT * FROM public.stats", &err), &err);
	view.definition = "SELECT id, product, 2 AS generation, 'x'::text AS more FROM sale";
	view.lock_timeout_us = 600000;
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONFLICT);
	CHECK_CONTAINS(err.msg, "stats");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_locks WHERE NOT granted"), "0");
	REQUIRE_OK(pg_exec(app, "COMMIT", &err), &err);
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
}

/* ---- a glance instead of a look ---- */

static void begin_glanced(struct pg_scene *s)
{
	pg_begin_sale(s);
	s->view = pg_view("totals", VIEWD_METHOD_TABLE, "SELECT id, product, amount FROM sale");
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s->conn, &s->view);
}

static void is_refreshed_by(struct pg_scene *s, const char *by)
{
	CHECK_CONTAINS(pg_refreshed(s->conn, &s->view).reason, by);
	CHECK_STR(pg_ask(s->conn, "SELECT count(*) FROM (TABLE totals EXCEPT SELECT id, product, amount FROM sale) d"),
	          "0");
}

static void by_one_key(struct pg_scene *s)
{
	pg_do(s->app, "UPDATE sale SET amount = amount + 1 WHERE id = 3");
	is_refreshed_by(s, "incremental: 1 keys");
}

static const char *whole_looks(struct pg_scene *s)
{
	return talloc_strdup(harness_ctx(), pg_ask(s->conn, "SELECT sum(generic_plans + custom_plans) FROM "
	                                                    "pg_prepared_statements WHERE statement LIKE "
	                                                    "'WITH RECURSIVE called%'"));
}

/* A glance is enough where nothing of it has changed. {} is the log's number. */
static void changes_of_the_catalogue_are_seen(void)
{
	static const struct {
		const char *sql, *log;
		bool ours; /* by viewd's role */
	} changes[] = {
		{"ALTER TABLE sale DISABLE TRIGGER USER", "is made again (triggers are missing or disabled)", false},
		{"ALTER TABLE sale DISABLE TRIGGER USER; ALTER TABLE sale ENABLE TRIGGER USER", NULL, false},
		{"ALTER TABLE sale ADD COLUMN note text", NULL, false},
		{"ALTER TABLE sale ALTER COLUMN note SET DATA TYPE varchar(9)", NULL, false},
		{"CREATE UNIQUE INDEX sale_more ON sale (id, amount)", NULL, false},
		{"CREATE TABLE other (LIKE sale); CREATE TRIGGER other AFTER DELETE ON other REFERENCING OLD TABLE AS "
	     "viewd_old "
	     "FOR EACH STATEMENT EXECUTE FUNCTION viewd.log_{}_rows()",
	     "is made again (other tables write to it)", true},
		{"ALTER FUNCTION viewd.log_{}_rows() SECURITY INVOKER", "is made again (its functions are gone)", true},
		{"DROP TABLE viewd.change_{}", "is made again (its table is gone)", true},
		{"DROP SEQUENCE viewd.full_{}", "is made again (its table is gone)", true},
	};
	struct pg_scene s;
	begin_glanced(&s);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		const char *number = talloc_strdup(harness_ctx(), pg_ask(s.conn, "SELECT max(log) FROM viewd.change_logs"));
		char *sql = talloc_strdup(harness_ctx(), changes[i].sql), *slot;
		while ((slot = strstr(sql, "{}")) != NULL)
			sql = talloc_asprintf(harness_ctx(), "%.*s%s%s", (int)(slot - sql), sql, number, slot + 2);
		if (changes[i].log != NULL)
			expect_log(changes[i].log);
		by_one_key(&s);
		by_one_key(&s);
		for (char *one; (one = strsep(&sql, ";")) != NULL;)
			pg_do(changes[i].ours ? s.conn : s.app, one);
		pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 3");
		is_refreshed_by(&s, "all rows: ");
	}
	by_one_key(&s);
	by_one_key(&s);
	const char *before = whole_looks(&s);
	by_one_key(&s);
	CHECK_STR(whole_looks(&s), before);
}

static const struct harness_test reader_tests[] = {
	{"changes of the catalogue are seen", changes_of_the_catalogue_are_seen},
	{"readers notice nothing", readers_notice_nothing},
	{"readers of a table notice nothing", readers_of_a_table_notice_nothing},
	{"gives way to a long reader", gives_way_to_a_long_reader},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql readers", reader_tests))
