/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/kept.h"

#include "common/sqltext/lexer.h"
#include "sqlite/conn/query.h"
#include "sqlite/conn/syntax.h"

#include <string.h>
#include <talloc.h>

/* Bounds of one connection. Beyond either, the statement that was not used for the longest time goes. */
#define KEPT_MAX 1000
#define KEPT_BYTES_MAX (INT64_C(8) << 20)

struct kept {
	char *sql;
	size_t len;
	enum sqlite_guard guard; /* under which it was allowed */
	sqlite3_stmt *stmt;
	int64_t bytes;
	uint64_t used; /* when, in the clock's counts */
	bool writes, side_writes;
	bool busy;
};

struct sqlite_kept {
	struct kept *items[KEPT_MAX];
	size_t n;
	int64_t bytes;
	uint64_t clock;
};

static int finalize(struct kept *kept)
{
	sqlite3_finalize(kept->stmt);
	return 0;
}

static struct kept *find(const struct viewd_conn *conn, const char *sql)
{
	size_t len = strlen(sql);
	for (size_t i = 0; conn->kept != NULL && i < conn->kept->n; i++) {
		struct kept *kept = conn->kept->items[i];
		if (kept->len == len && !kept->busy && kept->guard == conn->guard && memcmp(kept->sql, sql, len) == 0)
			return kept;
	}
	return NULL;
}

static void drop(struct sqlite_kept *all, size_t i)
{
	all->bytes -= all->items[i]->bytes;
	talloc_free(all->items[i]);
	all->items[i] = all->items[--all->n];
}

static void drop_kept(struct sqlite_kept *all, const struct kept *kept)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i] == kept) {
			drop(all, i);
			return;
		}
}

/* False: all of them are in use. */
static bool drop_oldest(struct sqlite_kept *all)
{
	size_t oldest = all->n;
	for (size_t i = 0; i < all->n; i++)
		if (!all->items[i]->busy && (oldest == all->n || all->items[i]->used < all->items[oldest]->used))
			oldest = i;
	if (oldest == all->n)
		return false;
	drop(all, oldest);
	return true;
}

/* Statements that change the schema run once, so they are not kept. A pragma may act while it is compiled; this one
 * does not. */
static bool is_worth_it(const char *sql)
{
	static const char *const words[] = {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"};
	if (strcmp(sql, SQLITE_SCHEMA_VERSION) == 0)
		return true;
	struct lex_token tok = lex_next(sqlite_syntax.lexer.flags, &sql);
	while (tok.kind == LEX_SPACE || tok.kind == LEX_COMMENT)
		tok = lex_next(sqlite_syntax.lexer.flags, &sql);
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (lex_is(&tok, words[i]))
			return true;
	return false;
}

static struct kept *keep(struct viewd_conn *conn, const char *sql, const struct sqlite_taken *taken)
{
	if (conn->kept == NULL)
		conn->kept = talloc_zero(conn, struct sqlite_kept);
	assert(conn->kept != NULL);
	if (conn->kept->n == KEPT_MAX && !drop_oldest(conn->kept))
		return NULL;
	struct kept *kept = talloc_zero(conn->kept, struct kept);
	assert(kept != NULL);
	*kept = (struct kept){.sql = talloc_strdup(kept, sql),
	                      .len = strlen(sql),
	                      .guard = conn->guard,
	                      .stmt = taken->stmt,
	                      .writes = taken->writes,
	                      .side_writes = taken->side_writes,
	                      .busy = true};
	talloc_set_destructor(kept, finalize);
	conn->kept->items[conn->kept->n++] = kept;
	return kept;
}

/* The authorizer tells of the writes of one statement, and beside them those of the transaction so far. */
static bool prepare(struct viewd_conn *conn, const char *sql, struct sqlite_taken *out, struct viewd_err *err)
{
	bool before = conn->side_writes;
	conn->side_writes = false;
	bool done = sqlite_prepare(conn, sql, &out->stmt, err);
	out->writes = conn->writes;
	out->side_writes = conn->side_writes;
	conn->side_writes |= before;
	return done;
}

bool sqlite_kept_take(struct viewd_conn *conn, const char *sql, struct sqlite_taken *out, struct viewd_err *err)
{
	struct kept *kept = find(conn, sql);
	*out = (struct sqlite_taken){.kept = kept};
	if (kept == NULL) {
		if (!prepare(conn, sql, out, err))
			return false;
		out->kept = is_worth_it(sql) ? keep(conn, sql, out) : NULL;
		return true;
	}
	if (!sqlite_may_begin(conn, err))
		return false;
	kept->busy = true;
	out->stmt = kept->stmt;
	out->writes = kept->writes;
	out->side_writes = kept->side_writes;
	return true;
}

/* A statement may have grown while it ran: SQLite may have compiled it anew. */
static void weigh(struct sqlite_kept *all, struct kept *kept)
{
	all->bytes -= kept->bytes;
	kept->bytes = sqlite3_stmt_status(kept->stmt, SQLITE_STMTSTATUS_MEMUSED, 0) + (int64_t)kept->len;
	all->bytes += kept->bytes;
	kept->used = ++all->clock;
	while (all->bytes > KEPT_BYTES_MAX && drop_oldest(all))
		continue;
}

void sqlite_kept_give(struct viewd_conn *conn, struct sqlite_taken *taken, bool good)
{
	struct kept *kept = taken->kept;
	if (kept == NULL) {
		sqlite3_finalize(taken->stmt);
	} else if (!good) {
		drop_kept(conn->kept, kept);
	} else {
		sqlite3_reset(kept->stmt);
		sqlite3_clear_bindings(kept->stmt);
		kept->side_writes = taken->side_writes;
		weigh(conn->kept, kept);
		kept->busy = false;
	}
	*taken = (struct sqlite_taken){0};
}

void sqlite_kept_end(struct viewd_conn *conn)
{
	TALLOC_FREE(conn->kept);
}
