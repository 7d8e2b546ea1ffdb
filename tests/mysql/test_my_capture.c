/* SPDX-License-Identifier: MIT
 *
 * The rights that noticing changes needs, and the objects that it leaves alone. The rest is in
 * tests/contract/capture.c.
 */
#include "my_support.h"

#include "base/err.h"

static bool keep_warning(void *ctx, const char *text)
{
	char **all = ctx;

	*all = talloc_asprintf_append(*all, "%s\n", text);
	return true;
}

static bool ignore_signal(void *ctx UNUSED, const struct viewd_signal *signal UNUSED)
{
	return true;
}

static bool capture(struct viewd_conn *conn, enum viewd_capture mode, char **warnings, struct viewd_captured *out,
                    struct viewd_err *err)
{
	static const struct viewd_source sales = {"shop", "sales", VIEWD_KIND_TABLE};
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, my_before);
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .sources = &sales, .n_sources = 1};

	*err = (struct viewd_err){0};
	*warnings = talloc_strdup(harness_ctx(), "");
	return DIALECT->capture->set(conn, &view, &req, out, (struct viewd_text_sink){keep_warning, warnings}, err);
}

static void triggers_leave_others_alone(void)
{
	struct viewd_captured out;
	struct viewd_err err;
	char *warnings;

	my_fresh();
	my_do("CREATE TABLE audit (n INT)");
	my_do("CREATE TRIGGER theirs AFTER INSERT ON sales FOR EACH ROW INSERT INTO audit VALUES (1)");
	my_do("CREATE OR REPLACE USER clerk@localhost");
	my_do("GRANT INSERT ON shop.sales TO clerk@localhost");
	struct viewd_conn *conn = my_session();
	for (int i = 0; i < 2; i++)
		REQUIRE_OK(capture(conn, VIEWD_CAPTURE_TRIGGER, &warnings, &out, &err), &err);
	CHECK_CONTAINS(warnings, "TRUNCATE goes unnoticed");
	CHECK_STR(my_ask("SELECT count(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE = 'sales'"), "4");
	my_do("INSERT INTO sales (region, amount) VALUES ('east', 1)");
	CHECK_STR(my_ask("SELECT count(*) FROM audit"), "1");
	CHECK_STR(my_ask("SELECT count(*), max(source) FROM viewd_changes"), "1,`sales`");
	CHECK_STR(my_ask("SELECT count(*) FROM information_schema.TABLE_PRIVILEGES WHERE GRANTEE LIKE '%%clerk%%' AND "
	                 "TABLE_NAME LIKE 'viewd%%'"),
	          "0");
	CHECK_STR(
		my_ask(
			"SELECT group_concat(DISTINCT DEFINER) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%'"),
		"viewd@localhost");
	REQUIRE_OK(capture(conn, VIEWD_CAPTURE_NONE, &warnings, &out, &err), &err);
	CHECK_STR(
		my_ask("SELECT group_concat(TRIGGER_NAME) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE = 'sales'"),
		"theirs");
}

