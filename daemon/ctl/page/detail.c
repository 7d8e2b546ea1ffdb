/* SPDX-License-Identifier: MIT */
#include "ctl/page/detail.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/words.h"
#include "conf/snapshot/show.h"
#include "ctl/page/chart.h"
#include "ctl/page/html.h"

#include <stdio.h>
#include <string.h>

/* ---- how it is --------------------------------------------------------------------------------------------------- */

static void put_pair(struct text_out *out, const char *key, const char *value)
{
	if (value == NULL || value[0] == '\0')
		return;
	html_element(out, "dt", NULL, key);
	html_element(out, "dd", NULL, value);
}

static void put_word(struct text_out *out, const char *key, const char *word)
{
	html_element(out, "dt", NULL, key);
	html_element(out, "dd", word, word);
}

static void put_time(struct text_out *out, const char *key, int64_t wall_us)
{
	char buf[32];
	if (wall_us != 0)
		put_pair(out, key, clock_format(wall_us, buf, sizeof buf));
}

static void put_count(struct text_out *out, const char *key, int64_t n)
{
	char buf[32];
	snprintf(buf, sizeof buf, "%lld", (long long)n);
	if (n >= 0)
		put_pair(out, key, buf);
}

static void put_span(struct text_out *out, const char *key, int64_t us)
{
	char buf[64];
	put_pair(out, key, html_span(us, buf));
}

static void put_state(struct text_out *out, const struct view_status *st)
{
	text_out_raw(out, "<section data-live=\"state\"><h2>State</h2><dl>");
	put_word(out, "state", view_state_word(st->state));
	put_word(out, "freshness", view_freshness_word(st->freshness));
	if (st->activity != VIEW_ACTIVITY_IDLE)
		put_word(out, "activity", view_activity_word(st->activity));
	put_pair(out, "waits for", st->waits_for);
	put_time(out, "running since", st->running_since_us);
	put_span(out, "expected at most", st->expected_us);
	put_span(out, "lag", st->lag_us);
	put_time(out, "stale since", st->stale_since_us);
	put_time(out, "data as of", st->data_timestamp_us);
	put_time(out, "last refresh", st->last_refresh_us);
	put_time(out, "last success", st->last_success_us);
	put_time(out, "next refresh", st->next_refresh_us);
	put_pair(out, "result", st->result != VIEW_RESULT_NONE ? view_result_word(st->result) : NULL);
	put_pair(out, "action", st->did >= 0 ? word_did((enum viewd_did)st->did) : NULL);
	put_pair(out, "why so", st->reason);
	put_span(out, "duration", st->last_success_us > 0 ? st->duration_us : -1);
	put_count(out, "rows", st->rows);
	put_count(out, "rows written", st->rows_written);
	put_count(out, "errors in a row", st->consecutive_errors);
	text_out_raw(out, "</dl>");
	if (st->error != NULL) {
		html_element(out, "p", "error", st->error->msg);
		html_element(out, "p", "hint", st->error->hint[0] != '\0' ? st->error->hint : NULL);
	}
	text_out_raw(out, "</section>\n");
}

/* ---- its last hours ---------------------------------------------------------------------------------------------- */

static uint32_t lag_of(const struct past_slot *slot)
{
	return slot->lag_ms;
}

static uint32_t duration_of(const struct past_slot *slot)
{
	return slot->duration_ms;
}

static bool never(const struct past_slot *slot UNUSED)
{
	return false;
}

static bool has_failed(const struct past_slot *slot)
{
	return slot->failed;
}

static void put_past(struct text_out *out, struct view *view, const struct view_status *st)
{
	static const struct chart lag = {"Lag", lag_of, never};
	static const struct chart duration = {"Duration of refreshes", duration_of, has_failed};
	struct past_slot slots[PAST_SLOTS];
	int64_t until = past_read(view, slots);
	text_out_raw(out, "<section data-live=\"past\"><h2>The last hours</h2>");
	if (st->freshness == VIEW_FRESHNESS_UNKNOWN)
		html_element(out, "p", "hint", "How far behind it is, nobody can know: it is UNKNOWN.");
	else
		chart_put(out, &lag, slots, until);
	chart_put(out, &duration, slots, until);
	text_out_raw(out, "</section>\n");
}

/* ---- why, and what it reads -------------------------------------------------------------------------------------- */

static void put_line(void *ctx, const char *line)
{
	html_element(ctx, "li", NULL, line);
}

static void put_links(struct text_out *out, const char *key, size_t n, struct view *const *views)
{
	if (n == 0)
		return;
	html_element(out, "dt", NULL, key);
	text_out_raw(out, "<dd>");
	for (size_t i = 0; i < n; i++) {
		text_out_raw(out, i > 0 ? ", <a href=\"/view?view=" : "<a href=\"/view?view=");
		html_query(out, view_database(views[i]));
		text_out_raw(out, ":");
		html_query(out, view_name(views[i]));
		text_out_raw(out, "\">");
		html_text(out, view_label(views[i]));
		text_out_raw(out, "</a>");
	}
	text_out_raw(out, "</dd>");
}

