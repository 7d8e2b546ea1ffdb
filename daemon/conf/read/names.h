/* SPDX-License-Identifier: MIT
 *
 * names.h: a map from a name to a small number, by hash; never shrinks. The names are not copied. A name takes 16
 * bytes, where uthash would take more than four times as much: a reload holds two maps of all views. [any], one at a
 * time
 */
#ifndef VIEWD_CONF_READ_NAMES_H
#define VIEWD_CONF_READ_NAMES_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

struct name_set;

/* Allocated on mem_ctx (a talloc context), sized for about expected names; grows. Never NULL. */
struct name_set *names_new(void *mem_ctx, size_t expected);

/* Puts name -> value in and returns true; when the name is there already, nothing changes, *value_r (may be NULL) gets
 * the present value and the result is false. name must outlive the map. */
bool names_add(struct name_set *names, const char *name, uint32_t value, uint32_t *value_r);

/* Looks a name up; *value_r is untouched when it is absent. */
bool names_find(const struct name_set *names, const char *name, uint32_t *value_r);

#endif
