/* SPDX-License-Identifier: MIT
 *
 * job_record.h: the record of one piece of blocking work: what goes in, what comes out.
 *
 * A job belongs to the loop until it is started, to a worker until the worker gives it back, to the loop again after.
 * The worker touches nothing but the job, its session's connection and the snapshot that the job holds.
 */
#ifndef VIEWD_CORE_MODEL_JOB_RECORD_H
#define VIEWD_CORE_MODEL_JOB_RECORD_H

#include "core/model/model.h"

enum job_kind {
	JOB_PREPARE,   /* state tables, leftovers, list of recorded views */
	JOB_RECONCILE, /* inspect, decide, apply */
	JOB_CAPTURE,   /* have changes noticed, or no longer */
	JOB_PLAN,      /* inspect, decide */
	JOB_REFRESH,
	JOB_REFRESH_GROUP, /* has a part for each member */
	JOB_DROP,
	JOB_VERIFY,
	JOB_HISTORY,
	JOB_EXPLAIN,
	JOB_MAINTAIN,     /* statistics after a refresh */
	JOB_DROP_RECORDED /* objects whose sections are gone */
};

/* The decision about an object, and why (plan/decide.h). */
struct decision {
	enum viewd_change change;
	char reason[512];
	const char *locks;    /* what readers and writers of the object meet meanwhile; static */
	struct viewd_err err; /* class OK unless change is REFUSE */
};

struct history_copy {
	struct viewd_history_row *rows;
	size_t n;
};

/* Texts hang on facts. */
struct explained_copy {
	struct viewd_explained *facts;
	size_t n;
};

/* A recorded view whose section is gone, or is going. */
struct recorded_copy {
	const char *name, *relation;
	enum viewd_method method;
	int64_t lock_timeout; /* its section's; or the default, once nobody knows that any more */
	bool captured;
	bool drop;
	bool uncapture; /* changes need not be noticed any more */
};

/* Input of the job. */
struct job_in {
	struct viewd_database_spec db_spec;
	struct viewd_view_spec spec;
	struct viewd_refresh_request request;
	enum view_trigger trigger;
	bool create_missing, replace, keep;
	bool reconcile_first;
	bool compare;             /* the columns of the object with those of its definition */
	int64_t unknown_since_us; /* a run since then may have succeeded without our knowing */
	int history_limit;
	struct viewd_capture_request capture;
	uint64_t capture_digest;
	uint32_t redefined; /* that of the view when it was started */
	unsigned epoch;     /* db.epoch likewise */
	unsigned probe;     /* db.probing.n when it was started (PREPARE: made): news from before another probe is old */
	int64_t now_mono;
};

/* REFRESH_GROUP: a job for each member. */
struct job_group {
	struct job **parts; /* in dependency order */
	size_t n;
	size_t failed; /* which one failed; n: none in particular */
	const char *name;
};

/* The state of the run; loop side. */
struct job_run {
	bool holds_slot;
	bool begun;
	bool cancelled, timed_out, stuck;
	struct loop_timer *deadline;
	struct loop_timer *cancel_timer;
	int64_t cancel_wait; /* until the cancel is repeated */
	int64_t started_wall;
};

/* Answers of a capture that was set up; texts are the job's. */
struct job_capture {
	struct viewd_captured as;
	struct view_dependency *depends;
	size_t n_depends;
	char *warnings; /* lines; NULL: none */
};

/* The object as a job has seen it, and what was decided. */
struct job_look {
	struct viewd_found found;
	struct decision decision;
	enum viewd_change last_action; /* what was applied, and why */
	char apply_reason[512];
};

/* Output of the job. */
struct job_out {
	bool ok;
	bool connected;    /* the session could be opened */
	bool alone;        /* it could not, but others of its database live: its own failure */
	bool mate_failed;  /* part of a group: another one did */
	bool looked_up;    /* nothing was refreshed: the lost run before it had ended well */
	bool session_lost; /* and was gone at the end */
	bool inspected;
	bool renamed; /* it follows a section that was renamed */
	bool applied;
	struct viewd_err err;
	struct job_look *look; /* NULL: nobody has looked, as in most refreshes. Never NULL once inspected or applied */
	struct viewd_outcome outcome;
	struct viewd_verdict verdict;
	struct source *sources;
	size_t n_sources;
	struct history_copy history;
	struct explained_copy explained;
	struct recorded_copy *recorded;
	size_t n_recorded;
	struct job_capture capture;
	char *definition; /* of what is kept */
	int64_t duration_us;
};

struct job {
	struct worker_task task;
	enum job_kind kind;
	struct engine *eng;
	struct database *db; /* loop side only */
	struct view *view;   /* likewise; NULL: the job is for the database */
	struct session *session;
	struct conf *conf;
	const struct conf_view *conf_view;
	char *label;
	struct member *members; /* whom this job serves */
	struct job_in in;
	struct job_group group;
	struct job_run run;
	struct job_out out;
	struct {
		engine_history_fn *history;
		engine_explain_fn *explain;
		void *ctx;
	} asker; /* HISTORY, EXPLAIN: who is told */
	TAILQ_ENTRY(job) link;
	LIST_ENTRY(job) begun_link; /* of engine.open.begun */
};

/* Does the job create, replace or drop the object? */
static inline bool job_alters_object(enum job_kind kind)
{
	return kind == JOB_RECONCILE || kind == JOB_DROP;
}

#endif
