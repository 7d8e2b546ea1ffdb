/* SPDX-License-Identifier: MIT
 *
 * Effects on others: readers during replacements and refreshes, writers during a long refresh, transactions in the way.
 */
#include "my_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"
#include "mysql/refresh/shadow_table.h"

/* Enough for each way of replacing and each mode of refreshing, several times. */
static int rounds(void)
{
	return getenv("VIEWD_LONG") != NULL ? 50 : 18;
}

/* ---- a client in a loop on its own thread */

struct looper {
	pthread_t thread;
	const char *sql;
	atomic_bool stop;
	atomic_int rounds;
	int64_t slowest_us;
	char bad[256]; /* the first answer that is not one of those allowed, or an error */
	const char *allowed[3];
};

static bool allowed(const struct looper *loop, const char *answer)
{
	for (size_t i = 0; i < ARRAY_LEN(loop->allowed) && loop->allowed[i] != NULL; i++)
		if (strcmp(loop->allowed[i], answer) == 0)
			return true;
	return loop->allowed[0] == NULL;
}

static void one_round(struct looper *loop, MYSQL *my)
{
	int64_t begin = my_mono();

	if (mysql_query(my, loop->sql) != 0) {
		snprintf(loop->bad, sizeof loop->bad, "%s", mysql_error(my));
		return;
	}
	MYSQL_RES *result = mysql_store_result(my);
	MYSQL_ROW row = result != NULL ? mysql_fetch_row(result) : NULL;
	if (row != NULL && !allowed(loop, row[0] != NULL ? row[0] : "null"))
		snprintf(loop->bad, sizeof loop->bad, "%s", row[0]);
	mysql_free_result(result);
	if (my_mono() - begin > loop->slowest_us)
		loop->slowest_us = my_mono() - begin;
	atomic_fetch_add(&loop->rounds, 1);
}

static void *loop_main(void *ctx)
{
	struct looper *loop = ctx;

	mysql_thread_init();
	MYSQL *my = my_root_open();
	while (my != NULL && !atomic_load(&loop->stop) && loop->bad[0] == '\0')
		one_round(loop, my);
	mysql_close(my);
	mysql_thread_end();
	return NULL;
}

static struct looper *loop_start(const char *sql, const char *a, const char *b)
{
	struct looper *loop = talloc_zero(harness_ctx(), struct looper);

	loop->sql = sql;
	loop->allowed[0] = a;
	loop->allowed[1] = b;
	REQUIRE(pthread_create(&loop->thread, NULL, loop_main, loop) == 0);
	WAIT_UNTIL(atomic_load(&loop->rounds) > 0 || loop->bad[0] != '\0');
	return loop;
}

static void loop_end(struct looper *loop)
{
	atomic_store(&loop->stop, true);
	pthread_join(loop->thread, NULL);
	CHECK_STR(loop->bad, "");
}

static const char *first_value(MYSQL *my, const char *sql)
{
	REQUIRE(mysql_query(my, sql) == 0);
	MYSQL_RES *result = mysql_store_result(my);
	MYSQL_ROW row = mysql_fetch_row(result);
	const char *value = talloc_strdup(harness_ctx(), row != NULL && row[0] != NULL ? row[0] : "null");
	mysql_free_result(result);
	return value;
}

/* ---- readers */

static const char one[] = "SELECT region, 'one' AS v, (SELECT max(id) FROM sales) AS m FROM sales GROUP BY region";
static const char two[] = "SELECT region, 'two' AS v, (SELECT max(id) FROM sales) AS m FROM sales GROUP BY region";

