/* SPDX-License-Identifier: MIT */
#include "pg_support.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <talloc.h>
#include <unistd.h>

static const char *const key_id[] = {"id"};

static void start(struct viewd_conn **viewd_r, struct viewd_conn **app_r)
{
	pg_fresh();
	*app_r = pg_session("app");
	pg_do(*app_r, "CREATE TABLE sale (id int PRIMARY KEY, product text NOT NULL, amount int NOT NULL)");
	pg_do(*app_r, "INSERT INTO sale SELECT g, 'p' || g % 10, g FROM generate_series(1, 100) g");
	*viewd_r = pg_session("viewd");
	pg_prepared(*viewd_r);
}

static void chooses_the_mode_and_says_why(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id, amount FROM sale");
	view.with_data = false;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK(!pg_look(conn, &view).populated);
	struct viewd_outcome out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "holds no data yet");
	out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "no unique index");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_REINDEX);
	CHECK(pg_look(conn, &view).can_concurrently);
	pg_do(app, "UPDATE sale SET amount = -1 WHERE id = 1");
	pg_do(app, "DELETE FROM sale WHERE id = 2");
	out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_CONCURRENT);
	CHECK_INT(out.rows_written, 3);
	CHECK_INT(out.rows, 99);
	out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_NO_DATA);
	CHECK_INT(out.rows_written, 0);
	view.mode = VIEWD_MODE_FULL;
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_FULL);
	view.mode = VIEWD_MODE_CONCURRENTLY;
	pg_do(conn, "REFRESH MATERIALIZED VIEW stats WITH NO DATA");
	out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "first refresh");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_NO_DATA);
	CHECK_STR(
		pg_ask(conn, "SELECT string_agg(action, ' ' ORDER BY id) FROM viewd.refresh_history WHERE view = 'stats'"),
		"FULL FULL CONCURRENT NO_DATA FULL FULL NO_DATA");
}

static void names_the_missing_privilege(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id, amount FROM sale");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	struct viewd_conn *admin = pg_session("postgres");
	pg_do(admin, "REVOKE TEMPORARY ON DATABASE shop FROM PUBLIC");
	struct viewd_outcome out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "GRANT TEMPORARY");
	pg_do(app, "REVOKE SELECT ON sale FROM viewd");
	struct viewd_err err = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_DENIED);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM stats"), "100");
	REQUIRE_OK(DIALECT->record_failure(conn, &view, &req, VIEWD_FAILURE_FAILED, &err, &(struct viewd_err){0}), NULL);
	CHECK_STR(pg_ask(conn, "SELECT consecutive_errors, last_result FROM viewd.views"), "1,FAILED");
}

static void a_failed_refresh_keeps_the_last_good_rows(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view =
		pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id / 1 AS id, 100 / (101 - amount) AS q FROM sale");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_do(app, "INSERT INTO sale VALUES (101, 'zero', 101)");
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_STR(err.sqlstate, "22012");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM stats"), "100");
	pg_do(app, "DELETE FROM sale WHERE id = 101");
	view.definition = "SELECT id / 2 AS id, 1 AS q FROM sale";
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_REPLACE, &out, &err));
	CHECK_STR(err.sqlstate, "23505");
	CHECK_CONTAINS(err.msg, "is duplicated");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM stats"), "100");
	CHECK(DIALECT->alive(conn));
}

static void tables_are_refreshed_by_difference(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("Tab\"le", VIEWD_METHOD_TABLE,
	                                      "SELECT id, product AS \"select\", "
	                                      "amount::numeric(12,3) AS \"größe\", "
	                                      "'{\"a\":1}'::json AS j FROM sale");
	view.relation = "\"Tab\"\"le\"";
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_STR(pg_ask(conn, "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = "
	                       "'\"Tab\"\"le\"'::regclass AND attname = 'größe'"),
	          "numeric(12,3)");
	CHECK_INT(pg_refreshed(conn, &view).did, VIEWD_DID_NO_DATA);
	pg_do(app, "UPDATE sale SET amount = 0 WHERE id <= 3");
	pg_do(app, "DELETE FROM sale WHERE id = 50");
	struct viewd_outcome out = pg_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_DIFF);
	CHECK_INT(out.rows_written, 7);
	CHECK_INT(out.rows, 99);
	struct viewd_verdict verdict = {0};
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->verify(conn, &view, &verdict, &err), &err);
	CHECK_INT(verdict.rows, 99);
	CHECK_INT(verdict.missing + verdict.unexpected, 0);
	pg_do(conn, "UPDATE \"Tab\"\"le\" SET \"größe\" = 5 WHERE id = 1");
	REQUIRE_OK(DIALECT->verify(conn, &view, &verdict, &err), &err);
	CHECK_INT(verdict.missing, 1);
	CHECK_INT(verdict.unexpected, 1);
	/* A table of the stage's name in the search path must not be mistaken for the stage. */
	struct relation rel = {.schema = "public", .name = "Tab\"le"};
	char stage[IDENT_MAX];
	ident_temporary(&rel, "viewd_stage_", stage);
	pg_do(app, talloc_asprintf(harness_ctx(), "CREATE TABLE %s (x int)", stage));
	CHECK_INT(pg_refreshed(conn, &view).rows_written, 2);
	CHECK_STR(pg_ask(app, talloc_asprintf(harness_ctx(), "SELECT count(*) FROM %s", stage)), "0");
}

