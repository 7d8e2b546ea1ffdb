/* SPDX-License-Identifier: MIT
 *
 * Changes by writers and administrators to the binary log, which must be heard all the same. The server has a binary
 * log; run.sh runs this against several of them.
 */
#include "my_support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"
#include "mysql/capture/binlog/binlog.h"

#define SHORT INT64_C(100000)
#define PATIENCE INT64_C(15000000)

/* The news that a watch told of v, over sales, and of w, over other_sales. News of w prove that the watch has seen what
 * was before. */
struct scene {
	struct viewd_conn *conn;
	struct viewd_watch *watch;
	int64_t v, w;
	bool behind; /* the watch has not told everything yet */
};

static bool hear(void *ctx, const struct viewd_signal *signal)
{
	struct scene *s = ctx;
	s->behind = s->behind || signal->kind == VIEWD_SIGNAL_BEHIND;
	if (signal->kind == VIEWD_SIGNAL_STALE)
		*(signal->view[0] == 'v' ? &s->v : &s->w) = signal->seq;
	return true;
}

static bool keep_quiet(void *ctx UNUSED, const char *text UNUSED)
{
	return true;
}

static struct viewd_captured watch_source_by(struct scene *s, enum viewd_capture mode, const char *view,
                                             const char *schema, const char *table)
{
	const struct viewd_source source = {schema, table, VIEWD_KIND_TABLE};
	struct viewd_view_spec spec = my_view(view, VIEWD_METHOD_TABLE, my_select_from(schema, table));
	struct viewd_capture_request req = {.struct_size = sizeof req, .mode = mode, .sources = &source, .n_sources = 1};
	struct viewd_captured out;
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->capture->set(s->conn, &spec, &req, &out, (struct viewd_text_sink){keep_quiet, NULL}, &err),
	           &err);
	return out;
}

static void watch_source(struct scene *s, const char *view, const char *schema, const char *table)
{
	watch_source_by(s, VIEWD_CAPTURE_BINLOG, view, schema, table);
}

static void open_watch(struct scene *s)
{
	struct viewd_database_spec spec = my_spec();
	struct viewd_err err = {0};
	s->watch = DIALECT->capture->watch_open(&my_host, &spec, &err);
	REQUIRE_OK(s->watch != NULL, &err);
}

/* A watch that fails is opened again, as the daemon does. */
static void listen_once(struct scene *s)
{
	struct viewd_err err = {0};
	if (DIALECT->capture->watch_next(s->watch, SHORT, (struct viewd_signal_sink){hear, s}, &err))
		return;
	DIALECT->capture->watch_close(&s->watch);
	open_watch(s);
}

static void settle(struct scene *s)
{
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	s->v = s->w = 0;
}

static bool tells(struct scene *s, const int64_t *of)
{
	int64_t deadline = my_mono() + PATIENCE;
	while (*of == 0 && my_mono() < deadline)
		listen_once(s);
	return *of > 0;
}

/* Everything that was committed before is told afterwards. */
static void catch_up(struct scene *s)
{
	s->w = 0;
	my_do("INSERT INTO other_sales VALUES (1)");
	CHECK(tells(s, &s->w));
}

/* A whole look. Definitions are compared a little after the log has told of them, and mark their views once more. The
 * first call ends what was begun before, and may leave the wish for a look to the second. */
static void look_at_all(struct scene *s)
{
	int64_t deadline = my_mono() + PATIENCE;
	for (int i = 0; i < 2; i++) {
		DIALECT->capture->watch_wake(s->watch);
		do {
			s->behind = false;
			listen_once(s);
		} while (s->behind && my_mono() < deadline);
		CHECK(!s->behind);
	}
}

/* Closes the watch, also when a test ends early. */
static int close_watch(struct scene **holder)
{
	DIALECT->capture->watch_close(&(*holder)->watch);
	return 0;
}

static void begin_named(struct scene *s, const char *schema, const char *table)
{
	struct scene **holder = talloc(harness_ctx(), struct scene *);
	*holder = s;
	talloc_set_destructor(holder, close_watch);
	*s = (struct scene){.w = 0};
	my_do("CREATE TABLE IF NOT EXISTS other_sales (n INT)");
	my_do("GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost");
	s->conn = my_session();
	watch_source(s, "v", schema, table);
	watch_source(s, "w", "shop", "other_sales");
	open_watch(s);
	CHECK(tells(s, &s->v));
	catch_up(s);
	settle(s);
}

