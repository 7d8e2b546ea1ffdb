/* SPDX-License-Identifier: MIT
 *
 * texts.h: texts collected from a query. [any]
 */
#ifndef VIEWD_MYSQL_CONN_TEXTS_H
#define VIEWD_MYSQL_CONN_TEXTS_H

#include "mysql/my.h"

/* Everything lives on mem. */
struct texts {
	void *mem;
	char **items;
	size_t n;
};
bool texts_keep(void *texts, const char *const *values, size_t n); /* a db_row_fn: keeps the first value */
extern const struct db_reader texts_reader[1];                     /* likewise */
bool texts_contain(const struct texts *list, const char *text);

#endif