struct names {
	char *text;
};

static bool collect(void *ctx, const struct viewd_source *src)
{
	struct names *names = ctx;
	names->text = talloc_asprintf_append_buffer(names->text, "%s.%s:%d ", src->schema, src->name, (int)src->kind);
	return true;
}

static void finds_sources_through_views(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	pg_do(app, "CREATE SCHEMA \"Big Shop\"");
	pg_do(app, "CREATE TABLE \"Big Shop\".\"größe\" (id int)");
	pg_do(app, "CREATE VIEW inner_view AS SELECT s.* FROM sale s JOIN \"Big Shop\".\"größe\" g USING (id)");
	pg_do(app, "CREATE MATERIALIZED VIEW mat AS SELECT 1 AS id FROM sale");
	pg_do(app, "GRANT USAGE ON SCHEMA \"Big Shop\" TO viewd");
	struct viewd_view_spec view = pg_view("v", VIEWD_METHOD_TABLE,
	                                      "SELECT i.id FROM inner_view i JOIN mat USING (id) "
	                                      "WHERE i.id IN (SELECT oid::int FROM pg_class)");
	struct names names = {talloc_strdup(harness_ctx(), "")};
	struct viewd_found found = {0};
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->inspect(conn, &view, &found, (struct viewd_source_sink){collect, &names}, &err), &err);
	CHECK_STR(names.text, "Big Shop.größe:3 public.inner_view:1 public.mat:2 public.sale:3 ");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_class WHERE relname = 'viewd_probe'"), "0");
}

static void adopts_what_is_equal(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	pg_do(
		conn,
		"CREATE MATERIALIZED VIEW mine AS SELECT id,   amount+1 AS more FROM public.sale WHERE product IN ('p1','p2')");
	struct viewd_view_spec view = pg_view("mine", VIEWD_METHOD_MATERIALIZED,
	                                      "SELECT sale.id, sale.amount + 1 AS more "
	                                      "FROM sale WHERE product IN ('p1', 'p2') -- by hand");
	struct viewd_found found = pg_look(conn, &view);
	CHECK(found.kind == VIEWD_KIND_MATVIEW && !found.ours && found.matches);
	pg_apply(conn, &view, VIEWD_CHANGE_ADOPT);
	found = pg_look(conn, &view);
	CHECK(found.ours && !found.touched_outside);
	view.definition = "SELECT sale.id, sale.amount + 2 AS more FROM sale WHERE product IN ('p1', 'p2')";
	CHECK(!pg_look(conn, &view).matches);
	pg_do(conn, "DROP MATERIALIZED VIEW mine");
	pg_do(conn, "CREATE MATERIALIZED VIEW mine AS SELECT 1 AS id");
	CHECK(!pg_look(conn, &view).ours);
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_DROP, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_STR(pg_ask(conn, "SELECT id FROM mine"), "1");
}

#define COLLATION(relation, column) \
	"SELECT c.collname FROM pg_attribute a JOIN pg_collation c ON c.oid = a.attcollation WHERE a.attrelid = " \
	"'" relation "'::regclass AND a.attname = '" column "'"

