/* SPDX-License-Identifier: MIT */
#include "core/report/past.h"

#include "base/mem.h"
#include "base/span.h"
#include "core/model/events.h"
#include "core/model/model.h"
#include "core/plan/freshness.h"

#include <string.h>

#define SLOT (PAST_SLOT_SECONDS * SPAN_SECOND)

#define RUNS_MAX 32767

/* A slot in which something happened. Its number is that of the monotonic clock, cut: within PAST_SLOTS that tells. */
struct kept {
	uint32_t lag_ms, duration_ms;
	uint16_t number;
	uint16_t runs : 15, failed : 1;
};

/* The slots among the last PAST_SLOTS in which something happened, oldest first. */
struct past {
	int64_t newest;
	uint16_t n, room;
	struct kept slots[];
};
_Static_assert(sizeof(struct past) + PAST_SLOTS * sizeof(struct kept) <= 1024 - 128,
               "with talloc's at most 1 KiB a view");

static uint16_t age_of(const struct past *past, size_t i)
{
	return (uint16_t)((uint16_t)past->newest - past->slots[i].number);
}

static void go_on(struct past *past, int64_t newest)
{
	size_t gone = 0;
	int64_t by = newest - past->newest;
	while (gone < past->n && age_of(past, gone) + by >= PAST_SLOTS)
		gone++;
	memmove(past->slots, past->slots + gone, (past->n - gone) * sizeof *past->slots);
	past->n = (uint16_t)(past->n - gone);
	past->newest = newest;
}

static uint16_t more_room(uint16_t room)
{
	return room * 2 < PAST_SLOTS ? (uint16_t)(room * 2) : PAST_SLOTS;
}

static struct past *with_room(struct view *view, uint16_t room)
{
	size_t size = sizeof(struct past) + room * sizeof(struct kept);
	view->record.past = mem_need(realloc(view->record.past, size));
	view->record.past->room = room;
	return view->record.past;
}

/* The slot of that number, made when there is none. It may move all others. */
static struct kept *slot_of(struct view *view, int64_t number)
{
	struct past *past = view->record.past;
	size_t at = past->n;
	while (at > 0 && age_of(past, at - 1) < past->newest - number)
		at--;
	if (at > 0 && age_of(past, at - 1) == past->newest - number)
		return &past->slots[at - 1];
	if (past->n == past->room)
		past = with_room(view, more_room(past->room));
	memmove(past->slots + at + 1, past->slots + at, (past->n - at) * sizeof *past->slots);
	past->n++;
	past->slots[at] = (struct kept){.number = (uint16_t)number};
	return &past->slots[at];
}

static void raise(uint32_t *worst_ms, int64_t us)
{
	int64_t ms = us / SPAN_MS;
	uint32_t cut = ms > UINT32_MAX ? UINT32_MAX : ms < 0 ? 0 : (uint32_t)ms;
	if (cut > *worst_ms)
		*worst_ms = cut;
}

/* The data has lacked a change since then: the lag has grown from slot to slot. */
static void note_lag(struct view *view, int64_t since, int64_t now)
{
	int64_t first = since / SLOT, newest = view->record.past->newest, oldest = newest - PAST_SLOTS + 1;
	for (int64_t n = first > oldest ? first : oldest; n <= newest; n++) {
		int64_t end = (n + 1) * SLOT < now ? (n + 1) * SLOT : now;
		raise(&slot_of(view, n)->lag_ms, end - since);
	}
}

/* Brings what is kept up to now; made when there is none. */
static struct past *up_to_now(struct view *view)
{
	int64_t now = engine_mono(view->eng);
	if (view->record.past == NULL)
		*with_room(view, 1) = (struct past){.newest = now / SLOT, .room = 1};
	go_on(view->record.past, now / SLOT);
	int64_t since = freshness_missing_since(view), behind = since > 0 ? engine_wall(view->eng) - since : 0;
	if (behind > 0)
		note_lag(view, now > behind ? now - behind : 0, now);
	return view->record.past;
}

void past_note_run(struct view *view, const struct event_run *run)
{
	struct kept *slot = slot_of(view, up_to_now(view)->newest);
	raise(&slot->duration_ms, run->duration_us);
	slot->runs += slot->runs < RUNS_MAX && run->duration_us >= 0;
	slot->failed |= run->result == VIEW_RESULT_FAILED;
}

int64_t past_read(struct view *view, struct past_slot slots_r[static PAST_SLOTS])
{
	const struct past *past = up_to_now(view);
	memset(slots_r, 0, PAST_SLOTS * sizeof *slots_r);
	for (size_t i = 0; i < past->n; i++) {
		const struct kept *slot = &past->slots[i];
		slots_r[PAST_SLOTS - 1 - age_of(past, i)] =
			(struct past_slot){slot->lag_ms, slot->duration_ms, slot->runs, slot->failed};
	}
	return engine_wall(view->eng) + (past->newest + 1) * SLOT - engine_mono(view->eng);
}
