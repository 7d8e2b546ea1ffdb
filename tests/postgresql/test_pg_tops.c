/* SPDX-License-Identifier: MIT
 *
 * Tops: small queries over parts and rolls. What they are kept by may change, be spoilt, or not do any more.
 */
#include "pg_support.h"

#include <string.h>
#include <talloc.h>

#include "base/err.h"

#define OVER_TOTAL \
	"SELECT product, sum(amount) AS total FROM sale GROUP BY product HAVING sum(amount) * 8 > (SELECT sum(amount) " \
	"FROM sale)"
#define OVER_AVERAGE \
	"SELECT id, product, amount FROM sale WHERE amount > (SELECT avg(amount) FROM sale) " \
	"AND EXISTS (SELECT 1 FROM ware WHERE ware.name = sale.product)"

static void begin(struct pg_scene *s, const char *definition)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, "CREATE TABLE sale (id int PRIMARY KEY, product text NOT NULL, amount numeric(12,2) NOT NULL)");
	pg_do(s->app, "CREATE TABLE ware (name text PRIMARY KEY, price int)");
	pg_do(s->app, "INSERT INTO sale SELECT g, 'p' || g % 10, g * g FROM generate_series(1, 100) g");
	pg_do(s->app, "INSERT INTO ware SELECT 'p' || g, g FROM generate_series(0, 6) g");
	pg_do(s->app, "GRANT SELECT, TRIGGER, UPDATE ON sale, ware TO viewd");
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
	s->view = pg_view("top", VIEWD_METHOD_TABLE, definition);
	s->view.mode = VIEWD_MODE_INCREMENTAL;
	pg_apply(s->conn, &s->view, VIEWD_CHANGE_CREATE);
	pg_refreshed(s->conn, &s->view);
}

static struct viewd_outcome is_refreshed(struct pg_scene *s, const char *by)
{
	struct viewd_outcome out = pg_refreshed(s->conn, &s->view);
	CHECK_CONTAINS(out.reason, by);
	CHECK_STR(pg_differing(s->conn, &s->view), "0");
	return out;
}

static void a_total_decides_about_groups(void)
{
	struct pg_scene s;
	begin(&s, OVER_TOTAL);
	pg_do(s.app, "UPDATE sale SET amount = amount + 0.5 WHERE id = 3");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "DELETE FROM sale WHERE product = 'p9'");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "INSERT INTO sale VALUES (200, 'p9', 1000000)");
	CHECK_INT(is_refreshed(&s, "incremental: ").rows, 1);
	pg_do(s.app, "DELETE FROM sale WHERE id > 0");
	CHECK_INT(is_refreshed(&s, "").rows, 0);
}

/* Rows of a small table are read with the pieces; a piece that has the same rows as before writes nothing. */
static void tables_beside_pieces_count(void)
{
	struct pg_scene s;
	begin(&s, "SELECT w.name, w.price, q.total FROM ware w, (SELECT product, sum(amount) AS total FROM sale GROUP BY "
	          "product) q WHERE q.product = w.name AND q.total > (SELECT avg(amount) FROM sale)");
	pg_do(s.app, "UPDATE ware SET price = 7 WHERE name = 'p3'");
	CHECK_INT(is_refreshed(&s, "incremental: 0 keys").rows_written, 2);
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id < 20");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "DELETE FROM ware WHERE name = 'p4'");
	is_refreshed(&s, "incremental: ");
	pg_do(s.app, "TRUNCATE ware");
	CHECK_INT(is_refreshed(&s, "all rows: ").rows, 0);
}

/* Whatever the statistics say, what could be kept can. */
static void statistics_do_not_refuse(void)
{
	static const char *const rows[] = {
		"ANALYZE sale; ANALYZE ware", "INSERT INTO sale SELECT g, 'p' || g % 10, 1 FROM generate_series(1000, 9000) g",
		"ALTER TABLE sale ADD COLUMN more int; ANALYZE sale", "ALTER TABLE ware ADD COLUMN more int; VACUUM FULL ware"};
	static const char *const definitions[] = {OVER_TOTAL, OVER_AVERAGE};
	for (size_t d = 0; d < ARRAY_LEN(definitions); d++) {
		struct pg_scene s;
		begin(&s, definitions[d]);
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			for (char *p = talloc_strdup(harness_ctx(), rows[i]), *one; (one = strsep(&p, ";")) != NULL;)
				pg_do(s.app, one);
			/* A large statement has its log made anew, for sums. */
			for (int j = 2; j < 4; j++) {
				pg_do(s.app, "UPDATE sale SET amount = amount + 2 WHERE id < 5");
				is_refreshed(&s, "");
			}
			pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id < 5");
			is_refreshed(&s, "incremental: ");
		}
	}
}