static void begin(struct scene *s)
{
	if (my_ask("SELECT @@log_bin")[0] != '1')
		harness_skip("the server has no binary log");
	my_fresh();
	my_do("INSERT INTO sales (region, amount) VALUES ('east', 1)");
	begin_named(s, "shop", "sales");
}

static void end(struct scene *s)
{
	DIALECT->capture->watch_close(&s->watch);
}

/* One session runs the statements, up to NULL; v must be told of. */
static bool run_all(MYSQL *my, const char *const *sql)
{
	for (; *sql != NULL; sql++)
		if (!harness_check(mysql_query(my, *sql) == 0, __FILE__, __LINE__, "%s: %s", *sql, mysql_error(my)))
			return false;
		else
			mysql_free_result(mysql_store_result(my));
	return true;
}

static void noticed(struct scene *s, const char *const *sql)
{
	MYSQL *my = my_root_open();

	settle(s);
	REQUIRE(my != NULL);
	if (run_all(my, sql))
		harness_check(tells(s, &s->v), __FILE__, __LINE__, "noticed: %s", sql[0]);
	mysql_close(my);
	catch_up(s);
}

static void unnoticed(struct scene *s, const char *const *sql)
{
	MYSQL *my = my_root_open();

	look_at_all(s);
	settle(s);
	REQUIRE(my != NULL);
	run_all(my, sql);
	catch_up(s);
	harness_check(s->v == 0, __FILE__, __LINE__, "unnoticed: %s", sql[0]);
	mysql_close(my);
}
#define SQL(...) ((const char *const[]){__VA_ARGS__, NULL})

/* ---- rows */

static void every_way_to_write_rows(void)
{
	static struct scene s;
	begin(&s);
	noticed(&s, SQL("INSERT INTO sales (region, amount) VALUES ('a', 1)"));
	noticed(&s, SQL("REPLACE INTO sales (id, region, amount) VALUES (1, 'b', 2)"));
	noticed(
		&s,
		SQL("INSERT INTO sales (id, region, amount) VALUES (1, 'b', 2) ON DUPLICATE KEY UPDATE amount = amount + 1"));
	noticed(&s, SQL("UPDATE sales s JOIN sales t ON t.id = s.id SET s.amount = t.amount + 1"));
	noticed(&s, SQL("DELETE s FROM sales s JOIN sales t ON t.id = s.id WHERE s.id = 1"));
	noticed(&s, SQL("SET SESSION binlog_row_image = MINIMAL", "UPDATE sales SET amount = amount + 1"));
	noticed(&s, SQL("BEGIN", "SAVEPOINT a", "INSERT INTO other_sales VALUES (1)", "ROLLBACK TO a",
	                "DELETE FROM sales WHERE id = 2", "COMMIT"));
	unnoticed(&s, SQL("BEGIN", "SAVEPOINT a", "UPDATE sales SET amount = 7", "ROLLBACK TO a",
	                  "INSERT INTO other_sales VALUES (2)", "COMMIT"));
	unnoticed(
		&s, SQL("CREATE TEMPORARY TABLE sales (id INT)", "INSERT INTO sales VALUES (1)", "DROP TEMPORARY TABLE sales"));
	noticed(&s, SQL("CREATE VIEW some AS SELECT * FROM sales", "UPDATE some SET amount = amount + 1"));
	end(&s);
}

static void compressed_events(void)
{
	static struct scene s;
	begin(&s);
	my_do("SET GLOBAL log_bin_compress = ON");
	my_do("SET GLOBAL log_bin_compress_min_len = 10");
	noticed(&s, SQL("INSERT INTO sales (region, amount) VALUES (REPEAT('a', 20), 1)"));
	noticed(&s, SQL("UPDATE sales SET region = REPEAT('b', 20)"));
	noticed(&s, SQL("DELETE FROM sales"));
	noticed(
		&s,
		SQL("TRUNCATE /* a long comment that is worth compressing, a long comment that is worth compressing */ sales"));
	my_do("SET GLOBAL log_bin_compress = OFF");
	end(&s);
}

static void checksums_come_and_go(void)
{
	static struct scene s;
	begin(&s);
	my_do("SET GLOBAL binlog_checksum = IF(@@binlog_checksum = 'NONE', 'CRC32', 'NONE')");
	noticed(&s, SQL("UPDATE sales SET amount = amount + 1"));
	my_do("SET GLOBAL binlog_checksum = IF(@@binlog_checksum = 'NONE', 'CRC32', 'NONE')");
	noticed(&s, SQL("UPDATE sales SET amount = amount + 1"));
	my_do("FLUSH BINARY LOGS");
	noticed(&s, SQL("UPDATE sales SET amount = amount + 1"));
	end(&s);
}

