/* SPDX-License-Identifier: MIT
 *
 * cascade.h: foreign keys that write a table without its triggers and without its name in the binary log. Functions run
 * on the thread of their connection.
 */
#ifndef VIEWD_MYSQL_DEPENDS_CASCADE_H
#define VIEWD_MYSQL_DEPENDS_CASCADE_H

#include "mysql/my.h"

struct cascade {
	struct relation parent;
	bool on_delete, on_update;
	char *differs; /* condition over OLD and NEW: a column that others refer to has other bytes: InnoDB goes by them */
};
struct cascades {
	void *mem;
	struct cascade *items;
	size_t n;
};
/* Every table whose DELETE or UPDATE may reach child, through several steps too. list->mem is set. */
bool cascade_find(struct viewd_conn *conn, const struct relation *child, struct cascades *list,
                  struct viewd_err *err) MUST_CHECK;

#endif
