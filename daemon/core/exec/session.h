/* SPDX-License-Identifier: MIT
 *
 * session.h: one plugin connection. Used by one job at a time; reused by later jobs of the same database section.
 */
#ifndef VIEWD_CORE_EXEC_SESSION_H
#define VIEWD_CORE_EXEC_SESSION_H

#include "core/model/model.h"

struct session {
	struct engine *eng;
	const struct viewd_dialect *dialect;
	struct conf *conf;                   /* keeps conf_db alive */
	const struct conf_database *conf_db; /* the section it is opened by */
	unsigned epoch;                      /* db.epoch when it was made */
	unsigned probe;                      /* db.probing.n when it was last taken */
	struct viewd_conn *_Atomic conn;     /* NULL: not open yet; set by the worker, read by a cancel beside it */
	/* Found dead by the job: a cancel may still be at it, so it is closed with the session */
	struct viewd_conn *dead;
	_Atomic bool cancelled; /* its job has been told to end, perhaps before anything could be sent */
	bool in_job;
	int n_cancels; /* cancel tasks under way: neither reused nor closed before they are back */
	bool broken;
	bool doubted; /* the database was probed since its last job began: it is asked first, however young */
	int64_t idle_since_mono;
	struct session *next;
};

/* An idle session of the database, or a fresh one without a connection. [loop] */
struct session *session_take(struct database *db);

/* Opens or re-checks the connection. [worker] */
bool session_ready(struct session *s, int64_t now_mono, struct viewd_err *err) MUST_CHECK;

/* Has its job been told to end? A dialect forgets a cancel with each call that begins. [worker] */
bool session_cancelled(struct session *s, struct viewd_err *err);

/* The job has ended: keeps the session for the next one, or closes it when it is broken, was cancelled or its section
 * is gone. [loop] */
void session_give_back(struct session *s, struct database *db);

/* Ends the running statement, from another worker thread. Does nothing while an earlier one is on its way. [loop] */
void session_cancel(struct session *s);

/* A new snapshot says the same about the database: idle sessions let go of the old one. [loop] */
void session_adopt_conf(struct database *db);

/* Closes sessions that have been idle for some time, while there are many of them: the engine's timer for that, whose
 * ctx is the engine, and what sets it when there is something to do. [loop] */
void session_sweep(void *ctx);
void session_plan_sweep(struct engine *eng);

/* Closes what is idle: the section changed, or the engine ends. [loop] */
void session_close_idle(struct database *db);

#endif