/* A transaction of many statements names its tables once for each of them. */
static void many_statements_take_little_memory(void)
{
	static struct scene s;
	struct rusage before, after;
	begin(&s);
	my_do("CREATE PROCEDURE fill() BEGIN DECLARE i INT DEFAULT 0; START TRANSACTION;"
	      " WHILE i < 30000 DO INSERT INTO sales (region, amount) VALUES ('a', i); SET i = i + 1; END WHILE; COMMIT; "
	      "END");
	getrusage(RUSAGE_SELF, &before);
	noticed(&s, SQL("CALL fill()"));
	getrusage(RUSAGE_SELF, &after);
#ifndef __SANITIZE_ADDRESS__ /* keeps what was freed */
	CHECK(after.ru_maxrss - before.ru_maxrss < 8 * 1024);
#endif
	end(&s);
}

/* ---- statements */

static void definitions_that_change_tables(void)
{
	static struct scene s;
	begin(&s);
	noticed(&s, SQL("TRUNCATE sales"));
	noticed(&s, SQL("SET SESSION sql_mode = 'ANSI_QUOTES'", "TRUNCATE \"sales\""));
	noticed(&s, SQL("/*!40000 TRUNCATE sales */"));
	noticed(&s, SQL("TRUNCATE TABLE /*! sales */"));
	noticed(&s, SQL("DROP\tTABLE\nsales"));
	noticed(&s, SQL("CREATE  /* anew */ TABLE sales (id INT)"));
	noticed(&s, SQL("CREATE OR  REPLACE TABLE sales (id INT)"));
	noticed(&s, SQL("CREATE OR REPLACE TABLE sales AS SELECT 1 AS id"));
	noticed(&s, SQL("RENAME TABLE sales TO sold, sold TO sales"));
	noticed(&s, SQL("CREATE TABLE parts (id INT) PARTITION BY RANGE (id) (PARTITION low VALUES LESS THAN (10), "
	                "PARTITION high VALUES LESS THAN MAXVALUE)",
	                "CREATE OR REPLACE TABLE `sales` (id INT)", "INSERT INTO parts VALUES (1), (11)"));
	noticed(&s, SQL("ALTER TABLE parts EXCHANGE PARTITION low WITH TABLE sales"));
	noticed(&s, SQL("CREATE OR REPLACE TABLE sales LIKE parts", "ALTER TABLE sales TRUNCATE PARTITION low"));
	noticed(&s, SQL("ALTER TABLE sales DROP PARTITION low"));
	noticed(&s, SQL("CREATE TABLE 2020_sales (id INT)",
	                "RENAME TABLE shop.sales TO shop.2021_sales, shop.2020_sales TO shop.sales"));
	end(&s);
}

static void a_database_goes(void)
{
	static struct scene s;
	begin(&s);
	my_do("CREATE TABLE other.2020_sold (n INT)");
	my_do("GRANT ALL ON other.* TO viewd@localhost");
	watch_source(&s, "v", "other", "2020_sold");
	CHECK(tells(&s, &s.v));
	noticed(&s, SQL("USE other", "TRUNCATE 2020_sold"));
	noticed(&s, SQL("drop  database  other"));
	noticed(&s, SQL("CREATE OR REPLACE DATABASE other"));
	unnoticed(&s, SQL("CREATE DATABASE IF NOT EXISTS other"));
	end(&s);
}

/* A table of the same name elsewhere is another table: viewd exchanges names all the time. */
static void a_name_in_another_database_is_another_table(void)
{
	static struct scene s;
	begin(&s);
	unnoticed(&s, SQL("CREATE TABLE other.sales (id INT)", "CREATE TABLE other.fresh (id INT)",
	                  "RENAME TABLE other.sales TO other.old, other.fresh TO other.sales", "DROP TABLE other.old",
	                  "ALTER TABLE `other` . `sales` ADD COLUMN x INT"));
	unnoticed(&s, SQL("USE other", "TRUNCATE sales"));
	noticed(&s, SQL("USE other", "TRUNCATE shop.sales"));
	noticed(&s, SQL("USE other", "TRUNCATE `shop` /* here */ . `sales`"));
	unnoticed(&s, SQL("DROP DATABASE other", "CREATE DATABASE other"));
	end(&s);
}