static void a_missing_privilege_is_named(void)
{
	struct viewd_captured out;
	struct viewd_err err;
	char *warnings;

	my_fresh();
	struct viewd_conn *conn = my_session();
	CHECK(!capture(conn, VIEWD_CAPTURE_BINLOG, &warnings, &out, &err));
	CHECK_STR(err_class_word(err.cls), "config");
	CHECK_CONTAINS(err.msg, "log_bin is off");
	CHECK_CONTAINS(err.hint, "REPLICATION SLAVE");
	REQUIRE_OK(capture(conn, VIEWD_CAPTURE_AUTO, &warnings, &out, &err), &err);
	CHECK_INT(out.mode, VIEWD_CAPTURE_TRIGGER);
	CHECK_CONTAINS(out.reason, "no binlog: log_bin is off");
	REQUIRE_OK(capture(conn, VIEWD_CAPTURE_NONE, &warnings, &out, &err), &err);
	my_do("REVOKE TRIGGER ON shop.* FROM viewd@localhost");
	conn = my_session();
	REQUIRE_OK(capture(conn, VIEWD_CAPTURE_AUTO, &warnings, &out, &err), &err);
	CHECK_INT(out.mode, VIEWD_CAPTURE_POLL);
	CHECK_CONTAINS(out.reason, "no triggers: the account lacks TRIGGER or CREATE ROUTINE there");
	CHECK(!capture(conn, VIEWD_CAPTURE_TRIGGER, &warnings, &out, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_CONTAINS(err.hint, "grant TRIGGER");
}

static void a_read_only_server_is_stood_by(void)
{
	struct viewd_err err = {0};
	struct viewd_database_spec spec = my_spec();

	my_fresh();
	struct viewd_watch *watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(watch != NULL, &err);
	DIALECT->capture->watch_close(&watch);
	my_do("SET GLOBAL read_only = ON");
	watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	my_do("SET GLOBAL read_only = OFF");
	CHECK(watch == NULL);
	CHECK_STR(err_class_word(err.cls), "standby");
}

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	*(int64_t *)ctx = signal->seq;
	return true;
}

/* The server likes to read a small table as a whole, and would wait for the rows of others. */
static void a_writer_that_does_not_end_keeps_nothing_back(void)
{
	struct viewd_captured out;
	struct viewd_err err = {0};
	struct viewd_database_spec spec = my_spec();
	char *warnings;

	my_fresh();
	REQUIRE_OK(capture(my_session(), VIEWD_CAPTURE_TRIGGER, &warnings, &out, &err), &err);
	struct viewd_watch *watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(watch != NULL, &err);
	MYSQL *slow = my_root();
	REQUIRE(mysql_query(slow, "BEGIN") == 0 &&
	        mysql_query(slow, "INSERT INTO sales (region, amount) VALUES ('slow', 1)") == 0);
	for (int n = 1; n < 5; n++) {
		int64_t seq = 0, deadline = harness_deadline(15000000);
		my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
		my_do("UPDATE sales SET amount = amount + 1 WHERE region <> 'slow' LIMIT %d", n);
		while (seq == 0 && harness_pause(deadline))
			REQUIRE_OK(DIALECT->capture->watch_next(watch, 100000, (struct viewd_signal_sink){hear, &seq}, &err), &err);
		harness_check(seq > 0, __FILE__, __LINE__, "%d rows are told", n);
	}
	CHECK_STR(my_ask("SELECT count(*) FROM viewd_changes"), "0");
	REQUIRE(mysql_query(slow, "COMMIT") == 0);
	CHECK_STR(my_ask("SELECT count(*) FROM viewd_changes"), "1");
	DIALECT->capture->watch_close(&watch);
}

/* Each table by what can be had for it. */
static void modes_are_chosen_for_each_source(void)
{
	struct viewd_captured out;
	struct viewd_err err = {0};
	char *warnings = talloc_strdup(harness_ctx(), "");

	my_fresh();
	my_do("CREATE TABLE other.far (id INT PRIMARY KEY, region VARCHAR(20))");
	my_do("GRANT SELECT ON other.* TO viewd@localhost");
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view =
		my_view("v", VIEWD_METHOD_TABLE, "SELECT s.id FROM sales s JOIN other.far USING (region)");
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = VIEWD_CAPTURE_AUTO};
	REQUIRE_OK(DIALECT->capture->set(conn, &view, &req, &out, (struct viewd_text_sink){keep_warning, &warnings}, &err),
	           &err);
	CHECK_STR(my_ask("SELECT source, mode FROM viewd_captures ORDER BY source"),
	          "`other`.`far`,poll;`shop`.`sales`,trigger");
	my_do("GRANT TRIGGER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON other.* TO viewd@localhost");
	conn = my_session();
	REQUIRE_OK(DIALECT->capture->set(conn, &view, &req, &out, (struct viewd_text_sink){keep_warning, &warnings}, &err),
	           &err);
	CHECK_STR(my_ask("SELECT source, mode FROM viewd_captures ORDER BY source"),
	          "`other`.`far`,trigger;`shop`.`sales`,trigger");
}