/* The part has a table of its own, whose rows are audited. */
static void a_spoilt_piece_is_found(void)
{
	struct pg_scene s;
	begin(&s, "SELECT q.id, q.cost FROM (SELECT s.id, w.price AS cost FROM sale s JOIN ware w ON w.name = s.product) q "
	          "WHERE q.cost > (SELECT avg(price) FROM ware)");
	pg_do(s.app, "UPDATE sale SET product = 'p6' WHERE id = 8");
	const char *node = pg_ask(s.conn, "SELECT attrelid::regclass FROM pg_attribute WHERE attname = 'cost' AND attrelid "
	                                  "::regclass::text LIKE 'viewd.%'");
	pg_do(s.conn, talloc_asprintf(harness_ctx(), "UPDATE %s SET cost = cost + 1", node));
	expect_log("an incremental refresh was wrong");
	is_refreshed(&s, "all rows: an audit has found a difference");
}

static void nodes_are_made_anew(void)
{
	struct pg_scene s;
	begin(&s, OVER_TOTAL);
	pg_do(s.conn, "DROP TABLE viewd.node_2");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 7");
	expect_log("is made again");
	is_refreshed(&s, "all rows: ");
	pg_do(s.app, "UPDATE sale SET amount = amount + 1 WHERE id = 7");
	is_refreshed(&s, "incremental: ");
}

static void a_limit_is_kept(void)
{
	struct pg_scene s;
	begin(&s, "SELECT product, sum(amount) AS total FROM sale GROUP BY product ORDER BY total DESC, product LIMIT 3");
	pg_do(s.app, "UPDATE sale SET amount = 100000 WHERE id = 1");
	CHECK_INT(is_refreshed(&s, "incremental: ").rows, 3);
	pg_do(s.app, "DELETE FROM sale WHERE product IN ('p1', 'p9')");
	CHECK_INT(is_refreshed(&s, "incremental: ").rows, 3);
}

/* A large table, and a small one that it is joined with by a text. */
static void make_fact(struct pg_scene *s)
{
	static const char *const statements[] = {
		"CREATE COLLATION same (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
		"CREATE TABLE fact (id int PRIMARY KEY, k numeric, t text COLLATE same, f float8, i interval, b bpchar, day "
		"date, c char(3), amount int)",
		"CREATE TABLE dim (k text PRIMARY KEY, name text)",
		"INSERT INTO fact SELECT g, ('{1,1.0,1.00}'::numeric[])[1 + g % 3], ('{a,A,b}'::text[])[1 + g % 3], "
		"('{0,-0,1}'::float8[])[1 + g % 3], ('{P1D,PT24H,P2D}'::interval[])[1 + g % 3], ('{x,\"x \",y}'::bpchar[])[1 + "
		"g % 3], date '2024-01-01' + g % 3, 'c' || g % 3, g FROM generate_series(1, 4000) g",
		"INSERT INTO dim SELECT k, 'n' || k FROM unnest('{1,1.0,1.00,a,A,b,0,-0,P1D,PT24H,x,\"x "
		"\",y,2024-01-01,2024-01-02,c0,c1}'::text[]) k",
		"ANALYZE fact, dim",
		"GRANT SELECT, TRIGGER ON fact, dim TO viewd",
	};
	for (size_t i = 0; i < ARRAY_LEN(statements); i++)
		pg_do(s->app, statements[i]);
}

/* Values may be equal while what is made of them is not: a table is not summed by such a column. */
static void spellings_stay_apart_below_joins(void)
{
	static const struct {
		const char *condition, *nodes;
	} cases[] = {
		{"s.k::text = d.k", "0"}, {"s.t COLLATE \"C\" = d.k", "0"}, {"s.f::text = d.k", "0"}, {"s.i::text = d.k", "0"},
		{"s.b || '' = d.k", "0"}, {"s.day::text = d.k", "1"},       {"s.c::text = d.k", "1"},
	};
	struct pg_scene s;
	begin(&s, OVER_TOTAL);
	make_fact(&s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		s.view = pg_view(talloc_asprintf(harness_ctx(), "sums%zu", i), VIEWD_METHOD_TABLE,
		                 talloc_asprintf(harness_ctx(),
		                                 "SELECT d.name, sum(s.amount) AS total FROM fact s JOIN dim d ON %s GROUP BY "
		                                 "d.name",
		                                 cases[i].condition));
		pg_apply(s.conn, &s.view, VIEWD_CHANGE_CREATE);
		struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
		struct viewd_outcome out = {0};
		struct viewd_err err = {0};
		s.view.mode = VIEWD_MODE_INCREMENTAL;
		if (!DIALECT->refresh(s.conn, &s.view, &req, &out, &err))
			s.view.mode = VIEWD_MODE_AUTO;
		pg_do(s.app, "UPDATE fact SET amount = amount + 1 WHERE id % 3 = 0");
		is_refreshed(&s, "");
		CHECK_STR(pg_ask(s.conn, talloc_asprintf(harness_ctx(), "SELECT count(*) FROM viewd.nodes WHERE view = '%s'",
		                                         s.view.name)),
		          cases[i].nodes);
	}
}

static const struct harness_test tests[] = {
	{"a total decides about groups", a_total_decides_about_groups},
	{"tables beside pieces count", tables_beside_pieces_count},
	{"statistics do not refuse", statistics_do_not_refuse},
	{"a spoilt piece is found", a_spoilt_piece_is_found},
	{"nodes are made anew", nodes_are_made_anew},
	{"a limit is kept", a_limit_is_kept},
	{"spellings stay apart below joins", spellings_stay_apart_below_joins},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("tops", tests))
