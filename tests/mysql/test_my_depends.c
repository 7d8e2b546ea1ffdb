/* SPDX-License-Identifier: MIT
 *
 * The dependencies of a view: found through plain views and functions, compared, heard in the binary log, or called
 * unheard by their names.
 */
#include "my_support.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "mysql/capture/binlog/targets.h"

#define PATIENCE INT64_C(30000000)

struct scene {
	struct viewd_conn *conn;
	struct viewd_watch *watch;
	int64_t seq;
	int n_redefined;
	char *entries;
	enum viewd_capture mode;
	const char *name; /* of the view */
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;
	if (signal->kind == VIEWD_SIGNAL_STALE)
		s->seq = signal->seq;
	if (signal->kind == VIEWD_SIGNAL_REDEFINED)
		s->n_redefined++;
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static bool keep_entry(void *ctx, const struct viewd_dependency *entry)
{
	static const char *const words[] = {
#define WORD(sym, word, doc) word,
		VIEWD_HEARD(WORD)
#undef WORD
	};
	struct scene *s = ctx;
	s->entries = talloc_asprintf_append(s->entries, "%s %s\n", entry->name, words[entry->heard_by]);
	if (entry->heard_by == VIEWD_HEARD_NONE)
		s->entries = talloc_asprintf_append(s->entries, "because %s\n", entry->reason);
	return true;
}

static bool capture(struct scene *s, const char *definition, struct viewd_err *err)
{
	struct viewd_view_spec spec = my_view(s->name, VIEWD_METHOD_TABLE, definition);
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = s->mode, .dependencies = {keep_entry, s}};
	struct viewd_captured out;
	*err = (struct viewd_err){0};
	s->entries = talloc_strdup(harness_ctx(), "");
	return DIALECT->capture->set(s->conn, &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, err);
}

static void set_up(struct scene *s, const char *definition)
{
	struct viewd_err err;
	REQUIRE_OK(capture(s, definition, &err), &err);
}

static int close_watch(struct scene *s)
{
	DIALECT->capture->watch_close(&s->watch);
	return 0;
}

static struct scene *begin(void)
{
	struct scene *s = talloc_zero(harness_ctx(), struct scene);
	if (my_ask("SELECT @@log_bin")[0] != '1')
		harness_skip("the server has no binary log");
	talloc_set_destructor(s, close_watch);
	my_fresh();
	my_do("SET GLOBAL log_bin_trust_function_creators = ON");
	my_do("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost");
	my_do("GRANT SELECT, SHOW VIEW ON other.* TO viewd@localhost");
	my_do("GRANT SELECT ON mysql.proc TO viewd@localhost");
	my_do("CREATE TABLE t1 (id INT PRIMARY KEY, v INT, w VARCHAR(20))");
	my_do("CREATE TABLE t2 (id INT PRIMARY KEY, v INT, w VARCHAR(20))");
	my_do("CREATE VIEW mid AS SELECT id, v FROM t1 WHERE v > 1");
	my_do("CREATE VIEW upper_one AS SELECT id, v FROM mid");
	my_do("CREATE FUNCTION best(n INT) RETURNS INT READS SQL DATA RETURN (SELECT max(v) FROM t2 WHERE id < n)");
	my_do("CREATE FUNCTION twice(n INT) RETURNS INT READS SQL DATA RETURN 2 * best(n)");
	s->mode = VIEWD_CAPTURE_BINLOG;
	s->name = "v";
	s->conn = my_session();
	return s;
}

static void watch(struct scene *s)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	s->watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(s->watch != NULL, &err);
	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 0, (struct viewd_signal_sink){hear, s}, &err), &err);
}

/* Without anybody asking, sooner than any heartbeat would bring it. */
static bool is_redefined(struct scene *s, int64_t patience)
{
	int64_t deadline = harness_deadline(patience);
	struct viewd_err err = {0};
	while (s->n_redefined == 0 && harness_pause(deadline))
		REQUIRE_OK(DIALECT->capture->watch_next(s->watch, 50000, (struct viewd_signal_sink){hear, s}, &err), &err);
	return s->n_redefined > 0;
}

