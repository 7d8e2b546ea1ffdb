/* SPDX-License-Identifier: MIT
 *
 * intern.h: one copy of texts that thousands of instances share (reasons, schedules). Kept until the engine ends.
 * [loop]
 */
#ifndef VIEWD_CORE_MODEL_INTERN_H
#define VIEWD_CORE_MODEL_INTERN_H

#include <stdbool.h>

struct intern;

/* An empty set in the talloc tree of mem_ctx. */
struct intern *intern_new(void *mem_ctx);

/* The set's own copy of text. Never NULL. */
const char *intern(struct intern *set, const char *text);

/* Is the text in the set? */
bool intern_has(const struct intern *set, const char *text);

#endif
