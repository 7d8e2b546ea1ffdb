/* SPDX-License-Identifier: MIT
 *
 * compared.c: rows of a relation, and those that it should have, are compared by viewd itself. Both come with one
 * answer, and what differs goes back as text (write_back.c). So only columns whose texts tell every byte are compared
 * so.
 */
#include "mysql/incremental/compare/comparing.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "mysql/conn/row_key.h"

#define ROW_BYTES (64 << 10) /* one row */
#define PIECE (256 << 10)    /* of memory, for many rows */
#define SEARCHED_MAX 500     /* rows that go, where no index finds them */

/* ---- rows ---- */

static void keep(struct side *side, char **row)
{
	if ((side->n & (side->n - 1)) == 0)
		side->rows = talloc_realloc(side->mem, side->rows, char **, side->n > 0 ? (unsigned)side->n * 2 : 1);
	assert(side->rows != NULL);
	side->rows[side->n++] = row;
}

/* Many rows share one piece of memory. */
static void *room_for(struct side *side, size_t size)
{
	size = (size + sizeof(char *) - 1) / sizeof(char *) * sizeof(char *);
	if (size > side->left) {
		side->left = size > PIECE ? size : PIECE;
		side->room = talloc_size(side->mem, side->left);
		assert(side->room != NULL);
	}
	void *room = side->room;
	side->room += size;
	side->left -= size;
	return room;
}

/* Pointers, then texts. */
static bool take_row_fn(void *ctx, const char *const *v, size_t n)
{
	struct side *side = ctx;
	size_t size = n * sizeof(char *);
	for (size_t i = 0; i < n; i++)
		size += v[i] != NULL ? strlen(v[i]) + 1 : 0;
	side->bytes += (int64_t)size;
	side->too_long = side->n == COMPARED_MAX || size > ROW_BYTES || side->bytes > COMPARED_BYTES;
	if (side->too_long)
		return false;
	char **row = room_for(side, size), *at = (char *)(row + n);
	for (size_t i = 0; i < n; i++) {
		row[i] = v[i] != NULL ? at : NULL;
		at = v[i] != NULL ? stpcpy(at, v[i]) + 1 : at;
	}
	keep(side, row);
	return true;
}

static const struct db_reader take_row[] = {{take_row_fn, "*", "the rows of a view"}};

static int compare_values(const char *a, const char *b)
{
	if (a == NULL || b == NULL)
		return (a != NULL) - (b != NULL);
	return strcmp(a, b);
}

static int compare_rows(const struct comparing *c, char *const *a, char *const *b, size_t n)
{
	int differ = 0;
	for (size_t i = 0; i < n && differ == 0; i++)
		differ = compare_values(a[c->order[i]], b[c->order[i]]);
	return differ;
}

static int compare_items(const void *a, const void *b, void *ctx)
{
	const struct comparing *c = ctx;
	return compare_rows(c, *(char **const *)a, *(char **const *)b, c->d->columns->n);
}

static void plan_order(struct comparing *c)
{
	const struct difference *d = c->d;
	size_t n = 0;
	c->order = talloc_array(d->mem, size_t, (unsigned)(d->n_row + d->columns->n));
	assert(c->order != NULL);
	c->n_row = d->n_row > 0 ? d->n_row : d->columns->n;
	for (size_t i = 0; i < d->n_row; i++)
		c->order[n++] = d->row[i];
	for (size_t i = 0; i < d->columns->n; i++) {
		bool there = false;
		for (size_t k = 0; k < d->n_row; k++)
			there |= d->row[k] == i;
		if (!there)
			c->order[n++] = i;
	}
}

/* ---- comparing ---- */

/* Both are sorted. */
static void find_differing(struct comparing *c)
{
	size_t i = 0, k = 0;
	while (i < c->have.n || k < c->want.n) {
		int order = i == c->have.n   ? 1
		            : k == c->want.n ? -1
		                             : compare_rows(c, c->have.rows[i], c->want.rows[k], c->d->columns->n);
		if (order < 0)
			keep(&c->going, c->have.rows[i]);
		if (order > 0)
			keep(&c->coming, c->want.rows[k]);
		i += order <= 0;
		k += order >= 0;
	}
}

/* Does "=" find it by what identifies it? */
static bool is_named(const struct comparing *c, char *const *row)
{
	bool named = true;
	for (size_t i = 0; i < c->n_row; i++)
		named &= row[c->order[i]] != NULL;
	return named;
}

