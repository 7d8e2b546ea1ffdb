/* SPDX-License-Identifier: MIT
 *
 * What others notice: readers during replacements and refreshes, writers during a long refresh, transactions in the way.
 */
#include "my_support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/err.h"

#define ROUNDS 50

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
	for (int i = 0; i < ROUNDS; i++) {
		view.definition = i % 2 == 0 ? two : one;
		view.method = methods[i / 2 % 2];
		my_applied(conn, &view, VIEWD_CHANGE_REPLACE);
		my_refreshed(conn, &view);
	}
	loop_end(direct);
	loop_end(through);
	CHECK(atomic_load(&direct->rounds) > ROUNDS && atomic_load(&through->rounds) > ROUNDS);
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
	for (int i = 0; i < ROUNDS; i++) {
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
		harness_check(writer->slowest_us * 3 < out.duration_us, __FILE__, __LINE__, "a writer waited %lld us of %lld", (long long)writer->slowest_us,
		              (long long)out.duration_us);
	}
}

/* ---- in the way */

static void an_old_reader_makes_auto_exchange_rows(void)
{
	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
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
	static const char *const key[] = {"region"};
	struct viewd_err err;

	my_fresh();
	struct viewd_conn *conn = my_session();
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
	view.unique_key = key;
	view.n_unique_key = 1;
	my_applied(conn, &view, VIEWD_CHANGE_CREATE);
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
	my_do("CREATE TABLE other.child (region VARCHAR(20), CONSTRAINT points FOREIGN KEY (region) REFERENCES shop.v (region))");
	view.mode = VIEWD_MODE_SWAP;
	CHECK(my_refresh_fails(conn, &view, &err));
	CHECK_STR(my_leftovers(), "0,0");
	CHECK_STR(my_ask("SELECT count(*) FROM v"), "3");
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
	struct viewd_view_spec view = my_view("v", VIEWD_METHOD_TABLE, one);
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
	static const char *const sql[] = {"DROP TABLE v", "CREATE TABLE v (precious INT)", "INSERT INTO v VALUES (42)", NULL};
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

static const struct harness_test tests[] = {
	{"readers see one or the other", readers_see_one_or_the_other},
	{"readers never see half a refresh", readers_never_see_half_a_refresh},
	{"writers do not wait", writers_do_not_wait},
	{"an old reader makes auto exchange rows", an_old_reader_makes_auto_exchange_rows},
	{"foreign keys and triggers stop a swap", foreign_keys_and_triggers_stop_a_swap},
	{"full is filled aside or says why not", full_is_filled_aside_or_says_why_not},
	{"a usurper survives", a_usurper_survives},
};
HARNESS_MAIN(SUITE("mysql readers", tests))
