/* SPDX-License-Identifier: MIT */
#include "common/conn/numbered.h"

#include "base/macros.h"
#include "common/text/number.h"

#include <assert.h>
#include <talloc.h>

bool numbered_take(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct numbered_list *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, struct numbered, (unsigned)list->n + 1);
	assert(list->items != NULL);
	list->items[list->n++] = (struct numbered){number_or(values[0], 0), talloc_strdup(list->mem, values[1])};
	return true;
}
