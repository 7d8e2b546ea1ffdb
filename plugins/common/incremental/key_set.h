/* SPDX-License-Identifier: MIT
 *
 * key_set.h: distinct rows of a few columns, kept for the length of a transaction: keys that a refresh has to compute
 * anew, or values on the way to them (docs/adr/010-affected-keys.md).
 */
#ifndef VIEWD_COMMON_INCREMENTAL_KEY_SET_H
#define VIEWD_COMMON_INCREMENTAL_KEY_SET_H

#include "base/macros.h"

#include <stdbool.h>
#include <stdint.h>

#define KEY_WIDTH_MAX 8

struct key_set {
	size_t width;
	int64_t n;
	bool nulls;    /* some rows have NULL in them */
	char name[40]; /* of the temporary table, for engines that keep them in one */
	/* For engines that keep them in this process: one array a column, as the engine writes it, and its type. talloc'ed
	 * on mem. */
	void *mem;
	char *arrays[KEY_WIDTH_MAX];
	char *types[KEY_WIDTH_MAX];
	void *own; /* or in a form of the engine's own; NULL: in the table */
};

/* Rows that are added to a set, which gets each of them once. */
struct key_question {
	struct key_set *set;
	const char *query;
	const struct key_set *with; /* the query may contain has_key of it; NULL: of none */
};

/* Keys that are found on ways of several steps, for engines that take all of them in one statement: each step is a
 * query of values, which may contain has_key of the sets of earlier ones. */
struct key_step {
	struct key_set values; /* width and name, by which has_key knows it */
	char *query;
};

struct key_search {
	struct key_step *steps;
	size_t n_steps;
	char *query; /* of the keys: distinct rows */
};

#endif
