/* SPDX-License-Identifier: MIT
 *
 * cmd_follow.c: commands that stay: wait, events.
 */
#include "ctl/call/handlers.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/words.h"
#include "core/report/observe.h"
#include "core/report/wait.h"
#include "ctl/answer/json.h"
#include "ctl/text/json_err.h"

/* ---- wait -------------------------------------------------------------------------------------------------------- */

/* Several databases may have a view of that name: all of them are waited for. */
struct wait_call {
	struct call *call;
	struct wait_call_one {
		struct wait_call *all;
		struct waiter *waiter;
	} * ones;
	size_t n, n_left;
	int64_t oldest_us;
};

static void forget_waiters(void *ctx)
{
	struct wait_call *w = ctx;
	for (size_t i = 0; i < w->n; i++)
		engine_wait_cancel(&w->ones[i].waiter);
}

static void wait_done(void *ctx, int64_t data_timestamp_us, const struct viewd_err *err)
{
	struct wait_call_one *one = ctx;
	struct wait_call *w = one->all;
	struct call *call = w->call;
	one->waiter = NULL;
	if (err != NULL) {
		struct viewd_err copy = *err;
		forget_waiters(w);
		call_fail(call, &copy);
		return;
	}
	if (w->oldest_us == 0 || data_timestamp_us < w->oldest_us)
		w->oldest_us = data_timestamp_us;
	if (--w->n_left > 0)
		return;
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_true());
	json_object_set_new(body, "view", json_text(args_text(call_args(call), "view")));
	json_object_set_new(body, "data_timestamp", json_time(w->oldest_us));
	call_reply(call, body);
}

void cmd_wait(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views(call, false, &views, &n))
		return;
	struct wait_call *w = mem_new(call, struct wait_call);
	w->call = call;
	w->ones = mem_array(w, struct wait_call_one, n);
	w->n = w->n_left = n;
	call_on_gone(call, forget_waiters, w);
	int64_t newer_than = args_number(call_args(call), "newer-than", 0);
	for (size_t i = 0; i < n; i++) {
		w->ones[i].all = w;
		w->ones[i].waiter = engine_wait(call_ctl(call)->engine, views[i], newer_than, wait_done, &w->ones[i]);
	}
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* A client that is further behind than this is parted with. */
#define BACKLOG_MAX ((size_t)256 << 10)

struct feed {
	struct call *call;
	struct engine_observer observer;
	struct text_out backlog;
	bool dropped;
};

static void put_word(struct text_out *out, const char *key, bool known, const char *word)
{
	text_out_pair(out, key, known ? word : NULL);
}

static void put_run(struct text_out *out, const struct engine_event *event)
{
	put_word(out, ",\"trigger\":", event->trigger != VIEW_TRIGGER_NONE, view_trigger_word(event->trigger));
	put_word(out, ",\"action\":", event->did >= 0, event->did >= 0 ? word_did((enum viewd_did)event->did) : "");
	put_word(out, ",\"result\":", event->result != VIEW_RESULT_NONE, view_result_word(event->result));
	text_out_raw(out, ",\"rows\":");
	text_out_count(out, event->rows);
	text_out_raw(out, ",\"rows_written\":");
	text_out_count(out, event->rows_written);
	text_out_raw(out, ",\"duration_ms\":");
	text_out_ms(out, event->duration_us);
}

static const char *event_word(enum engine_event_kind kind)
{
	switch (kind) {
	case ENGINE_EVENT_RUN:
		return "run";
	case ENGINE_EVENT_STATE:
		return "state";
	case ENGINE_EVENT_BEGUN:
		return "begin";
	case ENGINE_EVENT_STALE:
		return "stale";
	}
	return "unknown";
}

static void put_event(struct text_out *out, const struct engine_event *event)
{
	text_out_raw(out, "event: ");
	text_out_raw(out, event_word(event->kind));
	text_out_raw(out, "\ndata: {\"time\":");
	text_out_time(out, clock_system()->wall(clock_system()));
	put_word(out, ",\"view\":", true, view_name(event->view));
	put_word(out, ",\"database\":", true, view_database(event->view));
	put_word(out, ",\"state\":", true, view_state_word(event->state));
	if (event->kind == ENGINE_EVENT_RUN)
		put_run(out, event);
	else if (event->kind == ENGINE_EVENT_STATE)
		put_word(out, ",\"before\":", true, view_state_word(event->before));
	text_out_raw(out, ",\"error\":");
	text_out_err(out, event->error);
	text_out_raw(out, "}\n\n");
}

static void on_event(void *ctx, const struct engine_event *event)
{
	struct feed *feed = ctx;
	if (feed->dropped)
		return;
	if (feed->backlog.len > BACKLOG_MAX) {
		feed->dropped = true;
		call_drop(feed->call);
		return;
	}
	put_event(&feed->backlog, event);
	call_kick(feed->call);
}

static enum call_more fill_feed(void *ctx, struct text_out *out)
{
	struct feed *feed = ctx;
	*out = feed->backlog;
	feed->backlog = (struct text_out){0};
	return CALL_LATER;
}

static void end_feed(void *ctx)
{
	struct feed *feed = ctx;
	engine_unobserve(&feed->observer);
	text_out_free(&feed->backlog);
}

void cmd_events(struct call *call)
{
	struct feed *feed = mem_new(call, struct feed);
	const struct call_stream stream = {
		.content_type = "text/event-stream", .heartbeat = ": still here\n\n", .fill = fill_feed, .ctx = feed};
	feed->call = call;
	feed->observer = (struct engine_observer){.fn = on_event, .ctx = feed};
	text_out_raw(&feed->backlog, ": viewd\n\n");
	engine_observe(call_ctl(call)->engine, &feed->observer);
	call_on_gone(call, end_feed, feed);
	call_stream(call, &stream);
}
