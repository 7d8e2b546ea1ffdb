/* SPDX-License-Identifier: MIT
 *
 * test_other_databases.c: events in another database, on another server, in another daemon or in an application's
 * session, and who has to hear of them.
 */
#include "core/engine/database.h"
#include "core/exec/watch.h"
#include "core/flow/wave.h"
#include "core/plan/due.h"
#include "unit/core/rig.h"

#include <string.h>

#define EVERY(name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\n" more "definition = 'SELECT * FROM " from "'\n"
#define ON(name, from, more) EVERY(name, from, "on_change = yes\n" more)
#define IN_E(name, from, more) \
	"[view " name "]\ndatabase = e\nmethod = table\non_change = yes\n" more "definition = 'SELECT * FROM " from "'\n"
#define TWO_DB DB "[database e]\nurl = fake://e\n"

/* ---- two databases ---------------------------------------------------------------------------------------------- */

/* No mark tells of what happens in another database: a start that came to nothing must not forget it. */
static void news_from_elsewhere_survive_a_start_that_came_to_nothing(void)
{
	struct rig *rig = rig_start_fresh(
		TWO_DB ON("a", "t_x", "") IN_E("b", "t_y", "depends_on = d:a\nmax_retries = 0\nretry_max_backoff = 1m\n"));
	struct rig_report r;
	expect_log("cannot be used");
	expect_log("refresh failed");
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	size_t before = fake_calls("e", "refresh", "b");
	fake_do("e", "block open e");
	fake_do("e", "sever");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, (rig_advance(rig, 1), r.done && fake_waiting("e") == 1));
	fake_do("e", "down connect");
	fake_do("e", "release open e");
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_db(rig, "e")->state == DB_DOWN && rig_working(rig) == 0));
	fake_do("e", "fail refresh b missing");
	fake_do("e", "up");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_db(rig, "e")->state == DB_UP));
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), fake_calls("e", "refresh", "b") == before + 1));
	rig_settle(rig);
	CHECK_INT(rig_status(rig, "b").result, VIEW_RESULT_FAILED);
	CHECK(rig_status(rig, "b").freshness != VIEW_FRESHNESS_FRESH);
	for (int i = 0; i < 5; i++) {
		rig_advance(rig, SPAN_MINUTE);
		rig_settle(rig);
	}
	CHECK_INT(fake_calls("e", "refresh", "b"), before + 2);
	CHECK_STR(rig_words(rig, "b"), "ACTIVE IDLE SUCCEEDED");
	/* After the look that follows its new capture */
	RUN_UNTIL(rig, rig_status(rig, "b").freshness == VIEW_FRESHNESS_FRESH);
	rig_free(&rig);
}

/* The follower's database was found to be away while the other view still ran. So the follower was taken out of what
 * somebody had asked for. */
static void who_was_away_hears_of_it_later(void)
{
	struct rig *rig = rig_start_fresh(TWO_DB ON("a", "t_x", "") IN_E("b", "t_y", "depends_on = d:a\n"));
	struct rig_report r;
	size_t before = fake_calls("e", "refresh", "b");
	expect_log("cannot be used");
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	fake_do("e", "down connect");
	RUN_UNTIL(rig, rig_db(rig, "e")->state == DB_DOWN);
	database_probe(rig_db(rig, "e"));
	RUN_UNTIL(rig, rig_db(rig, "e")->state == DB_DOWN && rig_view(rig, "b")->members == NULL);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	fake_do("e", "up");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND),
	                rig_db(rig, "e")->state == DB_UP && rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	CHECK_INT(fake_calls("e", "refresh", "b"), before + 1);
	rig_free(&rig);
}