/* One look that somebody asks for. */
static void look(struct scene *s)
{
	struct viewd_err err = {0};
	DIALECT->capture->watch_wake(s->watch);
	REQUIRE_OK(DIALECT->capture->watch_next(s->watch, PATIENCE, (struct viewd_signal_sink){hear, s}, &err), &err);
}

/* ---- what is found */

static void plain_views_and_functions_are_read_through(void)
{
	struct scene *s = begin();
	set_up(s, "SELECT id, twice(id) AS n FROM upper_one");
	CHECK_CONTAINS(s->entries, "`shop`.`upper_one` look\n");
	CHECK_CONTAINS(s->entries, "`shop`.`mid` look\n");
	CHECK_CONTAINS(s->entries, "`shop`.`t1` binlog\n");
	CHECK_CONTAINS(s->entries, "function `shop`.`twice` look\n");
	CHECK_CONTAINS(s->entries, "function `shop`.`best` look\n");
	CHECK_CONTAINS(s->entries, "`shop`.`t2` binlog\n");
	CHECK(strstr(s->entries, "none") == NULL);
	my_do("CREATE VIEW other.far AS SELECT shop.twice(id) AS n FROM shop.t1");
	set_up(s, "SELECT n FROM other.far");
	CHECK_CONTAINS(s->entries, "`other`.`far` look\n");
	CHECK_CONTAINS(s->entries, "`shop`.`t2` binlog\n");
}

/* A word of a function's body may be the name of the view's own table: that its refreshes called for the next one would
 * never end. */
static void no_view_is_its_own_source(void)
{
	struct scene *s = begin();
	my_do("CREATE TABLE v (n INT)");
	set_up(s, "SELECT best(1) AS n");
	CHECK_CONTAINS(s->entries, "`shop`.`t2` binlog\n");
	CHECK(strstr(s->entries, "`shop`.`v` ") == NULL);
	my_do("CREATE TABLE other.v (n INT)");
	my_do("CREATE VIEW other.beside AS SELECT n, shop.best(1) AS b FROM other.v");
	set_up(s, "SELECT n FROM other.beside");
	CHECK_CONTAINS(s->entries, "`other`.`v` binlog\n");
	CHECK(strstr(s->entries, "`shop`.`v` ") == NULL);
}

/* Views as the daemon makes them, with what functions name. */
static void make_reader(struct scene *s, const char *name, const char *named)
{
	my_do("CREATE FUNCTION says_%s() RETURNS INT BEGIN DECLARE %s INT DEFAULT 1; RETURN %s; END", named, named, named);
	struct viewd_view_spec view =
		my_view(name, VIEWD_METHOD_TABLE, talloc_asprintf(harness_ctx(), "SELECT says_%s() AS n", named));

	my_applied(s->conn, &view, VIEWD_CHANGE_CREATE);
}

static void follow_reader(struct scene *s, const char *name, const char *named)
{
	s->name = name;
	set_up(s, talloc_asprintf(harness_ctx(), "SELECT says_%s() AS n", named));
}

/* a names b, b names c, c names a: the one that closes the circle is cut, also when all are set up again. */
static void words_make_no_circle(void)
{
	struct scene *s = begin();
	make_reader(s, "a", "b");
	make_reader(s, "b", "c");
	make_reader(s, "c", "a");
	for (int i = 0; i < 2; i++) {
		follow_reader(s, "a", "b");
		CHECK_CONTAINS(s->entries, "`shop`.`b` binlog\n");
		follow_reader(s, "b", "c");
		CHECK_CONTAINS(s->entries, "`shop`.`c` binlog\n");
		follow_reader(s, "c", "a");
		CHECK_CONTAINS(s->entries, "`shop`.`a` none\nbecause a function names it, and it reads this view itself");
	}
	CHECK_STR(my_ask("SELECT mode FROM viewd_captures WHERE view = 'c' AND source = '`shop`.`a`'"), "none");
	make_reader(s, "d", "t1");
	follow_reader(s, "d", "t1");
	CHECK_CONTAINS(s->entries, "`shop`.`t1` binlog\n");
}

