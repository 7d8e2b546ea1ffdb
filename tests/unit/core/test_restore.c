/* SPDX-License-Identifier: MIT
 *
 * test_restore.c: a database that goes back in time under a running daemon: a restored backup, a server rolled back.
 */
#include "core/engine/database.h"
#include "core/plan/change.h"
#include "unit/core/rig.h"

#include <talloc.h>

#define ON(name, from) \
	"[view " name "]\ndatabase = d\nmethod = table\non_change = yes\ndefinition = 'SELECT * FROM " from "'\n"

static bool is_fresh(struct rig *rig)
{
	if (!rig_is_settled(rig) || fake_stale("d") > 0)
		return false;
	for (size_t i = 0; i < rig->eng->n_views; i++)
		if (rig->eng->views[i]->timing.due_at[DUE_CHANGE] != 0)
			return false;
	return true;
}

#define UNTIL_FRESH(rig) RUN_UNTIL(rig, (rig_advance(rig, 1), is_fresh(rig)))

/* A view that has followed a few changes: its marks have numbers that a restored backup does not know. */
static struct rig *start(const char *more)
{
	struct rig *rig = rig_start(talloc_asprintf(harness_ctx(), DB ON("a", "t_x") ON("b", "t_x") "%s", more));
	RUN_UNTIL(rig, (rig_advance(rig, SPAN_SECOND), is_fresh(rig)));
	for (int i = 0; i < 5; i++) {
		fake_do("d", "change t_x");
		UNTIL_FRESH(rig);
	}
	rig_advance(rig, SPAN_HOUR);
	rig_settle(rig);
	CHECK(rig_view(rig, "a")->change.settled_seq > 5);
	return rig;
}

static void noticed_after_a_reconnect(void)
{
	struct rig *rig = start("");
	size_t before = fake_calls("d", "refresh", "a");
	expect_log("database 'd', cannot be used");
	expect_log("database 'd', it has gone back in time");
	fake_do("d", "rewind");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_db(rig, "d")->state == DB_UP && is_fresh(rig)));
	CHECK(fake_calls("d", "refresh", "a") > before);
	rig_free(&rig);
}

/* When it looks for the first time the marks have been forgotten already: what the views hold tells it all the same,
 * each time once. */
static void noticed_before_the_watch_looks(void)
{
	struct rig *rig = start("");
	expect_log("database 'd', cannot be used");
	expect_log("database 'd', it has gone back in time");
	for (int times = 1; times <= 2; times++) {
		fake_do("d", "unwatch");
		RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
		fake_do("d", "rewind");
		fake_do("d", "block watch_next d");
		database_probe(rig_db(rig, "d"));
		RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_UP && rig_is_settled(rig));
		CHECK_INT(harness_log_count("it has gone back in time"), times);
		fake_do("d", "release watch_next d");
		UNTIL_FRESH(rig);
		CHECK_INT(harness_log_count("it has gone back in time"), times);
	}
	rig_free(&rig);
}

static void noticed_without_a_reconnect(void)
{
	struct rig *rig = start("");
	size_t before = fake_calls("d", "refresh", "a"), looks = fake_calls("d", "inspect", "b");
	expect_log("database 'd', it has gone back in time");
	fake_do("d", "rewind");
	RUN_UNTIL(rig, (rig_advance(rig, 1), fake_calls("d", "refresh", "a") > before && is_fresh(rig)));
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 1);
	CHECK(fake_calls("d", "inspect", "b") > looks); /* its objects may be others as well */
	CHECK_INT(harness_log_count("it has gone back in time"), 1);
	fake_do("d", "change t_x");
	UNTIL_FRESH(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), before + 2);
	CHECK_INT(harness_log_count("it has gone back in time"), 1);
	rig_free(&rig);
}

/* A round of the watch that was slow to tell may tell a number that a refresh has settled meanwhile. */
static void one_late_number_is_no_restore(void)
{
	struct rig *rig = start("");
	size_t before = fake_calls("d", "refresh", "a");
	struct view *a = rig_view(rig, "a");
	int64_t late = a->change.settled_seq - 1;
	CHECK_INT(change_order(a, late), CHANGE_SUSPECT);
	change_signal(a, late, false);
	UNTIL_FRESH(rig);
	rig_advance(rig, SPAN_MINUTE);
	rig_settle(rig);
	CHECK_INT(fake_calls("d", "refresh", "a"), before);
	rig_free(&rig);
}

/* The status of a view shows what the database holds. */
static void status_goes_back_too(void)
{
	struct rig *rig = start("[view c]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM t_x\n");
	int64_t then = rig_status(rig, "c").data_timestamp_us;
	expect_log("database 'd', cannot be used");
	expect_log("database 'd', it has gone back in time");
	rig_refresh_now(rig, "c");
	CHECK(rig_status(rig, "c").data_timestamp_us > then);
	fake_do("d", "rewind");
	fake_do("d", "sever");
	fake_do("d", "unwatch");
	RUN_UNTIL(rig, rig_db(rig, "d")->state == DB_DOWN);
	database_probe(rig_db(rig, "d"));
	RUN_UNTIL(rig, (rig_advance(rig, 1), rig_db(rig, "d")->state == DB_UP && is_fresh(rig)));
	CHECK(rig_status(rig, "c").data_timestamp_us < then);
	CHECK(rig_status(rig, "c").last_success_us < then);
	CHECK_INT(harness_log_count("view 'c', its contents have gone back in time"), 1);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"noticed after a reconnect", noticed_after_a_reconnect},
	{"noticed before the watch looks", noticed_before_the_watch_looks},
	{"noticed without a reconnect", noticed_without_a_reconnect},
	{"one late number is no restore", one_late_number_is_no_restore},
	{"status goes back too", status_goes_back_too},
};
HARNESS_MAIN(SUITE("restore", tests))
