/* SPDX-License-Identifier: MIT
 *
 * log_text.h: the statements that make a change log: its table and the triggers on its source.
 */
#ifndef VIEWD_SQLITE_INCREMENTAL_LOG_TEXT_H
#define VIEWD_SQLITE_INCREMENTAL_LOG_TEXT_H

#include "common/incremental/change_log.h"
#include "sqlite/incremental/shape.h"

/* viewd_sign of a log's rows. */
#define SIGN_OLD "-1"
#define SIGN_FLOOR "0" /* the oldest row, and no image: numbers begin behind it */
#define SIGN_NEW "1"
#define SIGN_EVERYTHING "2" /* something was changed that no image tells */

#define LOG_CAP LOG_UNREAD_MAX /* about so many rows behind the floor; then writers log nothing more */

struct log_text {
	char *table; /* the name */
	char *create;
	struct log_trigger {
		char *name, *create;
	} triggers[5];
	size_t n_triggers;
};

/* The text that SQLite then has in sqlite_master, letter by letter. Columns that the source does not have are left out.
 * On mem_ctx. [worker] */
void log_text(struct db *db, void *mem_ctx, const struct change_log *log, const struct shape *shape,
              struct log_text *out);

#endif