static void what_the_server_makes_up_needs_nothing(void)
{
	struct scene *s = begin();
	set_up(s, "WITH c (x) AS (SELECT id FROM t1) SELECT c.x, count(*) OVER (PARTITION BY x) AS n, cast(x AS "
	          "decimal(10, 2)) AS d, left(trim(LEADING 'a'"
	          " FROM 'aab'), 2) AS l, j.k, round(st_x(point(1, 2)), 1) AS p FROM c JOIN seq_1_to_3 s JOIN "
	          "JSON_TABLE('[1]', '$[*]' COLUMNS (k INT PATH '$')) j");
	CHECK_STR(s->entries, "`shop`.`t1` binlog\n");
}

static void what_nothing_hears_is_named(void)
{
	static const struct {
		const char *make, *definition, *named;
	} cases[] = {
		{"CREATE SEQUENCE sq", "SELECT nextval(sq) AS n, id FROM t1", "`shop`.`sq` none\nbecause a sequence moves"},
		{"CREATE VIEW w1 AS SELECT id FROM t1 WHERE w < now()", "SELECT id FROM w1",
	     "clock current_timestamp() none\nbecause"},
		{"CREATE FUNCTION today() RETURNS DATE RETURN current_date", "SELECT id, today() AS d FROM t1",
	     "clock current_date none"},
		{"CREATE VIEW w2 AS SELECT rand() AS r FROM t1", "SELECT r FROM w2",
	     "function rand() none\nbecause it gives another value"},
		{"DO 1", "SELECT table_name FROM information_schema.tables", "`information_schema`.`tables` none"},
		{"CREATE VIEW w3 AS SELECT * FROM information_schema.tables", "SELECT table_name FROM w3",
	     "none\nbecause nothing tells of what the server"},
		{"REVOKE SELECT ON mysql.proc FROM viewd@localhost", "SELECT best(id) AS b FROM t1",
	     "function `shop`.`best` none\nbecause the server hides its body"},
		{"CREATE TABLE c (a INT NOT NULL) ENGINE=CSV", "SELECT a FROM c", "`shop`.`c` none\nbecause its engine CSV"},
		{"CREATE FUNCTION hidden() RETURNS INT READS SQL DATA RETURN (SELECT max(n) FROM third.secret)",
	     "SELECT hidden() AS n", "what `shop`.`hidden` reads as `third`.`secret` none"},
		{"REVOKE CREATE VIEW ON shop.* FROM viewd@localhost", "SELECT id FROM t1 JOIN t2 USING (id)",
	     "what the definition reads none\nbecause it is guessed from the words of the definition"},
		{"CREATE DEFINER=root@localhost VIEW w4 AS SELECT id FROM t1", "SELECT id FROM w4",
	     "`shop`.`w4` none\nbecause the server hides its text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct scene *s = begin();
		my_do("%s", cases[i].make);
		if (strstr(cases[i].definition, "w4") != NULL)
			my_do("REVOKE SHOW VIEW ON shop.* FROM viewd@localhost");
		s->conn = my_session();
		set_up(s, cases[i].definition);
		CHECK_CONTAINS(s->entries, cases[i].named);
	}
}

static void what_is_gone_is_named(void)
{
	struct scene *s = begin();
	struct viewd_err err;
	my_do("DROP TABLE t1");
	CHECK(!capture(s, "SELECT id FROM t1", &err));
	CHECK_STR(err_class_word(err.cls), "missing");
	CHECK_CONTAINS(err.msg, "shop.t1");
	CHECK(!capture(s, "SELECT id FROM upper_one", &err));
	CHECK_STR(err_class_word(err.cls), "missing");
}

/* ---- what is compared */

struct change {
	const char *sql;
	bool matters;
};

static const struct change changes[] = {
	{"CREATE OR REPLACE VIEW mid AS SELECT id, v FROM t1", true},
	{"CREATE OR REPLACE VIEW mid AS SELECT id, v FROM t2", true},
	{"CREATE OR REPLACE VIEW mid AS SELECT id, v FROM t2", false},
	{"CREATE OR REPLACE SQL SECURITY INVOKER VIEW mid AS SELECT id, v FROM t2", true},
	{"SET STATEMENT lock_wait_timeout = 5 FOR ALTER VIEW mid AS SELECT id, v FROM t1", true},
	{"CREATE OR REPLACE FUNCTION best(n INT) RETURNS INT READS SQL DATA RETURN (SELECT min(v) FROM t2 WHERE id < n)",
     true},
	{"ALTER TABLE t1 ADD COLUMN x INT", true},
	{"ALTER TABLE t1 RENAME COLUMN x TO y", true},
	{"ALTER TABLE t1 MODIFY w VARCHAR(20) COLLATE utf8mb4_bin", true},
	{"SET STATEMENT max_statement_time = 9, sql_mode = 'ANSI' FOR ALTER TABLE t2 MODIFY w VARCHAR(30)", true},
	{"ALTER TABLE t1 COMMENT 'x'", false},
	{"CREATE INDEX i ON t1 (v)", false},
	{"ANALYZE TABLE t1", false},
	{"OPTIMIZE TABLE t1", false},
	{"GRANT SELECT ON shop.t1 TO PUBLIC", false},
	{"INSERT INTO t1 VALUES (5, 5, 'five', 5)", false},
	{"DROP FUNCTION best", true},
};

static void definitions_are_compared_at_each_look(void)
{
	struct scene *s = begin();
	set_up(s, "SELECT id, twice(id) AS n FROM upper_one");
	watch(s);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		look(s);
		s->n_redefined = 0;
		int64_t before = s->seq;
		my_do("%s", changes[i].sql);
		look(s);
		harness_check((s->n_redefined > 0) == changes[i].matters, __FILE__, __LINE__, "%s: %d", changes[i].sql,
		              s->n_redefined);
		if (changes[i].matters)
			harness_check(s->seq > before, __FILE__, __LINE__, "%s: stale", changes[i].sql);
	}
}

