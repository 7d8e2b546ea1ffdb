/* SPDX-License-Identifier: MIT
 *
 * Triggers of viewd's must not harm those who write a table. Changes that the triggers could not tell are made up for.
 */
#include "my_support.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "mysql/capture/trigger_procedure.h"

#define PATIENCE INT64_C(30000000)

struct scene {
	struct viewd_conn *conn;
	struct viewd_watch *watch;
	struct viewd_source source;
	int64_t seq;
	char *warnings;
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;

	if (signal->kind == VIEWD_SIGNAL_STALE)
		s->seq = signal->seq;
	return true;
}

static bool keep_warning(void *ctx, const char *text)
{
	char **all = ctx;

	*all = talloc_asprintf_append(*all, "%s\n", text);
	return true;
}

static bool ignore_text(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool capture(struct scene *s, enum viewd_capture mode, struct viewd_err *err)
{
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, my_select_from(s->source.schema, s->source.name));
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .sources = &s->source, .n_sources = 1};
	struct viewd_captured out;

	*err = (struct viewd_err){0};
	s->warnings = talloc_strdup(harness_ctx(), "");
	return DIALECT->capture->set(s->conn, &view, &req, &out, (struct viewd_text_sink){keep_warning, &s->warnings}, err);
}

static void set_up(struct scene *s)
{
	struct viewd_err err;

	REQUIRE_OK(capture(s, VIEWD_CAPTURE_TRIGGER, &err), &err);
}

static struct viewd_watch *opened(void)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	struct viewd_watch *watch = DIALECT->capture->watch_open(&my_host, &spec, &err);

	REQUIRE_OK(watch != NULL, &err);
	return watch;
}

static int close_watch(struct scene *s)
{
	DIALECT->capture->watch_close(&s->watch);
	return 0;
}

static struct scene *begin_with(const char *schema, const char *table)
{
	struct scene *s = talloc_zero(harness_ctx(), struct scene);

	talloc_set_destructor(s, close_watch);
	my_do("CREATE OR REPLACE USER clerk@localhost");
	my_do("GRANT SELECT, INSERT, UPDATE, DELETE, LOCK TABLES ON `%s`.* TO clerk@localhost", schema);
	s->source = (struct viewd_source){schema, table, VIEWD_KIND_TABLE};
	s->conn = my_session();
	set_up(s);
	return s;
}

static struct scene *begin(void)
{
	my_fresh();
	my_do("DROP ROLE IF EXISTS " DEFINER_ROLE);
	return begin_with("shop", "sales");
}

/* The role, with all that the manual asks for. */
static void make_role(void)
{
	my_do("CREATE OR REPLACE ROLE " DEFINER_ROLE);
	my_do("GRANT TRIGGER, EXECUTE, INSERT ON shop.* TO " DEFINER_ROLE);
	my_do("GRANT " DEFINER_ROLE " TO viewd@localhost");
}

/* The first error that the clerk gets for these statements, separated by ;. "" none. */
static const char *clerk(const char *database, const char *statements)
{
	char *sock = talloc_asprintf(harness_ctx(), "%s/sock", getenv("VIEWD_TEST_MARIADB"));
	char *rest = talloc_strdup(harness_ctx(), statements), *one;
	const char *met = "";
	MYSQL *my = mysql_init(NULL);

	REQUIRE(mysql_real_connect(my, NULL, "clerk", NULL, database, 0, sock, 0) != NULL);
	while (met[0] == '\0' && (one = strsep(&rest, ";")) != NULL)
		if (mysql_query(my, one) != 0)
			met = talloc_strdup(harness_ctx(), mysql_error(my));
	mysql_close(my);
	return met;
}

static const char insert[] = "INSERT INTO sales (region, amount) VALUES ('east', 1)";
static const char locked[] = "LOCK TABLES sales WRITE; INSERT INTO sales (region, amount) VALUES ('lock', 1); UPDATE "
							 "sales SET amount = amount + 1;"
							 "DELETE FROM sales WHERE region = 'lock'; UNLOCK TABLES";

static const char *words(void)
{
	return my_ask("SELECT count(*) FROM shop.viewd_changes");
}

/* ---- writers */