/* One database's failure never stops another's views. */
static void a_dead_database_does_not_hold_who_reads_from_it(void)
{
	struct rig *rig =
		rig_start_fresh(TWO_DB EVERY("a", "t_x", "every = 1m\n") IN_E("b", "t_y", "depends_on = d:a\nevery = 1m\n"));
	expect_log("cannot be used");
	fake_do("d", "down connect");
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_db(rig, "d")->state == DB_DOWN));
	rig_advance(rig, SPAN_MINUTE);
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_MINUTE), rig_view(rig, "a")->members != NULL));
	RUN_UNTIL(rig, rig_view(rig, "b")->members == NULL && rig_working(rig) == 0);
	rig_change(rig, "e", "t_y", "b");
	int64_t deadline = harness_deadline(2 * SPAN_SECOND);
	while (fake_rows("e", "b") != 2 && rig_turn(rig, deadline))
		rig_advance(rig, SPAN_MS);
	CHECK_INT(fake_rows("e", "b"), 2);
	fake_do("d", "up");
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), rig_db(rig, "d")->state == DB_UP));
	/* Slowly: the schedule would have something run at most looks. */
	RUN_UNTIL(rig, (rig_advance(rig, 10 * SPAN_MS), rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	rig_free(&rig);
}

static void history_told(void *ctx, const struct viewd_history_row *rows UNUSED, size_t n UNUSED,
                         const struct viewd_err *err UNUSED)
{
	*(bool *)ctx = true;
}

/* Nobody waits for statistics, and a reconnect waits for nobody. */
static void a_reconnect_waits_for_no_side_work(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", ""));
	expect_log("cannot be used");
	bool told = false;
	fake_do("d", "hang history a");
	engine_history(rig->eng, rig_view(rig, "a"), 1, history_told, &told);
	RUN_UNTIL(rig, fake_waiting("d") == 1);
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state != DB_UP);
	int64_t deadline = harness_deadline(2 * SPAN_SECOND);
	while (rig_db(rig, "d")->state != DB_UP && rig_turn(rig, deadline))
		rig_advance(rig, SPAN_MS);
	CHECK_INT(rig_db(rig, "d")->state, DB_UP);
	fake_do("d", "release history a");
	rig_settle(rig);
	rig_free(&rig);
}
/* ---- requests in SQL -------------------------------------------------------------------------------------------- */

static size_t waiting_members(struct rig *rig, const char *name)
{
	size_t n = 0;
	for (const struct member *m = rig_view(rig, name)->members; m != NULL; m = m->next)
		n++;
	return n;
}

/* However often it is asked for while it runs, once more will do. */
static void requests_do_not_pile_up(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "") ON("b", "a", ""));
	struct rig_report r;
	size_t before = fake_calls("d", "refresh", "a");
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	for (int i = 0; i < 100; i++) {
		fake_do("d", "request a");
		rig_turn(rig, 0);
	}
	RUN_UNTIL(rig, waiting_members(rig, "a") > 0);
	for (int i = 0; i < 20; i++)
		rig_turn(rig, 0);
	CHECK_INT(waiting_members(rig, "a"), 1);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 2);
	rig_free(&rig);
}

/* Anybody may ask, as often as they like; a pause does not stop a request, now or later. */
static void requests_obey_at_most_every(void)
{
	struct rig *rig = rig_start_fresh(DB ON("a", "t_x", "at_most_every = 1h\n") ON("b", "a", ""));
	struct view *a = rig_view(rig, "a");
	size_t before = fake_calls("d", "refresh", "a");
	fake_do("d", "request a");
	RUN_UNTIL(rig, fake_calls("d", "refresh", "a") == before + 1 && a->job == NULL);
	for (int i = 0; i < 20; i++) {
		fake_do("d", "request a");
		RUN_UNTIL(rig, a->timing.due_at[DUE_REQUEST] != 0);
		rig_advance(rig, SPAN_SECOND);
	}
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 1);
	a->paused = true;
	due_schedule(a);
	rig_advance(rig, SPAN_HOUR);
	RUN_UNTIL(rig, fake_calls("d", "refresh", "a") == before + 2);
	rig_free(&rig);
}

