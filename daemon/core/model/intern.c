/* SPDX-License-Identifier: MIT */
#include "core/model/intern.h"

#include "base/hash.h"
#include "base/mem.h"

#include <string.h>

struct entry {
	UT_hash_handle hh;
	char text[];
};
struct intern {
	struct entry *entries;
};

/* The hash table itself is not talloc's. */
static int forget_set(struct intern *set)
{
	HASH_CLEAR(hh, set->entries);
	return 0;
}

struct intern *intern_new(void *mem_ctx)
{
	struct intern *set = mem_new(mem_ctx, struct intern);
	talloc_set_destructor(set, forget_set);
	return set;
}

bool intern_has(const struct intern *set, const char *text)
{
	struct entry *e;
	HASH_FIND_STR(set->entries, text, e);
	return e != NULL;
}

const char *intern(struct intern *set, const char *text)
{
	struct entry *e;
	HASH_FIND_STR(set->entries, text, e);
	if (e == NULL) {
		size_t len = strlen(text) + 1;
		e = mem_need(talloc_zero_size(set, sizeof *e + len));
		memcpy(e->text, text, len);
		HASH_ADD_KEYPTR(hh, set->entries, e->text, len - 1, e);
	}
	return e->text;
}
