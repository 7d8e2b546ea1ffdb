/* SPDX-License-Identifier: MIT */
#include "common/analysis/reading/named.h"

#include "common/analysis/reading/parse.h"

#include <stdint.h>
#include <string.h>

struct names {
	const json_t *tree;
	bool (*fn)(void *ctx, const char *schema, const char *name);
	void *ctx;
};

/* Is the name that of a WITH query, somewhere in the definition? */
static bool is_with_query(const json_t *tree, const char *name)
{
	const char *key;
	json_t *value;
	size_t i;
	const char *query = json_string_value(json_object_get(tree, "ctename"));
	if (query != NULL && strcmp(query, name) == 0)
		return true;
	json_object_foreach((json_t *)(uintptr_t)tree, key, value)
		if (is_with_query(value, name))
			return true;
	json_array_foreach(tree, i, value)
		if (is_with_query(value, name))
			return true;
	return false;
}

static bool tell(const struct names *names, const json_t *range)
{
	const char *schema = json_string_value(json_object_get(range, "schemaname"));
	const char *name = json_string_value(json_object_get(range, "relname"));
	if (name == NULL || (schema == NULL && is_with_query(names->tree, name)))
		return true;
	return names->fn(names->ctx, schema, name);
}

static bool walk(const struct names *names, const json_t *tree)
{
	const char *key;
	json_t *value;
	size_t i;
	const json_t *range = json_object_get(tree, "RangeVar");
	if (range != NULL && !tell(names, range))
		return false;
	json_object_foreach((json_t *)(uintptr_t)tree, key, value)
		if (!walk(names, value))
			return false;
	json_array_foreach(tree, i, value)
		if (!walk(names, value))
			return false;
	return true;
}

bool named_relations(const char *definition, bool (*fn)(void *ctx, const char *schema, const char *name), void *ctx)
{
	struct refusal ignored;
	json_t *tree = parse_select(definition, &ignored);
	const struct names names = {tree, fn, ctx};
	bool done = tree == NULL || walk(&names, tree);
	json_decref(tree);
	return done;
}
