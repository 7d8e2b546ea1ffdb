/* SPDX-License-Identifier: MIT
 *
 * model.h: the structures that the rooms of core share. Nobody outside of core/ includes it. [loop]
 */
#ifndef VIEWD_CORE_MODEL_MODEL_H
#define VIEWD_CORE_MODEL_MODEL_H

#include "base/clock.h"
#include "core/engine.h"
#include "core/model/counts.h"
#include "core/model/events.h"
#include "core/model/intern.h"
#include "core/runtime.h"
#include "loop/loop.h"
#include "plugin/loader.h"
#include "sched/graph.h"
#include "sched/schedule.h"
#include "work/file_hints.h"
#include "work/worker.h"

#include <sys/queue.h>

struct session;
struct job;
struct wave;
struct member;
struct group;
struct uninstall;
struct past;

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

/* Probes: is the database there? */
struct db_probing {
	struct loop_timer *timer;
	int64_t next_mono;
	int streak;       /* failed probes in a row */
	unsigned n;       /* number of the last probe: an earlier one's result counts no more */
	unsigned rewound; /* probe after which it was last said that it has gone back in time; 0 never */
	struct job *job;  /* that of the last probe, while it runs */
	bool was_up;      /* since the section last changed: then a reconnect creates nothing anew */
};

/* The session that hears of changes. */
struct db_watch {
	struct watcher *watcher; /* NULL: none runs */
	bool waits;              /* an older one is still being closed */
	/* The watch has looked at what was committed before it began, and has come to the end of each look since */
	bool looked;
	uint64_t asked;    /* number of the last question to it */
	uint64_t answered; /* number of the last one that a look has answered */
};

/* Jobs and views that run or are to run. */
struct db_work {
	struct view_queue queue;                /* instances with something ready to run, best first */
	struct job_queue side_jobs;             /* jobs that need no slot (prepare, history, statistics, drops) and wait */
	struct job *side_job;                   /* the one of them that runs; a prepare job is in probing.job instead */
	struct job_queue unopened;              /* jobs that could not open a session: the watch is asked */
	struct loop_timer *connect_check_timer; /* ends the wait for the watch's answer */
	struct session *idle;                   /* list of open sessions nobody uses */
	size_t n_jobs;
	size_t n_busy; /* jobs that hold a slot */
};

struct database {
	struct engine *eng;
	const struct conf_database *conf; /* of the configuration in force; once removed, of last_conf */
	struct conf *last_conf;
	const struct viewd_dialect *dialect; /* NULL when unusable */
	enum db_state state;
	struct viewd_err *err; /* why it is not up; NULL when up */
	struct intern *warned; /* of captures: each cause is told once, however many views it concerns */
	unsigned epoch;        /* grows when the section changes: older sessions are closed */
	bool section_going;    /* its section is being removed together with its views: nothing can be dropped any more */
	bool removed;          /* gone from the files; lives until its last job has ended */
	bool uninstalled;      /* viewd is being taken out of it, or has been: let go until the section is another one */
	struct db_probing probing;
	struct db_watch watch;
	struct db_work work;
	struct database_counts *counts; /* since it is known */
	struct view **views;
	size_t n_views;
	void *groups; /* talloc context of its groups */
};

/* ---- one instance ------------------------------------------------------------------------------------------------ */

/* A relation that the definition reads; text lives in the instance's source block. */
struct source {
	const char *schema, *name;
	const char *full; /* schema.name, for people */
	bool base;        /* no instance of ours, and no plain view */
	enum viewd_kind kind;
};

/* Why an instance comes due. Later ones win a tie: they say more. */
enum due_reason {
	DUE_SCHEDULE,
	DUE_CATCH_UP,  /* a scheduled time that passed while nobody watched */
	DUE_STALENESS, /* max_staleness is reached */
	DUE_RETRY,
	DUE_CHANGE,
	DUE_REQUEST, /* asked for in SQL sooner than at_most_every allows */
	DUE_REASONS
};

/* Knowledge about changes under an instance; monotonic microseconds. */
struct change {
	int64_t first, last; /* since the last start; 0: none */
	int64_t last_start;
	int64_t seen_seq;    /* mark told last */
	int64_t settled_seq; /* mark settled by the last refresh */
	struct change_run {
		int64_t first; /* what the running refresh was started for */
		int64_t seq;
		bool upstream, old;
	} run;
	int64_t tried_seq;  /* seen at the start of the last run that failed */
	int64_t not_before; /* after failures */
	int failures;
	bool old;      /* the first came while nobody watched: it may be as old as the data */
	bool lower;    /* the last mark told was below settled_seq: a late word, or the numbers have gone back */
	bool upstream; /* among them is an instance that wrote rows: no mark need tell of it */
	bool doubted;  /* something may have been written that no mark tells of yet */
};