/* A session in statement format tells what it was asked, not what triggers, functions and views made of it. */
static void statements_instead_of_rows(void)
{
	static const char format[] = "SET SESSION binlog_format = STATEMENT";
	static struct scene s;
	begin(&s);
	my_do("SET GLOBAL log_bin_trust_function_creators = ON");
	my_do("CREATE TABLE asked (n INT)");
	my_do("CREATE TRIGGER deed AFTER INSERT ON asked FOR EACH ROW UPDATE sales SET amount = amount + 1");
	my_do("CREATE VIEW cheap AS SELECT * FROM sales WHERE amount < 100");
	my_do("CREATE FUNCTION raise() RETURNS INT MODIFIES SQL DATA BEGIN UPDATE sales SET amount = amount + 1; RETURN 1; "
	      "END");
	noticed(&s, SQL(format, "UPDATE sales SET amount = amount + 1"));
	noticed(&s, SQL(format, "INSERT INTO asked VALUES (1)"));
	noticed(&s, SQL(format, "UPDATE cheap SET amount = 1"));
	noticed(&s, SQL(format, "SELECT raise()"));
	noticed(&s, SQL(format, "DO raise()"));
	noticed(&s, SQL(format, "ANALYZE UPDATE sales SET amount = amount + 1"));
	noticed(&s, SQL(format, "/*!50000 UPDATE sales SET amount = amount + 1 */"));
	noticed(&s, SQL(format, "PREPARE p FROM 'UPDATE sales SET amount = ?'", "SET @n = 3", "EXECUTE p USING @n"));
	end(&s);
}

/* The client library (3.3) cannot read the events of LOAD DATA. */
static void a_file_loaded_in_statement_format(void)
{
	static struct scene s;
	const char *file = talloc_asprintf(harness_ctx(), "%s/tmp/numbers.txt", getenv("VIEWD_TEST_MARIADB"));
	begin(&s);
	noticed(&s, SQL("SET SESSION binlog_format = STATEMENT",
	                talloc_asprintf(harness_ctx(), "SELECT 'a' INTO OUTFILE '%s'", file),
	                talloc_asprintf(harness_ctx(), "LOAD DATA INFILE '%s' INTO TABLE sales (region) SET amount = 1",
	                                file)));
	unlink(file);
	expect_log("binary log cannot be read from the place where reading ended");
	noticed(&s, SQL("UPDATE sales SET amount = amount + 1"));
	end(&s);
}

/* ---- transactions of two phases, logs that go */

static void prepared_transactions(void)
{
	static struct scene s;
	begin(&s);
	noticed(&s, SQL("XA START 'a'", "UPDATE sales SET amount = amount + 1", "XA END 'a'", "XA COMMIT 'a' ONE PHASE"));
	MYSQL *my = my_root();
	REQUIRE(run_all(my, SQL("XA START 'c'", "UPDATE sales SET amount = amount + 1", "XA END 'c'", "XA PREPARE 'c'")));
	catch_up(&s);
	settle(&s);
	REQUIRE(run_all(my, SQL("XA COMMIT 'c'")));
	CHECK(tells(&s, &s.v));
	end(&s);
}

/* While nobody watches. sql runs in between, then a change of rows has to be told, or everything. */
static void after_an_absence(struct scene *s, const char *sql)
{
	settle(s);
	DIALECT->capture->watch_close(&s->watch);
	my_do("UPDATE sales SET amount = amount + 1");
	my_do("%s", sql);
	for (int i = 0; i < 50; i++)
		my_do("INSERT INTO sales (region, amount) VALUES (REPEAT('x', 20), %d)", i);
	my_do("UPDATE viewd_captures SET clean_seq = dirty_seq");
	open_watch(s);
	CHECK(tells(s, &s->v));
	catch_up(s);
	settle(s);
}

static void logs_go(void)
{
	static struct scene s;
	begin(&s);
	after_an_absence(&s, "FLUSH BINARY LOGS");
	expect_log("binary log cannot be read from the place where reading ended");
	my_do("FLUSH BINARY LOGS");
	after_an_absence(&s, "RESET MASTER");
	noticed(&s, SQL("UPDATE sales SET amount = amount + 1", "RESET MASTER"));
	noticed(&s, SQL("UPDATE sales SET amount = amount + 1"));
	end(&s);
}

