/* SPDX-License-Identifier: MIT */
#include "ctl/page/list.h"

#include "base/clock.h"
#include "base/macros.h"
#include "ctl/page/html.h"

#include <stdio.h>
#include <string.h>

void list_begin(struct text_out *out)
{
	static const char *const headings[] = {"View",   "Database", "State", "Freshness", "Lag",
	                                       "Result", "Duration", "Rows",  "Next",      "Error"};
	html_page_begin(out, "viewd", "viewd.js");
	text_out_raw(out, "<section id=\"running\" hidden><h2>Running</h2><ul></ul></section>\n"
	                  "<section id=\"graph\" hidden><h2>Graph</h2><div class=\"graph\"></div></section>\n"
	                  "<section id=\"list\"><h1>Views</h1><form id=\"filter\" role=\"search\" hidden></form>\n"
	                  "<div class=\"wide\"><table id=\"views\"><thead><tr>");
	for (size_t i = 0; i < ARRAY_LEN(headings); i++) {
		text_out_raw(out, "<th scope=\"col\">");
		text_out_raw(out, headings[i]);
		text_out_raw(out, "</th>");
	}
	text_out_raw(out, "</tr></thead><tbody>\n");
}

static void put_link(struct text_out *out, const struct view *view)
{
	text_out_raw(out, "<th scope=\"row\"><a href=\"/view?view=");
	html_query(out, view_database(view));
	text_out_raw(out, ":");
	html_query(out, view_name(view));
	text_out_raw(out, "\">");
	html_text(out, view_name(view));
	text_out_raw(out, "</a></th>");
}

static void put_word(struct text_out *out, const char *word, const char *more)
{
	char text[64];
	snprintf(text, sizeof text, "%s%s%s", word, more[0] != '\0' ? " " : "", more);
	html_element(out, "td", word, text);
}

static void put_next(struct text_out *out, const struct view_status *st)
{
	char buf[32] = "";
	if (st->next_refresh_us > 0)
		clock_format(st->next_refresh_us, buf, sizeof buf);
	text_out_raw(out, "<td><time datetime=\"");
	text_out_raw(out, buf);
	text_out_raw(out, "\">");
	text_out_raw(out, buf);
	text_out_raw(out, "</time></td>");
}

void list_row(struct text_out *out, struct engine *eng, const struct view *view)
{
	struct view_status st = {0};
	char buf[64];
	engine_status(eng, view, &st);
	const char *doing = st.activity == VIEW_ACTIVITY_IDLE ? "" : view_activity_word(st.activity);
	text_out_raw(out, "<tr data-key=\"");
	html_text(out, view_database(view));
	text_out_raw(out, ":");
	html_text(out, view_name(view));
	text_out_raw(out, "\">");
	put_link(out, view);
	html_element(out, "td", NULL, view_database(view));
	put_word(out, view_state_word(st.state), doing);
	put_word(out, view_freshness_word(st.freshness), "");
	html_cell(out, st.lag_us, html_span(st.lag_us, buf));
	put_word(out, st.result != VIEW_RESULT_NONE ? view_result_word(st.result) : "", "");
	html_cell(out, st.duration_us, html_span(st.last_success_us > 0 ? st.duration_us : -1, buf));
	buf[0] = '\0';
	if (st.rows >= 0)
		snprintf(buf, sizeof buf, "%lld", (long long)st.rows);
	html_cell(out, st.rows, buf);
	put_next(out, &st);
	html_element(out, "td", "error", st.error != NULL ? st.error->msg : NULL);
	text_out_raw(out, "</tr>\n");
}

void list_end(struct text_out *out)
{
	text_out_raw(out, "</tbody></table></div></section>\n");
	html_page_end(out);
}
