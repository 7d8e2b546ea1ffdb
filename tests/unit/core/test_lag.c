/* SPDX-License-Identifier: MIT
 *
 * test_lag.c: target_lag of views whose changes are noticed, and what on_change is refused for.
 */
#include "core/engine/capture.h"
#include "core/plan/capturable.h"
#include "core/plan/change.h"
#include "core/plan/due.h"
#include "core/plan/freshness.h"
#include "unit/core/rig.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <talloc.h>
#include <unistd.h>

/* ---- a dialect that can be woken, but never sees anything by itself --------------------------------------------- */

struct viewd_watch {
	int fd;
};

static struct viewd_watch *open_watch(const struct viewd_host *host UNUSED, const struct viewd_database_spec *db UNUSED,
                                      struct viewd_err *err UNUSED)
{
	struct viewd_watch *watch = calloc(1, sizeof *watch);
	watch->fd = eventfd(0, EFD_NONBLOCK);
	return watch;
}

static bool next_watch(struct viewd_watch *watch, int64_t timeout_us, struct viewd_signal_sink sink UNUSED,
                       struct viewd_err *err UNUSED)
{
	struct pollfd p = {.fd = watch->fd, .events = POLLIN};
	uint64_t count;
	return poll(&p, 1, (int)(timeout_us / SPAN_MS)) <= 0 || read(watch->fd, &count, sizeof count) > 0;
}

static void wake_watch(struct viewd_watch *watch)
{
	const uint64_t one = 1;
	CHECK(write(watch->fd, &one, sizeof one) > 0);
}

static void close_watch(struct viewd_watch **watch)
{
	close((*watch)->fd);
	free(*watch);
	*watch = NULL;
}

static bool capture(struct viewd_conn *conn UNUSED, const struct viewd_view_spec *view UNUSED,
                    const struct viewd_capture_request *req, struct viewd_captured *out,
                    struct viewd_text_sink warnings UNUSED, struct viewd_err *err UNUSED)
{
	*out =
		(struct viewd_captured){.mode = req->mode == VIEWD_CAPTURE_NONE ? VIEWD_CAPTURE_NONE : VIEWD_CAPTURE_TRIGGER};
	return true;
}

static struct viewd_dialect watching(void)
{
	static const struct viewd_capture_ops ops = {
		.struct_size = sizeof ops,
		.set = capture,
		.watch_open = open_watch,
		.watch_next = next_watch,
		.watch_wake = wake_watch,
		.watch_close = close_watch,
	};
	struct viewd_dialect d = viewd_dialect_fake;
	d.name = "fakewatch";
	d.capture = &ops;
	return d;
}

static struct rig *start(const char *keys)
{
	struct viewd_err err = {0};
	struct viewd_dialect d = watching();
	struct rig *rig = rig_new();
	REQUIRE_OK(registry_add(rig->registry, &d, &err), &err);
	rig_commit(rig, talloc_asprintf(harness_ctx(),
	                                "[database d]\nurl = fakewatch://d\n[view v]\ndatabase = d\nmethod = table\n"
	                                "definition = 'SELECT * FROM t_x'\non_change = yes\ntarget_lag = 10m\n%s",
	                                keys));
	RUN_UNTIL(rig, freshness_is_followed(rig_view(rig, "v")) && rig_is_settled(rig));
	return rig;
}

static size_t runs(void)
{
	return fake_calls("d", "refresh", "v");
}

static int64_t due_in(struct rig *rig)
{
	int64_t wall = due_wall(rig_view(rig, "v"));
	return wall == 0 ? 0 : wall - rig->clock.wall_us;
}

static void advance(struct rig *rig, int64_t us)
{
	rig_advance(rig, us);
	rig_settle(rig);
}

/* ---- target_lag ------------------------------------------------------------------------------------------------- */

static void no_change_no_refresh(void)
{
	struct rig *rig = start("");
	CHECK_INT(due_in(rig), 0);
	advance(rig, SPAN_DAY);
	CHECK_INT(runs(), 0);
	CHECK_STR(rig_status(rig, "v").schedule, "target lag 10m, on change");
	rig_free(&rig);
}

