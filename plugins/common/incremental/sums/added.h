/* SPDX-License-Identifier: MIT
 *
 * added.h: SQL for what the rows of a log that a view has not read, images or sums, add to a roll. Texts are talloc'ed
 * on mem. [any]
 */
#ifndef VIEWD_COMMON_INCREMENTAL_SUMS_ADDED_H
#define VIEWD_COMMON_INCREMENTAL_SUMS_ADDED_H

#include "common/conn/db.h"

struct part_source;

/* New less old, by group, in the order of the roll's columns. */
char *added_query(struct db *db, void *mem, const char *view, const struct roll *roll,
                  const struct part_source *source);

/* The groups that are touched. */
char *added_touched(struct db *db, void *mem, const char *view, const struct roll *roll,
                    const struct part_source *source);

#endif
