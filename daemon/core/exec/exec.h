/* SPDX-License-Identifier: MIT
 *
 * exec.h: the news that blocking work tells upward: the ends of jobs, sessions and watches, and what a watch has
 * heard. The engine gives the functions once, when it is made. [loop]
 */
#ifndef VIEWD_CORE_EXEC_EXEC_H
#define VIEWD_CORE_EXEC_EXEC_H

#include "core/model/model.h"

/* News that a watch has heard of one view. The view is given by its name, for the instance may be gone by now. */
struct watch_signal {
	enum viewd_signal_kind kind;
	const char *view;
	int64_t seq; /* of the mark */
	bool old;    /* from before the watch began */
};

struct exec_events {
	/* A worker has given the job back. The job is the engine's again. */
	void (*job_returned)(struct job *job);
	/* The job's time is over, and its worker has not come back. */
	void (*job_overdue)(struct job *job);
	/* The last job of a database that is gone from the files has been freed. */
	void (*database_unused)(struct database *db);
	/* A session or a watch has been closed. */
	void (*session_closed)(struct engine *eng);

	/* The watch is open and holds the database's lock; or it has ended. */
	void (*watch_opened)(struct database *db);
	void (*watch_lost)(struct database *db, const struct viewd_err *err);
	/* A look has come to its end, and it is the first one or was asked for: the number of the last question that this
	 * answers. */
	void (*watch_looked)(struct database *db, uint64_t answered);
	/* A look goes on: until it has come to its end nobody knows whether views are fresh. */
	void (*watch_behind)(struct database *db);
	void (*watch_signal)(struct database *db, const struct watch_signal *signal);
	/* Some watch has been closed: databases that waited for it are probed. */
	void (*watch_closed)(struct engine *eng);
};

#endif
