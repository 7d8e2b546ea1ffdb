/* SPDX-License-Identifier: MIT */
#include "conf/snapshot/view_name.h"

#include <string.h>

struct view_name view_name_split(const char *text)
{
	const char *colon = strchr(text, ':');
	if (colon == NULL)
		return (struct view_name){.name = text};
	return (struct view_name){colon + 1, text, (size_t)(colon - text)};
}

bool view_name_allows(const struct view_name *name, const char *database)
{
	return name->database == NULL ||
	       (strlen(database) == name->database_len && strncmp(database, name->database, name->database_len) == 0);
}
