/* SPDX-License-Identifier: MIT
 *
 * state.h: the structures that the files of core/ share. Private to core/; touched on the loop thread only.
 */
#ifndef VIEWD_CORE_MODEL_STATE_H
#define VIEWD_CORE_MODEL_STATE_H

#include "base/clock.h"
#include "core/engine.h"
#include "core/model/intern.h"
#include "core/model/events.h"
#include "core/runtime.h"
#include "loop/loop.h"
#include "plugin/loader.h"
#include "sched/graph.h"
#include "sched/schedule.h"
#include "work/worker.h"

#include <sys/queue.h>

struct session;
struct job;
struct wave;
struct member;
struct group;
struct leaving;

/* ---- one database ---------------------------------------------------------------------------------------------- */

enum db_state {
	DB_UNUSABLE, /* no plugin, the section is refused, or viewd has left it: only another section or a restart helps */
	DB_DOWN,     /* waits for the next probe */
	DB_PROBING,  /* the prepare job runs */
	DB_UP
};

LIST_HEAD(waiter_list, waiter);
TAILQ_HEAD(view_queue, view);
TAILQ_HEAD(job_queue, job);

struct db {
	struct engine *eng;
	const struct conf_database *conf; /* of the configuration in force; once removed, of last_conf */
	struct conf *last_conf;
	const struct viewd_dialect *dialect; /* NULL when unusable */
	enum db_state state;
	struct viewd_err *err; /* why it is not up; NULL when up */
	struct intern *warned; /* of captures: each cause is told once, however many views it concerns */
	int streak;            /* failed probes in a row */
	int64_t next_probe_mono;
	struct loop_timer *probe_timer;
	unsigned epoch;        /* grows when the section changes: older sessions are closed */
	bool leaving;          /* its section is being removed together with its views: nothing can be dropped any more */
	bool removed;          /* gone from the files; lives until its last job has ended */
	size_t n_jobs;
	unsigned probe;        /* number of the last probe: an earlier one's result counts no more */
	unsigned went_back;    /* probe after which it was last said that it has gone back in time; 0 never */
	bool left;             /* viewd is being taken out of it, or has been: let go until the section is another one */
	bool was_up;           /* since the section last changed: then a reconnect creates nothing anew */
	struct watcher *watcher; /* NULL: none runs */
	bool looked;           /* the watch has looked at what was committed before it began, and has come to the end of each look since */
	uint64_t asked;        /* number of the last question to the watch */
	uint64_t answered;     /* number of the last one that a look has answered */
	bool waits_for_watch;  /* an older watch is still being closed */
	struct session *idle;  /* list of open sessions nobody uses */
	size_t n_busy;         /* jobs that hold a slot */
	size_t n_changing;     /* those of them that create, replace or drop */
	struct job *aux_job;   /* the one running job that needs no slot (history, statistics, drops) */
	struct job *prepare_job; /* that of the last probe, while it runs */
	struct view_queue queue; /* instances with something ready to run, best first */
	struct job_queue aux;
	struct job_queue doubtful; /* could not open a session; the watch is asked */
	struct loop_timer *connect_check_timer; /* for so long */
	struct view **views;
	size_t n_views;
	void *groups;          /* talloc context of its groups */
};

/* ---- one instance ------------------------------------------------------------------------------------------------ */

/* A relation that the definition reads; text lives in the instance's source block. */
struct source {
	const char *schema, *name;
	const char *full;       /* schema.name, for people */
	bool base;              /* no instance of ours, and no plain view */
	enum viewd_kind kind;
};

/* Why an instance comes due. Later ones win a tie: they say more. */
enum due_reason {
	DUE_SCHEDULE,
	DUE_CATCH_UP,  /* a scheduled time that passed while nobody watched */
	DUE_STALENESS, /* max_staleness is reached */
	DUE_RETRY,
	DUE_CHANGE,
	DUE_REQUEST,   /* asked for in SQL sooner than at_most_every allows */
	DUE_REASONS
};

