/* SPDX-License-Identifier: MIT */
#include "common/analysis/node.h"

#include <talloc.h>

/* Does it stand in FROM, inside outer joins at most? */
static bool in_from(const struct unit *unit, const struct occurrence *of)
{
	int scope = of->scope;
	while (names_nullable(&unit->names, scope))
		scope = unit->names.scopes[scope].parent;
	return scope == 0 && of->relation != NULL;
}

/* Has the column the value of a column of a determined row? */
static bool has_value(const struct unit *unit, struct tie_end end, const bool *determined)
{
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		struct occurrence *of = unit->names.occurrences[i];
		for (size_t c = 0; determined[i] && c < of->relation->n_columns; c++)
			if (of->read[c] && ties_reach(&unit->names, &unit->ties, end, (struct tie_end){of, c}))
				return true;
	}
	return false;
}

static bool key_determined(const struct unit *unit, struct occurrence *of, const bool *determined)
{
	for (size_t i = 0; i < of->relation->n_keys; i++) {
		bool all = true;
		for (size_t k = 0; k < of->relation->keys[i].n && all; k++) {
			size_t column = of->relation->keys[i].columns[k];
			all = of->read[column] && has_value(unit, (struct tie_end){of, column}, determined);
		}
		if (all)
			return true;
	}
	return false;
}

/* How many tables' rows follow from one row of this one. */
static size_t reach_of(const struct unit *unit, const struct occurrence *root)
{
	size_t n = unit->names.n_occurrences, found = 1;
	bool *determined = talloc_zero_array(unit->maker->mem, bool, (unsigned)n);
	assert(determined != NULL);
	determined[root->number] = true;
	for (bool more = true; more;) {
		more = false;
		for (size_t i = 0; i < n; i++) {
			struct occurrence *of = unit->names.occurrences[i];
			if (determined[i] || !in_from(unit, of) || !key_determined(unit, of, determined))
				continue;
			determined[i] = more = true;
			found++;
		}
	}
	talloc_free(determined);
	return found;
}

const struct fact_key *root_key(const struct occurrence *root)
{
	const struct fact_key *best = NULL;
	for (size_t i = 0; i < root->relation->n_keys; i++) {
		const struct fact_key *key = &root->relation->keys[i];
		bool never_null = key->n > 0;
		for (size_t k = 0; k < key->n; k++)
			never_null = never_null && !root->relation->columns[key->columns[k]].nullable;
		if (never_null && (best == NULL || key->n < best->n))
			best = key;
	}
	return best;
}

static bool is_usable(const struct occurrence *of, const struct fact_index *index, size_t max)
{
	for (size_t i = 0; i < index->n; i++)
		if (!of->read[index->columns[i]])
			return false;
	return index->apart && index->n <= max;
}

bool root_index(const struct unit *unit, size_t at, struct tie_end *ends, size_t max, size_t *n_r)
{
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		struct occurrence *of = unit->names.occurrences[i];
		size_t n = of->relation != NULL && of->scope == 0 ? of->relation->n_indexes : 0;
		if (at >= n) {
			at -= n;
			continue;
		}
		const struct fact_index *index = &of->relation->indexes[at];
		*n_r = is_usable(of, index, max) ? index->n : 0;
		for (size_t c = 0; c < *n_r; c++)
			ends[c] = (struct tie_end){of, index->columns[c]};
		return true;
	}
	return false;
}

const struct occurrence *root_find(const struct unit *unit)
{
	const struct occurrence *best = NULL;
	size_t most = 0;
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		const struct occurrence *of = unit->names.occurrences[i];
		if (of->relation == NULL || of->scope != 0 || root_key(of) == NULL)
			continue;
		size_t reach = reach_of(unit, of);
		if (reach > most || (reach == most && of->relation->rows > best->relation->rows)) {
			best = of;
			most = reach;
		}
	}
	return best;
}

bool root_whole(const struct unit *unit, const struct occurrence *root)
{
	size_t tables = 0;
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		const struct occurrence *of = unit->names.occurrences[i];
		int scope = of->scope;
		while (names_nullable(&unit->names, scope))
			scope = unit->names.scopes[scope].parent;
		if (scope == 0 && of->relation == NULL)
			return false;
		tables += scope == 0;
	}
	return reach_of(unit, root) == tables;
}

static bool alone_unique(struct tie_end end)
{
	const struct fact_relation *relation = end.of->relation;
	for (size_t i = 0; relation != NULL && i < relation->n_keys; i++)
		if (relation->keys[i].n == 1 && relation->keys[i].columns[0] == end.column &&
		    !relation->columns[end.column].nullable)
			return true;
	return false;
}

bool root_fine(const struct unit *unit, const struct occurrence *root, struct tie_end end)
{
	bool unique = false;
	double distinct = 0;
	for (size_t i = 0; i < unit->names.n_occurrences; i++) {
		struct occurrence *of = unit->names.occurrences[i];
		for (size_t c = 0; of->relation != NULL && c < of->relation->n_columns; c++) {
			struct tie_end other = {of, c};
			if (!of->read[c] || !ties_same(&unit->names, &unit->ties, other, end))
				continue;
			unique |= alone_unique(other);
			if (of->relation->columns[c].distinct > distinct)
				distinct = of->relation->columns[c].distinct;
		}
	}
	if (root != NULL && root->relation->rows > 0 && distinct > 0)
		return root->relation->rows / distinct <= NODE_ROWS_A_KEY;
	return unique;
}