static void the_first_change_sets_the_time(void)
{
	struct rig *rig = start("");
	advance(rig, SPAN_DAY);
	change_signal(rig_view(rig, "v"), 1, false);
	int64_t in = due_in(rig);
	CHECK(in > 9 * SPAN_MINUTE && in < 10 * SPAN_MINUTE);
	advance(rig, 5 * SPAN_MINUTE);
	change_signal(rig_view(rig, "v"), 2, false);
	CHECK_INT(due_in(rig), in - 5 * SPAN_MINUTE);
	CHECK_INT(runs(), 0);
	advance(rig, in - 5 * SPAN_MINUTE);
	CHECK_INT(runs(), 1);
	CHECK_INT(rig_status(rig, "v").trigger, VIEW_TRIGGER_CHANGE);
	rig_free(&rig);
}

/* A change from while nobody watched may be as old as the data. The lag is counted from there. */
static void an_old_change_is_urgent(void)
{
	struct rig *rig = start("");
	advance(rig, SPAN_DAY);
	rig_refresh_now(rig, "v");
	advance(rig, 4 * SPAN_MINUTE);
	change_signal(rig_view(rig, "v"), 1, true);
	CHECK(due_in(rig) < 6 * SPAN_MINUTE && due_in(rig) > 5 * SPAN_MINUTE);
	advance(rig, 6 * SPAN_MINUTE);
	CHECK_INT(runs(), 2);
	rig_free(&rig);
}

static void rest_may_come_earlier(void)
{
	struct rig *rig = start("debounce = 1m\n");
	advance(rig, SPAN_HOUR);
	change_signal(rig_view(rig, "v"), 1, false);
	CHECK_INT(due_in(rig), SPAN_MINUTE);
	for (int64_t seq = 2; seq < 12; seq++) {
		advance(rig, 50 * SPAN_SECOND);
		change_signal(rig_view(rig, "v"), seq, false);
	}
	CHECK_INT(runs(), 0);
	CHECK(due_in(rig) < SPAN_MINUTE + 10 * SPAN_SECOND); /* no rest, but the lag is reached */
	advance(rig, SPAN_MINUTE + 10 * SPAN_SECOND);
	CHECK_INT(runs(), 1);
	rig_free(&rig);
}

/* ---- what is refused -------------------------------------------------------------------------------------------- */

static const char *refusal(const struct viewd_dialect *dialect, const struct conf_view *conf)
{
	struct viewd_resolved resolved = {.method = (enum viewd_method)conf->method, .reads_clock = "now()"};
	struct viewd_err err = {0};
	if (!capturable_refuse(conf, dialect, &resolved, &err))
		return "";
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	return talloc_asprintf(harness_ctx(), "%s; %s", err.msg, err.hint);
}

/* A clock makes a view UNKNOWN, as anything does that nothing hears, and refuses nothing. */
static void refusals(void)
{
	const struct viewd_dialect d = watching();
	struct conf_view v = {.method = VIEWD_METHOD_TABLE, .on_change = true};
	struct viewd_dialect blind = viewd_dialect_fake;
	blind.capture = NULL;
	CHECK_STR(refusal(&blind, &v),
	          "on_change = yes, but the dialect fake cannot notice changes; use a schedule: every, after or cron");
	CHECK_STR(refusal(&d, &v), "");
	struct conf_view off = v, simple = v;
	off.on_change = false;
	simple.method = VIEWD_METHOD_SIMPLE;
	CHECK_STR(refusal(&blind, &off), "");
	CHECK_STR(refusal(&blind, &simple), "");
}

static const struct harness_test tests[] = {
	{"no change, no refresh", no_change_no_refresh},
	{"the first change sets the time", the_first_change_sets_the_time},
	{"a change while nobody watched is urgent", an_old_change_is_urgent},
	{"with debounce, rest may come earlier", rest_may_come_earlier},
	{"refusals", refusals},
};
HARNESS_MAIN(SUITE("lag", tests))
