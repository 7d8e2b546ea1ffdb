/* SPDX-License-Identifier: MIT
 *
 * refusal.h: the reason why a definition cannot be kept incrementally. [any]
 */
#ifndef VIEWD_COMMON_ANALYSIS_READING_REFUSAL_H
#define VIEWD_COMMON_ANALYSIS_READING_REFUSAL_H

#include "base/macros.h"

#include <stdbool.h>

struct refusal {
	bool given;          /* the first one stays */
	char construct[128]; /* what stands in the definition */
	int at;              /* where, in bytes; -1 unknown */
	int line, column;    /* filled at the end, from 1; 0 unknown */
	char why[256];
	char help[256]; /* what would help; may be empty */
};

/* Writes the refusal unless there is one. Why and help are complete sentences without a full stop. Returns false. */
bool refuse(struct refusal *no, int at, const char *construct, const char *why, const char *help);

/* As refuse, with a name in the construct: `function now()`. */
bool refuse_named(struct refusal *no, int at, const char *construct, const char *name, const char *why,
                  const char *help);

#endif
