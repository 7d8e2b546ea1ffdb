/* SPDX-License-Identifier: MIT
 *
 * compared.c: few rows of a relation, and those that it should have, are compared by viewd itself. Both come with one
 * answer, and what differs goes back as text. So only columns whose texts tell every byte are compared so.
 */
#include "mysql/incremental/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

/* Writing: a server takes no longer text than its max_allowed_packet, for which 1 MiB is little. */
#define CHUNK 500               /* rows in one statement */
#define CHUNK_BYTES (128 << 10) /* likewise, of their values; each may become twice as long */
#define BLOCK_BYTES (256 << 10) /* statements that go together, but for the last one of them */
#define ROW_BYTES (64 << 10)    /* one row */

/* ---- rows ---- */

struct side {
	void *mem;
	char ***rows; /* each a column */
	size_t n;
	int64_t bytes;
	bool too_long; /* it was not read to its end */
};

struct comparing {
	const struct difference *d;
	size_t *order; /* of columns: first those that identify a row */
	size_t n_row;  /* so many: all of them where nothing else does */
	struct side have, want;
	bool cut;                  /* some text is not whole */
	struct side going, coming; /* rows that differ */
	struct side changing;      /* that come, and take the place of one that goes */
	size_t changed;            /* pairs of going and coming rows */
	int64_t in_place;          /* rows may be changed where they are */
};

static void keep(struct side *side, char **row)
{
	if ((side->n & (side->n - 1)) == 0)
		side->rows = talloc_realloc(side->mem, side->rows, char **, side->n > 0 ? (unsigned)side->n * 2 : 1);
	assert(side->rows != NULL);
	side->rows[side->n++] = row;
}

/* In one piece: pointers, then texts. */
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
	char **row = talloc_size(side->mem, size), *at = (char *)(row + n);
	assert(row != NULL);
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
	char *sql = in_place_question(c->d);
	if (sql != NULL)
		my_ask_later(list, sql, take_in_place, &c->in_place);
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
	    talloc_asprintf(d->mem, "SELECT %s FROM %s t%s%s LIMIT %d FOR UPDATE", names, rel,
	                    d->filter != NULL ? " WHERE " : "", d->filter != NULL ? d->filter : "", COMPARED_MAX + 1),
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

/* ---- writing ---- */

/* SQL that finds one row. An index serves the plain comparison; of texts the spelling is compared as well. */
static char *add_match(const struct comparing *c, char *sql, char *const *row)
{
	for (size_t i = 0; i < c->n_row; i++) {
		size_t at = c->order[i];
		const char *type = c->d->columns->items[at].type;
		char *name = ident_append(&my_syntax, sql_new(c->d->mem), c->d->columns->names[at]);
		sql = value_add(sql_add(sql, "%s%s <=> ", i > 0 ? " AND " : "(", name), type, row[at]);
		if (value_is_text(type) && row[at] != NULL)
			sql = value_add(sql_add(sql, " AND CONVERT(%s USING utf8mb4) COLLATE utf8mb4_nopad_bin <=> ", name), type,
			                row[at]);
	}
	return sql_add(sql, ")");
}

static char *delete_text(const struct comparing *c, const char *rel, size_t first, size_t end)
{
	char *sql = sql_add(sql_new(c->d->mem), "DELETE FROM %s WHERE ", rel);
	for (size_t i = first; i < end; i++)
		sql = add_match(c, sql_add(sql, i > first ? " OR " : ""), c->going.rows[i]);
	return sql;
}

/* "1, 2), (3, 4" */
static char *values_text(const struct comparing *c, char *sql, const struct side *side, size_t first, size_t end)
{
	const struct columns *columns = c->d->columns;
	for (size_t i = first; i < end; i++)
		for (size_t k = 0; k < columns->n; k++)
			sql = value_add(sql_add(sql, k > 0       ? ", "
			                             : i > first ? "), ("
			                                         : ""),
			                columns->items[k].type, side->rows[i][k]);
	return sql;
}

/* A date that the application's session has allowed is one here, too, and was one for INSERT .. SELECT. */
#define ALLOWING_DATES "SET STATEMENT sql_mode = CONCAT(@@sql_mode, ',ALLOW_INVALID_DATES') FOR "

static char *insert_text(const struct comparing *c, const char *rel, size_t first, size_t end)
{
	const struct columns *columns = c->d->columns;
	char *sql = sql_add(sql_names(&my_syntax, sql_add(sql_new(c->d->mem), ALLOWING_DATES "INSERT INTO %s (", rel), NULL,
	                              columns->names, columns->n),
	                    ") VALUES ");
	return sql_add(values_text(c, sql_add(sql, "("), &c->coming, first, end), ")");
}

