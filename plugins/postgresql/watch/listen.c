/* SPDX-License-Identifier: MIT
 *
 * listen.c: hearing notifications. They are hints: that one came counts, what it says does not.
 */
#include "postgresql/watch/watch.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/err.h"

#define PROOF_US INT64_C(5000000)

bool pg_heard(struct viewd_watch *w, bool *heard_r, struct viewd_err *err)
{
	PGnotify *note;
	if (PQconsumeInput(w->conn->pg) != 1) {
		err_set(err, VIEWD_ERR_LOST, "the watching connection to database '%s' is lost", w->conn->db.database_name);
		return false;
	}
	while ((note = PQnotifies(w->conn->pg)) != NULL) {
		if (note->be_pid != w->conn->pid)
			*heard_r = true;
		else if (!w->conn->pooled)
			w->hears = true; /* the proof, which came late */
		PQfreemem(note);
	}
	return true;
}

static bool take_proof(struct viewd_watch *w, const char *nonce)
{
	bool found = false;
	PGnotify *note;
	while ((note = PQnotifies(w->conn->pg)) != NULL) {
		found |= note->be_pid == w->conn->pid && strcmp(note->extra, nonce) == 0;
		PQfreemem(note);
	}
	return found;
}

static bool wait_for_proof(struct viewd_watch *w, const char *nonce)
{
	const struct clock *clk = clock_system();
	int64_t deadline = clk->mono(clk) + PROOF_US;
	struct pollfd fd = {.fd = PQsocket(w->conn->pg), .events = POLLIN};
	while (!take_proof(w, nonce)) {
		int64_t left = deadline - clk->mono(clk);
		if (left <= 0 || poll(&fd, 1, (int)(left / 1000) + 1) < 0 || PQconsumeInput(w->conn->pg) != 1)
			return false;
	}
	return true;
}

static bool hears_itself(struct viewd_watch *w, bool *heard_r, struct viewd_err *err)
{
	uint64_t random = 0;
	char nonce[24];
	assert(getrandom(&random, sizeof random, 0) == (ssize_t)sizeof random);
	snprintf(nonce, sizeof nonce, "%016llx", (unsigned long long)random);
	const char *params[] = {nonce};
	if (!pg_exec(w->conn, "LISTEN \"" PG_CHANNEL "\"", err) ||
	    !pg_op_exec(&w->conn->db, "SELECT pg_catalog.pg_notify('" PG_CHANNEL "', $1)", params, 1, NULL, err))
		return false;
	*heard_r = wait_for_proof(w, nonce);
	return true;
}

/* LISTEN is not tried where the session is not kept: it would stay with a connection that others get. */
bool pg_listen(struct viewd_watch *w, struct viewd_err *err)
{
	w->hears = false;
	if (!w->conn->pooled && !hears_itself(w, &w->hears, err))
		return false;
	if (!w->hears)
		pg_log(w->conn, VIEWD_LOG_INFO,
		       "database '%s', notifications do not come through (%s): changes are looked for four times a second",
		       w->conn->db.database_name,
		       w->conn->pooled ? "a pooler gives each transaction another session" : "one to itself has got lost");
	return true;
}
