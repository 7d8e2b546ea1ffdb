/* SPDX-License-Identifier: MIT
 *
 * numbered.h: a list of rows that are a number and a text, as queries of viewd's own tables give them. [worker]
 */
#ifndef VIEWD_COMMON_CONN_NUMBERED_H
#define VIEWD_COMMON_CONN_NUMBERED_H

#include "common/conn/db.h"

struct numbered {
	int64_t number;
	char *text;
};

/* mem: the talloc context that the rows hang on, set by the caller; the rest is zeroed to begin with. */
struct numbered_list {
	void *mem;
	struct numbered *items;
	size_t n;
};

/* The function of a reader of columns "nt", with a list as its context: appends the row. */
bool numbered_take(void *ctx, const char *const *values, size_t n);

#endif
