/* SPDX-License-Identifier: MIT */
#include "pg_support.h"

#include <talloc.h>

static const char *const key_id[] = {"id"};

/* Sales by product, and what an application hangs on it. */
static struct viewd_view_spec start(struct viewd_conn **viewd_r, struct viewd_conn **app_r)
{
	pg_fresh();
	struct viewd_conn *app = *app_r = pg_session("app");
	pg_do(app, "CREATE TABLE sale (id int PRIMARY KEY, product text NOT NULL, amount numeric(10,2) NOT NULL)");
	pg_do(app, "INSERT INTO sale SELECT g, 'p' || g % 10, g FROM generate_series(1, 100) g");
	struct viewd_conn *conn = *viewd_r = pg_session("viewd");
	pg_prepared(conn);
	struct viewd_view_spec view =
		pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id, product, amount FROM sale WHERE id <= 50");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	return view;
}

static void keeps_what_belongs_to_a_materialized_view(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view = start(&conn, &app);
	pg_do(conn, "CREATE INDEX \"By Product\" ON stats (product) WHERE amount > 0");
	pg_do(conn, "COMMENT ON INDEX \"By Product\" IS 'for the report'");
	pg_do(conn, "COMMENT ON MATERIALIZED VIEW stats IS 'it''s ours'");
	pg_do(conn, "COMMENT ON COLUMN stats.product IS 'what was sold'");
	pg_do(conn, "GRANT SELECT ON stats TO app WITH GRANT OPTION");
	pg_do(conn, "GRANT SELECT (id) ON stats TO other");
	pg_do(conn, "ALTER MATERIALIZED VIEW stats ALTER COLUMN product SET STATISTICS 500");
	pg_do(conn, "ALTER MATERIALIZED VIEW stats SET (autovacuum_enabled = false)");
	pg_do(conn, "CREATE INDEX by_amount ON stats (amount DESC)");
	pg_do(conn, "ALTER MATERIALIZED VIEW stats CLUSTER ON by_amount");
	pg_do(conn, "CREATE STATISTICS \"both\" (dependencies) ON id, product FROM stats");
	const char *acl = pg_ask(conn, "SELECT relacl FROM pg_class WHERE relname = 'stats'");
	view.definition = "SELECT id, product, amount * 2 AS double, amount FROM sale";
	struct viewd_outcome out = pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_INT(out.rows, 100);
	CHECK_INT(out.did, VIEWD_DID_REINITIALIZE);
	CHECK_STR(pg_ask(conn, "SELECT count(*), sum(double) FROM stats"), "100,10100.00");
	CHECK_STR(pg_ask(conn, "SELECT relacl FROM pg_class WHERE relname = 'stats'"), acl);
	CHECK_STR(pg_ask(conn, "SELECT attacl FROM pg_attribute WHERE attrelid = 'stats'::regclass AND attname = 'id'"),
	          "{other=r/viewd}");
	CHECK_STR(pg_ask(conn, "SELECT obj_description('stats'::regclass, 'pg_class')"), "it's ours");
	CHECK_STR(pg_ask(conn, "SELECT col_description('stats'::regclass, 2)"), "what was sold");
	CHECK_STR(pg_ask(conn, "SELECT obj_description('\"By Product\"'::regclass, 'pg_class')"), "for the report");
	CHECK_STR(
		pg_ask(conn,
	           "SELECT attstattarget FROM pg_attribute WHERE attrelid = 'stats'::regclass AND attname = 'product'"),
		"500");
	CHECK_STR(pg_ask(conn, "SELECT reloptions FROM pg_class WHERE relname = 'stats'"), "{autovacuum_enabled=false}");
	CHECK_STR(pg_ask(conn, "SELECT indexdef FROM pg_indexes WHERE indexname = 'By Product'"),
	          "CREATE INDEX \"By Product\" ON public.stats USING btree (product) WHERE (amount > (0)::numeric)");
	CHECK_STR(pg_ask(conn, "SELECT indisclustered FROM pg_index WHERE indexrelid = 'by_amount'::regclass"), "t");
	CHECK_STR(pg_ask(conn, "SELECT stxname FROM pg_statistic_ext WHERE stxrelid = 'stats'::regclass"), "both");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'viewd_stage%'"), "0");
	struct viewd_found found = pg_look(conn, &view);
	CHECK(found.ours && !found.touched_outside && found.can_concurrently && found.indexes_present);
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_NO_DATA);
}