/* A row that comes, with the number of one that goes. */
static char **renumbered(struct comparing *c, char *const *coming, char *const *going)
{
	size_t n = c->d->columns->n;
	char **row = room_for(&c->changing, (n + 1) * sizeof *row);
	memcpy(row, coming, n * sizeof *row);
	row[n] = going[n];
	return row;
}

/* Nothing tells which row has become which: any that goes makes room for any that comes. */
static void pair_numbered(struct comparing *c)
{
	size_t n = c->going.n < c->coming.n ? c->going.n : c->coming.n;
	for (size_t i = 0; i < n; i++)
		keep(&c->changing, renumbered(c, c->coming.rows[i], c->going.rows[i]));
	c->changed = n;
	c->going.rows += n;
	c->going.n -= n;
	c->coming.rows += n;
	c->coming.n -= n;
}

/* Where rows may be changed in place, pairs of a row that goes and one that comes are taken out of both. */
static void find_changed(struct comparing *c)
{
	struct side going = {.mem = c->going.mem}, coming = going;
	bool in_place = c->in_place > 0;
	for (size_t i = 0, k = 0; i < c->going.n || k < c->coming.n;) {
		int order = i == c->going.n    ? 1
		            : k == c->coming.n ? -1
		                               : compare_rows(c, c->going.rows[i], c->coming.rows[k], c->n_row);
		bool pair = order == 0 && in_place && is_named(c, c->coming.rows[k]);
		c->changed += order == 0;
		if (pair)
			keep(&c->changing, c->coming.rows[k]);
		if (order <= 0 && !pair)
			keep(&going, c->going.rows[i]);
		if (order >= 0 && !pair)
			keep(&coming, c->coming.rows[k]);
		i += order <= 0;
		k += order >= 0;
	}
	c->going = going;
	c->coming = coming;
}

static void sort(struct comparing *c, struct side *side)
{
	if (side->n > 1)
		qsort_r(side->rows, side->n, sizeof *side->rows, compare_items, c);
}

static void ask(struct comparing *c, struct my_questions *list, char *sql, struct side *side)
{
	my_ask_later(list, sql, take_row, side);
	list->items[list->n - 1].cut_r = &c->cut;
	list->items[list->n - 1].streamed = true;
}

static bool take_in_place_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader take_in_place[] = {{take_in_place_fn, "n", "whether rows may be changed in place"}};

static void ask_in_place(struct comparing *c, struct my_questions *list)
{
	char *sql = c->d->n_row > 0 ? in_place_question(c->d) : NULL;
	if (sql != NULL)
		my_ask_later(list, sql, take_in_place, &c->in_place);
}

/* Are there numbers by which rows go that nothing else tells apart? */
static bool ask_numbered(struct comparing *c, struct viewd_err *err)
{
	int64_t numbered = 0;
	char *sql = c->d->n_row == 0 && c->d->conn->node.certifies ? numbered_question(c->d) : NULL;
	bool done = sql == NULL || my_query_int(c->d->conn, sql, NULL, 0, &numbered, err);
	c->numbered = numbered > 0;
	return done;
}

/* One turn for both, but of all rows, where they may be many: where the relation has too many the definition is not
 * computed in vain. Rows of the relation are read as they are now, as they would be to write them. Of all rows nothing
 * else is tried where that fails. */
static bool read_both(struct comparing *c, const char *query, struct viewd_err *err)
{
	const struct difference *d = c->d;
	struct my_questions list = {.mem = c->have.mem};
	char *names = sql_names(&my_syntax, sql_new(d->mem), NULL, d->columns->names, d->columns->n);
	char *rel = relation_quoted(&my_syntax, d->mem, d->rel);
	ask(c, &list,
	    talloc_asprintf(d->mem, "SELECT %s%s FROM %s t%s%s LIMIT %d FOR UPDATE", names, c->numbered ? ", " ROW_KEY : "",
	                    rel, d->filter != NULL ? " WHERE " : "", d->filter != NULL ? d->filter : "", COMPARED_MAX + 1),
	    &c->have);
	my_ask_identity(d->conn, d->rel, &list);
	ask_in_place(c, &list);
	if (d->filter == NULL && !d->few) {
		if (!my_ask_along(d->conn, &list, err))
			return false;
		list.n = 0;
		list.items = NULL;
	}
	if (c->have.too_long || c->cut)
		return true;
	ask(c, &list, talloc_asprintf(d->mem, "%s LIMIT %d", query, COMPARED_MAX + 1), &c->want);
	return d->filter == NULL ? my_ask_along(d->conn, &list, err) : my_ask_now(d->conn, &list, err);
}

