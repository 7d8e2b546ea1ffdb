/* SPDX-License-Identifier: MIT */
#include "ctl/page/chart.h"

#include "base/clock.h"
#include "base/span.h"
#include "ctl/page/html.h"

#include <stdio.h>

#define BAR 10 /* units wide, the gap included */
#define HEIGHT 100

static uint32_t highest(const struct chart *chart, const struct past_slot *slots)
{
	uint32_t max = 0;
	for (size_t i = 0; i < PAST_SLOTS; i++)
		if (chart->value(&slots[i]) > max)
			max = chart->value(&slots[i]);
	return max;
}

static void put_bar(struct text_out *out, const struct chart *chart, const struct past_slot *slot, size_t i,
                    uint32_t max, int64_t end)
{
	char text[200], span[64], when[32];
	uint32_t value = chart->value(slot);
	if (value == 0 && !chart->marked(slot))
		return;
	unsigned height = max > 0 ? (unsigned)((uint64_t)value * HEIGHT / max) : 0;
	height = height < 2 ? 2 : height;
	snprintf(text, sizeof text, "<rect class=\"%s\" x=\"%zu\" y=\"%u\" width=\"%d\" height=\"%u\"><title>",
	         chart->marked(slot) ? "bar bad" : "bar", i * BAR, HEIGHT - height, BAR - 1, height);
	text_out_raw(out, text);
	snprintf(text, sizeof text, "until %s: %s", clock_format(end, when, sizeof when),
	         html_span((int64_t)value * SPAN_MS, span));
	html_text(out, text);
	text_out_raw(out, "</title></rect>");
}

void chart_put(struct text_out *out, const struct chart *chart, const struct past_slot *slots, int64_t until)
{
	char text[200], span[64];
	uint32_t max = highest(chart, slots);
	int64_t slot = PAST_SLOT_SECONDS * SPAN_SECOND;
	snprintf(text, sizeof text, "%s, at most %s", chart->title, html_span((int64_t)max * SPAN_MS, span));
	text_out_raw(out, "<figure><figcaption>");
	html_text(out, text);
	text_out_raw(out, "</figcaption><svg class=\"chart\" role=\"img\" preserveAspectRatio=\"none\" viewBox=\"0 0 ");
	snprintf(text, sizeof text, "%d %d\" aria-label=\"%s over %d hours: at most %s\">", PAST_SLOTS * BAR, HEIGHT,
	         chart->title, PAST_SLOTS * PAST_SLOT_SECONDS / 3600, span);
	text_out_raw(out, text);
	for (size_t i = 0; i < PAST_SLOTS; i++)
		put_bar(out, chart, &slots[i], i, max, until - (int64_t)(PAST_SLOTS - 1 - i) * slot);
	text_out_raw(out, "</svg></figure>\n");
}
