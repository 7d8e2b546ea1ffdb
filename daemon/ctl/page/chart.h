/* SPDX-License-Identifier: MIT
 *
 * chart.h: the last hours of a view as bars. [loop]
 */
#ifndef VIEWD_CTL_PAGE_CHART_H
#define VIEWD_CTL_PAGE_CHART_H

#include "core/report/past.h"
#include "ctl/text/text_out.h"

/* The value of a bar, in milliseconds; and whether it stands out. */
struct chart {
	const char *title;
	uint32_t (*value)(const struct past_slot *slot);
	bool (*marked)(const struct past_slot *slot);
};

/* An SVG of PAST_SLOTS bars with a caption. until: the end of the last slot, on the wall clock. */
void chart_put(struct text_out *out, const struct chart *chart, const struct past_slot *slots, int64_t until);

#endif
