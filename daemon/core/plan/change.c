/* SPDX-License-Identifier: MIT */
#include "core/plan/change.h"

#include "core/model/group.h"
#include "core/model/job_record.h"
#include "core/plan/due.h"
#include "core/plan/timing.h"
#include "sched/backoff.h"
#include "sched/coalesce.h"

static void note_time(struct view *view)
{
	int64_t now = engine_mono(view->eng);
	if (view->change.first == 0)
		view->change.first = now;
	view->change.last = now;
}

static int64_t coalesced(const struct view *view)
{
	const struct coalesce c = group_pace(view);
	bool old = view->change.old && view->change.first != 0 && view->timing.past.data != SCHEDULE_NEVER &&
	           view->timing.past.data != 0;
	int64_t first = old ? view->timing.past.data : view->change.first;
	int64_t start = coalesce_start(&c, first, view->change.last, view->change.last_start);
	if (view->conf->target_lag == 0 || view->change.first == 0)
		return start;
	const struct schedule schedule = timing_schedule(view);
	int64_t latest = schedule_lag_start(&schedule, &view->timing.past, first);
	bool settled = c.debounce > 0 && start < latest; /* it has come to rest earlier than it must be shown */
	int64_t spaced =
		c.at_most_every > 0 && view->change.last_start > 0 ? view->change.last_start + c.at_most_every : latest;
	return settled ? start : spaced > latest ? spaced : latest;
}

/* After a failure new changes wait as a retry would. */
static int64_t start_time(const struct view *view)
{
	int64_t start = coalesced(view);
	return start < view->change.not_before ? view->change.not_before : start;
}

void change_plan(struct view *view)
{
	if (view->change.first == 0 || view->job != NULL || !view->relation.reconciled || !view->conf->on_change ||
	    !due_allowed(view))
		return;
	due_set(view, DUE_CHANGE, start_time(view) - engine_mono(view->eng));
}

void change_resume(struct view *view)
{
	if (view->change.first == 0 && view->change.seen_seq > view->change.settled_seq)
		note_time(view);
	view->change.not_before = view->change.failures = 0;
	change_plan(view);
}

/* Nothing is missing any more. */
static void forget_news(struct change *c)
{
	c->first = c->last = 0;
	c->old = false;
}

/* A mark that is told again and known: planned, or being covered just now. */
static bool is_known(const struct change *c, int64_t seq)
{
	return seq <= c->settled_seq || (seq == c->seen_seq && (c->first != 0 || c->run.seq == seq));
}

void change_signal(struct view *view, int64_t seq, bool old)
{
	if (!view->conf->on_change || is_known(&view->change, seq))
		return;
	view->change.seen_seq = seq;
	note_time(view);
	view->change.old |= old;
	change_plan(view);
}

enum change_order change_order(struct view *view, int64_t seq)
{
	struct change *c = &view->change;
	bool registers = view->job != NULL && view->job->kind == JOB_CAPTURE; /* fewer sources count less */
	bool before = c->lower;
	/* A mark that is told as stale is above all that was settled. */
	c->lower = view->conf->on_change && seq <= c->settled_seq && !registers;
	if (!c->lower)
		return CHANGE_FORWARD;
	return before ? CHANGE_BACKWARD : CHANGE_SUSPECT;
}

bool change_from_upstream(struct view *view)
{
	note_time(view);
	view->change.upstream = true;
	if (!due_allowed(view))
		return false;
	if (start_time(view) <= engine_mono(view->eng))
		return true;
	change_plan(view);
	return false;
}

void change_add_upstream(struct view *view)
{
	note_time(view);
	view->change.upstream = true;
	change_plan(view);
}

void change_started(struct view *view)
{
	struct change *c = &view->change;
	c->run = (struct change_run){.first = c->first, .seq = c->seen_seq, .upstream = c->upstream, .old = c->old};
	forget_news(c);
	c->upstream = false;
	c->last_start = engine_mono(view->eng);
	due_unset(view, DUE_CHANGE);
	due_unset(view, DUE_RETRY);
	due_unset(view, DUE_REQUEST);
}