/* The object in the database: as it is, and as it is to be. */
struct view_relation {
	char *text;               /* canonical, quoted; the next two stand behind it in one block */
	char *schema, *name;      /* as the catalogue spells them, once inspected; else NULL */
	enum viewd_method method; /* after resolution */
	enum viewd_refresh_mode mode;
	bool reconciled; /* inspect and decide have succeeded since the section last changed */
	bool kept;       /* as somebody else has made it (viewctl adopt) */
	bool refused;    /* the dialect refuses the section: failure.err says why */
	bool followed;   /* removed, and a section of another name goes on with the object (renamed_from) */
	unsigned judged; /* db.epoch when it was asked */
	/* The nodes of a view that is kept incrementally, as its last refresh told; texts hang on facts */
	struct viewd_explained *facts;
	size_t n_facts;
};

/* The last refreshes. Times are wall-clock microseconds. */
struct view_last {
	enum view_trigger trigger : 8;
	enum view_result result : 8;
	int did : 16; /* enum viewd_did, -1 none */
	int64_t refresh_us, success_us, data_timestamp_us, duration_us;
	int64_t rows, rows_written;
	int64_t success_run; /* number of the run that read its data */
	const char *reason;  /* interned; NULL unknown */
};

/* An instance is suspended after so many runs that broke the connection: its statement may take the server down. */
#define QUARANTINE_LOSSES 3

/* Failures since the last success, and the error that is shown. */
struct view_failure {
	int consecutive;
	int retries;
	int losses;               /* runs since the last success that broke the connection */
	bool of_capture;          /* err tells of that, not of a refresh */
	int64_t unknown_since_us; /* start of a run whose outcome nobody knows: looked up before it is repeated; 0 none */
	struct viewd_err *err;    /* NULL none */
};

/* Everything that the contents depend on. */
struct view_reads {
	struct source *sources;
	const char **guesses;            /* interned; relations the definition mentions, until the catalogue knows better */
	struct view_dependency *depends; /* as the last capture told; texts are interned */
	uint32_t n_sources : 31;
	uint32_t sources_unknown : 1; /* the last look could not tell: the list is an older one */
	uint32_t n_depends : 31;
	uint32_t clock : 1; /* its contents age although no source changes */
};

/* Neighbours in the graph of views. */
struct view_graph {
	struct view **up, **down;
	uint32_t n_up, n_down;
	uint32_t node;       /* number in the last graph */
	uint32_t rank;       /* level in it; GRAPH_CYCLIC on a cycle */
	struct group *group; /* refreshed with these; NULL: by itself */
};

/* The key cron, read. */
struct view_cron {
	struct cron cron;
	struct zone *zone; /* NULL: @every */
};

/* The next time. plan/timing.h tells the schedule. */
struct view_timing {
	struct view_cron *cron; /* NULL none */
	const char *text;       /* "every 5m, after 1h", interned; NULL none */
	struct schedule_past past;
	struct schedule_due nominal; /* the scheduled time without jitter */
	int64_t due_at[DUE_REASONS]; /* monotonic; 0: nothing due for that reason */
	enum due_reason due_reason;  /* of the earliest of them */
	uint32_t heap_index;         /* 0: not in the heap */
};

/* The way in which changes are noticed. */
struct view_capture {
	uint64_t digest; /* of the sources that capture was last asked to notice; 0: none */
	uint64_t look;   /* number of the look that tells what had changed when it was set up */
	/* Count of possible redefinitions of what it reads: one more at each connection, and whenever one is told */
	uint32_t redefined;
	uint32_t compared; /* that number when its columns were last compared with its definition */
	bool set_up;       /* the database knows of a capture for it */
	bool failed;       /* the last attempt to set it up */
	bool catch_up;     /* set up just now: what other databases did meanwhile has not been looked at */
	enum viewd_capture mode;
	char *reason;
	const char *warnings; /* lines: what it cannot do, and what it may do to writers; interned; NULL none */
};

/* Notes of whoever walks over all views; they mean nothing between two walks. */
struct view_walk {
	uint64_t visit;                   /* equals engine.visit when visited */
	uint64_t near_job, near_altering; /* pass of a turn in which a neighbour in the graph ran, or was being changed */
	struct member *wave_member;       /* while a wave is built */
};

/* The fate of a view since viewd has started. */
struct view_record {
	struct view_counts n;
	struct past *past;       /* of the last hours; NULL: nothing has happened */
	int64_t maintained_mono; /* when its statistics were last looked after */
};

