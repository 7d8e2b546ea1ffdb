/* SPDX-License-Identifier: MIT */
#include "conf/read/names.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>

struct slot {
	const char *name;
	uint32_t hash;
	uint32_t value;
};

struct name_set {
	struct slot *slots;
	uint32_t mask; /* number of slots - 1 */
	uint32_t used;
};

/* FNV-1a with a final mix: the low bits choose the slot. */
static uint32_t hash_of(const char *name)
{
	uint32_t h = 2166136261u;
	for (; *name != '\0'; name++)
		h = (h ^ (unsigned char)*name) * 16777619u;
	h ^= h >> 16;
	h *= 0x85ebca6bu;
	return h ^ h >> 13;
}

static struct slot *slots_new(void *ctx, uint32_t n)
{
	struct slot *slots = talloc_zero_array(ctx, struct slot, n);
	if (slots == NULL)
		abort();
	return slots;
}

struct name_set *names_new(void *mem_ctx, size_t expected)
{
	struct name_set *names = talloc_zero(mem_ctx, struct name_set);
	if (names == NULL)
		abort();
	uint32_t n = 8;
	while (n / 4 * 3 < expected)
		n *= 2;
	names->slots = slots_new(names, n);
	names->mask = n - 1;
	return names;
}

/* The slot that holds name, or the free one where it belongs. */
static struct slot *slot_for(const struct name_set *names, const char *name, uint32_t hash)
{
	uint32_t i = hash & names->mask;
	while (names->slots[i].name != NULL && (names->slots[i].hash != hash || strcmp(names->slots[i].name, name) != 0))
		i = (i + 1) & names->mask;
	return &names->slots[i];
}

static void grow(struct name_set *names)
{
	struct slot *old = names->slots;
	uint32_t n = names->mask + 1;
	names->slots = slots_new(names, n * 2);
	names->mask = n * 2 - 1;
	for (uint32_t i = 0; i < n; i++)
		if (old[i].name != NULL)
			*slot_for(names, old[i].name, old[i].hash) = old[i];
	talloc_free(old);
}

bool names_add(struct name_set *names, const char *name, uint32_t value, uint32_t *value_r)
{
	uint32_t hash = hash_of(name);
	struct slot *slot = slot_for(names, name, hash);
	if (slot->name != NULL) {
		if (value_r != NULL)
			*value_r = slot->value;
		return false;
	}
	*slot = (struct slot){.name = name, .hash = hash, .value = value};
	if (++names->used > names->mask / 4 * 3)
		grow(names);
	return true;
}

bool names_find(const struct name_set *names, const char *name, uint32_t *value_r)
{
	const struct slot *slot = slot_for(names, name, hash_of(name));
	if (slot->name == NULL)
		return false;
	*value_r = slot->value;
	return true;
}
