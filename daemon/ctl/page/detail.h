/* SPDX-License-Identifier: MIT
 *
 * detail.h: the page of one view: how it is, its last hours, why, its settings. [loop]
 */
#ifndef VIEWD_CTL_PAGE_DETAIL_H
#define VIEWD_CTL_PAGE_DETAIL_H

#include "core/engine.h"
#include "ctl/text/text_out.h"

/* Appends the whole page. */
void detail_put(struct text_out *out, struct engine *eng, struct view *view);

#endif