/* Replaced and put back between two looks, a refresh in between. */
static void what_a_refresh_has_read_is_compared(void)
{
	static const struct {
		const char *there, *back;
		bool matters;
	} cases[] = {
		{"CREATE OR REPLACE VIEW mid AS SELECT id, v FROM t1",
	     "CREATE OR REPLACE VIEW mid AS SELECT id, v FROM t1 WHERE v > 1", true},
		{"CREATE OR REPLACE FUNCTION best(n INT) RETURNS INT READS SQL DATA RETURN 5",
	     "CREATE OR REPLACE FUNCTION best(n INT) RETURNS INT READS SQL DATA RETURN (SELECT max(v) FROM t2 WHERE id < "
	     "n)",
	     true},
		{"ALTER SQL SECURITY INVOKER VIEW upper_one AS SELECT id, v FROM mid",
	     "ALTER SQL SECURITY DEFINER VIEW "
	     "upper_one AS SELECT id, v FROM mid",
	     true},
		{"CREATE INDEX i ON t1 (v)", "GRANT SELECT ON shop.t1 TO PUBLIC", false},
	};
	struct scene *s = begin();
	struct viewd_view_spec v = my_view("kept", VIEWD_METHOD_TABLE, "SELECT id, twice(id) AS n FROM upper_one");
	s->mode = VIEWD_CAPTURE_TRIGGER;
	s->name = v.name;
	v.captured = true;
	my_applied(s->conn, &v, VIEWD_CHANGE_CREATE);
	set_up(s, v.definition);
	watch(s);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		look(s);
		my_refreshed(s->conn, &v);
		CHECK_STR(my_ask("SELECT count(*) FROM viewd_captures WHERE dirty_seq > clean_seq"), "0");
		s->n_redefined = 0;
		my_do("%s", cases[i].there);
		my_refreshed(s->conn, &v);
		my_do("%s", cases[i].back);
		look(s);
		harness_check((s->n_redefined > 0) == cases[i].matters, __FILE__, __LINE__, "%s and back: told",
		              cases[i].there);
		harness_check(strcmp(my_ask("SELECT count(*) > 0 FROM viewd_captures WHERE dirty_seq > clean_seq"),
		                     cases[i].matters ? "1" : "0") == 0,
		              __FILE__, __LINE__, "%s and back: stale", cases[i].there);
	}
}

