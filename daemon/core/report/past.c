/* SPDX-License-Identifier: MIT */
#include "core/report/past.h"

#include "base/mem.h"
#include "base/span.h"
#include "core/model/events.h"
#include "core/model/state.h"
#include "core/plan/freshness.h"

#include <string.h>

#define SLOT (PAST_SLOT_SECONDS * SPAN_SECOND)

/* A ring: the slot of number n is at n modulo PAST_SLOTS. Numbers are those of the monotonic clock. */
struct past {
	int64_t newest;
	struct past_slot slots[PAST_SLOTS];
};
_Static_assert(sizeof(struct past) <= 1024 - 128, "with what talloc adds at most 1 KiB a view");

static struct past_slot *slot_of(struct past *past, int64_t number)
{
	return &past->slots[number % PAST_SLOTS];
}

/* Slots in which nothing happened are empty. */
static void go_on(struct past *past, int64_t newest)
{
	if (newest - past->newest >= PAST_SLOTS)
		memset(past->slots, 0, sizeof past->slots);
	else
		while (past->newest < newest)
			*slot_of(past, ++past->newest) = (struct past_slot){.runs = 0};
	past->newest = newest;
}

static void raise(uint32_t *worst_ms, int64_t us)
{
	int64_t ms = us / SPAN_MS;
	uint32_t cut = ms > UINT32_MAX ? UINT32_MAX : ms < 0 ? 0 : (uint32_t)ms;
	if (cut > *worst_ms)
		*worst_ms = cut;
}

/* The data has lacked a change since then: the lag has grown from slot to slot. */
static void note_lag(struct past *past, int64_t since, int64_t now)
{
	int64_t first = since / SLOT, oldest = past->newest - PAST_SLOTS + 1;
	for (int64_t n = first > oldest ? first : oldest; n <= past->newest; n++) {
		int64_t end = (n + 1) * SLOT < now ? (n + 1) * SLOT : now;
		raise(&slot_of(past, n)->lag_ms, end - since);
	}
}

/* Brings the ring up to now; made when there is none. */
static struct past *up_to_now(struct view *view)
{
	int64_t now = engine_mono(view->eng);
	if (view->record.past == NULL) {
		view->record.past = mem_new(view, struct past);
		view->record.past->newest = now / SLOT;
	}
	struct past *past = view->record.past;
	go_on(past, now / SLOT);
	int64_t since = freshness_missing_since(view), behind = since > 0 ? engine_wall(view->eng) - since : 0;
	if (behind > 0)
		note_lag(past, now > behind ? now - behind : 0, now);
	return past;
}

void past_note_run(struct view *view, const struct event_run *run)
{
	struct past *past = up_to_now(view);
	struct past_slot *slot = slot_of(past, past->newest);
	bool failed = run->result == VIEW_RESULT_FAILED;
	raise(&slot->duration_ms, run->duration_us);
	slot->runs += slot->runs < UINT16_MAX && run->duration_us >= 0;
	slot->failures += slot->failures < UINT16_MAX && failed;
}

int64_t past_read(struct view *view, struct past_slot slots_r[static PAST_SLOTS])
{
	struct past *past = up_to_now(view);
	for (int64_t i = 0; i < PAST_SLOTS; i++) {
		int64_t number = past->newest - PAST_SLOTS + 1 + i;
		slots_r[i] = number >= 0 ? *slot_of(past, number) : (struct past_slot){.runs = 0};
	}
	return engine_wall(view->eng) + (past->newest + 1) * SLOT - engine_mono(view->eng);
}