static void locked_tables_can_be_written(void)
{
	struct scene *s = begin();

	my_do("CREATE TABLE more LIKE sales");
	s->source.name = "more";
	struct viewd_view_spec view = my_view("w", VIEWD_METHOD_TABLE, "SELECT * FROM more");
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &s->source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};
	REQUIRE_OK(
		DIALECT->capture->set(s->conn, &view, &req, &out, (struct viewd_text_sink){keep_warning, &s->warnings}, &err),
		&err);
	CHECK_STR(clerk("shop", locked), "");
	CHECK_STR(my_ask("SELECT DISTINCT source FROM viewd_changes"), "`sales`");
	CHECK_STR(
		clerk(
			"shop",
			"LOCK TABLES sales WRITE, more WRITE; INSERT INTO sales (region, amount) VALUES ('a', 1); INSERT INTO more"
			" SELECT * FROM sales; UPDATE sales JOIN more ON more.id = sales.id SET sales.amount = 1, "
			"more.amount = 2; UNLOCK TABLES"),
		"");
	CHECK_STR(my_ask("SELECT group_concat(DISTINCT source ORDER BY source) FROM viewd_changes"), "`more`,`sales`");
}

/* Each is done to viewd's things; then the clerk writes. */
static void broken_things_stop_nobody(void)
{
	static const char *const breaks[] = {
		"DROP TABLE viewd_changes",
		"RENAME TABLE viewd_changes TO elsewhere",
		"CREATE OR REPLACE TABLE viewd_changes (n INT)",
		("CREATE OR REPLACE TABLE viewd_changes (id BIGINT AUTO_INCREMENT PRIMARY KEY, source VARCHAR(255), more INT "
	     "NOT NULL)"),
		"DROP TABLE viewd_changes; CREATE VIEW viewd_changes AS SELECT 1 AS id, 'x' AS source",
		"ALTER TABLE viewd_changes DISCARD TABLESPACE",
		"DROP PROCEDURE viewd_note",
		"REVOKE INSERT ON shop.* FROM viewd@localhost",
		"REVOKE EXECUTE ON shop.* FROM viewd@localhost",
	};

	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		begin();
		char *rest = talloc_strdup(harness_ctx(), breaks[i]), *one;
		while ((one = strsep(&rest, ";")) != NULL)
			my_do("%s", one);
		const char *met = clerk("shop", insert);
		harness_check(met[0] == '\0', __FILE__, __LINE__, "after %s: %s", breaks[i], met);
	}
}

static void broken_things_are_noticed_and_made_up_for(void)
{
	static const char *const breaks[] = {"DROP TABLE viewd_changes", "DROP PROCEDURE viewd_note",
	                                     "DROP PROCEDURE viewd_test"};

	for (size_t i = 0; i < ARRAY_LEN(breaks); i++) {
		struct scene *s = begin();
		struct viewd_err err = {0};
		int64_t deadline = harness_deadline(PATIENCE);

		s->watch = opened();
		REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 0, (struct viewd_signal_sink){hear, s}, &err), &err);
		expect_log(" made again");
		my_do("%s", breaks[i]);
		CHECK_STR(clerk("shop", insert), "");
		my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
		s->seq = 0;
		DIALECT->capture->watch_wake(s->watch);
		while (s->seq == 0 && harness_pause(deadline))
			if (!DIALECT->capture->watch_next(s->watch, 100000, (struct viewd_signal_sink){hear, s}, &err)) {
				DIALECT->capture->watch_close(&s->watch);
				s->watch = opened();
			}
		harness_check(s->seq > 0, __FILE__, __LINE__, "told after %s", breaks[i]);
		while (strcmp(my_ask("SELECT count(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%'"),
		              "3") != 0 &&
		       harness_pause(deadline))
			REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 100000, (struct viewd_signal_sink){hear, s}, &err), &err);
		my_do("DELETE FROM viewd_changes");
		CHECK_STR(clerk("shop", insert), "");
		CHECK_STR(words(), "1");
		DIALECT->capture->watch_close(&s->watch);
	}
}

