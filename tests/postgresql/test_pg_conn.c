/* SPDX-License-Identifier: MIT */
#include "pg_support.h"

#include <stdlib.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

/* ---- without a server */

static const char *param(const struct pg_params *p, const char *keyword)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->keywords[i], keyword) == 0)
			return p->values[i];
	return NULL;
}

static struct pg_params params_of(const char *url)
{
	struct viewd_database_spec spec = {.name = "d",
	                                   .url = url,
	                                   .base_dir = "/etc/viewd",
	                                   .application_name = "viewd:x",
	                                   .connect_timeout_us = 1500000};
	struct pg_params params = {.n = 0};
	struct viewd_err err = {0};
	REQUIRE_OK(pg_url_params(harness_ctx(), &spec, &params, &err), &err);
	return params;
}

static void reads_sqlalchemy_urls(void)
{
	struct pg_params p = params_of("postgresql+psycopg2://us%40er:p%2Fw@h/db?sslmode=verify-full&sslrootcert=ca.pem");
	CHECK_STR(param(&p, "user"), "us@er");
	CHECK_STR(param(&p, "password"), "p/w");
	CHECK_STR(param(&p, "host"), "h");
	CHECK_STR(param(&p, "dbname"), "db");
	CHECK_STR(param(&p, "sslrootcert"), "/etc/viewd/ca.pem");
	CHECK_STR(param(&p, "application_name"), "viewd:x");
	CHECK_STR(param(&p, "client_encoding"), "UTF8");
	CHECK_STR(param(&p, "connect_timeout"), "2");
	CHECK_STR(param(&p, "keepalives_idle"), "30");
	p = params_of("postgresql://u@/db?host=a:5433&host=b:5434&target_session_attrs=read-write");
	CHECK_STR(param(&p, "host"), "a,b");
	CHECK_STR(param(&p, "port"), "5433,5434");
	CHECK_STR(param(&p, "target_session_attrs"), "read-write");
	p = params_of("postgresql://viewd@/shop?host=/run/postgresql");
	CHECK_STR(param(&p, "host"), "/run/postgresql");
	p = params_of("postgresql://u@h1:1,h2:2/db?keepalives_idle=7&connect_timeout=9");
	CHECK_STR(param(&p, "host"), "h1,h2");
	CHECK_STR(param(&p, "keepalives_idle"), "7");
	CHECK_STR(param(&p, "connect_timeout"), "9");
}

