/* SPDX-License-Identifier: MIT
 *
 * mem.h: talloc without the possibility of failure. Out of memory ends the process: nothing sensible can be done, and
 * the databases are safe because every change there is a transaction. [any], a tree on one thread at a time.
 */
#ifndef VIEWD_BASE_MEM_H
#define VIEWD_BASE_MEM_H

#include "base/log.h"

#include <stdlib.h>
#include <talloc.h>

static inline void *mem_need(void *ptr)
{
	if (ptr == NULL) {
		log_last_words("out of memory");
		abort();
	}
	return ptr;
}

/* A zeroed T, or a zeroed array of n T, in the tree of ctx. Never NULL. */
#define mem_new(ctx, T) ((T *)mem_need(talloc_zero(ctx, T)))
#define mem_array(ctx, T, n) ((T *)mem_need(talloc_zero_array(ctx, T, (unsigned)(n) + ((n) == 0))))
#define mem_strdup(ctx, text) ((char *)mem_need(talloc_strdup(ctx, text)))
#define mem_printf(ctx, ...) ((char *)mem_need(talloc_asprintf(ctx, __VA_ARGS__)))
/* Grows array to n elements; new ones are not zeroed. */
#define mem_grow(ctx, array, T, n) ((T *)mem_need(talloc_realloc(ctx, array, T, (unsigned)(n))))

#endif