static void warns_of_what_a_lost_column_takes_along(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view = start(&conn, &app);
	pg_do(conn, "CREATE INDEX by_product ON stats (product)");
	pg_do(conn, "GRANT SELECT (product) ON stats TO other");
	pg_do(conn, "COMMENT ON COLUMN stats.product IS 'what was sold'");
	view.definition = "SELECT id, amount FROM sale";
	expect_log("index by_product is not kept");
	expect_log("privileges on column product is not kept");
	expect_log("comment on column product is not kept");
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM stats"), "100");
}

static void keeps_dependants_of_any_depth(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view = start(&conn, &app);
	pg_do(conn, "CREATE SCHEMA \"Rep\"\"ort\"");
	pg_do(conn, "CREATE VIEW \"Select\" WITH (security_barrier=true) AS SELECT product, sum(amount) AS total FROM "
	            "stats GROUP BY 1");
	pg_do(conn, "CREATE MATERIALIZED VIEW \"Rep\"\"ort\".\"größe\" WITH (fillfactor=70) AS SELECT s.product, s.total, "
	            "x.id FROM \"Select\" s JOIN stats x USING (product)");
	pg_do(conn, "CREATE UNIQUE INDEX \"größe key\" ON \"Rep\"\"ort\".\"größe\" (id)");
	pg_do(conn, "CREATE MATERIALIZED VIEW empty AS SELECT * FROM \"Rep\"\"ort\".\"größe\" WITH NO DATA");
	pg_do(conn, "CREATE VIEW writable AS SELECT id, product FROM stats");
	pg_do(conn, "ALTER VIEW writable ALTER COLUMN product SET DEFAULT 'none'");
	pg_do(conn, "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
	pg_do(conn, "CREATE TRIGGER swallow INSTEAD OF INSERT ON writable FOR EACH ROW EXECUTE FUNCTION swallow()");
	pg_do(conn, "CREATE RULE quiet AS ON DELETE TO writable DO INSTEAD NOTHING");
	pg_do(conn, "GRANT SELECT ON \"Rep\"\"ort\".\"größe\" TO other");
	pg_do(conn, "COMMENT ON VIEW \"Select\" IS 'totals'");
	const char *before = pg_ask(conn, "SELECT pg_get_viewdef('\"Select\"'), "
	                                  "pg_get_viewdef('\"Rep\"\"ort\".\"größe\"'), pg_get_viewdef('empty')");
	view.definition = "SELECT 'new'::text AS extra, id, product, amount * 10 AS amount FROM sale";
	struct viewd_outcome out = pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_CONTAINS(out.reason, "4 dependants");
	CHECK_STR(
		pg_ask(
			conn,
			"SELECT pg_get_viewdef('\"Select\"'), pg_get_viewdef('\"Rep\"\"ort\".\"größe\"'), pg_get_viewdef('empty')"),
		before);
	CHECK_STR(pg_ask(conn, "SELECT sum(total) FROM \"Select\""), "50500.00");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM \"Rep\"\"ort\".\"größe\""), "100");
	CHECK_STR(pg_ask(conn, "SELECT relispopulated, reloptions FROM pg_class WHERE relname IN ('empty', 'größe', "
	                       "'Select') ORDER BY relname"),
	          "t,{security_barrier=true};f,null;t,{fillfactor=70}");
	CHECK_STR(pg_ask(conn, "SELECT indexdef FROM pg_indexes WHERE indexname = 'größe key'"),
	          "CREATE UNIQUE INDEX \"größe key\" ON \"Rep\"\"ort\".\"größe\" USING btree (id)");
	CHECK_STR(pg_ask(conn, "SELECT has_table_privilege('other', '\"Rep\"\"ort\".\"größe\"', 'SELECT')"), "t");
	CHECK_STR(pg_ask(conn, "SELECT obj_description('\"Select\"'::regclass)"), "totals");
	CHECK_STR(pg_ask(conn, "SELECT tgname FROM pg_trigger WHERE tgrelid = 'writable'::regclass"), "swallow");
	CHECK_STR(pg_ask(conn, "SELECT rulename FROM pg_rewrite WHERE ev_class = 'writable'::regclass ORDER BY 1"),
	          "_RETURN;quiet");
	CHECK_STR(pg_ask(conn, "SELECT column_default FROM information_schema.columns WHERE table_name = 'writable' AND "
	                       "column_name = 'product'"),
	          "'none'::text");
}