static void capture_child(enum viewd_capture mode)
{
	static const struct viewd_source child = {"shop", "wc", VIEWD_KIND_TABLE};
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, "SELECT * FROM wc");
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .sources = &child, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};
	char *warnings = talloc_strdup(harness_ctx(), "");

	REQUIRE_OK(
		DIALECT->capture->set(my_session(), &view, &req, &out, (struct viewd_text_sink){keep_warning, &warnings}, &err),
		&err);
}

#define TEXT_KEY "VARCHAR(8) COLLATE utf8mb4_general_ci"

/* Captures wc, which the foreign key writes. */
static void begin_child(const char *type, const char *key)
{
	my_fresh();
	my_do("CREATE TABLE w (code %s PRIMARY KEY, note INT)", type);
	my_do("CREATE TABLE wc (id INT PRIMARY KEY, code %s, FOREIGN KEY (code) REFERENCES w (code) ON UPDATE CASCADE)",
	      type);
	my_do("INSERT INTO w VALUES (%s, 1)", key);
	my_do("INSERT INTO wc VALUES (1, %s)", key);
	capture_child(VIEWD_CAPTURE_TRIGGER);
}

#define PARENTS_TRIGGER "information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE = 'w' AND EVENT_MANIPULATION = 'UPDATE'"

static void cascade_is_noticed(const char *type, const char *const keys[static 3])
{
	begin_child(type, keys[2]);
	for (size_t i = 0; i < 3; i++) {
		my_do("DELETE FROM viewd_changes");
		my_do("UPDATE w SET code = %s", keys[i]);
		CHECK_STR(my_ask("SELECT source FROM viewd_changes"), "`wc`");
	}
	CHECK_STR(my_ask("SELECT HEX(w.code) = HEX(wc.code) AND w.code <=> wc.code FROM w, wc"), "1");
	my_do("DELETE FROM viewd_changes");
	my_do("UPDATE w SET note = 2");
	CHECK_STR(my_ask("SELECT count(*) FROM viewd_changes"), "0");
}

/* InnoDB cascades every change of bytes, whatever the collation takes for the same. */
static void a_parents_key_is_compared_by_bytes(void)
{
	cascade_is_noticed(TEXT_KEY, (const char *const[]){"'A'", "'à'", "'a'"});
	cascade_is_noticed("VARCHAR(8) COLLATE utf8mb4_unicode_520_ci", (const char *const[]){"'ss '", "'ß'", "'ss'"});
	cascade_is_noticed("FLOAT", (const char *const[]){"1.0000001", "1.0000002", "1"});
	cascade_is_noticed("DOUBLE", (const char *const[]){"1.0000000000000002", "1.0000000000000004", "1"});
}

/* An earlier version compared the key as its collation does. */
static void triggers_of_an_earlier_version_are_made_again(void)
{
	begin_child(TEXT_KEY, "'a'");
	const char *name = my_ask("SELECT TRIGGER_NAME FROM " PARENTS_TRIGGER);
	my_do("DROP TRIGGER %s", name);
	my_do("CREATE DEFINER = viewd@localhost TRIGGER %s AFTER UPDATE ON w FOR EACH ROW BEGIN DECLARE CONTINUE HANDLER "
	      "FOR 1142, 1146 BEGIN END; IF NOT (OLD.`code` <=> NEW.`code`) THEN CALL viewd_note('`wc`'); END IF; END",
	      name);
	capture_child(VIEWD_CAPTURE_TRIGGER);
	CHECK_STR(my_ask("SELECT TRIGGER_NAME FROM " PARENTS_TRIGGER), name);
	CHECK_CONTAINS(my_ask("SELECT ACTION_STATEMENT FROM " PARENTS_TRIGGER), "CAST(OLD.`code` AS BINARY)");
	capture_child(VIEWD_CAPTURE_NONE);
	CHECK_STR(my_ask("SELECT count(*) FROM " PARENTS_TRIGGER), "0");
}

/* ---- what the account may not see */

static const char *ours(void)
{
	return my_ask("SELECT (SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE TRIGGER_NAME LIKE 'viewd%%'), "
	              "(SELECT COUNT(*) FROM information_schema.ROUTINES WHERE ROUTINE_NAME LIKE 'viewd%%'), "
	              "(SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_NAME LIKE 'viewd%%')");
}

