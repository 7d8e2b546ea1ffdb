/* SPDX-License-Identifier: MIT */
#include "ctl/page/html.h"

#include "base/span.h"

#include <stdio.h>
#include <string.h>

static const char *escape_of(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return NULL;
	}
}

void html_text(struct text_out *out, const char *text)
{
	char part[256];
	size_t n = 0;
	for (; text != NULL && *text != '\0'; text++) {
		const char *escape = escape_of(*text);
		if (escape == NULL)
			part[n++] = *text;
		if (n == sizeof part - 1 || (escape != NULL && n > 0)) {
			part[n] = '\0';
			text_out_raw(out, part);
			n = 0;
		}
		if (escape != NULL)
			text_out_raw(out, escape);
	}
	part[n] = '\0';
	text_out_raw(out, part);
}

void html_query(struct text_out *out, const char *text)
{
	char part[4];
	for (; *text != '\0'; text++) {
		bool plain = strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-:", *text) != NULL;
		snprintf(part, sizeof part, plain ? "%c" : "%%%02X", (unsigned char)*text);
		text_out_raw(out, part);
	}
}

void html_element(struct text_out *out, const char *tag, const char *class, const char *text)
{
	text_out_raw(out, "<");
	text_out_raw(out, tag);
	if (class != NULL) {
		text_out_raw(out, " class=\"");
		html_text(out, class);
		text_out_raw(out, "\"");
	}
	text_out_raw(out, ">");
	html_text(out, text);
	text_out_raw(out, "</");
	text_out_raw(out, tag);
	text_out_raw(out, ">");
}

void html_cell(struct text_out *out, int64_t value, const char *text)
{
	text_out_raw(out, "<td class=\"n\" data-value=\"");
	if (value >= 0)
		text_out_int(out, value);
	text_out_raw(out, "\">");
	html_text(out, text);
	text_out_raw(out, "</td>");
}

void html_page_begin(struct text_out *out, const char *title, const char *script)
{
	text_out_raw(out, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">"
	                  "<meta name=\"color-scheme\" content=\"light dark\"><title>");
	html_text(out, title);
	text_out_raw(out, "</title><link rel=\"icon\" href=\"/viewd.svg\"><link rel=\"stylesheet\" href=\"/viewd.css\">"
	                  "<script type=\"module\" src=\"/");
	text_out_raw(out, script);
	text_out_raw(out, "\"></script></head>\n<body><a class=\"skip\" href=\"#main\">Skip to the content</a>\n"
	                  "<header><p class=\"brand\"><a href=\"/\">viewd</a></p><p id=\"summary\"></p>"
	                  "<p id=\"live\" role=\"status\"></p></header>\n<main id=\"main\">\n");
}

void html_page_end(struct text_out *out)
{
	text_out_raw(out, "</main>\n</body></html>\n");
}

char *html_span(int64_t us, char buf[static 64])
{
	buf[0] = '\0';
	return us < 0 ? buf : span_human(us, buf, 64);
}
