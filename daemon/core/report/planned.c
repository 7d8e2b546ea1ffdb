/* SPDX-License-Identifier: MIT */
#include "core/report/planned.h"

#include "base/mem.h"
#include "core/plan/doubt.h"

static struct doubt *doubts_of(void *mem_ctx, const struct engine_report *report)
{
	struct doubt *doubts = mem_array(mem_ctx, struct doubt, report->n);
	for (size_t i = 0; i < report->n; i++) {
		const struct engine_item *item = &report->items[i];
		if (item->names != NULL)
			doubts[i] = (struct doubt){.database = item->database,
			                           .names = *item->names,
			                           .made = item->change == VIEWD_CHANGE_CREATE,
			                           .unusable = item->error};
	}
	return doubts;
}

const struct engine_item *planned_settle(void *mem_ctx, const struct engine_report *report)
{
	struct doubt *doubts = doubts_of(mem_ctx, report);
	struct engine_item *items = mem_array(mem_ctx, struct engine_item, report->n);
	doubts_settle(doubts, report->n);
	for (size_t i = 0; i < report->n; i++) {
		struct engine_item *item = &items[i];
		*item = report->items[i];
		if (doubt_is_left(&doubts[i])) {
			item->result = VIEW_RESULT_FAILED;
			item->change = VIEWD_CHANGE_NOTHING;
			item->reason = item->locks = "";
		} else if (doubts[i].unusable != NULL) {
			const char *upstream = report->items[doubts[i].upstream - doubts].label;
			item->reason = mem_printf(mem_ctx, DOUBT_SETTLED, item->reason, upstream);
			item->error = NULL;
		}
	}
	return items;
}