static void readers_see_one_or_the_other(void)
{
	static const enum viewd_method methods[] = {VIEWD_METHOD_TABLE, VIEWD_METHOD_SIMPLE};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_do("CREATE VIEW reader AS SELECT * FROM v");
	struct looper *direct = loop_start("SELECT group_concat(v ORDER BY v) FROM v", "one,one,one", "two,two,two");
	struct looper *through = loop_start("SELECT group_concat(v ORDER BY v) FROM reader", "one,one,one", "two,two,two");
	for (int i = 0; i < rounds(); i++) {
		view.definition = i % 2 == 0 ? two : one;
		view.method = methods[i / 2 % 2];
		my_applied(conn, &view, VIEWD_CHANGE_REPLACE);
		my_refreshed(conn, &view);
	}
	loop_end(direct);
	loop_end(through);
	CHECK(atomic_load(&direct->rounds) > rounds() && atomic_load(&through->rounds) > rounds());
	CHECK_STR(my_leftovers(), "0,0");
}

static void readers_never_see_half_a_refresh(void)
{
	static const enum viewd_refresh_mode modes[] = {VIEWD_MODE_SWAP, VIEWD_MODE_FULL, VIEWD_MODE_DIFF};
	static const char *const key[] = {"region"};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	view.unique_key = key;
	view.n_unique_key = 1;
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	struct looper *reader = loop_start("SELECT concat(count(*), ',', count(DISTINCT m)) FROM v", "3,1", NULL);
	for (int i = 0; i < rounds(); i++) {
		my_do("INSERT INTO sales (region, amount) VALUES ('west', %d)", i);
		view.mode = modes[i % 3];
		my_refreshed(conn, &view);
	}
	loop_end(reader);
}

/* ---- writers */

static void writers_do_not_wait(void)
{
	static const enum viewd_refresh_mode modes[] = {VIEWD_MODE_SWAP, VIEWD_MODE_FULL};

	my_fresh();
	my_do("INSERT INTO sales (region, amount) SELECT concat('r', seq %% 1000), seq %% 77 FROM seq_1_to_60000");
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view =
		my_view("v", VIEWD_METHOD_TABLE, "SELECT region, count(*) AS n FROM sales, seq_1_to_40 GROUP BY region");
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct looper *writer = loop_start("UPDATE sales SET amount = amount + 1 WHERE id = 3", NULL, NULL);
		view.mode = modes[i];
		struct viewd_outcome out = my_refreshed(conn, &view);
		loop_end(writer);
		CHECK(out.duration_us > 100000);
		harness_check(writer->slowest_us * 3 < out.duration_us, __FILE__, __LINE__, "a writer waited %lld us of %lld",
		              (long long)writer->slowest_us, (long long)out.duration_us);
	}
}

/* ---- in the way */

static const char many[] = "SELECT region, id, seq FROM sales, seq_1_to_1000";

static void an_old_reader_makes_auto_exchange_rows(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, many);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	MYSQL *old_reader = my_root();
	REQUIRE(mysql_query(old_reader, "BEGIN") == 0 && mysql_query(old_reader, "SELECT count(*) FROM v") == 0);
	mysql_free_result(mysql_store_result(old_reader));
	view.lock_timeout_us = 200000;
	int64_t begin = my_mono();
	struct viewd_outcome out = my_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "held the table");
	CHECK(my_mono() - begin < 3000000);
	CHECK_STR(my_leftovers(), "0,0");
	view.mode = VIEWD_MODE_SWAP;
	struct viewd_err err;
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "conflict");
	CHECK_STR(my_leftovers(), "0,0");
	REQUIRE(mysql_query(old_reader, "COMMIT") == 0);
	CHECK_INT(my_refreshed(conn, &view).did, VIEWD_DID_SWAP);
}

