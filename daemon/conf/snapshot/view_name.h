/* SPDX-License-Identifier: MIT
 *
 * view_name.h: the names by which people ask for a view: NAME, or DATABASE:NAME where several databases have one of
 * that name. [any]
 */
#ifndef VIEWD_CONF_SNAPSHOT_VIEW_NAME_H
#define VIEWD_CONF_SNAPSHOT_VIEW_NAME_H

#include <stdbool.h>
#include <stddef.h>

struct view_name {
	const char *name;     /* points into the text */
	const char *database; /* likewise, not ended by NUL; NULL: none was written */
	size_t database_len;
};

/* The text must outlive the result. */
struct view_name view_name_split(const char *text);

/* May a view of this database be meant? Always, when none was written. */
bool view_name_allows(const struct view_name *name, const char *database);

#endif
