/* SPDX-License-Identifier: MIT
 *
 * past.h: how far behind a view was, and how long its refreshes took, over the last hours. Kept in memory: 12 bytes for
 * each slot in which something happened, less than 1 KiB a view. Nothing is measured at intervals: the lag between two
 * runs follows from the first missing change. [loop]
 */
#ifndef VIEWD_CORE_REPORT_PAST_H
#define VIEWD_CORE_REPORT_PAST_H

#include "core/engine.h"

struct event_run;

#define PAST_SLOTS 72
#define PAST_SLOT_SECONDS 300

/* The worst of each in a slot of time. Milliseconds are cut at UINT32_MAX, counts at 32767. */
struct past_slot {
	uint32_t lag_ms, duration_ms;
	uint16_t runs;
	bool failed;
};

/* A run has ended, and what it has read does not count as settled yet. */
void past_note_run(struct view *view, const struct event_run *run);

/* Copies the slots, oldest first; the last one is under way. Returns when it ends, on the wall clock. */
int64_t past_read(struct view *view, struct past_slot slots_r[static PAST_SLOTS]);

#endif