static void foreign_keys_and_triggers_stop_a_swap(void)
{
	static const char *const key[] = {"region", "id", "seq"};
	struct viewd_err err;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, many);
	view.unique_key = key;
	view.n_unique_key = 3;
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	const char *many_rows = my_ask("SELECT count(*) FROM v");
	my_do("CREATE TABLE child (region VARCHAR(20), CONSTRAINT points FOREIGN KEY (region) REFERENCES v (region))");
	struct viewd_outcome out = my_refreshed(conn, &view);
	CHECK_CONTAINS(out.reason, "foreign key refers to it from table 'child'");
	view.mode = VIEWD_MODE_SWAP;
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "config");
	CHECK_CONTAINS(err.msg, "child");
	my_do("DROP TABLE child");
	my_do("CREATE TRIGGER watch AFTER INSERT ON v FOR EACH ROW SET @x = 1");
	view.mode = VIEWD_MODE_AUTO;
	CHECK_CONTAINS(my_refreshed(conn, &view).reason, "trigger 'watch'");
	my_do("DROP TRIGGER watch");
	/* A foreign key of another database is only found by the server. */
	my_do("CREATE TABLE other.child (region VARCHAR(20), CONSTRAINT points FOREIGN KEY (region) REFERENCES shop.v "
	      "(region))");
	view.mode = VIEWD_MODE_SWAP;
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(my_leftovers(), "0,0");
	CHECK_STR(my_ask("SELECT count(*) FROM v"), many_rows);
	CHECK(my_found(conn, &view).ours);
	view.mode = VIEWD_MODE_AUTO;
	CHECK_CONTAINS(my_refreshed(conn, &view).reason, "another database");
	my_do("DROP TABLE other.child");
}

static const char *table_id(void)
{
	return my_ask("SELECT TABLE_ID FROM information_schema.INNODB_SYS_TABLES WHERE NAME = 'shop/v'");
}

static void full_is_filled_aside_or_says_why_not(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, many);
	view.mode = VIEWD_MODE_FULL;
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	const char *before = table_id();
	struct viewd_outcome out = my_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "full, as configured: filled aside and exchanged by name");
	CHECK(strcmp(before, table_id()) != 0);
	before = table_id();
	my_do("CREATE TRIGGER watch AFTER INSERT ON v FOR EACH ROW SET @x = 1");
	out = my_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "in one transaction (it has the trigger 'watch'");
	CHECK_STR(table_id(), before);
	my_do("DROP TRIGGER watch");
	view.mode = VIEWD_MODE_SWAP;
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .force_full = true};
	struct viewd_err err = {0};
	REQUIRE_OK(DIALECT->refresh(conn, &view, &req, &out, &err), &err);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "because it was asked for: filled aside");
	CHECK_STR(my_leftovers(), "0,0");
}

static void a_usurper_survives(void)
{
	static const char *const sql[] = {"DROP TABLE v", "CREATE TABLE v (precious INT)", "INSERT INTO v VALUES (42)",
	                                  NULL};
	struct viewd_err err;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_kill = (struct my_kill){.at = "mysql:filled", .sql = sql};
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "exists");
	CHECK_STR(my_ask("SELECT precious FROM v"), "42");
	CHECK_STR(my_leftovers(), "0,0");
}

/* ---- small tables: all rows in one transaction */

static void a_small_table_waits_for_no_reader(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	const char *before = table_id(), *seen = my_ask("SELECT max(m) FROM v");
	MYSQL *has_read = my_root(), *will_read = my_root();
	REQUIRE(mysql_query(has_read, "BEGIN") == 0 && mysql_query(has_read, "SELECT count(*) FROM v") == 0);
	mysql_free_result(mysql_store_result(has_read));
	REQUIRE(mysql_query(will_read, "START TRANSACTION WITH CONSISTENT SNAPSHOT") == 0);
	my_do("INSERT INTO sales (region, amount) VALUES ('west', 1)");
	struct viewd_outcome out = my_refreshed(conn, &view);
	CHECK_INT(out.did, VIEWD_DID_FULL);
	CHECK_CONTAINS(out.reason, "table is small");
	CHECK_STR(table_id(), before);
	CHECK(strcmp(my_ask("SELECT max(m) FROM v"), seen) != 0);
	CHECK_STR(first_value(has_read, "SELECT max(m) FROM v"), seen);
	CHECK_STR(first_value(will_read, "SELECT max(m) FROM v"), seen);
	view.mode = VIEWD_MODE_SWAP;
	REQUIRE(mysql_query(has_read, "COMMIT") == 0 && mysql_query(will_read, "COMMIT") == 0);
	CHECK_INT(my_refreshed(conn, &view).did, VIEWD_DID_SWAP);
	CHECK(strcmp(table_id(), before) != 0);
}

