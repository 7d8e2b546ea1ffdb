/* SPDX-License-Identifier: MIT */
#include "conf/read/arena.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define CHUNK_SIZE ((size_t)32 * 1024)
#define ALIGNMENT sizeof(void *)

struct arena {
	char *front;
	char *back;
};

struct arena *arena_new(void *mem_ctx)
{
	struct arena *arena = talloc_zero(mem_ctx, struct arena);
	if (arena == NULL)
		abort();
	return arena;
}

/* Something large gets a chunk of its own, so that the current one is not thrown away half used. */
static void *chunk(struct arena *arena, size_t size)
{
	void *mem = talloc_size(arena, size);
	if (mem == NULL)
		abort();
	return mem;
}

static bool make_room(struct arena *arena, size_t size)
{
	if ((size_t)(arena->back - arena->front) >= size)
		return true;
	if (size > CHUNK_SIZE / 8)
		return false;
	arena->front = chunk(arena, CHUNK_SIZE);
	arena->back = arena->front + CHUNK_SIZE;
	return true;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	if (size == 0)
		size = 1; /* a first piece of nothing would have no chunk to lie in */
	size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (!make_room(arena, size))
		return memset(chunk(arena, size), 0, size);
	void *mem = arena->front;
	arena->front += size;
	return memset(mem, 0, size);
}

char *arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy;
	if (make_room(arena, len + 1))
		copy = arena->back -= len + 1;
	else
		copy = chunk(arena, len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

void *arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);
	if (size > 0)
		memcpy(copy, data, size);
	return copy;
}
