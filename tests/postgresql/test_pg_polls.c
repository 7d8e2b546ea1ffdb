/* SPDX-License-Identifier: MIT
 *
 * Changes that the server's counters tell late, or never: nobody calls such a view fresh.
 */
#include <string.h>
#include <talloc.h>

#include "base/clock.h"
#include "base/err.h"
#include "pg_watch_support.h"

static const char *word_of(struct pg_stage *s)
{
	return pg_ask(s->conn, "SELECT freshness FROM viewd.views");
}

/* Looks until the doubt is (over). */
static bool doubts(struct pg_stage *s, bool wanted)
{
	const struct clock *clk = clock_system();
	int64_t deadline = clk->mono(clk) + 10000000;
	while (s->doubted != wanted && clk->mono(clk) < deadline)
		pg_look_watch(s, 100000);
	return s->doubted == wanted;
}

static void settle(struct pg_stage *s)
{
	do
		pg_stage_refresh(s);
	while (pg_told_within(s, 1500000));
}

static void begin(struct pg_stage *s, enum viewd_capture mode)
{
	pg_stage_begin(s, mode);
	pg_do(s->app, "CREATE TABLE other (id int)");
	settle(s);
}

static void what_is_not_told_yet_is_not_fresh(void)
{
	struct pg_stage s;
	begin(&s, VIEWD_CAPTURE_POLL);
	CHECK(doubts(&s, false));
	/* The session that has just told its counters tells these when it has been idle for ten seconds, before PostgreSQL
	 * 15 not even then. */
	pg_do(s.app, "INSERT INTO sale VALUES (10, 1)");
	pg_do(s.app, "INSERT INTO sale VALUES (11, 1)");
	CHECK(strcmp(word_of(&s), "FRESH") != 0);
	CHECK(doubts(&s, true));
	CHECK(strcmp(word_of(&s), "FRESH") != 0);
	/* A caller that asks is not put off to what the counters say later. */
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told_within(&s, 5000000));
	pg_stage_refresh(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT n FROM public.totals"), "4");
	CHECK(doubts(&s, false));
}

static void who_asks_is_answered_by_rest(void)
{
	struct pg_stage s;
	begin(&s, VIEWD_CAPTURE_POLL);
	CHECK(doubts(&s, false));
	CHECK_STR(word_of(&s), "FRESH");
	DIALECT->capture->watch_wake(s.watch);
	CHECK(!pg_told_within(&s, 1500000));
	/* Nobody knows where it was: it is not this database's alone. */
	pg_do(s.app, "INSERT INTO other VALUES (1)");
	CHECK_STR(word_of(&s), "UNKNOWN");
	DIALECT->capture->watch_wake(s.watch);
	CHECK(pg_told(&s));
	pg_stage_refresh(&s);
	CHECK(doubts(&s, false));
	CHECK_STR(word_of(&s), "FRESH");
}

/* Refreshes and looks of viewd's own change nothing, nor does what was rolled back. */
static void what_changes_nothing_is_no_doubt(void)
{
	struct pg_stage s;
	begin(&s, VIEWD_CAPTURE_POLL);
	CHECK(doubts(&s, false));
	int told = s.doubts;
	for (int i = 0; i < 3; i++) {
		pg_stage_refresh(&s);
		CHECK(!pg_told_within(&s, 1200000));
		CHECK_STR(word_of(&s), "FRESH");
	}
	pg_do(s.app, "BEGIN");
	pg_do(s.app, "INSERT INTO public.other VALUES (1)");
	pg_do(s.app, "ROLLBACK");
	CHECK(!pg_told_within(&s, 2200000));
	CHECK_STR(word_of(&s), "FRESH");
	CHECK_INT(s.doubts, told);
}

/* A hook's writes are in the refresh's own transaction. */
static void what_a_hook_writes_is_a_doubt(void)
{
	struct pg_stage s;
	begin(&s, VIEWD_CAPTURE_POLL);
	pg_do(s.app, "GRANT INSERT ON other TO viewd");
	CHECK(doubts(&s, true));
	pg_stage_refresh(&s);
	CHECK(doubts(&s, false));
	s.view.pre_hook = "INSERT INTO public.other VALUES (1)";
	pg_stage_refresh(&s);
	CHECK(doubts(&s, true));
	s.view.pre_hook = NULL;
	pg_stage_refresh(&s);
	CHECK(doubts(&s, false));
	s.view.post_hook = "INSERT INTO public.other VALUES (1)";
	pg_stage_refresh(&s);
	CHECK(doubts(&s, true));
	CHECK_STR(word_of(&s), "UNKNOWN");
}