static void wide_rows_are_no_small_table(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view =
		my_view("v", VIEWD_METHOD_TABLE, "SELECT seq, repeat('x', 8000) AS text FROM seq_1_to_900");
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	CHECK_INT(my_refreshed(conn, &view).did, VIEWD_DID_SWAP);
	view = my_view("n", VIEWD_METHOD_TABLE, one);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_do("ALTER TABLE n ENGINE = MyISAM");
	CHECK_INT(my_refreshed(conn, &view).did, VIEWD_DID_SWAP);
}

static const char *free_lock(void)
{
	return my_ask("SELECT IS_FREE_LOCK('%s')", my_ask("SELECT name FROM lock_of_v"));
}

/* A row of the table is locked, or a predecessor is still at work on it. */
static void a_small_table_waits_for_locks_in_vain(void)
{
	struct relation rel = {.schema = "shop", .name = "v"};
	struct shadow names;
	struct viewd_err err;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	shadow_names(conn, &rel, &names);
	my_do("CREATE TABLE lock_of_v AS SELECT '%s' AS name", names.lock);
	view.lock_timeout_us = 200000;
	MYSQL *other = my_root();
	REQUIRE(mysql_query(other, "BEGIN") == 0);
	first_value(other, "SELECT v FROM v LIMIT 1 LOCK IN SHARE MODE");
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "conflict");
	CHECK_STR(free_lock(), "1");
	REQUIRE(mysql_query(other, "COMMIT") == 0);
	CHECK_STR(first_value(other, talloc_asprintf(harness_ctx(), "SELECT GET_LOCK('%s', 1)", names.lock)), "1");
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "conflict");
	CHECK_CONTAINS(err.msg, "still at work");
	first_value(other, "SELECT RELEASE_ALL_LOCKS()");
	my_refreshed(conn, &view);
	CHECK_STR(free_lock(), "1");
}

/* The usurper's rows would not come back: its storage engine has no transactions. */
static void a_usurper_without_transactions_survives(void)
{
	static const char *const sql[] = {"DROP TABLE v", "CREATE TABLE v (precious INT) ENGINE = MyISAM",
	                                  "INSERT INTO v VALUES (42)", NULL};
	struct viewd_err err;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_kill = (struct my_kill){.at = "mysql:filled", .sql = sql};
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(err_class_word(err.cls), "exists");
	CHECK_STR(my_ask("SELECT precious FROM v"), "42");
}

/* DELETE of all rows would take the child's along. */
static void rows_that_are_referred_to_stay(void)
{
	static const char *const key[] = {"region"};

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, "SELECT DISTINCT region FROM sales");
	view.unique_key = key;
	view.n_unique_key = 1;
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
	my_do("CREATE TABLE child (region VARCHAR(20), FOREIGN KEY (region) REFERENCES v (region) ON DELETE CASCADE)");
	my_do("INSERT INTO child SELECT region FROM v");
	my_refreshed(conn, &view);
	CHECK_STR(my_ask("SELECT count(*) FROM child"), "3");
}

static const struct harness_test tests[] = {
	{"readers see one or the other", readers_see_one_or_the_other},
	{"readers never see half a refresh", readers_never_see_half_a_refresh},
	{"writers do not wait", writers_do_not_wait},
	{"an old reader makes auto exchange rows", an_old_reader_makes_auto_exchange_rows},
	{"foreign keys and triggers stop a swap", foreign_keys_and_triggers_stop_a_swap},
	{"full is filled aside or says why not", full_is_filled_aside_or_says_why_not},
	{"a usurper survives", a_usurper_survives},
	{"a small table waits for no reader", a_small_table_waits_for_no_reader},
	{"wide rows are no small table", wide_rows_are_no_small_table},
	{"a small table waits for locks in vain", a_small_table_waits_for_locks_in_vain},
	{"a usurper without transactions survives", a_usurper_without_transactions_survives},
	{"rows that are referred to stay", rows_that_are_referred_to_stay},
};
HARNESS_SERVER_MAIN(MY_SERVER, SUITE("mysql readers", tests))
