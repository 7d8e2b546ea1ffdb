/* SPDX-License-Identifier: MIT */
#include "common/analysis/ties.h"

#include <talloc.h>

/* Adds a pair from the first column of the table that reaches `to`. */
static bool add_pair(const struct names *names, const struct ties *ties, struct occurrence *of, struct tie_end to,
                     struct way *way)
{
	for (size_t c = 0; c < of->relation->n_columns; c++) {
		if (!of->read[c] || !ties_reach(names, ties, (struct tie_end){of, c}, to))
			continue;
		struct way_pair *pairs = talloc_array(names->mem, struct way_pair, (unsigned)way->n_pairs + 1);
		assert(pairs != NULL);
		for (size_t i = 0; i < way->n_pairs; i++)
			pairs[i] = way->pairs[i];
		pairs[way->n_pairs++] = (struct way_pair){c, to};
		way->pairs = pairs;
		return true;
	}
	return false;
}

static bool to_key(const struct names *names, const struct ties *ties, struct occurrence *of, const struct tie_end *key,
                   size_t n_key, struct way *out)
{
	struct way way = {.found = true};
	for (size_t i = 0; i < n_key; i++)
		if (!add_pair(names, ties, of, key[i], &way))
			return false;
	*out = way;
	return true;
}

/* Through one more table whose way is known; the more columns lead there, the fewer rows are met. */
static void through(const struct names *names, const struct ties *ties, struct occurrence *of, const bool *ready,
                    struct way *out)
{
	for (size_t i = 0; i < names->n_occurrences; i++) {
		struct occurrence *next = names->occurrences[i];
		struct way way = {.found = true, .next = next};
		if (!ready[i] || next == of || next->relation == NULL)
			continue;
		for (size_t c = 0; c < next->relation->n_columns; c++)
			if (next->read[c])
				(void)add_pair(names, ties, of, (struct tie_end){next, c}, &way);
		if (way.n_pairs > out->n_pairs)
			*out = way;
	}
}

size_t ways_find(const struct names *names, const struct ties *ties, const struct tie_end *key, size_t n_key,
                 struct way *ways)
{
	size_t n = names->n_occurrences, direct = 0;
	bool *ready = talloc_zero_array(names->mem, bool, (unsigned)n + 1);
	assert(ready != NULL);
	for (size_t i = 0; i < n; i++) {
		ways[i] = (struct way){0};
		if (names->occurrences[i]->relation != NULL && to_key(names, ties, names->occurrences[i], key, n_key, &ways[i]))
			direct++;
	}
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < n; i++)
			ready[i] = ways[i].found;
		for (size_t i = 0; i < n; i++) {
			if (names->occurrences[i]->relation == NULL || ways[i].found)
				continue;
			through(names, ties, names->occurrences[i], ready, &ways[i]);
			more |= ways[i].found;
		}
	}
	talloc_free(ready);
	return direct;
}

const struct occurrence *ways_missing(const struct names *names, const struct way *ways)
{
	for (size_t i = 0; i < names->n_occurrences; i++)
		if (names->occurrences[i]->relation != NULL && !ways[i].found)
			return names->occurrences[i];
	return NULL;
}