static void aborts_when_something_cannot_be_kept(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_view_spec view = start(&conn, &app);
	pg_do(conn, "GRANT SELECT ON stats TO app");
	pg_do(app, "CREATE VIEW theirs AS SELECT product FROM stats");
	view.definition = "SELECT id, amount FROM sale";
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.msg, "theirs (owned by role app)");
	pg_do(app, "DROP VIEW theirs");
	pg_do(conn, "CREATE VIEW ours AS SELECT product FROM stats");
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.msg, "ours");
	CHECK_CONTAINS(err.msg, "product");
	CHECK_CONTAINS(err.msg, "does not exist"); /* with the table's name, or quoted (from PostgreSQL 16 on) */
	pg_do(conn, "DROP VIEW ours");
	pg_do(conn, "CREATE FUNCTION one() RETURNS SETOF stats LANGUAGE sql AS 'SELECT * FROM stats'");
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.msg, "function one()");
	pg_do(conn, "DROP FUNCTION one()");
	CHECK_STR(pg_ask(conn, "SELECT count(*), count(product) FROM stats"), "50,50");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'viewd_stage%'"), "0");
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM stats"), "100");
}

static void changes_method_and_back(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view = start(&conn, &app);
	pg_do(conn, "CREATE VIEW reader AS SELECT id, product FROM stats");
	pg_do(conn, "GRANT SELECT ON stats TO other");
	static const enum viewd_method methods[] = {VIEWD_METHOD_SIMPLE, VIEWD_METHOD_TABLE,  VIEWD_METHOD_MATERIALIZED,
	                                            VIEWD_METHOD_TABLE,  VIEWD_METHOD_SIMPLE, VIEWD_METHOD_MATERIALIZED};
	static const char *const kinds[] = {"v", "r", "m", "r", "v", "m"};
	for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
		view.method = methods[i];
		pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
		CHECK_STR(pg_ask(conn, "SELECT relkind FROM pg_class WHERE oid = 'stats'::regclass"), kinds[i]);
		CHECK_STR(pg_ask(conn, "SELECT count(*) FROM reader"), "50");
		CHECK_STR(pg_ask(conn, "SELECT has_table_privilege('other', 'stats', 'SELECT')"), "t");
		struct viewd_found found = pg_look(conn, &view);
		CHECK(found.ours && !found.touched_outside && found.indexes_present);
		pg_refreshed(conn, &view);
	}
}

static void keeps_states_of_its_own_dependants(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view = start(&conn, &app);
	struct viewd_view_spec child =
		pg_view("child", VIEWD_METHOD_MATERIALIZED, "SELECT product, count(*) AS n FROM stats GROUP BY product");
	pg_apply(conn, &child, VIEWD_CHANGE_CREATE);
	view.definition = "SELECT product, amount, id FROM sale";
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	struct viewd_found found = pg_look(conn, &child);
	CHECK(found.ours && !found.touched_outside && found.populated);
	CHECK_STR(pg_ask(conn, "SELECT sum(n) FROM child"), "100");
	pg_refreshed(conn, &child);
}

static void keeps_a_table_of_the_same_columns(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("tab", VIEWD_METHOD_TABLE, "SELECT id, product FROM sale WHERE id < 10");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	const char *oid = pg_ask(conn, "SELECT 'tab'::regclass::oid");
	view.definition = "SELECT product, id FROM sale";
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT 'tab'::regclass::oid"), oid);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM tab WHERE product LIKE 'p%'"), "100");
	view.definition = "SELECT product, id, amount FROM sale";
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT count(amount) FROM tab"), "100");
	pg_do(conn, "DROP TABLE tab");
	pg_do(conn, "CREATE TABLE tab (id int)");
	struct viewd_err err = {0};
	struct viewd_outcome out;
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
}

static struct viewd_conn *usurper;

/* Somebody puts a table of their own in our table's place between the look at it and its first lock. */
static void usurp(void *ctx UNUSED, const char *place)
{
	if (usurper == NULL || strcmp(place, "replace:checked") != 0)
		return;
	pg_do(usurper, "DROP TABLE public.tab");
	pg_do(usurper, "CREATE TABLE public.tab (id integer, product text)");
	pg_do(usurper, "INSERT INTO public.tab VALUES (77, 'theirs')");
	usurper = NULL;
}

