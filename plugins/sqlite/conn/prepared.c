/* SPDX-License-Identifier: MIT */
#include "sqlite/conn/prepared.h"

#include "common/sqltext/lexer.h"
#include "sqlite/conn/definition.h"
#include "sqlite/conn/syntax.h"

#include <string.h>
#include <talloc.h>

/* Bounds of one connection. Beyond either, the statement that was not used for the longest time goes. */
#define PREPARED_MAX 1000
#define PREPARED_BYTES_MAX (INT64_C(8) << 20)

struct prepared {
	char *sql;
	size_t len;
	enum sqlite_guard guard; /* under which it was allowed */
	sqlite3_stmt *stmt;
	int64_t bytes;
	uint64_t used; /* when, in the clock's counts */
	bool writes, side_writes;
	bool busy;
};

struct sqlite_prepared {
	struct prepared *items[PREPARED_MAX];
	size_t n;
	int64_t bytes;
	uint64_t clock;
};

static int finalize(struct prepared *prepared)
{
	sqlite3_finalize(prepared->stmt);
	return 0;
}

static struct prepared *find_prepared(const struct viewd_conn *conn, const char *sql)
{
	size_t len = strlen(sql);
	for (size_t i = 0; conn->prepared != NULL && i < conn->prepared->n; i++) {
		struct prepared *prepared = conn->prepared->items[i];
		if (prepared->len == len && !prepared->busy && prepared->guard == conn->guard &&
		    memcmp(prepared->sql, sql, len) == 0)
			return prepared;
	}
	return NULL;
}

static void drop(struct sqlite_prepared *all, size_t i)
{
	all->bytes -= all->items[i]->bytes;
	talloc_free(all->items[i]);
	all->items[i] = all->items[--all->n];
}

static void drop_prepared(struct sqlite_prepared *all, const struct prepared *prepared)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i] == prepared) {
			drop(all, i);
			return;
		}
}

/* False: all of them are in use. */
static bool drop_oldest(struct sqlite_prepared *all)
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

static struct prepared *keep_statement(struct viewd_conn *conn, const char *sql, const struct sqlite_taken *taken)
{
	if (conn->prepared == NULL)
		conn->prepared = talloc_zero(conn, struct sqlite_prepared);
	assert(conn->prepared != NULL);
	if (conn->prepared->n == PREPARED_MAX && !drop_oldest(conn->prepared))
		return NULL;
	struct prepared *prepared = talloc_zero(conn->prepared, struct prepared);
	assert(prepared != NULL);
	*prepared = (struct prepared){.sql = talloc_strdup(prepared, sql),
	                              .len = strlen(sql),
	                              .guard = conn->guard,
	                              .stmt = taken->stmt,
	                              .writes = taken->writes,
	                              .side_writes = taken->side_writes,
	                              .busy = true};
	talloc_set_destructor(prepared, finalize);
	conn->prepared->items[conn->prepared->n++] = prepared;
	return prepared;
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

bool sqlite_prepared_take(struct viewd_conn *conn, const char *sql, struct sqlite_taken *out, struct viewd_err *err)
{
	struct prepared *prepared = find_prepared(conn, sql);
	*out = (struct sqlite_taken){.prepared = prepared};
	if (prepared == NULL) {
		if (!prepare(conn, sql, out, err))
			return false;
		out->prepared = is_worth_it(sql) ? keep_statement(conn, sql, out) : NULL;
		return true;
	}
	if (!sqlite_may_begin(conn, err))
		return false;
	prepared->busy = true;
	out->stmt = prepared->stmt;
	out->writes = prepared->writes;
	out->side_writes = prepared->side_writes;
	return true;
}

/* A statement may have grown while it ran: SQLite may have compiled it anew. */
static void weigh(struct sqlite_prepared *all, struct prepared *prepared)
{
	all->bytes -= prepared->bytes;
	prepared->bytes = sqlite3_stmt_status(prepared->stmt, SQLITE_STMTSTATUS_MEMUSED, 0) + (int64_t)prepared->len;
	all->bytes += prepared->bytes;
	prepared->used = ++all->clock;
	while (all->bytes > PREPARED_BYTES_MAX && drop_oldest(all))
		continue;
}

void sqlite_prepared_give(struct viewd_conn *conn, struct sqlite_taken *taken, bool good)
{
	struct prepared *prepared = taken->prepared;
	if (prepared == NULL) {
		sqlite3_finalize(taken->stmt);
	} else if (!good) {
		drop_prepared(conn->prepared, prepared);
	} else {
		sqlite3_reset(prepared->stmt);
		sqlite3_clear_bindings(prepared->stmt);
		prepared->side_writes = taken->side_writes;
		weigh(conn->prepared, prepared);
		prepared->busy = false;
	}
	*taken = (struct sqlite_taken){0};
}

void sqlite_prepared_end(struct viewd_conn *conn)
{
	TALLOC_FREE(conn->prepared);
}