static bool leave(bool print, struct viewd_err *err)
{
	struct viewd_uninstall_request req = {.struct_size = sizeof req, .print = print};
	char *told = talloc_strdup(harness_ctx(), "");

	*err = (struct viewd_err){0};
	return DIALECT->uninstall(my_unprepared(), &req, (struct viewd_text_sink){keep_warning, &told}, err);
}

static void begin_two(void)
{
	const struct viewd_source sources[] = {{"shop", "sales", VIEWD_KIND_TABLE}, {"other", "far", VIEWD_KIND_TABLE}};
	struct viewd_view_spec view =
		my_view("v", VIEWD_METHOD_TABLE, "SELECT s.id FROM sales s JOIN other.far f ON f.id = s.id");
	struct viewd_capture_request req = {
		.struct_size = sizeof req, .mode = VIEWD_CAPTURE_TRIGGER, .sources = sources, .n_sources = 2};
	struct viewd_captured out;
	struct viewd_err err = {0};
	char *warnings = talloc_strdup(harness_ctx(), "");

	my_fresh();
	my_do("CREATE TABLE other.far (id INT PRIMARY KEY)");
	my_do("GRANT ALL ON other.* TO viewd@localhost");
	REQUIRE_OK(
		DIALECT->capture->set(my_session(), &view, &req, &out, (struct viewd_text_sink){keep_warning, &warnings}, &err),
		&err);
}

/* The catalogue shows a trigger without its body, or not at all. */
static void leaving_takes_all_or_nothing(void)
{
	static const struct {
		const char *revoke, *grant, *hint;
	} cases[] = {
		{"REVOKE TRIGGER ON shop.* FROM viewd@localhost", "GRANT TRIGGER ON shop.* TO viewd@localhost",
	     "grant TRIGGER on shop.*"},
		{"REVOKE TRIGGER ON other.* FROM viewd@localhost", "GRANT TRIGGER ON other.* TO viewd@localhost",
	     "grant TRIGGER on other.*"},
		{"REVOKE ALL ON other.* FROM viewd@localhost", "GRANT ALL ON other.* TO viewd@localhost",
	     "grant TRIGGER on other.*"},
	};
	struct viewd_err err;

	begin_two();
	const char *before = ours();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		my_do("%s", cases[i].revoke);
		for (int print = 0; print < 2; print++) {
			CHECK(!leave(print != 0, &err));
			CHECK_STR(err_class_word(err.cls), "denied");
			CHECK_CONTAINS(err.hint, cases[i].hint);
		}
		CHECK_STR(ours(), before);
		my_do("%s", cases[i].grant);
	}
	my_do("CREATE TRIGGER other.viewd_i_0123456789abcdef AFTER INSERT ON other.far FOR EACH ROW SET @theirs = 1");
	REQUIRE_OK(leave(false, &err), &err);
	CHECK_STR(ours(), "1,0,0");
	my_do("INSERT INTO other.far VALUES (1)");
}

/* Another viewd's triggers on a table that this one's account may read alone. */
static void leaving_minds_nobody_elses(void)
{
	struct viewd_err err;

	begin_two();
	my_do("CREATE TABLE other.theirs (id INT PRIMARY KEY)");
	my_do("CREATE TRIGGER other.viewd_i_0123456789abcdef AFTER INSERT ON other.theirs FOR EACH ROW SET @theirs = 1");
	my_do("REVOKE ALL ON other.* FROM viewd@localhost");
	my_do("GRANT ALL ON other.far TO viewd@localhost");
	my_do("GRANT EXECUTE, ALTER ROUTINE ON other.* TO viewd@localhost");
	my_do("GRANT SELECT ON other.theirs TO viewd@localhost");
	REQUIRE_OK(leave(false, &err), &err);
	CHECK_STR(ours(), "1,0,0");
}