bool change_hold_request(struct view *view)
{
	int64_t spaced = group_pace(view).at_most_every, last = view->change.last_start;
	int64_t wait = spaced > 0 && last > 0 ? last + spaced - engine_mono(view->eng) : 0;
	if (wait <= 0)
		return false;
	if (view->timing.due_at[DUE_REQUEST] == 0)
		due_set(view, DUE_REQUEST, wait);
	return true;
}

void change_settled(struct view *view, int64_t settled_seq)
{
	struct change *c = &view->change;
	c->settled_seq = settled_seq;
	c->lower = false;
	/* Changes told before the start are covered, whatever their number; numbers begin anew when a view is registered
	 * anew. */
	bool told = c->seen_seq != c->run.seq && c->seen_seq > settled_seq;
	if (!told && !c->upstream)
		forget_news(c); /* told while it ran, and covered by it all the same */
}

void change_covered(struct view *view, int64_t settled_seq)
{
	struct change *c = &view->change;
	if (settled_seq > 0)
		change_settled(view, settled_seq);
	c->run = (struct change_run){.first = 0};
	c->not_before = c->failures = 0;
	change_plan(view);
}

static void take_back(struct change *c)
{
	if (c->run.first != 0) {
		c->last = c->first != 0 ? c->last : c->run.first;
		c->first = c->run.first;
		c->upstream |= c->run.upstream;
		c->old |= c->run.old;
	}
	c->run = (struct change_run){.first = 0};
}

/* Changes that the run should have covered are still to be done. */
static void owe(struct change *c)
{
	c->tried_seq = c->run.seq;
	take_back(c);
}

void change_not_begun(struct view *view)
{
	take_back(&view->change);
	change_plan(view);
}

void change_looked_up(struct view *view)
{
	struct change *c = &view->change;
	int64_t tried = c->tried_seq;
	owe(c);
	if (c->seen_seq <= tried && !c->upstream)
		forget_news(c); /* the lost run has covered it */
	change_plan(view);
}

void change_failed(struct view *view)
{
	struct change *c = &view->change;
	bool news = c->first != 0;
	const struct conf_view *conf = view->conf;
	owe(c);
	c->not_before = engine_mono(view->eng) + backoff_delay(conf->retry_backoff, conf->retry_max_backoff, ++c->failures,
	                                                       (uint64_t)view->eng->count.run_id);
	if (news)
		change_plan(view);
	change_put_off(view);
}

void change_put_off(struct view *view)
{
	bool planned = view->timing.due_at[DUE_RETRY] != 0 || view->timing.due_at[DUE_CHANGE] != 0;
	if (view->change.first != 0 && view->conf->on_change && due_allowed(view) && !planned)
		due_set(view, DUE_RETRY, view->conf->retry_max_backoff);
}

void change_forget_marks(struct view *view)
{
	view->change.seen_seq = view->change.settled_seq = view->change.tried_seq = 0;
	view->change.lower = false;
}

static void catch_up_with(struct view *up, struct view *down)
{
	bool news = up->capture.catch_up || down->capture.catch_up;
	if (up->db == down->db || !news || !down->conf->on_change || !down->relation.reconciled ||
	    down->last.data_timestamp_us == 0)
		return;
	/* The running refresh was started for a change, and will be done again when it fails. */
	bool runs = down->job != NULL && down->change.run.first != 0;
	if (up->last.success_us <= (runs ? down->job->run.started_wall : down->last.data_timestamp_us))
		return;
	change_add_upstream(down);
}

void change_catch_up(struct view *view)
{
	for (size_t i = 0; i < view->graph.n_up; i++)
		catch_up_with(view->graph.up[i], view);
	for (size_t i = 0; i < view->graph.n_down; i++)
		catch_up_with(view, view->graph.down[i]);
	view->capture.catch_up = false;
}
