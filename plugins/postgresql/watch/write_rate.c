/* SPDX-License-Identifier: MIT
 *
 * write_rate.c: which sources are written so often that a log row for each statement is too many. What counts is a rate that lasts: one large
 * transaction is drained at once and is over.
 */
#include "postgresql/watch/watch.h"

#include <string.h>
#include <talloc.h>

#include "base/clock.h"

#define WINDOW_US INT64_C(100000)
#define HOT_ROWS 100     /* in a window: a thousand statements a second */
#define HOT_WINDOWS 3
#define ROWS_COUNT 4     /* fewer in one look are no sign of a flood: the pace would have made them more */

void pg_heat_add(struct viewd_watch *w, const char *source, int64_t rows)
{
	struct pg_heat *heat = &w->heat;
	for (size_t i = 0; i < heat->n; i++)
		if (strcmp(heat->items[i].source, source) == 0) {
			heat->items[i].rows += rows;
			return;
		}
	if (rows >= ROWS_COUNT && heat->n < ARRAY_LEN(heat->items) && source[0] != '\0')
		heat->items[heat->n++] = (struct pg_heat_item){.source = talloc_strdup(w, source), .rows = rows};
}

static void forget(struct pg_heat *heat, size_t i)
{
	talloc_free(heat->items[i].source);
	heat->items[i] = heat->items[--heat->n];
}

bool pg_heat_judge(struct viewd_watch *w, struct viewd_err *err)
{
	struct pg_heat *heat = &w->heat;
	int64_t now = clock_system()->mono(clock_system()), span = now - heat->since_us;
	bool good = true;
	if (span < WINDOW_US)
		return true;
	heat->since_us = now;
	for (size_t i = heat->n; good && i-- > 0;) {
		struct pg_heat_item *item = &heat->items[i];
		item->hot = item->rows * WINDOW_US / HOT_ROWS >= span ? item->hot + 1 : 0;
		item->rows = 0;
		bool begins = item->hot >= HOT_WINDOWS;
		good = !begins || pg_flood_begin(w, item->source, err);
		if (begins || item->hot == 0)
			forget(heat, i);
	}
	return good;
}
