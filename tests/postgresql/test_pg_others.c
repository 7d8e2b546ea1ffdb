/* SPDX-License-Identifier: MIT
 *
 * test_pg_others.c: what others own, may read, and break: the schema's owner, other roles, servers behind the server.
 */
#include "pg_support.h"

#include <stdlib.h>
#include <talloc.h>

static struct viewd_conn *shop_admin(void)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_conn *shop = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(shop != NULL, &err);
	return shop;
}

/* Opens and prepares as viewd does; true when it may. */
static bool may_use(struct viewd_err *err)
{
	struct viewd_database_spec spec = pg_spec("viewd");
	struct viewd_conn *conn = DIALECT->open(&pg_host, &spec, err);
	bool may = conn != NULL && DIALECT->prepare(conn, (struct viewd_recorded_sink){NULL, NULL}, err);
	if (conn != NULL)
		DIALECT->close(&conn);
	return may;
}

/* Refused for this reason; the statement of the hint mends it. */
static void refused_and_mended(struct viewd_conn *admin, const char *reason, const char *mend)
{
	struct viewd_err err = {0};
	CHECK(!may_use(&err));
	CHECK_INT(err.cls, VIEWD_ERR_DENIED);
	CHECK_CONTAINS(err.msg, reason);
	CHECK_CONTAINS(err.hint, mend);
	pg_do(admin, mend);
}

/* Names, times and freshness are anybody's; definitions and errors, which may quote them, are not. */
static void anybody_may_read_how_fresh_views_are(void)
{
	static const char *const kept[] = {"SELECT * FROM viewd.view_state", "SELECT * FROM viewd.captures",
	                                   "SELECT * FROM viewd.changes", "UPDATE viewd.views SET name = 'x'",
	                                   "SELECT definition FROM viewd.views"};
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE, "SELECT 1 AS id");
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd"), *other = pg_session("other");
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, &err), &err);
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_do(conn, "UPDATE viewd.view_state SET last_error = 'secret', followed = 1");
	CHECK_STR(pg_ask(other,
	                 "SELECT name, freshness, lag_seconds, last_success_time IS NOT NULL, last_error FROM viewd.views"),
	          "v,FRESH,0,t,null");
	CHECK_STR(pg_ask(conn, "SELECT last_error FROM viewd.views"), "secret");
	for (size_t i = 0; i < ARRAY_LEN(kept); i++)
		CHECK(!pg_exec(other, kept[i], &err));
	/* what writers and the watch have written down is seen by everybody through it */
	pg_do(conn, "INSERT INTO viewd.captures VALUES ('v', 'public.src', 'trigger', 1, 1)");
	/* The log is new: nobody knows what it has lost */
	CHECK_STR(pg_ask(other, "SELECT freshness FROM viewd.views"), "STALE");
	pg_do(conn, "INSERT INTO viewd.log_intact VALUES (now())");
	CHECK_STR(pg_ask(other, "SELECT freshness FROM viewd.views"), "FRESH");
	pg_do(conn, "INSERT INTO viewd.sources (source, flood) VALUES ('public.src', now())");
	CHECK_STR(pg_ask(other, "SELECT freshness FROM viewd.views"), "STALE");
	pg_do(conn, "UPDATE viewd.sources SET flood = NULL");
	pg_do(conn, "INSERT INTO viewd.changes VALUES ('public.other')");
	CHECK_STR(pg_ask(other, "SELECT freshness FROM viewd.views"), "FRESH");
	pg_do(conn, "INSERT INTO viewd.changes VALUES ('public.src')");
	CHECK_STR(pg_ask(other, "SELECT freshness, lag_seconds IS NOT NULL FROM viewd.views"), "STALE,t");
	pg_do(conn, "REVOKE SELECT ON viewd.views FROM PUBLIC");
	REQUIRE_OK(DIALECT->prepare(conn, (struct viewd_recorded_sink){0}, &err), &err);
	CHECK(!pg_exec(other, "SELECT name FROM viewd.views", &err)); /* and is not given again */
}

