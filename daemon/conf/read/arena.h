/* SPDX-License-Identifier: MIT
 *
 * arena.h: many small things that are freed together.
 *
 * A configuration of 10,000 views is some 200,000 short strings; a talloc chunk for each would triple its size. The
 * arena takes large chunks from talloc and hands out pieces: objects (aligned) from the front of a chunk, text from its
 * end. Nothing is freed singly; freeing the talloc parent frees everything. Not thread-safe.
 */
#ifndef VIEWD_CONF_READ_ARENA_H
#define VIEWD_CONF_READ_ARENA_H

#include "base/macros.h"

#include <stdbool.h>

struct arena;

/* Allocated on mem_ctx (a talloc context). Never NULL: out of memory aborts. */
struct arena *arena_new(void *mem_ctx);

/* Zeroed, aligned for any object. Never NULL; size 0 gives a valid pointer. */
void *arena_alloc(struct arena *arena, size_t size);

/* A NUL-terminated copy of text[0..len). */
char *arena_strndup(struct arena *arena, const char *text, size_t len);
char *arena_strdup(struct arena *arena, const char *text);

/* A copy of size bytes, aligned for any object. */
void *arena_memdup(struct arena *arena, const void *data, size_t size);

/* n elements of a type, zeroed. */
#define arena_array(arena, type, n) ((type *)arena_alloc((arena), sizeof(type) * (n)))

#endif