/* Hidden triggers are neither made again nor forgotten, and keep nobody from setting up what needs none. */
static void hidden_triggers_are_known(void)
{
	struct viewd_captured out;
	struct viewd_err err;
	char *warnings;

	my_fresh();
	REQUIRE_OK(capture(my_session(), VIEWD_CAPTURE_TRIGGER, &warnings, &out, &err), &err);
	my_do("REVOKE TRIGGER ON shop.* FROM viewd@localhost");
	CHECK(!capture(my_session(), VIEWD_CAPTURE_TRIGGER, &warnings, &out, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_CONTAINS(err.hint, "grant TRIGGER on shop.*");
	struct viewd_database_spec spec = my_spec();
	struct viewd_watch *watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(watch != NULL, &err);
	CHECK(!DIALECT->capture->watch_next(watch, 0, (struct viewd_signal_sink){ignore_signal, NULL}, &err));
	CHECK_STR(err_class_word(err.cls), "denied");
	CHECK_CONTAINS(err.hint, "grant TRIGGER on shop.*");
	DIALECT->capture->watch_close(&watch);
	expect_log("triggers of table `shop`.`sales` that nobody needs stay for now");
	struct viewd_conn *conn = my_session();
	for (int i = 0; i < 2; i++)
		REQUIRE_OK(capture(conn, VIEWD_CAPTURE_AUTO, &warnings, &out, &err), &err);
	CHECK_INT(out.mode, VIEWD_CAPTURE_POLL);
	CHECK_STR(my_ask("SELECT COUNT(*) FROM viewd_triggers"), "3");
	my_do("GRANT TRIGGER ON shop.* TO viewd@localhost");
	REQUIRE_OK(capture(my_session(), VIEWD_CAPTURE_NONE, &warnings, &out, &err), &err);
	CHECK_STR(my_ask("SELECT COUNT(*) FROM viewd_triggers"), "0");
	CHECK_STR(my_ask("SELECT COUNT(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE = 'sales'"), "0");
}

/* ---- rows of marks ---- */

static void open_watch(void)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	struct viewd_watch *watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(watch != NULL, &err);
	DIALECT->capture->watch_close(&watch);
}

static bool run(MYSQL *my, const char *sql)
{
	bool done = mysql_query(my, sql) == 0;
	mysql_free_result(mysql_store_result(my));
	return done;
}

/* A session that holds one row keeps nobody from marking another source, whatever the level of isolation; also in a
 * table that an older viewd has made. */
static void marks_of_other_sources_do_not_wait(void)
{
	begin_two();
	my_do("DROP INDEX IF EXISTS viewd_captures_source ON viewd_captures");
	open_watch();
	my_do("INSERT INTO viewd_captures (`view`, source, mode, dirty_seq, clean_seq) SELECT CONCAT('w', seq), "
	      "CONCAT('`t', seq, '`'), 'trigger', 0, 0 FROM seq_1_to_50");
	MYSQL *one = my_root_open(), *two = my_root_open();
	CHECK(run(one, "BEGIN"));
	CHECK(run(one, "UPDATE viewd_captures SET clean_seq = clean_seq + 1 WHERE `view` = 'w7'"));
	CHECK(run(two, "SET innodb_lock_wait_timeout = 1"));
	CHECK(run(two, "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"));
	CHECK(run(two, "UPDATE viewd_captures SET dirty_seq = dirty_seq + 1 WHERE source = '`t8`'"));
	CHECK(!run(two, "UPDATE viewd_captures SET dirty_seq = dirty_seq + 1 WHERE source = '`t7`'"));
	mysql_close(one);
	mysql_close(two);
}

static const struct harness_test tests[] = {
	{"leaving takes all or nothing", leaving_takes_all_or_nothing},
	{"leaving minds nobody else's", leaving_minds_nobody_elses},
	{"hidden triggers are known", hidden_triggers_are_known},
	{"a parent's key is compared by bytes", a_parents_key_is_compared_by_bytes},
	{"triggers of an earlier version are made again", triggers_of_an_earlier_version_are_made_again},
	{"modes are chosen for each source", modes_are_chosen_for_each_source},
	{"a writer that does not end keeps nothing back", a_writer_that_does_not_end_keeps_nothing_back},
	{"triggers leave others alone", triggers_leave_others_alone},
	{"a missing privilege is named", a_missing_privilege_is_named},
	{"a read-only server is stood by", a_read_only_server_is_stood_by},
	{"marks of other sources do not wait", marks_of_other_sources_do_not_wait},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql capture", tests))
