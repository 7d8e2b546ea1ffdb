/* SPDX-License-Identifier: MIT
 *
 * analysis_support.h: an analysis in one line, for comparing.
 */
#ifndef VIEWD_TESTS_UNIT_PLUGINS_ANALYSIS_SUPPORT_H
#define VIEWD_TESTS_UNIT_PLUGINS_ANALYSIS_SUPPORT_H

#include "common/analysis/analysis.h"

/* "part KEY, .. | roll of images by GROUP, .. | roll of 1 by GROUP, .. | top of 1, 2, table"; "CONSTRUCT at
 * LINE:COLUMN" of a refusal. */
char *analysis_line(void *mem_ctx, const struct syntax *syn, const struct facts *facts, const char *text);

#endif
