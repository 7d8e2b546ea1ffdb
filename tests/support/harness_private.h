/* SPDX-License-Identifier: MIT
 *
 * harness_private.h: what the harness's own files tell each other.
 */
#ifndef VIEWD_TESTS_SUPPORT_HARNESS_PRIVATE_H
#define VIEWD_TESTS_SUPPORT_HARNESS_PRIVATE_H

#include <stdbool.h>

/* Starts recording log lines for one test. */
void harness_log_begin(void);
/* Judges them: undeclared errors and warnings, declared ones that did not come (not asked of a skipped test). */
void harness_log_end(bool skipped);

/* Removes the test's directory and memory. */
void harness_files_end(void);

#endif
