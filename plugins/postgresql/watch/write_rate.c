/* SPDX-License-Identifier: MIT
 *
 * write_rate.c: finds sources that are written so often that a log row for each statement is too many. What counts is
 * a rate that lasts: one large transaction is drained at once and is over.
 */
#include "postgresql/watch/watch.h"

#include <string.h>
#include <talloc.h>

#include "base/clock.h"

#define WINDOW_US INT64_C(100000)
#define HOT_ROWS 100 /* in a window: a thousand statements a second */
#define HOT_WINDOWS 3
#define ROWS_COUNT 4 /* fewer in one look are no sign of a flood: the pace would have made them more */

void pg_write_rate_add(struct viewd_watch *w, const char *source, int64_t rows)
{
	struct pg_write_rate *rate = &w->rate;
	for (size_t i = 0; i < rate->n; i++)
		if (strcmp(rate->items[i].source, source) == 0) {
			rate->items[i].rows += rows;
			return;
		}
	if (rows >= ROWS_COUNT && rate->n < ARRAY_LEN(rate->items) && source[0] != '\0')
		rate->items[rate->n++] = (struct pg_write_rate_item){.source = talloc_strdup(w, source), .rows = rows};
}

static void forget_source(struct pg_write_rate *rate, size_t i)
{
	talloc_free(rate->items[i].source);
	rate->items[i] = rate->items[--rate->n];
}

bool pg_write_rate_judge(struct viewd_watch *w, struct viewd_err *err)
{
	struct pg_write_rate *rate = &w->rate;
	int64_t now = clock_system()->mono(clock_system()), span = now - rate->since_us;
	bool good = true;
	if (span < WINDOW_US)
		return true;
	rate->since_us = now;
	for (size_t i = rate->n; good && i-- > 0;) {
		struct pg_write_rate_item *item = &rate->items[i];
		item->hot = item->rows * WINDOW_US / HOT_ROWS >= span ? item->hot + 1 : 0;
		item->rows = 0;
		bool begins = item->hot >= HOT_WINDOWS;
		good = !begins || pg_flood_begin(w, item->source, err);
		if (begins || item->hot == 0)
			forget_source(rate, i);
	}
	return good;
}
