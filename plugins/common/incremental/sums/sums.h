/* SPDX-License-Identifier: MIT
 *
 * sums.h: SQL for a log that holds what a roll adds up, made by the trigger of the statement that wrote the rows
 * (docs/adr/025-sums-in-the-trigger.md). Texts are talloc'ed on mem.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_SUMS_SUMS_H
#define VIEWD_COMMON_INCREMENTAL_SUMS_SUMS_H

#include "common/incremental/change_log.h"

struct analysis_source;
struct roll;

/* The sums that a log is to hold for this roll of the source's images. [any] */
const struct log_sums *sums_of_roll(void *mem, const struct syntax *syn, const struct roll *roll,
                                    const struct analysis_source *said);

/* SQL: what the rows of the log that the view has not read add to the roll's table, in the order of its columns. [any]
 */
char *sums_query(struct db *db, void *mem, const char *view, const struct roll *roll, const struct change_log *log);

/* SQL: the groups that they touch. */
char *sums_touched(struct db *db, void *mem, const char *view, const struct roll *roll, const struct change_log *log);

/* SQL: of how many images, and how many rows of sums these are (of a log of images: would be). One row. [any] */
char *sums_density(struct db *db, void *mem, const struct roll *roll, const struct analysis_source *said,
                   const struct change_log *log);

#endif
