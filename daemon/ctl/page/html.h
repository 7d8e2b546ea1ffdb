/* SPDX-License-Identifier: MIT
 *
 * html.h: pieces of HTML. Texts are escaped; NULL is nothing. [any, one at a time]
 */
#ifndef VIEWD_CTL_PAGE_HTML_H
#define VIEWD_CTL_PAGE_HTML_H

#include "ctl/text/text_out.h"

/* Text between tags, or in a quoted attribute. */
void html_text(struct text_out *out, const char *text);

/* Text as a value in the query of a link. */
void html_query(struct text_out *out, const char *text);

/* <tag class="class">text</tag>; class NULL: none. */
void html_element(struct text_out *out, const char *tag, const char *class, const char *text);

/* A cell of a table; its data-value, by which the table is sorted, is empty when value is negative. */
void html_cell(struct text_out *out, int64_t value, const char *text);

/* The page's beginning, up to <main>, and its end. script: the module that brings it to life. */
void html_page_begin(struct text_out *out, const char *title, const char *script);
void html_page_end(struct text_out *out);

/* "1.2s" and the like in buf (64 bytes); "" when us is negative. Returns buf. */
char *html_span(int64_t us, char buf[static 64]);

#endif
