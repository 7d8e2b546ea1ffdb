/* SPDX-License-Identifier: MIT
 *
 * list.h: the page of all views as a table, which is what it is without JavaScript. [loop]
 */
#ifndef VIEWD_CTL_PAGE_LIST_H
#define VIEWD_CTL_PAGE_LIST_H

#include "core/engine.h"
#include "ctl/text/text_out.h"

/* Append the page's beginning, the row of one view, and its end. */
void list_begin(struct text_out *out);
void list_row(struct text_out *out, struct engine *eng, const struct view *view);
void list_end(struct text_out *out);

#endif
