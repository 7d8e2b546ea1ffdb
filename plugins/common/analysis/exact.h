/* SPDX-License-Identifier: MIT
 *
 * exact.h: judges which sums come out the same, digit for digit, when they are moved by differences (docs/adr/008).
 */
#ifndef VIEWD_COMMON_ANALYSIS_EXACT_H
#define VIEWD_COMMON_ANALYSIS_EXACT_H

#include "common/analysis/meaning/calls.h"

/* Digits behind the point of the values of an expression: low or high, or, with between, also what is between them. */
struct exact {
	bool exact;
	int low, high;
	bool between;
};

/* The facts known of the values of an expression. [any] */
struct exact exact_of(struct expr *expr);

/* Can this aggregate be moved by old and new rows? why_r says what is in the way. */
bool exact_rollable(const struct facts *facts, struct expr *expr, const char **why_r);

#endif
