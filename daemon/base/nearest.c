/* SPDX-License-Identifier: MIT */
#include "base/nearest.h"

#include "base/macros.h"

#include <stdint.h>
#include <string.h>

static size_t min3(size_t a, size_t b, size_t c)
{
	size_t m = a < b ? a : b;
	return m < c ? m : c;
}

/* Levenshtein distance; words longer than the buffer are far from everything. */
static size_t distance(const char *a, const char *b)
{
	size_t row[65], la = strlen(a), lb = strlen(b);
	if (la >= ARRAY_LEN(row) || lb >= ARRAY_LEN(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[lb];
}

const char *nearest_word(const char *const *words, size_t n, const char *word)
{
	const char *best = NULL;
	size_t limit = strlen(word) / 3 + 1, best_distance = limit + 1;
	for (size_t i = 0; i < n; i++) {
		size_t d = distance(words[i], word);
		if (d < best_distance) {
			best = words[i];
			best_distance = d;
		}
	}
	return best;
}