static void put_neighbours(struct text_out *out, const struct view *view, const struct view_status *st)
{
	struct view *const *views = NULL;
	text_out_raw(out, "<section data-live=\"neighbours\"><h2>Neighbours</h2><dl>");
	size_t n = view_upstream(view, &views);
	put_links(out, "reads", n, views);
	n = view_downstream(view, &views);
	put_links(out, "is read by", n, views);
	const struct view_dependency *rows = NULL;
	n = view_dependencies(view, &rows);
	for (size_t i = 0; i < n; i++) {
		char text[256];
		snprintf(text, sizeof text, "%s, heard by %s", rows[i].name,
		         rows[i].heard_by != VIEWD_HEARD_NONE ? word_heard(rows[i].heard_by) : "nothing");
		put_pair(out, word_depends(rows[i].kind), text);
	}
	put_pair(out, "schedule", st->schedule);
	put_pair(out, "refresh group", view_group(view));
	text_out_raw(out, "</dl></section>\n");
}

static void put_why(struct text_out *out, struct engine *eng, const struct view *view)
{
	text_out_raw(out, "<section data-live=\"why\"><h2>Why</h2><ul>");
	engine_why(eng, view, put_line, out);
	text_out_raw(out, "</ul></section>\n");
}

/* ---- settings ---------------------------------------------------------------------------------------------------- */

static void put_setting(void *ctx, const struct conf_setting *setting)
{
	bool dflt = strcmp(setting->origin, "default") == 0;
	if (setting->value == NULL)
		return;
	text_out_raw(ctx, dflt ? "<tr class=\"default\">" : "<tr>");
	text_out_raw(ctx, "<th scope=\"row\">");
	html_text(ctx, setting->key);
	text_out_raw(ctx, "</th><td>");
	html_element(ctx, strncmp(setting->key, "definition", 10) == 0 ? "pre" : "span", NULL, setting->value);
	text_out_raw(ctx, "</td>");
	html_element(ctx, "td", NULL, setting->origin);
	text_out_raw(ctx, "</tr>\n");
}

static void put_definition(struct text_out *out, const struct view_status *st)
{
	const struct conf_definition *d = conf_definition_for(st->conf, st->database->dialect);
	text_out_raw(out, "<section><h2>Definition</h2>");
	html_element(out, "pre", NULL, d != NULL ? d->text : NULL);
	text_out_raw(out, "</section>\n");
}

static void put_settings(struct text_out *out, struct engine *eng, const struct view_status *st)
{
	text_out_raw(out, "<section><h2>Settings</h2><div class=\"wide\"><table><thead><tr><th scope=\"col\">Setting</th>"
	                  "<th scope=\"col\">Value</th><th scope=\"col\">Origin</th></tr></thead><tbody>\n");
	conf_show_view(engine_conf(eng), st->conf, put_setting, out);
	text_out_raw(out, "</tbody></table></div></section>\n");
}

/* Answers of the database come later, or, without JavaScript, as JSON. */
static void put_asked(struct text_out *out, const struct view *view)
{
	static const char *const asked[][2] = {{"history", "Runs"}, {"explain", "How it can be kept incrementally"}};
	for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
		text_out_raw(out, "<section class=\"asked\" id=\"");
		text_out_raw(out, asked[i][0]);
		text_out_raw(out, "\">");
		html_element(out, "h2", NULL, asked[i][1]);
		text_out_raw(out, "<p><a href=\"/v1/");
		text_out_raw(out, asked[i][0]);
		text_out_raw(out, "?view=");
		html_query(out, view_database(view));
		text_out_raw(out, ":");
		html_query(out, view_name(view));
		text_out_raw(out, "\">as JSON</a></p></section>\n");
	}
}

void detail_put(struct text_out *out, struct engine *eng, struct view *view)
{
	struct view_status st = {0};
	char title[160];
	engine_status(eng, view, &st);
	snprintf(title, sizeof title, "%s:%s", view_database(view), view_name(view));
	html_page_begin(out, title, "view.js");
	text_out_raw(out, "<h1 data-key=\"");
	html_text(out, title);
	text_out_raw(out, "\">");
	html_text(out, title);
	text_out_raw(out, "</h1>");
	html_element(out, "p", "hint", st.conf->description);
	put_state(out, &st);
	put_past(out, view, &st);
	put_why(out, eng, view);
	put_neighbours(out, view, &st);
	put_asked(out, view);
	put_definition(out, &st);
	put_settings(out, eng, &st);
	html_page_end(out);
}
