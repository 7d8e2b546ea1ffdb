/* SPDX-License-Identifier: MIT */
#include "core/engine/clock_step.h"

#include "base/log.h"
#include "base/span.h"
#include "core/plan/due.h"

/* Slow corrections and what no watch tells are noticed this often: times of cron are right to the second at any
 * distance. */
#define LOOK_AGAIN (5 * SPAN_MINUTE)
#define WORTH_A_LINE (SPAN_SECOND / 2)
#define NOISE SPAN_MS

static int64_t ahead(const struct engine *eng)
{
	return engine_wall(eng) - engine_mono(eng);
}

void clock_step_start(struct engine *eng)
{
	eng->wall.ahead = ahead(eng);
	eng->wall.slept = eng->clock->slept(eng->clock);
	eng->wall.watch = loop_clock_new(eng->loop, clock_step_check, eng);
	eng->wall.timer = loop_timer_new(eng->loop, clock_step_check, eng);
	loop_timer_set(eng->wall.timer, LOOK_AGAIN);
}

void clock_step_stop(struct engine *eng)
{
	loop_clock_free(&eng->wall.watch);
	loop_timer_free(&eng->wall.timer);
}

static void move_back(int64_t *time, int64_t by)
{
	if (*time != SCHEDULE_NEVER)
		*time -= by;
}

/* Whatever happened before the sleep is longer ago than the monotonic clock says. */
static void slept_through(struct view *v, int64_t slept)
{
	move_back(&v->timing.past.last_due, slept);
	move_back(&v->timing.past.last_end, slept);
	move_back(&v->timing.past.data, slept);
	move_back(&v->timing.past.all_rows, slept);
}

static void compute_anew(struct engine *eng, int64_t slept)
{
	for (size_t i = 0; i < eng->n_views; i++) {
		struct view *v = eng->views[i];
		slept_through(v, slept);
		if (v->timing.due_at[DUE_SCHEDULE] != 0 || v->timing.due_at[DUE_CATCH_UP] != 0 ||
		    v->timing.due_at[DUE_STALENESS] != 0)
			due_schedule(v);
	}
}

static void log_step(int64_t step, int64_t slept)
{
	char by[32];
	if (slept > WORTH_A_LINE)
		log_info("clock, the machine has slept for %s: schedules are computed anew", span_human(slept, by, sizeof by));
	if (step > WORTH_A_LINE || -step > WORTH_A_LINE)
		log_info("clock, set %s by %s: schedules are computed anew", step > 0 ? "forward" : "back",
		         span_human(step > 0 ? step : -step, by, sizeof by));
}

void clock_step_check(void *engine)
{
	struct engine *eng = engine;
	int64_t now_ahead = ahead(eng), now_slept = eng->clock->slept(eng->clock);
	int64_t slept = now_slept - eng->wall.slept > NOISE ? now_slept - eng->wall.slept : 0;
	int64_t step = now_ahead - eng->wall.ahead - slept;
	loop_timer_set(eng->wall.timer, LOOK_AGAIN);
	if (slept == 0 && step < NOISE && step > -NOISE)
		return;
	log_step(step, slept);
	eng->wall.ahead = now_ahead;
	eng->wall.slept = now_slept;
	compute_anew(eng, slept);
}