static void wants_its_schema_for_itself(void)
{
	static const struct {
		const char *trap, *reason, *mend;
	} rows[] = {
		{"GRANT CREATE ON SCHEMA viewd TO app", "app may create in schema viewd",
	     "REVOKE CREATE ON SCHEMA viewd FROM app"},
		{"GRANT CREATE ON SCHEMA viewd TO PUBLIC", "PUBLIC may create in schema viewd",
	     "REVOKE CREATE ON SCHEMA viewd FROM PUBLIC"},
		{"ALTER SCHEMA viewd OWNER TO app", "schema viewd belongs to role app", "ALTER SCHEMA viewd OWNER TO viewd"},
		{"ALTER TABLE viewd.daemon OWNER TO app", "table viewd.daemon belongs to role app",
	     "DROP TABLE viewd.daemon CASCADE"},
		{"ALTER TABLE viewd.view_state OWNER TO postgres", "table viewd.view_state belongs to role postgres",
	     "ALTER TABLE viewd.view_state OWNER TO viewd"},
		{"ALTER VIEW viewd.views OWNER TO app", "view viewd.views belongs to role app",
	     "DROP VIEW viewd.views CASCADE"},
		{"CREATE VIEW viewd.stray AS SELECT 1", "view viewd.stray belongs to role postgres",
	     "ALTER VIEW viewd.stray OWNER TO viewd"},
		{"ALTER FUNCTION viewd.note_change() OWNER TO app", "function viewd.note_change() belongs to role app",
	     "DROP FUNCTION viewd.note_change() CASCADE"},
		{"ALTER FUNCTION viewd.note_change() OWNER TO postgres",
	     "function viewd.note_change() belongs to role postgres", "ALTER FUNCTION viewd.note_change() OWNER TO viewd"},
		{"CREATE OPERATOR viewd.= (FUNCTION = pg_catalog.int4eq, LEFTARG = int, RIGHTARG = int)",
	     "operator viewd.= (integer, integer) belongs", "ALTER OPERATOR viewd.= (integer, integer) OWNER TO viewd"},
		{"CREATE TRIGGER trap BEFORE UPDATE ON viewd.daemon FOR EACH ROW EXECUTE FUNCTION "
	     "pg_catalog.suppress_redundant_updates_trigger()",
	     "table viewd.daemon has a trigger trap", "DROP TRIGGER trap ON viewd.daemon"},
		{"CREATE RULE trap AS ON INSERT TO viewd.requests DO ALSO SELECT 1", "table viewd.requests has a rule trap",
	     "DROP RULE trap ON viewd.requests"},
		{"CREATE SCHEMA viewd_stage AUTHORIZATION app", "schema viewd_stage belongs to role app",
	     "ALTER SCHEMA viewd_stage OWNER TO viewd"},
	};
	struct viewd_err err = {0};
	pg_fresh();
	struct viewd_conn *admin = shop_admin();
	REQUIRE_OK(may_use(&err), &err);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		pg_do(admin, rows[i].trap);
		refused_and_mended(admin, rows[i].reason, rows[i].mend);
		REQUIRE_OK(may_use(&err), &err);
	}
	DIALECT->close(&admin);
}

static void somebody_was_there_first(void)
{
	struct viewd_err err = {0};
	pg_fresh();
	struct viewd_conn *app = pg_session("app"), *late = pg_session("viewd"), *admin = shop_admin();
	pg_do(app, "CREATE SCHEMA viewd");
	pg_do(app, "GRANT ALL ON SCHEMA viewd TO PUBLIC");
	pg_do(app, "CREATE TABLE viewd.daemon (one boolean, epoch bigint, holder text, since timestamptz)");
	CHECK(!DIALECT->prepare(late, (struct viewd_recorded_sink){NULL, NULL}, &err));
	CHECK_CONTAINS(err.msg, "schema viewd belongs to role app");
	struct viewd_database_spec spec = pg_spec("viewd");
	CHECK(DIALECT->capture->watch_open(&pg_host, &spec, &err) == NULL);
	CHECK_CONTAINS(err.msg, "schema viewd belongs to role app");
	CHECK_STR(pg_ask(app, "SELECT count(*) FROM pg_class WHERE relnamespace = 'viewd'::regnamespace AND relkind = 'r'"),
	          "1");
	refused_and_mended(admin, "schema viewd belongs to role app", "ALTER SCHEMA viewd OWNER TO viewd");
	refused_and_mended(admin, "PUBLIC may create in schema viewd", "REVOKE CREATE ON SCHEMA viewd FROM PUBLIC");
	refused_and_mended(admin, "table viewd.daemon belongs to role app", "DROP TABLE viewd.daemon CASCADE");
	REQUIRE_OK(may_use(&err), &err);
	DIALECT->close(&admin);
}