static void a_usurper_keeps_its_rows(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_err err = {0};
	struct viewd_outcome out;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("tab", VIEWD_METHOD_TABLE, "SELECT id, product FROM sale WHERE id < 10");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	view.definition = "SELECT id, product FROM sale";
	struct viewd_host host = pg_host;
	host.failpoint = usurp;
	conn->db.host = &host;
	usurper = pg_session("viewd");
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK(usurper == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_STR(pg_ask(conn, "SELECT id, product FROM public.tab"), "77,theirs");
	conn->db.host = &pg_host;
}

/* A role that was not allowed to read before may not read afterwards, whatever the defaults say. */
static void default_privileges_add_nothing(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_view_spec view = start(&conn, &app);
	pg_do(conn, "CREATE VIEW reader AS SELECT id FROM stats");
	pg_do(conn, "GRANT SELECT ON reader TO app");
	pg_do(conn, "REVOKE DELETE ON reader FROM viewd");
	pg_do(conn, "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO other, PUBLIC");
	const char *before = pg_ask(conn, "SELECT (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(relacl) x) "
	                                  "FROM pg_class WHERE relname = 'reader'");
	view.definition = "SELECT product, id FROM sale";
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT (SELECT string_agg(x::text, ' ' ORDER BY x::text) FROM unnest(relacl) x) FROM "
	                       "pg_class WHERE relname = 'reader'"),
	          before);
	CHECK_STR(
		pg_ask(
			conn,
			"SELECT has_table_privilege('other', 'stats', 'SELECT'), has_table_privilege('other', 'reader', 'SELECT')"),
		"f,f");
	CHECK_STR(
		pg_ask(
			conn,
			"SELECT has_table_privilege('viewd', 'stats', 'DELETE'), has_table_privilege('app', 'reader', 'SELECT')"),
		"t,t");
}

static void replaces_simple_views_in_place(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("plain", VIEWD_METHOD_SIMPLE, "SELECT id, product FROM sale");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	const char *oid = pg_ask(conn, "SELECT 'plain'::regclass::oid");
	view.definition = "SELECT id, upper(product) AS product, amount FROM sale";
	CHECK_CONTAINS(pg_apply(conn, &view, VIEWD_CHANGE_REPLACE).reason, "in place");
	CHECK_STR(pg_ask(conn, "SELECT 'plain'::regclass::oid"), oid);
	view.definition = "SELECT upper(product) AS product, id FROM sale";
	CHECK_CONTAINS(pg_apply(conn, &view, VIEWD_CHANGE_REPLACE).reason, "built aside");
	CHECK_STR(pg_ask(conn, "SELECT product, id FROM plain WHERE id = 7"), "P7,7");
}

static void keeps_a_table_of_declared_types(void)
{
	static const struct viewd_column columns[] = {{"id", "int4"}, {"product", "varchar(20)"}};
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view =
		pg_view("tab", VIEWD_METHOD_TABLE, "SELECT id, product::varchar(20) AS product FROM sale WHERE id < 10");
	view.columns = columns;
	view.n_columns = ARRAY_LEN(columns);
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	const char *oid = pg_ask(conn, "SELECT 'tab'::regclass::oid");
	view.definition = "SELECT product::varchar(20) AS product, id FROM sale";
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT 'tab'::regclass::oid, count(*) FROM tab WHERE product LIKE 'p%'"),
	          talloc_asprintf(harness_ctx(), "%s,100", oid));
}

/* ddv reads public.stats, which in the stage's search path is hidden by s2.stats of the same name. */
static void aborts_when_a_name_would_mean_another(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	start(&conn, &app);
	pg_do(conn, "CREATE SCHEMA s2");
	pg_do(conn, "CREATE MATERIALIZED VIEW s2.stats AS SELECT id, product FROM public.stats");
	pg_do(conn, "CREATE VIEW reader AS SELECT id FROM s2.stats");
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT product, id FROM sale");
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.msg, "public.reader");
	CHECK_CONTAINS(err.msg, "hidden");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM reader"), "50");
}

static const struct harness_test replace_tests[] = {
	{"keeps what belongs to a materialized view", keeps_what_belongs_to_a_materialized_view},
	{"warns of what a lost column takes along", warns_of_what_a_lost_column_takes_along},
	{"keeps dependants of any depth", keeps_dependants_of_any_depth},
	{"aborts when something cannot be kept", aborts_when_something_cannot_be_kept},
	{"changes method and back", changes_method_and_back},
	{"keeps states of its own dependants", keeps_states_of_its_own_dependants},
	{"keeps a table of the same columns", keeps_a_table_of_the_same_columns},
	{"a usurper keeps its rows", a_usurper_keeps_its_rows},
	{"default privileges add nothing", default_privileges_add_nothing},
	{"replaces simple views in place", replaces_simple_views_in_place},
	{"keeps a table of declared types", keeps_a_table_of_declared_types},
	{"aborts when a name would mean another", aborts_when_a_name_would_mean_another},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql replace", replace_tests))