/* Rows with the same values in what identifies them are left to a comparison that counts them. */
static bool are_told_apart(const struct comparing *c, const struct side *side)
{
	for (size_t i = 1; i < side->n; i++)
		if (compare_rows(c, side->rows[i - 1], side->rows[i], c->n_row) == 0)
			return false;
	for (size_t i = 0; i < side->n && c->d->nulls_not; i++)
		if (!is_named(c, side->rows[i]))
			return false;
	return true;
}

/* *done_r false: they cannot be compared. */
static bool compare(struct comparing *c, const char *query, bool *done_r, struct viewd_err *err)
{
	*done_r = false;
	if (!ask_numbered(c, err) || !read_both(c, query, err))
		return false;
	db_failpoint(&c->d->conn->db, "mysql:filled");
	if (c->cut || c->have.too_long || c->want.too_long)
		return true;
	plan_order(c);
	sort(c, &c->have);
	sort(c, &c->want);
	if (!c->numbered && (!are_told_apart(c, &c->have) || !are_told_apart(c, &c->want)))
		return true;
	find_differing(c);
	*done_r = c->numbered || c->d->n_row > 0 || c->going.n <= SEARCHED_MAX;
	return true;
}

static void begin(struct comparing *c, const struct difference *d)
{
	struct side none = {.mem = talloc_new(d->mem)};
	*c = (struct comparing){.d = d, .have = none, .want = none, .going = none, .coming = none, .changing = none};
}

bool compared_apply(const struct difference *d, const char *query, bool *done_r, struct part_written *out,
                    struct viewd_err *err)
{
	struct comparing c;
	begin(&c, d);
	bool done = compare(&c, query, done_r, err);
	if (done && *done_r) {
		size_t going = c.going.n, coming = c.coming.n;
		if (c.numbered)
			pair_numbered(&c);
		else
			find_changed(&c);
		*out = (struct part_written){(int64_t)(coming - c.changed), (int64_t)c.changed, (int64_t)(going - c.changed)};
		done = compared_write(&c, err);
	}
	talloc_free(c.have.mem);
	return done;
}

/* ---- rows of a part ---- */

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of rows that differ, in the order of their texts; NULL: some key is NULL. */
static const char **differing_keys(const struct comparing *c, size_t *n_r)
{
	size_t n = c->going.n + c->coming.n;
	const char **texts = talloc_array(c->have.mem, const char *, (unsigned)n + 1);
	assert(texts != NULL);
	for (size_t i = 0; i < n; i++) {
		texts[i] = i < c->going.n ? c->going.rows[i][0] : c->coming.rows[i - c->going.n][0];
		if (texts[i] == NULL)
			return NULL;
	}
	qsort(texts, n, sizeof *texts, compare_texts);
	*n_r = n;
	return texts;
}

/* All rows of these keys come anew, also those that are as before. */
static const char *all_coming(struct comparing *c, const char *const *keys, size_t n)
{
	c->coming.n = 0;
	c->coming.rows = NULL;
	for (size_t i = 0; i < c->want.n; i++)
		if (bsearch(&c->want.rows[i][0], keys, n, sizeof *keys, compare_texts) != NULL)
			keep(&c->coming, c->want.rows[i]);
	if (c->coming.n == 0)
		return "";
	return compared_insert_text(c, relation_quoted(&my_syntax, c->d->mem, c->d->rel));
}

bool compared_keys(const struct difference *d, const char *query, struct key_set *keys, const char **rows_r,
                   struct viewd_err *err)
{
	struct comparing c;
	bool comparable = false;
	size_t n = 0;
	begin(&c, d);
	*rows_r = NULL;
	bool done = compare(&c, query, &comparable, err);
	const char **texts = done && comparable ? differing_keys(&c, &n) : NULL;
	if (texts != NULL && keys_set(keys, texts, n))
		*rows_r = all_coming(&c, texts, n);
	talloc_free(c.have.mem);
	return done;
}