static void refuses_bad_urls_without_showing_them(void)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = {.name = "d", .url = "postgresql://u:se%zzcret@h/db"};
	CHECK(!DIALECT->check_database(&spec, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	CHECK(strstr(err.msg, "cret") == NULL);
	spec.url = "postgresql://u:secret@h/db?no_such_word=1";
	CHECK(!DIALECT->check_database(&spec, &err));
	CHECK_CONTAINS(err.msg, "no_such_word");
	CHECK(strstr(err.msg, "secret") == NULL);
	spec.url = "postgresql://u@h/db";
	struct viewd_kv bad_path = {"search_path", "a, \"b"};
	spec.options = &bad_path;
	spec.n_options = 1;
	CHECK(!DIALECT->check_database(&spec, &err));
	CHECK_CONTAINS(err.msg, "search_path");
	bad_path = (struct viewd_kv){"allow_superuser", "perhaps"};
	CHECK(!DIALECT->check_database(&spec, &err));
	CHECK_CONTAINS(err.msg, "perhaps");
}

static void builds_the_search_path(void)
{
	struct viewd_err err = {0};
	char *path = NULL;
	struct viewd_kv kv = {"search_path", "Sales , \"Odd, \"\"Name\",pg_temp,$user"};
	struct viewd_database_spec spec = {.name = "d", .options = &kv, .n_options = 1};
	REQUIRE_OK(pg_search_path(harness_ctx(), &spec, &path, &err), &err);
	CHECK_STR(path, "pg_catalog, \"sales\", \"Odd, \"\"Name\", \"$user\", pg_temp");
}

static void classes_of_errors(void)
{
	static const struct {
		const char *state;
		enum viewd_err_class cls;
	} rows[] = {
		{"40P01", VIEWD_ERR_CONFLICT},  {"40001", VIEWD_ERR_CONFLICT}, {"55P03", VIEWD_ERR_CONFLICT},
		{"57014", VIEWD_ERR_CANCELLED}, {"53100", VIEWD_ERR_RESOURCE}, {"53300", VIEWD_ERR_RESOURCE},
		{"25006", VIEWD_ERR_STANDBY},   {"42P01", VIEWD_ERR_MISSING},  {"42501", VIEWD_ERR_DENIED},
		{"23505", VIEWD_ERR_QUERY},     {"0A000", VIEWD_ERR_QUERY},    {"55000", VIEWD_ERR_QUERY},
		{"2BP01", VIEWD_ERR_QUERY},     {"57P01", VIEWD_ERR_LOST},     {"08006", VIEWD_ERR_CONNECT},
		{"28P01", VIEWD_ERR_AUTH},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_INT(pg_error_class(rows[i].state), rows[i].cls);
	CHECK_INT(pg_connect_class("FATAL:  password authentication failed for user \"x\""), VIEWD_ERR_AUTH);
	CHECK_INT(pg_connect_class("server certificate for \"a\" does not match host name \"b\""), VIEWD_ERR_AUTH);
	CHECK_INT(pg_connect_class("root certificate file \"/etc/ca.crt\" does not exist"), VIEWD_ERR_AUTH);
	CHECK_INT(pg_connect_class("server does not support SSL, but SSL was required"), VIEWD_ERR_AUTH);
	CHECK_INT(pg_connect_class("FATAL:  sorry, too many clients already"), VIEWD_ERR_RESOURCE);
	CHECK_INT(pg_connect_class("FATAL:  database \"x\" does not exist"), VIEWD_ERR_MISSING);
	CHECK_INT(pg_connect_class("could not connect to server: Connection refused"), VIEWD_ERR_CONNECT);
	CHECK_INT(pg_connect_class("connection to server failed: session is read-only"), VIEWD_ERR_STANDBY);
}

/* ---- with a server */

static void sets_the_session(void)
{
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd");
	CHECK_STR(pg_ask(conn, "SHOW search_path"), "pg_catalog, \"public\", pg_temp");
	CHECK_STR(pg_ask(conn, "SHOW application_name"), "viewd:test");
	if (PQserverVersion(conn->pg) >= 140000)
		CHECK_STR(pg_ask(conn, "SHOW client_connection_check_interval"), "2s");
	CHECK_STR(pg_ask(conn, "SHOW idle_in_transaction_session_timeout"), "1min");
	CHECK_STR(pg_ask(conn, "SHOW lock_timeout"), "2s");
	CHECK(DIALECT->alive(conn));
}

static void tries_every_host(void)
{
	pg_fresh();
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("viewd");
	spec.url = talloc_asprintf(harness_ctx(),
	                           "postgresql://viewd@/shop?host=/nowhere/at/all&%s&target_session_attrs=read-write",
	                           getenv("VIEWD_TEST_PG"));
	struct viewd_conn *conn = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(conn != NULL, &err);
	DIALECT->close(&conn);
	spec.url = "postgresql://viewd@/shop?host=/nowhere/at/all";
	CHECK(DIALECT->open(&pg_host, &spec, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_CONNECT);
}

static void refuses_what_it_should_not_be(void)
{
	pg_fresh();
	struct viewd_err err = {0};
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.n_options = 1;
	CHECK(DIALECT->open(&pg_host, &spec, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	CHECK_CONTAINS(err.msg, "superuser");
	CHECK_CONTAINS(err.hint, "allow_superuser");
	spec = pg_spec("viewd");
	spec.url = talloc_asprintf(harness_ctx(), "%s&options=-c%%20default_transaction_read_only%%3Don", spec.url);
	CHECK(DIALECT->open(&pg_host, &spec, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_STANDBY);
	spec = pg_spec("nobody_at_all");
	CHECK(DIALECT->open(&pg_host, &spec, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_AUTH);
	struct viewd_kv nowhere = {"search_path", "no_such_schema"};
	spec = pg_spec("viewd");
	spec.options = &nowhere;
	spec.n_options = 1;
	CHECK(DIALECT->open(&pg_host, &spec, &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_MISSING);
}

static void takes_one_statement_at_a_time(void)
{
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd");
	struct viewd_err err = {0};
	CHECK(!pg_exec(conn, "SELECT 1; SELECT 2", &err));
	CHECK_CONTAINS(err.msg, "multiple commands");
	CHECK(!pg_exec(conn, "COPY (SELECT 1) TO STDOUT", &err));
	CHECK(DIALECT->alive(conn));
}

static bool sleeps(struct viewd_conn *conn, struct viewd_err *err)
{
	return pg_exec(conn, "SELECT pg_catalog.pg_sleep(20)", err);
}

static void tells_timeout_from_cancel(void)
{
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd"), *admin = pg_session("postgres");
	struct viewd_err err = {0};
	REQUIRE_OK(pg_op_set_limits(&conn->db, 100000, 100000, &err), &err);
	CHECK(!sleeps(conn, &err));
	CHECK_INT(err.cls, VIEWD_ERR_TIMEOUT);
	CHECK_CONTAINS(err.msg, "100ms");
	REQUIRE_OK(pg_op_set_limits(&conn->db, 0, 100000, &err), &err);
	const char *pid = pg_ask(conn, "SELECT pg_catalog.pg_backend_pid()");
	pid_t child = fork();
	if (child == 0) {
		while (pg_ask(admin, talloc_asprintf(harness_ctx(),
		                                     "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND query "
		                                     "LIKE '%%pg_sleep%%' AND state = 'active'",
		                                     pid))[0] == '\0')
			;
		DIALECT->cancel(conn); /* in a process of its own: only the canceller is touched */
		_exit(0);
	}
	CHECK(!sleeps(conn, &err));
	CHECK_INT(err.cls, VIEWD_ERR_CANCELLED);
	DIALECT->cancel(conn);
	CHECK(!pg_exec(conn, "SELECT 1", &err));
	CHECK_INT(err.cls, VIEWD_ERR_CANCELLED);
	CHECK(DIALECT->alive(conn));
}

static void a_lock_timeout_is_a_conflict(void)
{
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd"), *app = pg_session("app");
	struct viewd_err err = {0};
	pg_do(app, "CREATE TABLE t (id int)");
	pg_do(app, "BEGIN");
	REQUIRE_OK(pg_exec(app, "LOCK TABLE public.t", &err), &err);
	REQUIRE_OK(pg_op_set_limits(&conn->db, 0, 50000, &err), &err);
	CHECK(!pg_exec(conn, "SELECT * FROM public.t", &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONFLICT);
	CHECK_STR(err.sqlstate, "55P03");
}

static void a_broken_connection_is_lost(void)
{
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd"), *admin = pg_session("postgres");
	struct viewd_err err = {0};
	pg_do(admin, talloc_asprintf(harness_ctx(), "SELECT pg_terminate_backend(%s)",
	                             pg_ask(conn, "SELECT pg_catalog.pg_backend_pid()")));
	CHECK(!pg_exec(conn, "SELECT 1", &err));
	CHECK_INT(err.cls, VIEWD_ERR_LOST);
	CHECK(!pg_exec(conn, "SELECT 1", &err));
	CHECK_INT(err.cls, VIEWD_ERR_CONNECT);
	CHECK(!DIALECT->alive(conn));
}

static void prepares_at_the_same_time(void)
{
	pg_fresh();
	pid_t children[4];
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		children[i] = fork();
		if (children[i] == 0) {
			struct viewd_err err = {0};
			struct viewd_database_spec spec = pg_spec("viewd");
			struct viewd_conn *conn = DIALECT->open(&pg_host, &spec, &err);
			_exit(conn != NULL && DIALECT->prepare(conn, (struct viewd_recorded_sink){NULL, NULL}, &err) ? 0 : 1);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(children); i++) {
		int status = -1;
		CHECK(waitpid(children[i], &status, 0) == children[i] && status == 0);
	}
}

static void needs_no_create_on_the_database(void)
{
	pg_fresh();
	struct viewd_database_spec spec = pg_spec("postgres");
	spec.url = talloc_asprintf(harness_ctx(), "postgresql://postgres@/shop?%s", getenv("VIEWD_TEST_PG"));
	struct viewd_err err = {0};
	struct viewd_conn *shop = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(shop != NULL, &err);
	pg_do(shop, "REVOKE CREATE ON DATABASE shop FROM viewd");
	struct viewd_conn *conn = pg_session("viewd");
	CHECK(!DIALECT->prepare(conn, (struct viewd_recorded_sink){NULL, NULL}, &err));
	CHECK_INT(err.cls, VIEWD_ERR_DENIED);
	CHECK_CONTAINS(err.hint, "make the schema viewd");
	pg_do(shop, "CREATE SCHEMA viewd");
	pg_do(shop, "GRANT CREATE, USAGE ON SCHEMA viewd TO viewd");
	pg_prepared(conn);
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_MATERIALIZED, "SELECT 1 AS a");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	struct viewd_outcome out = {0};
	view.definition = "SELECT 2 AS b";
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_CONTAINS(err.hint, "viewd_stage");
	pg_do(shop, "CREATE SCHEMA viewd_stage");
	pg_do(shop, "GRANT CREATE, USAGE ON SCHEMA viewd_stage TO viewd");
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, "SELECT b FROM v"), "2");
	DIALECT->close(&shop);
}

static bool count_fn(void *ctx, const char *const *v UNUSED, size_t n UNUSED)
{
	++*(int *)ctx;
	return true;
}

/* One that was proved wrong is not handed on, wherever it waited; what came before it in the same turn is. */
static void an_answer_of_another_shape_is_a_failure(void)
{
	static const struct db_reader reader[] = {{count_fn, "nt", "the tide"}};
	static const char *const answers[] = {"SELECT 1",          "SELECT 1, 'x', 2",
	                                      "SELECT 'one', 'x'", "SELECT NULL::int, 'x'",
	                                      "SELECT 1, NULL",    "SELECT 9223372036854775808, 'x'"};
	pg_fresh();
	struct viewd_conn *conn = pg_session("viewd");
	struct db *db = &conn->db;
	struct viewd_err err = {0};
	int n = 0;
	CHECK_OK(pg_op_query(db, "SELECT 1, 'x'", NULL, 0, reader, &n, &err), &err);
	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		err = (struct viewd_err){0};
		CHECK(!pg_op_query(db, answers[i], NULL, 0, reader, &n, &err));
		CHECK_INT(err.cls, VIEWD_ERR_QUERY);
		CHECK_CONTAINS(err.msg, "the tide");
	}
	CHECK_INT(n, 1);
	REQUIRE_OK(pg_op_begin(db, DB_BEGIN_WRITE, &err), &err);
	CHECK_OK(pg_op_query_later(db, "SELECT 1, 'x'", NULL, 0, reader, &n, &err), &err);
	CHECK_OK(pg_op_query_later(db, answers[0], NULL, 0, reader, &n, &err), &err);
	CHECK_OK(pg_op_query_later(db, "SELECT 2, 'x'", NULL, 0, reader, &n, &err), &err);
	CHECK(!pg_op_flush(db, &err));
	CHECK_CONTAINS(err.msg, "the tide has 1 columns");
	CHECK_INT(n, 2);
	pg_op_rollback(db);
	CHECK_OK(pg_op_query(db, "SELECT 1, 'x'", NULL, 0, reader, &n, &err), &err);
	CHECK_INT(n, 3);
}

static const struct harness_test offline_tests[] = {
	{"reads SQLAlchemy URLs", reads_sqlalchemy_urls},
	{"refuses bad URLs without showing them", refuses_bad_urls_without_showing_them},
	{"builds the search path", builds_the_search_path},
	{"classes of errors", classes_of_errors},
};
static const struct harness_test server_tests[] = {
	{"sets the session", sets_the_session},
	{"tries every host", tries_every_host},
	{"refuses what it should not be", refuses_what_it_should_not_be},
	{"takes one statement at a time", takes_one_statement_at_a_time},
	{"tells timeout from cancel", tells_timeout_from_cancel},
	{"a lock timeout is a conflict", a_lock_timeout_is_a_conflict},
	{"a broken connection is lost", a_broken_connection_is_lost},
	{"an answer of another shape is a failure", an_answer_of_another_shape_is_a_failure},
	{"prepares at the same time", prepares_at_the_same_time},
	{"needs no CREATE on the database", needs_no_create_on_the_database},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql offline", offline_tests), SUITE("postgresql session", server_tests))
