/* SPDX-License-Identifier: MIT
 *
 * indexes.h: finds the indexes of sources that an incremental refresh would use and that are missing.
 */
#ifndef VIEWD_COMMON_REFRESH_INDEXES_H
#define VIEWD_COMMON_REFRESH_INDEXES_H

#include "common/analysis/analysis.h"

/* The columns, "(a, b)", of the indexes that the source numbered at of the node lacks: those by which rows of a key are
 * computed, and those by which the way of other tables leads on through this one. No index is missing on a table of few
 * rows. talloc'ed on mem. [any] */
struct analysis_list indexes_missing(void *mem, const struct syntax *syn, const struct analysis_node *node, size_t at,
                                     const struct facts *facts);

/* One sentence that names the first of them all; "" when none is missing. talloc'ed on mem. [any] */
const char *indexes_advice(void *mem, const struct syntax *syn, const struct analysis_node *node,
                           const struct facts *facts);

#endif
