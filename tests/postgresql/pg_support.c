/* SPDX-License-Identifier: MIT */
#include "pg_support.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/log.h"

/* Advice to update an old server is no concern of the test. */
static void host_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	if (strstr(msg, "(update it") != NULL)
		return;
	log_event(level, "%s", msg);
}

static int64_t host_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

const struct viewd_host pg_host = {
	.struct_size = sizeof(struct viewd_host),
	.abi_major = VIEWD_ABI_MAJOR,
	.abi_minor = VIEWD_ABI_MINOR,
	.log = host_log,
	.now = host_now,
};

struct viewd_database_spec pg_spec(const char *role)
{
	/* Sessions of applications are opened in the same way, and find viewd's objects there. */
	static const struct viewd_kv options[] = {
		{"search_path", "public"}, {"schema_owner", "viewd"}, {"allow_superuser", "yes"}};
	const char *place = getenv("VIEWD_TEST_PG");
	if (place == NULL)
		harness_skip("VIEWD_TEST_PG names no server (run tests/postgresql/run.sh)");
	bool super = strcmp(role, "postgres") == 0;
	return (struct viewd_database_spec){
		.struct_size = sizeof(struct viewd_database_spec),
		.name = "shop",
		.url = talloc_asprintf(harness_ctx(), "postgresql://%s@/%s?%s", role, super ? "postgres" : "shop", place),
		.options = options,
		.n_options = super ? 3 : 2,
		.connect_timeout_us = 5000000,
		.application_name = "viewd:test",
	};
}

static int session_close(struct viewd_conn **holder)
{
	DIALECT->close(holder);
	return 0;
}

struct viewd_conn *pg_session_of(const struct viewd_database_spec *spec)
{
	struct viewd_err err = {0};
	struct viewd_conn *conn = DIALECT->open(&pg_host, spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	struct viewd_conn **holder = talloc_size(harness_ctx(), sizeof *holder);
	*holder = conn;
	talloc_set_type(holder, struct viewd_conn *);
	talloc_set_destructor(holder, session_close);
	return conn;
}

struct viewd_conn *pg_session(const char *role)
{
	struct viewd_database_spec spec = pg_spec(role);
	return pg_session_of(&spec);
}

void pg_do(struct viewd_conn *conn, const char *sql)
{
	struct viewd_err err = {0};
	pg_conn_fresh(conn);
	/* The dialect's own path has pg_catalog in front, where nothing can be created. */
	REQUIRE_OK(pg_in_transaction(conn) || pg_exec(conn, "SET search_path = public", &err), &err);
	REQUIRE_OK(pg_exec(conn, sql, &err), &err);
	REQUIRE_OK(pg_in_transaction(conn) || pg_path_restore(conn, &err), &err);
}

static bool ask_row_fn(void *ctx, const char *const *v, size_t n)
{
	char **text = ctx;
	for (size_t i = 0; i < n; i++)
		*text = talloc_asprintf_append_buffer(*text, "%s%s",
		                                      i > 0                ? ","
		                                      : (*text)[0] != '\0' ? ";"
		                                                           : "",
		                                      v[i] != NULL ? v[i] : "null");
	return true;
}

static const struct db_reader ask_row[] = {{ask_row_fn, "*", "what a test asks"}};

const char *pg_ask(struct viewd_conn *conn, const char *sql)
{
	struct viewd_err err = {0};
	char *text = talloc_strdup(harness_ctx(), "");
	pg_conn_fresh(conn);
	REQUIRE_OK(pg_op_query(&conn->db, sql, NULL, 0, ask_row, &text, &err), &err);
	return text;
}

void pg_fresh(void)
{
	struct viewd_conn *admin = pg_session("postgres");
	pg_do(admin, "DROP DATABASE IF EXISTS shop WITH (FORCE)");
	pg_do(admin, "CREATE DATABASE shop");
	static const char *const roles[] = {"viewd", "app", "other"};
	for (size_t i = 0; i < ARRAY_LEN(roles); i++)
		if (pg_ask(admin, talloc_asprintf(harness_ctx(), "SELECT 1 FROM pg_roles WHERE rolname = '%s'", roles[i]))[0] ==
		    '\0')
			pg_do(admin, talloc_asprintf(harness_ctx(), "CREATE ROLE %s LOGIN", roles[i]));
	pg_do(admin, "GRANT CREATE ON DATABASE shop TO viewd, app");
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_conn *shop = pg_session_of(&spec);
	pg_do(shop, "GRANT CREATE ON SCHEMA public TO viewd, app");
	pg_do(shop, "ALTER DEFAULT PRIVILEGES FOR ROLE app GRANT SELECT ON TABLES TO viewd");
}

struct viewd_view_spec pg_view(const char *name, enum viewd_method method, const char *definition)
{
	return (struct viewd_view_spec){
		.struct_size = sizeof(struct viewd_view_spec),
		.name = name,
		.relation = name,
		.definition = definition,
		.method = method,
		.mode = VIEWD_MODE_AUTO,
		.with_data = true,
		.on_remove = VIEWD_REMOVE_KEEP,
		.lock_timeout_us = 2000000,
		.timeout_us = 60000000,
	};
}

void pg_prepared(struct viewd_conn *conn)
{
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->prepare(conn, (struct viewd_recorded_sink){NULL, NULL}, &err), &err);
}

struct viewd_outcome pg_apply(struct viewd_conn *conn, const struct viewd_view_spec *view, enum viewd_change change)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	REQUIRE_OK(DIALECT->apply(conn, view, change, &out, &err), &err);
	return out;
}

struct viewd_outcome pg_refreshed(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	REQUIRE_OK(DIALECT->refresh(conn, view, &req, &out, &err), &err);
	return out;
}

const char *pg_differing(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	return pg_ask(conn, talloc_asprintf(harness_ctx(),
	                                    "WITH v AS (SELECT t::text FROM %s t), d AS (SELECT t::text FROM (%s) t) "
	                                    "SELECT count(*) FROM ((TABLE v EXCEPT ALL TABLE d) UNION ALL (TABLE d EXCEPT "
	                                    "ALL TABLE v)) x",
	                                    view->relation, view->definition));
}

struct viewd_found pg_look(struct viewd_conn *conn, const struct viewd_view_spec *view)
{
	struct viewd_err err = {0};
	struct viewd_found found = {0};
	REQUIRE_OK(DIALECT->inspect(conn, view, &found, (struct viewd_source_sink){NULL, NULL}, &err), &err);
	return found;
}

void pg_begin_sale(struct pg_scene *s)
{
	pg_fresh();
	s->app = pg_session("app");
	pg_do(s->app, "CREATE TABLE sale (id int PRIMARY KEY, product text NOT NULL, amount int NOT NULL)");
	pg_do(s->app, "INSERT INTO sale SELECT g, 'p' || g % 10, g FROM generate_series(1, 100) g");
	pg_do(s->app, "GRANT TRIGGER ON sale TO viewd");
	s->conn = pg_session("viewd");
	pg_prepared(s->conn);
}