static void the_binary_log_tells_at_once(void)
{
	struct scene *s = begin();
	set_up(s, "SELECT id, twice(id) AS n FROM upper_one");
	watch(s);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		if (!changes[i].matters)
			continue;
		s->n_redefined = 0;
		my_do("%s", changes[i].sql);
		harness_check(is_redefined(s, 4000000), __FILE__, __LINE__, "soon: %s", changes[i].sql);
	}
}

/* A table that is read newly is followed from then on. */
static void another_table_is_followed(void)
{
	struct scene *s = begin();
	set_up(s, "SELECT id FROM upper_one");
	watch(s);
	my_do("CREATE OR REPLACE VIEW mid AS SELECT id, v FROM t2");
	CHECK(is_redefined(s, PATIENCE));
	set_up(s, "SELECT id FROM upper_one");
	CHECK_CONTAINS(s->entries, "`shop`.`t2` binlog\n");
	CHECK(strstr(s->entries, "`shop`.`t1`") == NULL);
	look(s);
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	s->seq = 0;
	my_do("INSERT INTO t2 VALUES (1, 1, 'a')");
	look(s);
	CHECK(s->seq > 0);
}

/* More objects than are asked for one by one. */
static void many_are_looked_at_together(void)
{
	struct scene *s = begin();
	char *definition = talloc_strdup(harness_ctx(), "SELECT 1 AS n");
	for (int i = 0; i < 30; i++) {
		my_do("CREATE TABLE many_%d (id INT PRIMARY KEY)", i);
		my_do("CREATE VIEW view_%d AS SELECT id FROM many_%d", i, i);
		my_do("CREATE FUNCTION f_%d() RETURNS INT DETERMINISTIC RETURN %d", i, i);
		definition = talloc_asprintf_append(definition, " UNION ALL SELECT f_%d() + id FROM view_%d", i, i);
	}
	set_up(s, definition);
	watch(s);
	look(s);
	s->n_redefined = 0;
	look(s);
	CHECK_INT(s->n_redefined, 0);
	my_do("CREATE OR REPLACE FUNCTION f_17() RETURNS INT DETERMINISTIC RETURN 4");
	look(s);
	CHECK_INT(s->n_redefined, 1);
	my_do("ALTER TABLE many_3 ADD COLUMN x INT");
	look(s);
	CHECK_INT(s->n_redefined, 2);
	my_do("DROP VIEW view_29");
	look(s);
	CHECK_INT(s->n_redefined, 3);
	CHECK_STR(my_ask("SELECT source FROM viewd_objects WHERE digest = ''"), "`shop`.`view_29`");
	look(s);
	CHECK_INT(s->n_redefined, 3);
}

/* ---- statements of the log */