/* The new log has the name of the old one and goes further: only its age tells. */
static void a_log_begun_anew_under_the_same_name(void)
{
	static struct scene s;
	begin(&s);
	my_do("RESET MASTER");
	expect_log("binary log cannot be read");
	catch_up(&s);
	catch_up(&s);
	DIALECT->capture->watch_close(&s.watch);
	CHECK_STR(my_ask("SELECT file_name FROM viewd_position"), "binlog.000001");
	const char *begun = my_ask("SELECT UNIX_TIMESTAMP()"), *made = my_ask("SELECT server FROM viewd_position");
	while (strcmp(my_ask("SELECT UNIX_TIMESTAMP()"), begun) == 0)
		harness_pause(harness_deadline(SHORT));
	my_do("RESET MASTER");
	my_do("UPDATE sales SET amount = amount + 1");
	my_do("INSERT INTO other_sales VALUES (1)");
	const char *end_of_log = strchr(my_ask("SHOW MASTER STATUS"), ',') + 1;
	my_do("UPDATE viewd_position SET position = %lld", (long long)strtoll(end_of_log, NULL, 10));
	CHECK_STR(my_ask("SELECT server FROM viewd_position"), made);
	settle(&s);
	open_watch(&s);
	expect_log("it is another log of the same name");
	CHECK(tells(&s, &s.v));
	end(&s);
}

/* ---- foreign keys */

static void a_foreign_key_that_comes_later(void)
{
	static struct scene s;
	begin(&s);
	my_do("CREATE TABLE shops (id INT PRIMARY KEY)");
	my_do("INSERT INTO shops VALUES (1), (2)");
	noticed(&s, SQL("ALTER TABLE sales ADD COLUMN shop INT DEFAULT 1, ADD FOREIGN KEY (shop) REFERENCES shops (id) ON "
	                "DELETE CASCADE ON UPDATE CASCADE"));
	unnoticed(&s, SQL("INSERT INTO shops VALUES (3)"));
	noticed(&s, SQL("REPLACE INTO shops VALUES (1)"));
	noticed(&s, SQL("UPDATE shops SET id = 7 WHERE id = 1"));
	noticed(&s, SQL("DELETE FROM shops"));
	end(&s);
}

static void triggers_are_advised_against(void)
{
	static struct scene s;
	begin(&s);
	CHECK_CONTAINS(watch_source_by(&s, VIEWD_CAPTURE_TRIGGER, "v", "shop", "sales").reason,
	               "capture = binlog would work as well");
	CHECK_CONTAINS(watch_source_by(&s, VIEWD_CAPTURE_AUTO, "v", "shop", "sales").reason, "without any cost");
	end(&s);
}

static void names_of_all_kinds(void)
{
	static struct scene s;
	begin(&s);
	end(&s);
	my_do("CREATE TABLE `viewd_Über``uns \"x\" 'y' \\\\ .` (n INT)");
	begin_named(&s, "shop", "viewd_Über`uns \"x\" 'y' \\\\ .");
	end(&s);
}

/* A place in another server's log is none either: nobody knows what of it was not read yet. */
static void a_place_that_cannot_be_is_none(void)
{
	static const char *const changes[] = {"position = -5, file_name = 'x'", "server = 'b', position = 0",
	                                      "server = CONCAT(server, server), file_name = REPEAT('x', 200)"};
	my_fresh();
	my_do("GRANT REPLICATION CLIENT, REPLICATION SLAVE ON *.* TO viewd@localhost");
	struct viewd_conn *conn = my_session();
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		struct position at = {.offset = -1};
		CHECK(binlog_begin(conn, NULL) && position_load(conn, &at, NULL));
		CHECK(at.offset > 0 && at.file[0] != 'x');
		CHECK_STR(my_ask("SELECT COUNT(*) FROM viewd_position"), "1");
		my_do("UPDATE viewd_position SET %s", changes[i]);
	}
}

static const struct harness_test tests[] = {
	{"every way to write rows", every_way_to_write_rows},
	{"compressed events", compressed_events},
	{"checksums come and go", checksums_come_and_go},
	{"many statements take little memory", many_statements_take_little_memory},
	{"definitions that change tables", definitions_that_change_tables},
	{"a database goes", a_database_goes},
	{"a name in another database is another table", a_name_in_another_database_is_another_table},
	{"statements instead of rows", statements_instead_of_rows},
	{"a file loaded in statement format", a_file_loaded_in_statement_format},
	{"prepared transactions", prepared_transactions},
	{"logs go", logs_go},
	{"a log begun anew under the same name", a_log_begun_anew_under_the_same_name},
	{"a foreign key that comes later", a_foreign_key_that_comes_later},
	{"triggers are advised against", triggers_are_advised_against},
	{"names of all kinds", names_of_all_kinds},
	{"a place that cannot be is none", a_place_that_cannot_be_is_none},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql binlog", tests))