/* An application's table whose columns sort in different ways. */
static void make_names(struct viewd_conn *app)
{
	pg_do(app, "CREATE COLLATION \"Alike\" (provider = icu, locale = 'und-u-ks-level1', deterministic = false)");
	pg_do(app, "CREATE DOMAIN code AS text COLLATE \"POSIX\"");
	pg_do(app, "CREATE TABLE names (id int PRIMARY KEY, name text COLLATE \"C\", alias varchar(20) COLLATE \"Alike\", "
	           "code code, tags text[] COLLATE \"C\", plain text)");
	pg_do(app, "INSERT INTO names VALUES (1, 'B', 'b', 'x', '{a}', 'B'), (2, 'a', 'ä', 'y', '{b}', 'a')");
}

static void tables_keep_the_collations_of_the_definition(void)
{
	static const struct viewd_column declared[] = {{"id", NULL},     {"name", "text"}, {"alias", "varchar"},
	                                               {"code", "code"}, {"tags", NULL},   {"plain", "text"}};
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	make_names(app);
	struct viewd_view_spec view =
		pg_view("kept", VIEWD_METHOD_TABLE, "SELECT id, name, alias, code, tags, plain FROM names");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	for (size_t i = 0; i < 2; i++) {
		pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
		CHECK_STR(pg_ask(conn, COLLATION("kept", "name")), "C");
		CHECK_STR(pg_ask(conn, COLLATION("kept", "alias")), "Alike");
		CHECK_STR(pg_ask(conn, COLLATION("kept", "code")), "POSIX");
		CHECK_STR(pg_ask(conn, COLLATION("kept", "tags")), "C");
		CHECK_STR(pg_ask(conn, COLLATION("kept", "plain")), "default");
		CHECK_STR(pg_ask(conn, "SELECT string_agg(name, '' ORDER BY name) FROM kept"), "Ba");
		pg_do(app, "UPDATE names SET name = name || 'x'");
		CHECK_INT(pg_refreshed(conn, &view).rows_written, 4);
		CHECK(!pg_look(conn, &view).touched_outside);
		pg_do(app, "UPDATE names SET name = left(name, 1)");
		pg_apply(conn, &view, VIEWD_CHANGE_DROP);
		view.columns = declared; /* the second time round: a type that says nothing of its collation */
		view.n_columns = ARRAY_LEN(declared);
	}
}

static void a_source_may_get_another_collation(void)
{
	static const char *const key_name[] = {"name"};
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	make_names(app);
	struct viewd_view_spec view = pg_view("kept", VIEWD_METHOD_TABLE, "SELECT id, name FROM names");
	view.unique_key = key_name;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_do(app, "ALTER TABLE names ALTER name TYPE text COLLATE \"POSIX\"");
	pg_do(app, "UPDATE names SET id = id + 10 WHERE id = 1");
	CHECK_INT(pg_refreshed(conn, &view).rows_written, 2);
}

static void another_collation_is_another_column(void)
{
	static const struct viewd_column wrong[] = {{"id", NULL}, {"name", "text COLLATE \"POSIX\""}},
									 right[] = {{"id", NULL}, {"name", "text COLLATE \"C\""}};
	struct viewd_conn *conn, *app;
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	start(&conn, &app);
	make_names(app);
	struct viewd_view_spec view = pg_view("kept", VIEWD_METHOD_TABLE, "SELECT id, name FROM names");
	view.columns = wrong;
	view.n_columns = ARRAY_LEN(wrong);
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_CREATE, &out, &err));
	CHECK_CONTAINS(err.msg, "is declared as text COLLATE");
	view.columns = right;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	/* By somebody's hand, and by another definition: the table gets another column, not other rows in the same one. */
	pg_do(conn, "ALTER TABLE kept ALTER name TYPE text COLLATE \"POSIX\"");
	CHECK(pg_look(conn, &view).touched_outside);
	view.n_columns = 0;
	view.definition = "SELECT id, name FROM names WHERE id > 0";
	CHECK_CONTAINS(pg_apply(conn, &view, VIEWD_CHANGE_REPLACE).reason, "built aside");
	CHECK_STR(pg_ask(conn, COLLATION("kept", "name")), "C");
	view.definition = "SELECT id, plain AS name FROM names";
	CHECK_CONTAINS(pg_apply(conn, &view, VIEWD_CHANGE_REPLACE).reason, "built aside");
	CHECK_STR(pg_ask(conn, COLLATION("kept", "name")), "default");
}

#define N_INDEXES "SELECT count(*) FROM pg_index WHERE indrelid = 'mine'::regclass"