/* What is known about changes under an instance; monotonic microseconds. */
struct change {
	int64_t first, last;  /* since the last start; 0: none */
	int64_t last_start;
	bool old;             /* the first came while nobody watched: it may be as old as the data */
	int64_t seen_seq;     /* mark told last */
	int64_t settled_seq;  /* mark settled by the last refresh */
	bool lower;           /* a lower one was told since: late, or the numbers have gone back */
	bool upstream;        /* among them is an instance that wrote rows: no mark need tell of it */
	struct change_run {
		int64_t first; /* what the running refresh was started for */
		int64_t seq;
		bool upstream, old;
	} run;
	int64_t tried_seq;    /* seen at the start of the last run that failed */
	int64_t not_before;   /* after failures */
	int64_t failures;
};

struct view {
	struct engine *eng;
	struct db *db;
	const struct conf_view *conf; /* of the configuration in force; once removed, of last_conf */
	const char *label;      /* the section's own name where that is enough */
	char *long_label;       /* else this */
	char *relation;         /* canonical quoted text */
	char *place;            /* schema NUL name NUL as the catalogue spells them, once inspected; else NULL */
	enum viewd_method method;     /* after resolution */
	enum viewd_refresh_mode mode;
	enum view_state state;
	enum view_trigger trigger;
	enum view_result result;
	int action;             /* enum viewd_did, -1 none */
	bool reconciled;        /* inspect and decide have succeeded since the section last changed */
	bool paused;
	bool removed;           /* gone from the files; lives until its job has ended */
	struct conf *last_conf; /* of a removed instance: keeps conf alive */
	bool queued;
	bool refused;           /* the dialect refuses the section: err says why */
	unsigned judged;        /* db.epoch when it was asked */
	int64_t last_refresh_us, last_success_us, data_timestamp_us, duration_us;
	int64_t rows, rows_written;
	int64_t success_run;     /* number of the run that read its data */
	int consecutive_errors;
	int retries;
	int losses;              /* runs in a row that broke the connection */
	int64_t unknown_since_us; /* start of a run whose outcome nobody knows: looked up before it is repeated; 0 none */
	struct viewd_err *err;
	bool err_of_capture;     /* it tells of that, not of a refresh */
	const char *reason;      /* interned; NULL unknown */

	struct source *sources;
	size_t n_sources;
	bool sources_unknown; /* the last look could not tell: the list is an older one */
	bool kept; /* as somebody else has made it (viewctl adopt) */
	struct view **up, **down;
	size_t n_up, n_down;
	char **guesses;          /* relations the definition mentions, until the catalogue knows better */
	uint32_t node;           /* number in the last graph */
	uint32_t rank;           /* level in it; GRAPH_CYCLIC on a cycle */
	struct group *group;     /* refreshed with these; NULL: by itself */
	bool was_held;           /* scratch of a commit: a member of the group it had before was paused or suspended */

	struct schedule schedule;
	struct zone *zone;   /* of schedule */
	const char *schedule_text; /* "every 5m, after 1h", interned; NULL none */
	struct schedule_past past;
	int64_t due_at[DUE_REASONS]; /* monotonic; 0: nothing due for that reason */
	int64_t due_mono;        /* the earliest: heap key; 0: by hand only */
	enum due_reason due_reason;
	struct schedule_due nominal; /* the scheduled time without jitter */

	struct change change;
	uint64_t capture_digest; /* of the sources that capture was last asked to notice; 0: none */
	uint64_t redefined;      /* so often something that it reads may have become another thing unseen: at each connection, and whenever that is told */
	uint64_t compared;       /* that number when its columns were last compared with its definition */
	uint64_t captured_look;  /* number of the look that tells what had changed when it was captured */
	bool reads_clock;        /* its contents age although no source changes */
	bool captured;           /* the database knows of a capture for it */
	bool capture_failed;     /* the last attempt to set it up */
	bool catch_up;           /* set up just now: what other databases did meanwhile has not been looked at */
	enum viewd_capture capture_mode;
	char *capture_reason;
	const char *capture_warnings; /* lines: what its capture cannot do, and what it may do to writers; interned; NULL none */
	struct view_dependency *depends; /* as the last capture told; texts are interned */
	size_t n_depends;
	size_t heap_index;       /* 0: not in the heap */