static void trusts_the_role_that_is_named(void)
{
	struct viewd_err err = {0};
	pg_fresh();
	struct viewd_conn *app = pg_session("app");
	pg_do(app, "CREATE SCHEMA viewd");
	pg_do(app, "GRANT USAGE, CREATE ON SCHEMA viewd TO viewd");
	CHECK(!may_use(&err));
	struct viewd_kv options[] = {{"search_path", "public"}, {"schema_owner", "App"}};
	struct viewd_database_spec spec = pg_spec("viewd");
	spec.options = options;
	spec.n_options = 2;
	struct viewd_conn *conn = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	pg_prepared(conn);
	DIALECT->close(&conn);
	options[1].value = "\"App";
	CHECK(!DIALECT->check_database(&spec, &err));
	CHECK_CONTAINS(err.msg, "schema_owner");
}

/* SQLSTATEs of connections and sessions, from the other end of a foreign table or of dblink. */
static void a_server_behind_the_server_is_the_views_own_failure(void)
{
	static const char *const raised[] = {"08001", "08006", "57P01", "57P03", "28P01", "40003"};
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd");
	struct viewd_err err = {0};
	pg_do(conn, "CREATE FUNCTION public.raise(code text) RETURNS int LANGUAGE plpgsql AS"
	            " $$ BEGIN RAISE EXCEPTION 'the other server' USING ERRCODE = code; END $$");
	for (size_t i = 0; i < ARRAY_LEN(raised); i++) {
		CHECK(!pg_execf(conn, &err, "SELECT public.raise('%s')", raised[i]));
		CHECK(err.cls == VIEWD_ERR_RESOURCE && strcmp(err.sqlstate, raised[i]) == 0);
	}
	CHECK(DIALECT->alive(conn));
}

static void a_view_over_a_dead_foreign_server_fails_alone(void)
{
	static const char *const setup[] = {
		"CREATE EXTENSION postgres_fdw",
		"CREATE EXTENSION dblink",
		"CREATE SERVER gone FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '/nonexistent', dbname 'x')",
		"CREATE USER MAPPING FOR viewd SERVER gone OPTIONS (user 'x', password_required 'false')",
		"CREATE FOREIGN TABLE public.far (id int) SERVER gone",
		"GRANT SELECT ON public.far TO viewd",
		("CREATE FUNCTION public.farther() RETURNS SETOF int SECURITY DEFINER LANGUAGE sql AS"
	     " $$ SELECT id FROM public.dblink('host=/nonexistent dbname=x', 'SELECT 1') AS t (id int) $$"),
	};
	static const char *const definitions[] = {"SELECT id FROM far", "SELECT id FROM farther() AS f (id)"};
	pg_fresh();
	struct viewd_err err = {0};
	struct viewd_conn *shop = shop_admin();
	for (size_t i = 0; i < ARRAY_LEN(setup); i++)
		pg_do(shop, setup[i]);
	DIALECT->close(&shop);
	struct viewd_conn *conn = pg_session("viewd");
	pg_prepared(conn);
	for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
		struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE, definitions[i]);
		struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
		struct viewd_outcome out = {0};
		view.with_data = false;
		pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
		CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
		CHECK(err.cls == VIEWD_ERR_RESOURCE && strcmp(err.sqlstate, "08001") == 0);
		CHECK(DIALECT->alive(conn));
		pg_apply(conn, &view, VIEWD_CHANGE_DROP);
	}
}

static const struct harness_test tests[] = {
	{"anybody may read how fresh views are", anybody_may_read_how_fresh_views_are},
	{"wants its schema for itself", wants_its_schema_for_itself},
	{"somebody was there first", somebody_was_there_first},
	{"trusts the role that is named", trusts_the_role_that_is_named},
	{"a server behind the server is the view's own failure", a_server_behind_the_server_is_the_views_own_failure},
	{"a view over a dead foreign server fails alone", a_view_over_a_dead_foreign_server_fails_alone},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql others", tests))
