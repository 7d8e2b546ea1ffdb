/* SPDX-License-Identifier: MIT
 *
 * report.h: collects every problem of a load, with its place. [any], a load on one thread.
 *
 * Text: "file:line: [section] key: what was wrong; what would be right" (a column follows the line where a byte is to
 * blame).
 */
#ifndef VIEWD_CONF_READ_REPORT_H
#define VIEWD_CONF_READ_REPORT_H

#include "conf/conf.h"

struct report;

/* A place in the files. line 0: the whole file; column 0, section NULL, key NULL: left out. */
struct report_at {
	unsigned file; /* from report_file */
	unsigned line;
	unsigned column;
	const char *section;
	const char *key;
};

/* Allocated on mem_ctx (a talloc context). Never NULL. */
struct report *report_new(void *mem_ctx);

/* Registers a file; the number is its position in the reading order. */
unsigned report_file(struct report *report, const char *path);
const char *report_file_name(const struct report *report, unsigned file);
unsigned report_n_files(const struct report *report);

void report_error(struct report *report, const struct report_at *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void report_warning(struct report *report, const struct report_at *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* A warning about something on this machine that the files name. */
void report_machine(struct report *report, const struct report_at *at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* err's message, and its hint after a semicolon. */
void report_err(struct report *report, const struct report_at *at, const struct viewd_err *err);

size_t report_n_errors(const struct report *report);

/* Moves the problems to mem_ctx, sorted by file and line (problems of one line stay in the order of their discovery).
 * The report is empty afterwards. */
void report_finish(struct report *report, void *mem_ctx, struct conf_problems *out_r);

#endif