/* "UPDATE (WITH viewd_v (viewd_c1, ..) AS (VALUES (..), ..) SELECT * FROM viewd_v) AS viewd_d STRAIGHT_JOIN rel .." */
static char *update_text(const struct comparing *c, const char *rel, size_t first, size_t end)
{
	const struct columns *columns = c->d->columns;
	char *values = values_text(c, sql_new(c->d->mem), &c->changing, first, end);
	char *names = sql_new(c->d->mem), *on = sql_new(c->d->mem), *set = sql_new(c->d->mem);
	for (size_t i = 0; i < columns->n; i++) {
		bool key = i < c->n_row;
		size_t at = c->order[i];
		char *name = ident_append(&my_syntax, sql_add(sql_new(c->d->mem), "viewd_t."), columns->names[at]);
		names = sql_add(names, "%sviewd_c%zu", i > 0 ? ", " : "", i + 1);
		if (key)
			on = sql_add(on, "%s%s = viewd_d.viewd_c%zu", i > 0 ? " AND " : "", name, at + 1);
		else
			set = sql_add(set, "%s%s = viewd_d.viewd_c%zu", i > c->n_row ? ", " : "", name, at + 1);
	}
	return talloc_asprintf(c->d->mem,
	                       ALLOWING_DATES
	                       "UPDATE (WITH viewd_v (%s) AS (VALUES (%s)) SELECT * FROM viewd_v) AS viewd_d "
	                       "STRAIGHT_JOIN %s AS viewd_t ON %s SET %s",
	                       names, values, rel, on, set);
}

/* In a block: the statement before has written so many rows. 1020: they have changed since they were read. */
static char *all_written(void *mem, size_t n)
{
	return talloc_asprintf(mem,
	                       "IF ROW_COUNT() <> %zu THEN SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1020, MESSAGE_TEXT = "
	                       "'rows of the view were changed by somebody else'; END IF",
	                       n);
}

static size_t bytes_of(const struct comparing *c, char *const *row)
{
	size_t bytes = 0;
	for (size_t i = 0; i < c->d->columns->n; i++)
		bytes += row[i] != NULL ? strlen(row[i]) : 4;
	return bytes;
}

/* The end of the rows that one statement takes. */
static size_t end_of(const struct comparing *c, const struct side *side, size_t first)
{
	size_t end = first, bytes = 0;
	while (end < side->n && end - first < CHUNK && bytes < CHUNK_BYTES)
		bytes += bytes_of(c, side->rows[end++]);
	return end;
}

/* Statements that have not been sent. */
struct block {
	const struct comparing *c;
	struct my_questions list;
	size_t bytes;
};

static void begin_block(struct block *block)
{
	block->list = (struct my_questions){.mem = talloc_new(block->c->have.mem)};
	block->bytes = 0;
}

static bool send(struct block *block, struct viewd_err *err)
{
	bool done = my_ask_now(block->c->d->conn, &block->list, err);
	talloc_free(block->list.mem);
	begin_block(block);
	return done;
}

/* The last ones wait for what the transaction says next. */
static bool leave(struct block *block, struct viewd_err *err)
{
	bool done = true;
	for (size_t i = 0; i < block->list.n && done; i++)
		done = my_exec_later(&block->c->d->conn->db, block->list.items[i].sql, NULL, 0, err);
	talloc_free(block->list.mem);
	return done;
}

/* writes: so many rows that were read before; 0: others. */
static bool add_statement(struct block *block, char *sql, size_t writes, struct viewd_err *err)
{
	block->bytes += strlen(sql);
	my_ask_later(&block->list, talloc_steal(block->list.mem, sql), NULL, NULL);
	if (writes > 0)
		my_ask_later(&block->list, all_written(block->list.mem, writes), NULL, NULL);
	return block->bytes < BLOCK_BYTES || send(block, err);
}

/* Rows that are updated were read with a lock. They are not counted, since the server counts only those that have
 * changed, and what differs as text may be the same once it is stored. */
static bool write_back(const struct comparing *c, struct viewd_err *err)
{
	struct block block = {.c = c};
	char *rel = relation_quoted(&my_syntax, c->d->mem, c->d->rel);
	begin_block(&block);
	for (size_t i = 0, end; i < c->going.n; i = end) {
		end = end_of(c, &c->going, i);
		if (!add_statement(&block, delete_text(c, rel, i, end), end - i, err))
			return false;
	}
	for (size_t i = 0, end; i < c->changing.n; i = end) {
		end = end_of(c, &c->changing, i);
		if (!add_statement(&block, update_text(c, rel, i, end), 0, err))
			return false;
	}
	for (size_t i = 0, end; i < c->coming.n; i = end) {
		end = end_of(c, &c->coming, i);
		if (!add_statement(&block, insert_text(c, rel, i, end), 0, err))
			return false;
	}
	return leave(&block, err);
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
	if (!read_both(c, query, err))
		return false;
	db_failpoint(&c->d->conn->db, "mysql:filled");
	if (c->cut || c->have.too_long || c->want.too_long)
		return true;
	plan_order(c);
	sort(c, &c->have);
	sort(c, &c->want);
	if (!are_told_apart(c, &c->have) || !are_told_apart(c, &c->want))
		return true;
	find_differing(c);
	*done_r = true;
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
		find_changed(&c);
		*out = (struct part_written){(int64_t)(coming - c.changed), (int64_t)c.changed, (int64_t)(going - c.changed)};
		done = write_back(&c, err);
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
	bool one = end_of(c, &c->coming, 0) == c->coming.n;
	return one ? insert_text(c, relation_quoted(&my_syntax, c->d->mem, c->d->rel), 0, c->coming.n) : NULL;
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