static void adoption_uses_the_indexes_that_are_there(void)
{
	static const struct viewd_index declared[] = {{"amount", "(amount DESC) WHERE amount > 3"},
	                                              {"name", "(lower(product) text_pattern_ops) INCLUDE (id)"}};
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	pg_do(conn, "CREATE MATERIALIZED VIEW mine AS SELECT id, product, amount FROM sale");
	pg_do(conn, "CREATE UNIQUE INDEX index_mine_on_id ON mine (id)");
	pg_do(conn, "CREATE INDEX \"By USING\" ON mine (amount DESC) WITH (fillfactor = 70) WHERE amount > 3");
	pg_do(conn, "CREATE INDEX third ON mine (lower(product) text_pattern_ops) INCLUDE (id)");
	struct viewd_view_spec view = pg_view("mine", VIEWD_METHOD_MATERIALIZED, "SELECT id, product, amount FROM sale");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	view.indexes = declared;
	view.n_indexes = ARRAY_LEN(declared);
	pg_apply(conn, &view, VIEWD_CHANGE_ADOPT);
	struct viewd_found found = pg_look(conn, &view);
	CHECK(found.ours && found.indexes_present && found.can_concurrently && found.recorded_index_hash[0] != '\0');
	pg_apply(conn, &view, VIEWD_CHANGE_REINDEX);
	CHECK_STR(pg_ask(conn, N_INDEXES), "3");
	view.definition = "SELECT id, product, amount + 1 AS amount FROM sale";
	pg_apply(conn, &view, VIEWD_CHANGE_REPLACE);
	CHECK_STR(pg_ask(conn, N_INDEXES), "3");
	/* Nobody declares them any more: they are not viewd's to drop. */
	view.n_indexes = view.n_unique_key = 0;
	pg_apply(conn, &view, VIEWD_CHANGE_REINDEX);
	CHECK_STR(pg_ask(conn, N_INDEXES), "3");
}

static void adoption_makes_what_is_only_similar(void)
{
	static const char *const others[] = {"CREATE INDEX other ON mine (product)",
	                                     "CREATE UNIQUE INDEX other ON mine (product) WHERE amount > 0",
	                                     "CREATE UNIQUE INDEX other ON mine (product text_pattern_ops)",
	                                     "CREATE UNIQUE INDEX other ON mine (product COLLATE \"C\")",
	                                     "CREATE UNIQUE INDEX other ON mine (product DESC)",
	                                     "CREATE UNIQUE INDEX other ON mine (product, id)",
	                                     "CREATE UNIQUE INDEX other ON mine (product) INCLUDE (id)",
	                                     "CREATE UNIQUE INDEX other ON mine (lower(product))"};
	static const struct viewd_index declared = {"product", "UNIQUE (product)"};
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	pg_do(app, "DELETE FROM sale WHERE id > 9");
	struct viewd_view_spec view = pg_view("mine", VIEWD_METHOD_MATERIALIZED, "SELECT id, product, amount FROM sale");
	view.indexes = &declared;
	view.n_indexes = 1;
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		pg_do(conn, "CREATE MATERIALIZED VIEW mine AS SELECT id, product, amount FROM sale");
		pg_do(conn, others[i]);
		pg_apply(conn, &view, VIEWD_CHANGE_ADOPT);
		struct viewd_found found = pg_look(conn, &view);
		CHECK(found.ours && !found.indexes_present && found.recorded_index_hash[0] == '\0');
		pg_apply(conn, &view, VIEWD_CHANGE_REINDEX);
		CHECK_STR(pg_ask(conn, N_INDEXES), "2");
		pg_apply(conn, &view, VIEWD_CHANGE_DROP);
	}
}

static void drops_never_cascade_unasked(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_MATERIALIZED, "SELECT id, amount FROM sale");
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_do(conn, "CREATE VIEW reader AS SELECT id FROM stats");
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	CHECK(!DIALECT->apply(conn, &view, VIEWD_CHANGE_DROP, &out, &err));
	CHECK_CONTAINS(err.msg, "reader");
	view.cascade = true;
	pg_apply(conn, &view, VIEWD_CHANGE_DROP);
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM pg_class WHERE relname IN ('stats', 'reader')"), "0");
	CHECK_STR(pg_ask(conn, "SELECT count(*) FROM viewd.views"), "0");
}

