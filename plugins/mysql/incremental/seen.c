/* SPDX-License-Identifier: MIT
 *
 * seen.c: the position of a reader in a log, as a text: "<time>-<connection>-<newest>:<what it has read>". What stands
 * before the colon makes it another one after each reading. Rows that are gone need not be told of.
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <string.h>

#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

#define ABSENT "*"

bool seen_read(void *mem, const char *position, struct seen *out)
{
	const char *ids = position != NULL ? strchr(position, ':') : NULL;
	*out = (struct seen){.ids = {.mem = mem}};
	if (ids == NULL)
		return false;
	char *head = talloc_strndup(mem, position, (size_t)(ids - position)), *newest = strrchr(head, '-');
	out->newest = number_or(newest != NULL ? newest + 1 : NULL, 0);
	out->absent = strcmp(ids + 1, ABSENT) == 0;
	return out->absent || ids_read(&out->ids, ids + 1);
}

char *seen_text(struct viewd_conn *conn, void *mem, const struct seen *seen)
{
	char *text =
		sql_add(sql_new(mem), "%" PRId64 "-%lu-%" PRId64 ":", db_now(&conn->db), conn->thread_id, seen->newest);
	return seen->absent ? sql_add(text, ABSENT) : ids_add_text(text, &seen->ids);
}

char *my_unread(struct db *db, void *mem_ctx, const char *view UNUSED, const struct change_log *log)
{
	struct ids unread = {.mem = mem_ctx};
	char *sql = sql_add(sql_new(mem_ctx), "(SELECT * FROM %s viewd_l WHERE viewd_l.viewd_sign IN (-1, 1) AND ",
	                    log_quoted(my_conn(db), mem_ctx, log));
	if (log->unread_ids != NULL && !ids_read(&unread, log->unread_ids))
		unread.n = 0;
	return sql_add(ids_add_inside(sql, &unread, "viewd_l.viewd_id"), ")");
}

bool my_read_log(struct db *db UNUSED, void *mem_ctx, const char *view UNUSED, const struct change_log *log,
                 char **position_r, struct viewd_err *err UNUSED)
{
	*position_r = talloc_strdup(mem_ctx, log->next_position);
	return true;
}