/* A caller that asks is not told that all was heard while a trigger is gone. */
static void a_dropped_trigger_is_missed_by_who_asks(void)
{
	struct scene *s = begin();
	struct viewd_err err = {0};

	s->watch = opened();
	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 0, (struct viewd_signal_sink){hear, s}, &err), &err);
	my_do("DROP TRIGGER %s",
	      my_ask("SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd_i%%'"));
	CHECK_STR(clerk("shop", insert), "");
	expect_log("has lost its triggers");
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	s->seq = 0;
	DIALECT->capture->watch_wake(s->watch);
	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, PATIENCE, (struct viewd_signal_sink){hear, s}, &err), &err);
	CHECK(s->seq > 0);
	CHECK_STR(my_ask("SELECT count(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%'"), "3");
}

/* A writer that is still at work has left no word: what is marked before it ends would be refreshed without it. */
static void a_writer_at_work_is_waited_for(void)
{
	struct scene *s = begin();
	struct viewd_err err = {0};
	int64_t deadline = harness_deadline(PATIENCE);

	s->watch = opened();
	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 0, (struct viewd_signal_sink){hear, s}, &err), &err);
	my_do("DROP PROCEDURE viewd_note");
	MYSQL *slow = my_root();
	REQUIRE(mysql_query(slow, "BEGIN") == 0 && mysql_query(slow, insert) == 0);
	expect_log("the triggers' words are lost");
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	s->seq = 0;
	DIALECT->capture->watch_wake(s->watch);
	for (int i = 0; i < 3; i++)
		REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 100000, (struct viewd_signal_sink){hear, s}, &err), &err);
	CHECK_INT(s->seq, 0);
	REQUIRE(mysql_query(slow, "COMMIT") == 0);
	while (s->seq == 0 && harness_pause(deadline))
		REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 100000, (struct viewd_signal_sink){hear, s}, &err), &err);
	CHECK(s->seq > 0);
	expect_log("has lost its triggers");
}

/* ---- the definer */

static void a_role_outlives_the_account(void)
{
	struct scene *s = begin();

	CHECK_CONTAINS(s->warnings, "triggers run as viewd@localhost: should it be dropped");
	make_role();
	s->conn = my_session();
	set_up(s);
	CHECK(strstr(s->warnings, "should it be dropped") == NULL);
	CHECK_STR(
		my_ask("SELECT count(*), max(DEFINER) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%'"),
		"3,viewd_definer@");
	CHECK_STR(my_ask("SELECT CURRENT_ROLE()"), "null");
	my_do("DROP USER viewd@localhost");
	my_do("DELETE FROM viewd_changes");
	CHECK_STR(clerk("shop", insert), "");
	CHECK_STR(clerk("shop", locked), "");
	CHECK(strcmp(words(), "0") != 0);
}

