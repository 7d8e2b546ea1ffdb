/* SPDX-License-Identifier: MIT
 *
 * journal.h: log lines as entries of the systemd journal. Its header stays behind journal.c. [any]
 *
 * Fields: PRIORITY, SYSLOG_IDENTIFIER, MESSAGE; VIEWD_VIEW and VIEWD_DATABASE for a line about one (its subject, or
 * what stands in the subject's place behind it); MESSAGE_ID for the main events. viewd(8) lists them.
 */
#ifndef VIEWD_SYS_JOURNAL_H
#define VIEWD_SYS_JOURNAL_H

#include "viewd_dialect.h"

#include <stddef.h>

#define JOURNAL_FIELDS 6

/* One entry, "NAME=value" each. */
struct journal_entry {
	char *fields[JOURNAL_FIELDS]; /* talloc'ed on what was given */
	size_t n;
};

/* Fills *out with the entry that a line becomes. */
void journal_entry(void *mem_ctx, enum viewd_log_level level, const char *line, struct journal_entry *out);

/* Hands the line to the journal; may block. False: it could not be handed over. */
bool journal_send(enum viewd_log_level level, const char *line);

#endif