/* Nobody waits at its other end, and its row is gone: it is served when the database is back. */
static void a_request_outlives_its_connection(void)
{
	struct rig *rig = rig_start_fresh("[database d]\nurl = fake://d\nmax_concurrent_refreshes = 1\n" ON("a", "t_x", "")
	                                      ON("b", "t_y", ""));
	size_t before = fake_calls("d", "refresh", "a");
	struct rig_report r;
	expect_log("cannot be used");
	fake_do("d", "block refresh b");
	rig_refresh(rig, "b", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	fake_do("d", "request a");
	RUN_UNTIL(rig, waiting_members(rig, "a") > 0);
	fake_do("d", "down connect");
	fake_do("d", "release refresh b");
	RUN_UNTIL(rig, r.done && rig_db(rig, "d")->state == DB_DOWN && !watch_lingers(rig_db(rig, "d")));
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN && !watch_lingers(rig_db(rig, "d")));
	fake_do("d", "up");
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND),
	                rig_db(rig, "d")->state == DB_UP && rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 1);
	rig_free(&rig);
}

/* ---- another server --------------------------------------------------------------------------------------------- */

/* The refresh ends well on the server that was left. That says nothing of what the other server holds. */
static void a_refresh_of_the_server_that_was_left_counts_there_only(void)
{
	struct rig *rig = rig_start("[database d]\nurl = fake://two\n" VIEW("a", "t_x"));
	int64_t old = rig_status(rig, "a").data_timestamp_us;
	rig_advance(rig, SPAN_HOUR);
	rig_commit(rig, DB VIEW("a", "t_x"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	rig_settle(rig);
	CHECK(rig_status(rig, "a").data_timestamp_us > old);
	struct rig_report r;
	fake_do("d", "block refresh a");
	rig_refresh(rig, "a", &r);
	RUN_UNTIL(rig, fake_running("d") == 1);
	rig_advance(rig, SPAN_HOUR);
	rig_commit(rig, "[database d]\nurl = fake://two\n" VIEW("a", "t_x"));
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP);
	fake_do("d", "release refresh a");
	RUN_UNTIL(rig, r.done);
	rig_settle(rig);
	CHECK_INT(rig_status(rig, "a").data_timestamp_us, old);
	rig_free(&rig);
}

/* Another daemon led there for a while and refreshed: who reads it here has to hear of that, and the status too. */
static void who_led_meanwhile_is_heard_of(void)
{
	struct rig *rig = rig_start_fresh(TWO_DB ON("a", "t_x", "") IN_E("b", "t_y", "depends_on = d:a\n"));
	size_t before = fake_calls("e", "refresh", "b");
	int64_t old = rig_status(rig, "a").data_timestamp_us;
	expect_log("cannot be used");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN && !watch_lingers(rig_db(rig, "d")));
	fake_do("d", "lead a"); /* refreshed by the other one */
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND),
	                rig_db(rig, "d")->state == DB_UP && rig_is_fresh(rig, "d") && rig_is_fresh(rig, "e")));
	CHECK(rig_status(rig, "a").data_timestamp_us > old);
	CHECK(fake_calls("e", "refresh", "b") > before);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"news from elsewhere survive a start that came to nothing",
     news_from_elsewhere_survive_a_start_that_came_to_nothing},
	{"who was away hears of it later", who_was_away_hears_of_it_later},
	{"a dead database does not hold who reads from it", a_dead_database_does_not_hold_who_reads_from_it},
	{"a reconnect waits for no side work", a_reconnect_waits_for_no_side_work},
	{"requests do not pile up", requests_do_not_pile_up},
	{"requests obey at_most_every", requests_obey_at_most_every},
	{"a request outlives its connection", a_request_outlives_its_connection},
	{"a refresh of the server that was left counts there only",
     a_refresh_of_the_server_that_was_left_counts_there_only},
	{"who led meanwhile is heard of", who_led_meanwhile_is_heard_of},
};
HARNESS_MAIN(SUITE("other databases", tests))
