/* SPDX-License-Identifier: MIT
 *
 * tag.h: the comment by which viewd knows its own tables again: `viewd:UID [ts=N rows=N us=N]`.
 *
 * UID is made with the object and stays with its name through every swap; ts is the moment the contents are true for.
 * RENAME TABLE makes table and comment live in one step, so the comment is the truth when the process dies before the
 * state row follows.
 */
#ifndef VIEWD_MYSQL_OBJECTS_TAG_H
#define VIEWD_MYSQL_OBJECTS_TAG_H

#include "mysql/my.h"

#define TAG_PREFIX "viewd:"
#define TAG_TEXT_MAX 160

struct tag {
	char uid[33];              /* 32 hex digits */
	int64_t data_timestamp_us; /* 0: not filled, or filled by a transaction that wrote the state row itself */
	int64_t rows;              /* -1 unknown */
	int64_t duration_us;
};

/* Reads a table comment; false for everyone else's. [any] */
bool tag_parse(const char *comment, struct tag *out) MUST_CHECK;
/* The comment's text. Returns buf. [any] */
char *tag_format(const struct tag *tag, char buf[static TAG_TEXT_MAX]);

/* The tag of a table; *exists_r false when there is no such table, uid empty when it is not viewd's. */
bool my_find_tag(struct viewd_conn *conn, const struct relation *rel, bool *exists_r, struct tag *tag_r,
                 struct viewd_err *err) MUST_CHECK;

#endif
