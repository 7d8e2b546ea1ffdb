/* SPDX-License-Identifier: MIT
 *
 * nearest.h: the word that somebody has probably meant.
 */
#ifndef VIEWD_BASE_NEAREST_H
#define VIEWD_BASE_NEAREST_H

#include <stddef.h>

/* The nearest of n words, or NULL when none is near (edit distance over a third of the length). Points to one of words.
 * [any] */
const char *nearest_word(const char *const *words, size_t n, const char *word);

#endif