/* With a role that may not, every writer would be refused. */
static void a_role_that_lacks_something_is_not_used(void)
{
	struct scene *s = begin();
	struct viewd_err err;

	make_role();
	my_do("REVOKE TRIGGER ON shop.* FROM " DEFINER_ROLE);
	s->conn = my_session();
	set_up(s);
	CHECK_CONTAINS(s->warnings, "role viewd_definer is not used, it lacks TRIGGER on shop.*");
	CHECK_STR(clerk("shop", insert), "");
	my_do("GRANT TRIGGER ON `sh_p`.* TO " DEFINER_ROLE);
	s->conn = my_session();
	set_up(s);
	CHECK_CONTAINS(s->warnings, "it lacks TRIGGER on shop.*"); /* what names the database alone counts */
	CHECK_STR(clerk("shop", insert), "");
	my_do("GRANT TRIGGER ON shop.sales TO " DEFINER_ROLE);
	my_do("REVOKE EXECUTE ON shop.* FROM " DEFINER_ROLE);
	s->conn = my_session();
	CHECK(!capture(s, VIEWD_CAPTURE_TRIGGER, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_CONTAINS(err.hint, "EXECUTE on shop.* and INSERT on shop.* to viewd_definer");
	CHECK_STR(clerk("shop", insert), "");
	my_do("GRANT EXECUTE ON shop.* TO " DEFINER_ROLE);
	my_do("REVOKE INSERT ON shop.* FROM " DEFINER_ROLE);
	CHECK(!capture(s, VIEWD_CAPTURE_TRIGGER, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	my_do("GRANT INSERT ON shop.viewd_changes TO " DEFINER_ROLE);
	set_up(s);
	my_do("DELETE FROM viewd_changes");
	CHECK_STR(clerk("shop", insert), "");
	CHECK_STR(words(), "1");
}

/* ---- copies */

/* SHOW CREATE TRIGGER gives what a dump holds. The database of the copy is the session's. */
static void copy_triggers(const char *from, const char *to)
{
	char *names = talloc_strdup(harness_ctx(), my_ask("SELECT group_concat(TRIGGER_NAME SEPARATOR ' ') FROM "
	                                                  "information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = '%s'",
	                                                  from)),
		 *name;
	MYSQL *my = my_root();

	while ((name = strsep(&names, " ")) != NULL) {
		REQUIRE(mysql_select_db(my, from) == 0);
		REQUIRE(mysql_query(my, talloc_asprintf(harness_ctx(), "SHOW CREATE TRIGGER %s", name)) == 0);
		MYSQL_RES *result = mysql_store_result(my);
		char *sql = talloc_strdup(harness_ctx(), mysql_fetch_row(result)[2]);
		mysql_free_result(result);
		REQUIRE(mysql_select_db(my, to) == 0);
		CHECK_STR(mysql_query(my, sql) == 0 ? "" : mysql_error(my), "");
	}
}

static void a_dump_is_loaded_elsewhere(void)
{
	begin();
	my_do("CREATE TABLE other.sales LIKE sales");
	my_do("GRANT TRIGGER ON other.* TO viewd@localhost");
	my_do("GRANT SELECT, INSERT ON other.* TO clerk@localhost");
	copy_triggers("shop", "other");
	CHECK_STR(clerk("other", insert), "");
	CHECK_STR(words(), "0");
	CHECK_STR(clerk("shop", insert), "");
	CHECK_STR(words(), "1");
}

/* The home database gets its procedure now. The triggers of the other database stay: they call another procedure. */
static void the_first_view_at_home(struct viewd_conn *conn)
{
	struct viewd_view_spec view = my_view("w", VIEWD_METHOD_TABLE, my_select_from("shop", "sales"));
	const struct viewd_source source = {"shop", "sales", VIEWD_KIND_TABLE};
	const struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};

	REQUIRE_OK(DIALECT->capture->set(conn, &view, &req, &out, (struct viewd_text_sink){ignore_text, NULL}, &err), &err);
}

/* The table is of another database: so is the procedure, and the log is at home. */
static void tables_of_another_database(void)
{
	my_fresh();
	my_do("DROP ROLE IF EXISTS " DEFINER_ROLE);
	my_do("CREATE TABLE other.sales LIKE sales");
	my_do("CREATE OR REPLACE DATABASE third");
	my_do("GRANT SELECT, TRIGGER ON other.* TO viewd@localhost");
	my_do("GRANT TRIGGER ON third.* TO viewd@localhost");
	struct scene s = {.source = {"other", "sales", VIEWD_KIND_TABLE}, .conn = my_session()};
	struct viewd_err err;
	CHECK(!capture(&s, VIEWD_CAPTURE_TRIGGER, &err));
	CHECK_CONTAINS(err.hint, "grant CREATE ROUTINE, ALTER ROUTINE, EXECUTE on other.*");
	my_do("GRANT CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON other.* TO viewd@localhost");
	struct scene *away = begin_with("other", "sales");
	CHECK_STR(my_ask("SELECT DATABASE(), count(*) FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA = 'shop'"),
	          "shop,0");
	CHECK_STR(clerk("other", locked), "");
	CHECK_STR(my_ask("SELECT DISTINCT source FROM viewd_changes"), "`other`.`sales`");
	the_first_view_at_home(away->conn);
	CHECK_STR(my_ask("SELECT count(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'other'"), "3");
	my_do("DELETE FROM viewd_changes");
	my_do("CREATE TABLE third.sales LIKE sales");
	my_do("GRANT INSERT ON third.* TO clerk@localhost");
	copy_triggers("other", "third");
	CHECK_STR(clerk("third", insert), "");
	CHECK_STR(words(), "0");
	my_do("DROP TABLE viewd_changes");
	CHECK_STR(clerk("other", insert), "");
	REQUIRE_OK(capture(away, VIEWD_CAPTURE_NONE, &err), &err);
	CHECK_STR(my_ask("SELECT count(*) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'other'"), "0");
	my_do("DROP DATABASE third");
}

/* ---- older versions, strangers */

static void triggers_of_older_versions_are_replaced(void)
{
	struct scene *s = begin();
	struct viewd_err err;

	REQUIRE_OK(capture(s, VIEWD_CAPTURE_NONE, &err), &err);
	for (size_t i = 0; i < 3; i++) {
		static const char *const events[] = {"INSERT", "UPDATE", "DELETE"};
		const char *name = talloc_asprintf(harness_ctx(), "viewd_%c_0123456789abcde%zu", "iud"[i], i);
		my_do("CREATE DEFINER=viewd@localhost TRIGGER %s AFTER %s ON sales FOR EACH ROW INSERT INTO "
		      "`shop`.`viewd_changes` (source) VALUES ('`shop`.`sales`')",
		      name, events[i]);
		my_do("INSERT INTO viewd_triggers VALUES ('`shop`.`sales`', 'shop', '%s')", name);
	}
	CHECK_STR(clerk("shop", insert), "");
	CHECK_STR(words(), "1");
	set_up(s);
	CHECK_STR(my_ask("SELECT count(*), sum(ACTION_STATEMENT LIKE 'BEGIN DECLARE%%') FROM information_schema.TRIGGERS "
	                 "WHERE TRIGGER_SCHEMA = 'shop'"),
	          "3,3");
	CHECK_STR(my_ask("SELECT count(*), min(trigger_schema), min(source) FROM viewd_triggers"), "3,,`sales`");
}

/* A user who may write viewd's tables must not have viewd drop what is not its own. */
static void a_forged_name_drops_nothing(void)
{
	struct scene *s = begin();
	struct viewd_err err;

	my_do("CREATE TABLE own (n INT)");
	my_do("CREATE TRIGGER mine BEFORE INSERT ON own FOR EACH ROW SET NEW.n = NEW.n + 1");
	my_do("INSERT INTO viewd_triggers VALUES ('`sales`', '', 'mine'), ('`shop`.`sales`', 'shop', 'mine')");
	expect_log("trigger mine is not viewd's");
	REQUIRE_OK(capture(s, VIEWD_CAPTURE_NONE, &err), &err);
	CHECK_STR(
		my_ask("SELECT group_concat(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = 'shop'"),
		"mine");
	CHECK_STR(my_ask("SELECT count(*) FROM viewd_triggers"), "0");
}

static void strangers_of_the_same_name(void)
{
	struct scene *s = begin();
	struct viewd_err err;

	REQUIRE_OK(capture(s, VIEWD_CAPTURE_NONE, &err), &err);
	my_do("DROP PROCEDURE viewd_note");
	my_do("CREATE PROCEDURE viewd_note (x INT) DO x");
	CHECK(!capture(s, VIEWD_CAPTURE_TRIGGER, &err));
	CHECK_STR(err_class_word(err.cls), "exists");
	CHECK_CONTAINS(err.msg, "procedure shop.viewd_note is in the way and is not viewd's");
	CHECK_STR(clerk("shop", insert), "");
}

static const struct harness_test tests[] = {
	{"locked tables can be written", locked_tables_can_be_written},
	{"broken things stop nobody", broken_things_stop_nobody},
	{"broken things are noticed and made up for", broken_things_are_noticed_and_made_up_for},
	{"a dropped trigger is missed by who asks", a_dropped_trigger_is_missed_by_who_asks},
	{"a writer at work is waited for", a_writer_at_work_is_waited_for},
	{"a role outlives the account", a_role_outlives_the_account},
	{"a role that lacks something is not used", a_role_that_lacks_something_is_not_used},
	{"a dump is loaded elsewhere", a_dump_is_loaded_elsewhere},
	{"tables of another database", tables_of_another_database},
	{"triggers of older versions are replaced", triggers_of_older_versions_are_replaced},
	{"a forged name drops nothing", a_forged_name_drops_nothing},
	{"strangers of the same name", strangers_of_the_same_name},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql writers", tests))
