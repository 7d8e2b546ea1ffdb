/* SPDX-License-Identifier: MIT
 *
 * order.h: does ORDER BY decide which rows are taken, or may two right answers differ?
 */
#ifndef VIEWD_COMMON_ANALYSIS_MEANING_ORDER_H
#define VIEWD_COMMON_ANALYSIS_MEANING_ORDER_H

#include "common/analysis/meaning/names.h"

/* Judges LIMIT, DISTINCT ON and the window functions of a resolved query: those that count or pick rows need an order
 * with a unique key of each table. False with a refusal. [any] */
bool order_check(const struct names *names, struct query *query);

#endif