/* A transaction inside another one, and one that began before the last refresh. */
static void other_forms_of_transactions_count(void)
{
	struct pg_stage s;
	begin(&s, VIEWD_CAPTURE_POLL);
	struct viewd_conn *slow = pg_session("app");
	pg_do(slow, "BEGIN");
	pg_do(slow, "INSERT INTO public.sale VALUES (30, 1)");
	pg_do(s.app, "BEGIN");
	pg_do(s.app, "SAVEPOINT s");
	pg_do(s.app, "INSERT INTO public.other VALUES (1)");
	pg_do(s.app, "RELEASE SAVEPOINT s");
	pg_do(s.app, "COMMIT");
	CHECK_STR(word_of(&s), "UNKNOWN");
	CHECK(doubts(&s, true));
	settle(&s);
	CHECK(doubts(&s, false));
	pg_do(slow, "COMMIT");
	CHECK(strcmp(word_of(&s), "FRESH") != 0);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK_STR(pg_ask(s.conn, "SELECT n FROM public.totals"), "3");
	CHECK_STR(word_of(&s), "FRESH");
}

static void a_disabled_trigger_leaves_a_doubt(void)
{
	struct pg_stage s;
	begin(&s, VIEWD_CAPTURE_TRIGGER);
	pg_do(s.app, "INSERT INTO other VALUES (1)");
	CHECK_STR(word_of(&s), "FRESH");
	expect_log("is disabled");
	pg_do(s.app, "ALTER TABLE sale DISABLE TRIGGER ALL");
	pg_beat(&s);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(doubts(&s, false));
	CHECK_STR(word_of(&s), "FRESH");
	pg_do(s.app, "INSERT INTO sale VALUES (40, 1)");
	pg_do(s.app, "INSERT INTO sale VALUES (41, 1)");
	CHECK(strcmp(word_of(&s), "FRESH") != 0);
	CHECK(doubts(&s, true));
	pg_do(s.app, "ALTER TABLE sale ENABLE TRIGGER ALL");
	pg_beat(&s);
	CHECK(pg_told(&s));
	settle(&s);
	CHECK(doubts(&s, false));
	pg_do(s.app, "INSERT INTO other VALUES (1)");
	CHECK_STR(word_of(&s), "FRESH");
	CHECK_STR(pg_ask(s.conn, "SELECT count(*) FROM viewd.captures WHERE mode = 'doubt'"), "0");
}

/* Setting up anew neither loses a doubt nor leaves one behind. */
static void a_doubt_lasts_as_long_as_the_poll(void)
{
	struct pg_stage s;
	struct viewd_err err = {0};
	begin(&s, VIEWD_CAPTURE_POLL);
	pg_do(s.app, "INSERT INTO other VALUES (1)");
	CHECK(doubts(&s, true));
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_POLL, &err), &err);
	CHECK_STR(word_of(&s), "UNKNOWN");
	s.doubted = false;
	pg_stage_rewatch(&s);
	CHECK(doubts(&s, true));
	REQUIRE_OK(pg_try_capture(&s, VIEWD_CAPTURE_TRIGGER, &err), &err);
	pg_beat(&s);
	CHECK(doubts(&s, false));
	settle(&s);
	CHECK_STR(word_of(&s), "FRESH");
	pg_do(s.app, "INSERT INTO other VALUES (1)");
	CHECK_STR(word_of(&s), "FRESH");
}

static const struct harness_test tests[] = {
	{"what is not told yet is not fresh", what_is_not_told_yet_is_not_fresh},
	{"who asks is answered by rest", who_asks_is_answered_by_rest},
	{"what changes nothing is no doubt", what_changes_nothing_is_no_doubt},
	{"what a hook writes is a doubt", what_a_hook_writes_is_a_doubt},
	{"other forms of transactions count", other_forms_of_transactions_count},
	{"a disabled trigger leaves a doubt", a_disabled_trigger_leaves_a_doubt},
	{"a doubt lasts as long as the poll", a_doubt_lasts_as_long_as_the_poll},
};

HARNESS_SERVER_MAIN(PG_SERVER, SUITE("pg polls", tests))
