/* SPDX-License-Identifier: MIT */
#include "mysql/conn/texts.h"

#include <string.h>
#include <talloc.h>

bool texts_keep(void *texts, const char *const *values, size_t n UNUSED)
{
	struct texts *list = texts;

	list->items = talloc_realloc(list->mem, list->items, char *, (unsigned)list->n + 1);
	list->items[list->n++] = talloc_strdup(list->mem, values[0] != NULL ? values[0] : "");
	return true;
}

const struct db_reader texts_reader[] = {{texts_keep, "T", "names"}};

bool texts_contain(const struct texts *list, const char *text)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}
