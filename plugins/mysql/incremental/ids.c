/* SPDX-License-Identifier: MIT */
#include "mysql/incremental/ids.h"

#include "common/sqltext/sqltext.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

/* Up to RANGES_MAX long ranges are written as ranges. All other numbers are listed, since a list is searched by
 * halves. */
#define RANGES_MAX 64
#define LONG_RANGE 100

#define DIGITS_MAX 18 /* of a number that may be added to */

static void push(struct ids *ids, int64_t first, int64_t last)
{
	struct id_range *newest = ids->n > 0 ? &ids->items[ids->n - 1] : NULL;
	if (newest != NULL && first - 1 <= newest->last) {
		newest->last = last > newest->last ? last : newest->last;
		return;
	}
	if ((ids->n & (ids->n - 1)) == 0) {
		ids->items = talloc_realloc(ids->mem, ids->items, struct id_range, ids->n > 0 ? (unsigned)ids->n * 2 : 1);
		assert(ids->items != NULL);
	}
	ids->items[ids->n++] = (struct id_range){first, last};
}

void ids_append(struct ids *ids, int64_t first, int64_t last)
{
	assert(first <= last && (ids->n == 0 || first > ids->items[ids->n - 1].last));
	push(ids, first, last);
}

void ids_unite(struct ids *ids, const struct ids *more)
{
	struct ids old = *ids;
	*ids = (struct ids){.mem = old.mem};
	for (size_t i = 0, k = 0; i < old.n || k < more->n;) {
		bool mine = k == more->n || (i < old.n && old.items[i].first <= more->items[k].first);
		const struct id_range *next = mine ? &old.items[i++] : &more->items[k++];
		push(ids, next->first, next->last);
	}
}

void ids_intersect(struct ids *ids, const struct ids *other)
{
	struct ids old = *ids;
	*ids = (struct ids){.mem = old.mem};
	for (size_t i = 0, k = 0; i < old.n && k < other->n;) {
		const struct id_range *a = &old.items[i], *b = &other->items[k];
		int64_t first = a->first > b->first ? a->first : b->first, last = a->last < b->last ? a->last : b->last;
		if (first <= last)
			push(ids, first, last);
		if (a->last < b->last)
			i++;
		else
			k++;
	}
}

void ids_forget_below(struct ids *ids, int64_t first)
{
	size_t gone = 0;
	while (gone < ids->n && ids->items[gone].last < first)
		gone++;
	ids->n -= gone;
	if (gone > 0)
		memmove(ids->items, ids->items + gone, ids->n * sizeof *ids->items);
	if (ids->n > 0 && ids->items[0].first < first)
		ids->items[0].first = first;
}

void ids_forget_above(struct ids *ids, int64_t last)
{
	while (ids->n > 0 && ids->items[ids->n - 1].first > last)
		ids->n--;
	if (ids->n > 0 && ids->items[ids->n - 1].last > last)
		ids->items[ids->n - 1].last = last;
}

bool ids_contain(const struct ids *ids, int64_t id)
{
	size_t low = 0, high = ids->n;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (id > ids->items[middle].last)
			low = middle + 1;
		else
			high = middle;
	}
	return low < ids->n && id >= ids->items[low].first;
}

/* ---- texts ---- */

char *ids_add_text(char *text, const struct ids *ids)
{
	for (size_t i = 0; i < ids->n; i++) {
		const struct id_range *r = &ids->items[i];
		text = sql_add(text, r->first < r->last ? "%s%" PRId64 "-%" PRId64 : "%s%" PRId64, i > 0 ? "," : "", r->first,
		               r->last);
	}
	return text;
}

static bool read_number(const char **text, int64_t *out)
{
	size_t len = strspn(*text, "0123456789");
	if (len == 0 || len > DIGITS_MAX)
		return false;
	*out = strtoll(*text, NULL, 10);
	*text += len;
	return true;
}

bool ids_read(struct ids *ids, const char *text)
{
	ids->n = 0;
	ids->items = NULL;
	while (*text != '\0') {
		struct id_range r;
		if ((ids->n > 0 && *text++ != ',') || !read_number(&text, &r.first))
			return false;
		r.last = r.first;
		if (*text == '-' && (text++, !read_number(&text, &r.last)))
			return false;
		if (r.first > r.last || (ids->n > 0 && r.first <= ids->items[ids->n - 1].last))
			return false;
		push(ids, r.first, r.last);
	}
	return true;
}

/* ---- conditions ---- */

static char *add_numbers(char *sql, const struct id_range *r, bool *first)
{
	for (int64_t id = r->first; id <= r->last; id++) {
		sql = sql_add(sql, "%s%" PRId64, *first ? "" : ", ", id);
		*first = false;
	}
	return sql;
}

/* Adds " OR .." for each range; one that is long is never counted out. */
static char *add_alternatives(char *sql, const struct ids *ids, const char *column)
{
	bool first = true;
	for (size_t i = 0; i < ids->n; i++)
		if (i < RANGES_MAX || ids->items[i].last - ids->items[i].first >= LONG_RANGE)
			sql = sql_add(sql, " OR %s BETWEEN %" PRId64 " AND %" PRId64, column, ids->items[i].first,
			              ids->items[i].last);
	if (ids->n <= RANGES_MAX)
		return sql;
	sql = sql_add(sql, " OR %s IN (", column);
	for (size_t i = RANGES_MAX; i < ids->n; i++)
		if (ids->items[i].last - ids->items[i].first < LONG_RANGE)
			sql = add_numbers(sql, &ids->items[i], &first);
	return sql_add(sql, "%s)", first ? "NULL" : "");
}

char *ids_add_inside(char *sql, const struct ids *ids, const char *column)
{
	return sql_add(add_alternatives(sql_add(sql, "(1 = 0"), ids, column), ")");
}

char *ids_add_outside(char *sql, const struct ids *ids, const char *column, int64_t first)
{
	struct ids gaps = {.mem = talloc_new(NULL)};
	for (size_t i = 0; i < ids->n; i++) {
		if (ids->items[i].first > first)
			push(&gaps, first, ids->items[i].first - 1);
		first = ids->items[i].last + 1 > first ? ids->items[i].last + 1 : first;
	}
	sql = sql_add(sql, "(%s >= %" PRId64, column, first);
	sql = sql_add(add_alternatives(sql, &gaps, column), ")");
	talloc_free(gaps.mem);
	return sql;
}
