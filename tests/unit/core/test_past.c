/* SPDX-License-Identifier: MIT
 *
 * test_past.c: what is counted of runs, and what is remembered of the last hours.
 */
#include "core/plan/freshness.h"
#include "core/report/measure.h"
#include "core/report/past.h"
#include "unit/core/rig.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define ON(name, from, more) \
	"[view " name "]\ndatabase = d\nmethod = table\non_change = yes\n" more "definition = 'SELECT * FROM " from "'\n"

static void take_measure(void *ctx, const struct database_measure *m)
{
	*(struct database_measure *)ctx = *m;
}

static void runs_are_counted(void)
{
	struct rig *rig = rig_start(DB ON("a", "t_x", ""));
	const struct view_counts *counts = view_counts(rig_view(rig, "a"));
	struct database_measure m = {0};
	int64_t before = counts->runs;
	rig_refresh_now(rig, "a");
	rig_refresh_now(rig, "a");
	CHECK_INT(counts->runs, before + 2);
	CHECK_INT(counts->failures, 0);
	expect_log("view 'a', refresh failed");
	fake_do("d", "fail refresh a query");
	rig_refresh_now(rig, "a");
	engine_each_database(rig->eng, take_measure, &m);
	CHECK(m.up && m.leader);
	CHECK_INT(m.views, 1);
	int64_t succeeded = 0, failed = 0, durations = 0;
	for (size_t i = 0; i < COUNTS_ACTIONS; i++) {
		succeeded += m.counts->runs[VIEW_RESULT_SUCCEEDED][i];
		failed += m.counts->runs[VIEW_RESULT_FAILED][i];
		for (size_t k = 0; k < COUNTS_BUCKETS; k++)
			durations += m.counts->durations[i].n[k];
	}
	CHECK_INT(succeeded + failed, counts->runs);
	CHECK_INT(failed, counts->failures);
	CHECK_INT(durations, counts->runs);
	rig_free(&rig);
}

/* Long pauses pass in steps that are long as well. */
static struct rig *start_fresh(const char *text, int64_t step)
{
	struct rig *rig = rig_start(text);
	RUN_UNTIL(rig, (rig_advance(rig, step), rig_is_fresh(rig, "d")));
	rig_advance(rig, 7 * SPAN_HOUR);
	rig_settle(rig);
	return rig;
}

/* The lag grows from slot to slot without anybody's having looked in between. */
static void the_lag_is_remembered(void)
{
	struct past_slot slots[PAST_SLOTS];
	struct rig *rig = start_fresh(DB ON("a", "t_x", "debounce = 22m\nmax_delay = 22m\n"), SPAN_MINUTE);
	struct view *view = rig_view(rig, "a");
	int64_t before = view_counts(view)->changes;
	past_read(view, slots);
	CHECK_INT(slots[PAST_SLOTS - 1].lag_ms, 0);
	rig_change(rig, "d", "t_x", "a");
	CHECK(view_counts(view)->changes > before);
	rig_advance(rig, 17 * SPAN_MINUTE);
	past_read(view, slots);
	CHECK_INT(slots[PAST_SLOTS - 1].lag_ms / 60000, 17);
	for (size_t i = PAST_SLOTS - 4; i < PAST_SLOTS; i++)
		CHECK(slots[i].lag_ms > slots[i - 1].lag_ms || slots[i].lag_ms == 0);
	CHECK(slots[PAST_SLOTS - 3].lag_ms > 0);
	UNTIL(rig, (rig_advance(rig, SPAN_MINUTE), fake_rows("d", "a") == 2));
	rig_settle(rig);
	past_read(view, slots);
	uint32_t worst = 0;
	uint16_t runs = 0;
	for (size_t i = 0; i < PAST_SLOTS; i++) {
		worst = slots[i].lag_ms > worst ? slots[i].lag_ms : worst;
		runs = (uint16_t)(runs + slots[i].runs);
	}
	CHECK(worst / 60000 >= 21);
	CHECK(runs >= 1);
	rig_advance(rig, 6 * SPAN_MINUTE);
	past_read(view, slots);
	CHECK_INT(slots[PAST_SLOTS - 1].lag_ms, 0);
	rig_advance(rig, 7 * SPAN_HOUR);
	past_read(view, slots);
	for (size_t i = 0; i < PAST_SLOTS; i++)
		CHECK(slots[i].lag_ms == 0 && slots[i].runs == 0);
	/* A slot in the middle, between two that are kept: a run an hour, read at the end. */
	for (int i = 0; i < 3; i++) {
		rig_refresh_now(rig, "a");
		rig_advance(rig, SPAN_HOUR);
	}
	past_read(view, slots);
	for (int i = 1; i <= 3; i++)
		CHECK_INT(slots[PAST_SLOTS - 1 - i * 12].runs, 1);
	rig_free(&rig);
}

static bool are_all_behind(const struct rig *rig)
{
	for (size_t i = 0; i < rig->eng->n_views; i++)
		if (freshness_missing_since(rig->eng->views[i]) <= 0)
			return false;
	return true;
}

/* Every slot of every view in use: as much as there can ever be. */
static void all_hours_of_many_views_take_a_kilobyte_each(void)
{
	enum { VIEWS = 200 };
	struct past_slot slots[PAST_SLOTS];
	char *text = talloc_strdup(harness_ctx(), DB);
	for (int i = 0; i < VIEWS; i++)
		text = talloc_asprintf_append_buffer(text,
		                                     "[view v%d]\ndatabase = d\nmethod = table\non_change = yes\n"
		                                     "debounce = 9h\nmax_delay = 9h\ndefinition = 'SELECT * FROM t_x'\n",
		                                     i);
	struct rig *rig = start_fresh(text, SPAN_HOUR);
	rig_change(rig, "d", "t_x", "v0");
	RUN_UNTIL(rig, are_all_behind(rig));
	rig_advance(rig, 7 * SPAN_HOUR);
	size_t bytes = 0, full = 0;
	for (size_t i = 0; i < rig->eng->n_views; i++) {
		past_read(rig->eng->views[i], slots);
		bytes += malloc_usable_size(rig->eng->views[i]->record.past) + sizeof(size_t);
		for (size_t k = 0; k < PAST_SLOTS; k++)
			full += slots[k].lag_ms > 0;
	}
	printf("# %zu bytes a view\n", bytes / VIEWS);
	CHECK_INT(full, VIEWS * PAST_SLOTS);
	CHECK(bytes / VIEWS <= 1024);
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"runs are counted", runs_are_counted},
	{"the lag is remembered", the_lag_is_remembered},
	{"all hours of many views take a kilobyte each", all_hours_of_many_views_take_a_kilobyte_each},
};
HARNESS_MAIN(SUITE("past", tests))
