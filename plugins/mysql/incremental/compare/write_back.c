/* SPDX-License-Identifier: MIT
 *
 * write_back.c: what differs goes back to the server as text, in statements that are short beside its
 * max_allowed_packet.
 */
#include "mysql/incremental/compare/comparing.h"

#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "mysql/conn/row_key.h"

/* A server takes no longer text than its max_allowed_packet, for which 1 MiB is little. */
#define CHUNK 500               /* rows in one statement */
#define CHUNK_BYTES (128 << 10) /* likewise, of their values; each may become twice as long */
#define BLOCK_BYTES (256 << 10) /* statements that go together, but for the last one of them */

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

static char *delete_numbered(const struct comparing *c, const char *rel, size_t first, size_t end)
{
	char *sql = sql_add(sql_new(c->d->mem), "DELETE FROM %s WHERE " ROW_KEY " IN (", rel);
	for (size_t i = first; i < end; i++)
		sql = sql_add(sql, "%s%s", i > first ? ", " : "", c->going.rows[i][c->d->columns->n]);
	return sql_add(sql, ")");
}

static char *delete_text(const struct comparing *c, const char *rel, size_t first, size_t end)
{
	if (c->numbered)
		return delete_numbered(c, rel, first, end);
	char *sql = sql_add(sql_new(c->d->mem), "DELETE FROM %s WHERE ", rel);
	for (size_t i = first; i < end; i++)
		sql = add_match(c, sql_add(sql, i > first ? " OR " : ""), c->going.rows[i]);
	return sql;
}

/* "1, 2), (3, 4"; n: columns, and the number of the row behind them. */
static char *values_text(const struct comparing *c, char *sql, const struct side *side, size_t first, size_t end,
                         size_t n)
{
	const struct columns *columns = c->d->columns;
	for (size_t i = first; i < end; i++)
		for (size_t k = 0; k < n; k++)
			sql = value_add(sql_add(sql, k > 0       ? ", "
			                             : i > first ? "), ("
			                                         : ""),
			                k < columns->n ? columns->items[k].type : "bigint", side->rows[i][k]);
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
	return sql_add(values_text(c, sql_add(sql, "("), &c->coming, first, end, columns->n), ")");
}

/* "UPDATE (WITH viewd_v (viewd_c1, ..) AS (VALUES (..), ..) SELECT * FROM viewd_v) AS viewd_d STRAIGHT_JOIN rel .." */
static char *update_text(const struct comparing *c, const char *rel, size_t first, size_t end)
{
	const struct columns *columns = c->d->columns;
	size_t n = columns->n + c->numbered;
	char *values = values_text(c, sql_new(c->d->mem), &c->changing, first, end, n);
	char *names = sql_new(c->d->mem), *on = sql_new(c->d->mem), *set = sql_new(c->d->mem);
	for (size_t i = 0; i < n; i++) {
		size_t at = i < columns->n ? c->order[i] : i;
		bool key = c->numbered ? at == columns->n : i < c->n_row;
		char *name = ident_append(&my_syntax, sql_add(sql_new(c->d->mem), "viewd_t."),
		                          at < columns->n ? columns->names[at] : ROW_KEY);
		names = sql_add(names, "%sviewd_c%zu", i > 0 ? ", " : "", i + 1);
		if (key)
			on = sql_add(on, "%s%s = viewd_d.viewd_c%zu", on[0] != '\0' ? " AND " : "", name, at + 1);
		else
			set = sql_add(set, "%s%s = viewd_d.viewd_c%zu", set[0] != '\0' ? ", " : "", name, at + 1);
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
bool compared_write(const struct comparing *c, struct viewd_err *err)
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

char *compared_insert_text(const struct comparing *c, const char *rel)
{
	bool one = end_of(c, &c->coming, 0) == c->coming.n;
	return one ? insert_text(c, rel, 0, c->coming.n) : NULL;
}