	struct waiter_list waiters;
	struct member *members;  /* of waves, not yet taken by a job */
	struct job *job;         /* the one exclusive job */
	uint64_t mark;           /* scratch for walks: equals engine.mark when visited */
	int64_t tended_mono;     /* when its statistics were last looked after */
	uint64_t near_job, near_change; /* pass of dispatch in which a neighbour in the graph ran, or was being changed */
	struct member *wave_member; /* scratch while a wave is built */
	TAILQ_ENTRY(view) link;
};

/* ---- the engine --------------------------------------------------------------------------------------------------- */

struct engine {
	struct loop *loop;
	struct worker_pool *pool;
	struct registry *registry;
	const struct clock *clock;
	char *state_dir;
	struct conf *conf;
	struct db **dbs;
	size_t n_dbs;
	struct view **views; /* by name, then database */
	size_t n_views;
	bool edges_dirty;
	bool edges_gone;      /* nobody has any until they are brought up to date */
	bool captures_dirty;   /* what is captured may no longer be what is read */
	bool captures_wait;    /* for what is being set up; the timer runs */
	bool captures_pressing; /* and has waited long enough */
	uint64_t n_set_up;     /* how often an instance was set up so far */
	size_t n_reconciling;  /* members of reconcile waves that have not ended */
	uint64_t mark;

	struct view **heap;  /* 1-based */
	size_t n_heap, heap_room;
	struct loop_timer *due_timer;
	struct loop_clock *clock_watch; /* steps of the wall clock */
	struct loop_timer *clock_timer; /* and what is not told: slow corrections */
	int64_t clock_ahead;            /* wall minus monotonic at the last look */
	int64_t clock_slept;            /* likewise */

	LIST_HEAD(, watcher) watchers; /* all that have not been closed */
	struct loop_timer *capture_timer; /* another try after a capture that failed */
	struct loop_timer *post_timer; /* zero delay: dispatch and finished waves, never from inside a request */
	LIST_HEAD(, event_listener) listeners;
	struct event_listener own;     /* what the engine itself does about news */
	struct waiting *waiting;       /* of report/wait.c; NULL: nobody has waited yet */
	const struct exec_events *exec; /* where what blocks tells its news */
	const struct flow_events *flow; /* where waves tell theirs */
	LIST_HEAD(, leaving) leavings; /* of databases that viewd is being taken out of */
	LIST_HEAD(, wave) waves;       /* all */
	struct job_queue ended;        /* jobs to be finished by the next turn */
	LIST_HEAD(, job) begun;        /* jobs that were given to a worker and have not ended, also those of what has been removed */
	struct wave *finished;         /* list of waves to report */
	size_t next_db;                /* whose turn it is */
	size_t n_running, n_stuck, n_sessions;
	int64_t run_id, generation, runs, failures, started_us;
	struct intern *texts;
	const char **scratch;          /* what view_sources told last */
	struct view_dependency *scratch_rows; /* what view_dependencies told last */
	char **paused;                 /* labels from the state file that no instance has claimed yet */
	bool stopping;
	loop_fn *on_idle;
	void *on_idle_ctx;
};

/* Work is looked for, and ends are told, when control has returned to the loop. */
static inline void turn_soon(struct engine *eng)
{
	loop_timer_set(eng->post_timer, 0);
}

static inline int64_t engine_wall(const struct engine *eng)
{
	return eng->clock->wall(eng->clock);
}

static inline int64_t engine_mono(const struct engine *eng)
{
	return eng->clock->mono(eng->clock);
}

static inline struct schedule_clock engine_clock(const struct engine *eng)
{
	return (struct schedule_clock){.mono = engine_mono(eng), .wall = engine_wall(eng)};
}

#endif