struct view {
	struct engine *eng;
	struct database *db;
	const struct conf_view *conf; /* of the configuration in force; once removed, of last_conf */
	struct conf *last_conf;       /* of a removed instance: keeps conf alive */
	const char *label;            /* the section's own name where that is enough */
	char *long_label;             /* else this */
	enum view_state state;
	bool paused;
	bool removed; /* gone from the files; lives until its job has ended */
	bool queued;  /* in db.work.queue */
	/* While a configuration is committed: a member of the group it had before was paused or suspended */
	bool was_held;
	struct view_relation relation;
	struct view_last last;
	struct view_failure failure;
	struct view_reads reads;
	struct view_graph graph;
	struct view_timing timing;
	struct view_capture capture;
	struct change change;
	struct view_walk walk;
	struct view_record record;
	struct waiter_list waiters;
	struct member *members; /* of waves, not yet taken by a job */
	struct job *job;        /* the one exclusive job */
	TAILQ_ENTRY(view) link; /* in db.work.queue */
};

/* ---- the engine ------------------------------------------------------------------------------------------------- */

/* A heap of the instances that come due next. */
struct engine_due {
	struct view **heap; /* 1-based */
	size_t n, room;
	struct loop_timer *timer;
};

/* The wall clock against the monotonic one. */
struct engine_wall_clock {
	struct loop_clock *watch; /* steps */
	struct loop_timer *timer; /* and what is not told: slow corrections */
	int64_t ahead;            /* wall minus monotonic at the last look */
	int64_t slept;            /* likewise */
};

/* Edges between instances, and their groups. */
struct engine_edges {
	bool dirty;   /* edges have to be found anew */
	bool gone;    /* nobody has any until they are brought up to date */
	bool grouped; /* there are groups */
};

/* Captures that have to be set up anew. */
struct engine_captures {
	bool dirty;
	bool wait;                /* for what is being set up; the timer runs */
	bool pressing;            /* and has waited long enough */
	uint64_t n_set_up;        /* how often an instance was set up so far */
	struct loop_timer *timer; /* another try after one that failed */
};

/* Listeners, and where rooms below tell their news. */
struct engine_news {
	LIST_HEAD(, event_listener) listeners;
	struct event_listener own;      /* what the engine itself does about news */
	const struct exec_events *exec; /* where what blocks tells its news */
	const struct flow_events *flow; /* where waves tell theirs */
};

/* Shared by sessions and watches. */
struct engine_sessions {
	struct file_hints *hints;
	struct viewd_host watch_host;   /* the services that watches get */
	struct loop_timer *sweep_timer; /* closes sessions that nobody uses */
	bool sweep_planned;
};

/* Everything that has begun and not ended. */
struct engine_open {
	struct engine_sessions sessions;
	LIST_HEAD(, watcher) watchers;     /* all that have not been closed */
	LIST_HEAD(, uninstall) uninstalls; /* of databases that viewd is being taken out of */
	LIST_HEAD(, wave) waves;
	/* Jobs that were given to a worker and have not ended, also those of what has been removed */
	LIST_HEAD(, job) begun;
	struct job_queue ended; /* jobs to be finished by the next turn */
	struct wave *finished;  /* list of waves to report */
	size_t n_reconciling;   /* members of reconcile waves that have not ended */
};

struct engine_numbers {
	size_t running, stuck, sessions;
	int64_t run_id, generation, runs, failures, started_us;
};

/* Answers that are valid until the next question. */
struct engine_answers {
	const char **sources;
	struct view_dependency *dependencies;
};

/* Turns of the engine: turn_run is the timer's work. */
struct engine_turn {
	struct loop_timer *timer; /* zero delay: a turn, never from inside a request */
	bool planned;
};

struct engine {
	struct loop *loop;
	struct worker_pool *pool;
	struct registry *registry;
	const struct clock *clock;
	struct conf *conf;
	struct database **dbs;
	size_t n_dbs;
	struct view **views; /* by name, then database */
	size_t n_views;
	struct engine_edges edges;
	struct engine_captures captures;
	struct engine_due due;
	struct engine_wall_clock wall;
	struct engine_news news;
	struct engine_open open;
	struct engine_numbers count;
	struct engine_answers answers;
	uint64_t visit; /* number of the last walk over all views */
	struct engine_turn turn;
	struct waiting *waiting; /* of report/wait.c; NULL: nobody has waited yet */
	size_t next_db;          /* whose turn it is */
	struct intern *texts;
	char *state_dir;
	char **paused; /* of pause.c: pauses that no instance has claimed, "database:view", up to a NULL; NULL: none */
	struct {
		loop_fn *fn; /* told once nothing runs any more; NULL: nobody */
		void *ctx;
		bool stopping;
	} stop;
};

/* Work is looked for, and ends are told, when control has returned to the loop. */
static inline void turn_soon(struct engine *eng)
{
	if (!eng->turn.planned)
		loop_timer_set(eng->turn.timer, 0);
	eng->turn.planned = true;
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
