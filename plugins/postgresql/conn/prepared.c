/* SPDX-License-Identifier: MIT
 *
 * prepared.c: statements whose plans the server keeps for this session.
 *
 * A refresh asks the same few questions each time, and reading and planning them costs the server more than answering
 * them. Where the session is this connection's own (pooler.c), what is prepared stays; only a hook, or a function that
 * a definition calls, can remove it (DEALLOCATE, DISCARD). And a statement is prepared for types, not for their names:
 * one that was dropped and made anew is another type. Each costs one attempt, and the session then does without.
 *
 * A plan that is kept has a price: for each table that anybody makes, changes or refreshes the server goes through all
 * plans of the session. So a statement is prepared when it comes a second time.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "postgresql/pg.h"

#define PREPARED_MAX 512 /* an incremental view has some ten */

struct pg_prepared {
	char *sql;
	bool again; /* it has come a second time */
	bool sent;  /* and not refused */
};

static void name_of(int place, char name[static 24])
{
	snprintf(name, 24, "viewd_%d", place);
}

/* Once all places are taken, statements that have come once make room. The length says which, so all of them do. */
static struct pg_prepared *new_place(struct viewd_conn *conn, const char *sql)
{
	if (conn->n_prepared < PREPARED_MAX) {
		conn->prepared = talloc_realloc(conn, conn->prepared, struct pg_prepared, conn->n_prepared + 1);
		assert(conn->prepared != NULL);
		conn->prepared[conn->n_prepared] = (struct pg_prepared){0};
		return &conn->prepared[conn->n_prepared++];
	}
	for (size_t i = 0; i < PREPARED_MAX; i++) {
		struct pg_prepared *place = &conn->prepared[(strlen(sql) + i) % PREPARED_MAX];
		if (!place->again)
			return place;
	}
	return NULL;
}

int pg_prepared_place(struct viewd_conn *conn, const char *sql)
{
	if (conn->unprepared || conn->pooled)
		return -1;
	for (size_t i = 0; i < conn->n_prepared; i++)
		if (strcmp(conn->prepared[i].sql, sql) == 0) {
			conn->prepared[i].again = true;
			return (int)i;
		}
	struct pg_prepared *place = new_place(conn, sql);
	if (place != NULL) {
		talloc_free(place->sql);
		place->sql = talloc_strdup(conn->prepared, sql);
	}
	return -1;
}

bool pg_prepared_send(struct viewd_conn *conn, int place, const char *const *params, size_t n_params, bool *prepares_r)
{
	char name[24];
	name_of(place, name);
	*prepares_r = !conn->prepared[place].sent;
	conn->prepared[place].sent = true;
	return (!*prepares_r || PQsendPrepare(conn->pg, name, conn->prepared[place].sql, 0, NULL) == 1) &&
	       PQsendQueryPrepared(conn->pg, name, (int)n_params, params, NULL, NULL, 0) == 1;
}

void pg_prepared_answered(struct viewd_conn *conn, int place, bool done)
{
	conn->prepared[place].sent = done;
}

/* 26000: invalid_sql_statement_name, 42P05: duplicate_prepared_statement. A type of a parameter was made anew: XX000,
 * its oid is unknown, or 42846, cannot_coerce; 0A000: the result would have another type. */
bool pg_prepared_judge(struct viewd_conn *conn, const PGresult *res, bool kept)
{
	static const char *const states[] = {"26000", "42P05", "XX000", "42846", "0A000"};
	const char *state = res != NULL ? PQresultErrorField(res, PG_DIAG_SQLSTATE) : NULL;
	bool stale = false;
	for (size_t i = 0; i < (kept ? ARRAY_LEN(states) : 2) && state != NULL; i++)
		stale |= strcmp(state, states[i]) == 0;
	conn->unprepared |= stale;
	return stale;
}
