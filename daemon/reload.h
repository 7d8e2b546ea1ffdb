/* SPDX-License-Identifier: MIT
 *
 * reload.h: build a new snapshot, check it, diff it, commit it, and say what happened. One exit for all of it.
 */
#ifndef VIEWD_RELOAD_H
#define VIEWD_RELOAD_H

#include "core/engine.h"
#include "core/offline/plan.h"

struct loop;
struct reload;
struct registry;
struct worker_pool;

enum reload_outcome {
	RELOAD_COMMITTED, /* the new configuration is in force */
	RELOAD_UNCHANGED, /* nothing differs; nothing was touched */
	RELOAD_REFUSED,   /* problems; the old configuration is in force */
	RELOAD_DRY_RUN    /* would be committed */
};

struct reload_entry {
	const char *what; /* "viewd" (the section of the daemon), "view" or "database" */
	const char *name;
	const char *change; /* "added", "removed", "changed" */
	const char *detail; /* changed keys, comma separated, and what follows from it */
};

struct reload_report {
	enum reload_outcome outcome;
	int64_t generation;
	const struct conf_problem *problems; /* errors and warnings, in file order */
	size_t n_problems;
	const struct reload_entry *entries;
	size_t n_entries;
	const char *const *restart_needed; /* settings that only a restart changes */
	size_t n_restart_needed;
	const struct offline_planned *planned; /* RELOAD_DRY_RUN, when asked for: of the views added or changed */
	size_t n_planned;
	int64_t duration_us;
};

/* Never NULL; reload_free ends it. conf_path and the parts outlive the reloader. [loop] */
struct reload *reload_new(struct engine *eng, struct loop *loop, struct worker_pool *pool, struct registry *registry,
                          const char *conf_path);
/* Forgets requests that wait, without calling their done. A build that runs, and the reloader with it, is left to the
 * end of the process. Accepts NULL, leaves NULL. [loop] */
void reload_free(struct reload **reload);

/* Loads and checks a configuration, dialects included; starting: a plugin that cannot be used is only a warning. NULL
 * when it has errors; problems are filled in any case and belong to mem_ctx. [any], one at a time. */
struct conf *reload_build(void *mem_ctx, const char *conf_path, struct registry *registry, bool starting,
                          struct conf_problems *problems);

/* Wishes of a configuration outside the engine: the address to listen on. */
struct reload_outside {
	const char *key; /* of [viewd], for the message */
	/* Puts it in force; dry_run: only tries. On false nothing has changed, and the reload is refused. [loop] */
	bool (*take)(void *ctx, const struct conf *conf, bool dry_run, struct viewd_err *err);
	void *ctx;
};

/* Copied; asked by every reload from now on, right before the engine is. [loop] */
void reload_set_outside(struct reload *reload, const struct reload_outside *outside);

/* Called exactly once, from the loop; the report is gone when it returns. */
typedef void reload_done_fn(void *ctx, const struct reload_report *report);

/* Asks for a reload. One runs at a time; requests made during one are answered together by the next. If any of them is
 * a real one, that is a real reload: a dry run among them is told RELOAD_COMMITTED. done may be NULL (SIGHUP): the
 * outcome is logged in any case. [loop] */
void reload_request(struct reload *reload, bool dry_run, reload_done_fn *done, void *ctx);

/* Asks for a dry run, and of the databases what it would do there. One at a time; other requests do not wait for the
 * databases. done is not NULL. [loop] */
void reload_request_plan(struct reload *reload, reload_done_fn *done, void *ctx);

#endif