static void survives_kill_9_of_the_backend(void)
{
	struct viewd_conn *conn, *app;
	start(&conn, &app);
	struct viewd_view_spec view =
		pg_view("stats", VIEWD_METHOD_MATERIALIZED,
	            "SELECT id, amount, pg_sleep(amount::float / 1000000) IS NULL AS z FROM sale");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	pg_do(app, "UPDATE sale SET amount = 100000000 WHERE id = 1");
	struct viewd_conn *admin = pg_session("postgres");
	int pid = atoi(pg_ask(conn, "SELECT pg_catalog.pg_backend_pid()"));
	pid_t child = fork();
	if (child == 0) {
		while (pg_ask(admin, talloc_asprintf(harness_ctx(),
		                                     "SELECT 1 FROM pg_stat_activity WHERE pid = %d AND query LIKE 'REFRESH%%'",
		                                     pid))[0] == '\0')
			;
		_exit(kill(pid, SIGKILL) == 0 ? 0 : 1);
	}
	struct viewd_err err = {0};
	struct viewd_outcome out = {0};
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = 1};
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_LOST);
	int status = -1;
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	struct viewd_database_spec spec = pg_spec("viewd");
	struct viewd_conn *again = NULL;
	int64_t deadline = harness_deadline(10000000);
	while (again == NULL && harness_pause(deadline))
		again = DIALECT->open(&pg_host, &spec, &err);
	REQUIRE_OK(again != NULL, &err);
	CHECK_STR(pg_ask(again, "SELECT sum(amount) FROM stats"), "5050");
	pg_do(again, "SELECT 1");
	app = pg_session("app");
	pg_do(app, "UPDATE sale SET amount = 2 WHERE id = 1");
	CHECK_INT(pg_refreshed(again, &view).did, VIEWD_DID_CONCURRENT);
	CHECK_STR(pg_ask(again, "SELECT sum(amount) FROM stats"), "5051");
	DIALECT->close(&again);
}

/* ---- somebody puts a table of their own in our table's place while the definition runs ------------------------- */

static struct viewd_conn *usurper;

static void usurp(void *ctx UNUSED, const char *place)
{
	if (usurper == NULL || strcmp(place, "refresh:looked") != 0)
		return;
	pg_do(usurper, "DROP TABLE public.stats");
	pg_do(usurper, "CREATE TABLE public.stats (id integer, amount integer)");
	pg_do(usurper, "INSERT INTO public.stats VALUES (77, 77)");
	usurper = NULL;
}

static void usurper_is_not_written_even_at_the_last_moment(void)
{
	struct viewd_conn *conn, *app;
	struct viewd_err err = {0};
	struct viewd_outcome out;
	start(&conn, &app);
	struct viewd_view_spec view = pg_view("stats", VIEWD_METHOD_TABLE, "SELECT id, amount FROM sale");
	view.unique_key = key_id;
	view.n_unique_key = 1;
	pg_apply(conn, &view, VIEWD_CHANGE_CREATE);
	struct viewd_host host = pg_host;
	host.failpoint = usurp;
	conn->db.host = &host;
	usurper = pg_session("viewd");
	const struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL"};
	CHECK(!DIALECT->refresh(conn, &view, &req, &out, &err));
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_STR(pg_ask(conn, "SELECT id, amount FROM public.stats"), "77,77");
	conn->db.host = &pg_host;
}

static const struct harness_test refresh_tests[] = {
	{"chooses the mode and says why", chooses_the_mode_and_says_why},
	{"names the missing privilege", names_the_missing_privilege},
	{"a failed refresh keeps the last good rows", a_failed_refresh_keeps_the_last_good_rows},
	{"tables are refreshed by difference", tables_are_refreshed_by_difference},
	{"finds sources through views", finds_sources_through_views},
	{"adopts what is equal", adopts_what_is_equal},
	{"tables keep the collations of the definition", tables_keep_the_collations_of_the_definition},
	{"a source may get another collation", a_source_may_get_another_collation},
	{"another collation is another column", another_collation_is_another_column},
	{"adoption uses the indexes that are there", adoption_uses_the_indexes_that_are_there},
	{"adoption makes what is only similar", adoption_makes_what_is_only_similar},
	{"drops never cascade unasked", drops_never_cascade_unasked},
	{"survives kill -9 of the backend", survives_kill_9_of_the_backend},
	{"a usurper is not written even at the last moment", usurper_is_not_written_even_at_the_last_moment},
};
HARNESS_SERVER_MAIN(PG_SERVER, SUITE("postgresql refresh", refresh_tests))