static void statements_mean(void)
{
	static const struct {
		const char *sql;
		enum statement_means means;
		bool touches;
	} cases[] = {
		{"BEGIN", STATEMENT_NOTHING, false},
		{"SET STATEMENT max_statement_time=60 FOR alter table z add j int", STATEMENT_DEFINES, true},
		{"set statement lock_wait_timeout=5, sql_mode='FOR' for truncate z", STATEMENT_DEFINES, true},
		{"SET STATEMENT a=1 FOR SET STATEMENT b=(select 1 for update) FOR drop table z", STATEMENT_DEFINES, true},
		{"/*!40101 SET STATEMENT a=2 FOR*/ rename table z to y", STATEMENT_DEFINES, true},
		{"SET STATEMENT x=1 FOR SET STATEMENT y=2 FOR insert into z values (1)", STATEMENT_ANYTHING, false},
		{"SET STATEMENT x=1 FOR drop database d", STATEMENT_DEFINES, true},
		{"SET STATEMENT x=1 FOR create temporary table z (i int)", STATEMENT_NOTHING, false},
		{"set statement x = 'never ends", STATEMENT_DEFINES, false},
		{"/* hi */ -- x\n/*! truncate */ /*M!100000 table z */", STATEMENT_DEFINES, true},
		{"# c\nRENAME TABLE z TO b", STATEMENT_DEFINES, true},
		{"--\ttab\nalter table z engine=innodb", STATEMENT_DEFINES, true},
		{"DROP TABLE IF EXISTS `z` /* generated by server */", STATEMENT_DEFINES, true},
		{"grant select on d.z to x", STATEMENT_NOTHING, false},
		{"CREATE DEFINER=`root`@`localhost` event ev on schedule every 1 day do drop table z", STATEMENT_NOTHING,
	     false},
		{"create or replace definer = current_user() event ev on schedule every 1 day do truncate z", STATEMENT_NOTHING,
	     false},
		{"ALTER DEFINER='a'@'%' EVENT ev DISABLE", STATEMENT_NOTHING, false},
		{"CREATE DEFINER=`event`@`x` FUNCTION f() returns int return 1", STATEMENT_DEFINES, false},
		{"create or replace definer=`a` view v as select 1 from z", STATEMENT_DEFINES, false},
		{"create algorithm=merge definer=root@localhost sql security invoker view v as select 1", STATEMENT_DEFINES,
	     false},
		{"insert into z values(9,9)", STATEMENT_ANYTHING, false},
		{"drop /*!40005 TEMPORARY */ table z", STATEMENT_NOTHING, false},
		{"create or replace temporary table z select * from y", STATEMENT_NOTHING, false},
		{"begin not atomic truncate z; end", STATEMENT_ANYTHING, false},
		{"analyze table z", STATEMENT_NOTHING, false},
		{"ANALYZE update z set i=1", STATEMENT_ANYTHING, false},
		{"(((select 1)))", STATEMENT_ANYTHING, false},
		{"install soname 'x'", STATEMENT_DEFINES, false},
		{"flush tables z", STATEMENT_NOTHING, false},
		{"select '/*! drop table z */'", STATEMENT_ANYTHING, false},
		{"", STATEMENT_DEFINES, false},
		{"set global x=1", STATEMENT_DEFINES, false},
		{"CREATE DATABASE d", STATEMENT_DEFINES, false},
		{"create index i on z (a)", STATEMENT_DEFINES, false},
		{"optimize table z", STATEMENT_DEFINES, false},
		{"XA END 'x'", STATEMENT_NOTHING, false},
	};
	struct viewd_conn conn = {.mariadb = true};
	struct target target = {
		.table = {.schema = "d", .name = "z"}, .inserts = true, .source = talloc_strdup(harness_ctx(), "`d`.`z`")};
	struct targets all = {.mem = harness_ctx(), .items = &target, .n = 1};
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct texts touched = {.mem = harness_ctx()};
		enum statement_means means = targets_statement(&conn, &all, cases[i].sql, "d", &touched);
		harness_check(means == cases[i].means && (touched.n > 0) == cases[i].touches, __FILE__, __LINE__,
		              "%s: means %d, touches %zu", cases[i].sql, (int)means, touched.n);
	}
}

static const struct harness_test tests[] = {
	{"statements mean", statements_mean},
	{"plain views and functions are read through", plain_views_and_functions_are_read_through},
	{"what the server makes up needs nothing", what_the_server_makes_up_needs_nothing},
	{"what nothing hears is named", what_nothing_hears_is_named},
	{"no view is its own source", no_view_is_its_own_source},
	{"words make no circle", words_make_no_circle},
	{"what is gone is named", what_is_gone_is_named},
	{"definitions are compared at each look", definitions_are_compared_at_each_look},
	{"what a refresh has read is compared", what_a_refresh_has_read_is_compared},
	{"the binary log tells at once", the_binary_log_tells_at_once},
	{"another table is followed", another_table_is_followed},
	{"many are looked at together", many_are_looked_at_together},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql depends", tests))
