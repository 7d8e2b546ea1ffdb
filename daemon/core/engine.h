/* SPDX-License-Identifier: MIT
 *
 * engine.h: the face of core: commands to the engine, and its answers. All policy is behind this face.
 *
 * No function blocks. Results of blocking work arrive through callbacks, never from inside the call that registered
 * them. [loop]
 */
#ifndef VIEWD_CORE_ENGINE_H
#define VIEWD_CORE_ENGINE_H

#include "base/macros.h"
#include "core/model/view_status.h"

struct engine;
struct view; /* an instance; opaque outside core/ */

/* ---- looking -------------------------------------------------------------------------------------------------- */

/* Calls fn for each instance in name order until it returns false. fn must not let instances come or go. */
void engine_each_view(struct engine *eng, bool (*fn)(void *ctx, struct view *view), void *ctx);

/* The instance of that name on that database, or NULL. */
struct view *engine_view(struct engine *eng, const char *name, const char *database);

/* The instances a user means: "name" (on every database it is declared for) or "db:name". Appends to a talloc array.
 * err MISSING with the nearest name when there is none. */
bool engine_find(struct engine *eng, void *mem_ctx, const char *text, struct view ***views_r, size_t *n_r,
                 struct viewd_err *err) MUST_CHECK;

/* Fills *out with what is told about the instance. Texts in it are the engine's and valid until control returns to the
 * loop. Cannot fail. */
void engine_status(struct engine *eng, const struct view *view, struct view_status *out);

/* Lists direct upstream and downstream instances, and base sources (schema-qualified text). Arrays belong to the engine
 * and are valid until control returns to the loop, the base sources' only until the next call. */
size_t view_upstream(const struct view *view, struct view *const **views_r);
size_t view_downstream(const struct view *view, struct view *const **views_r);
size_t view_sources(const struct view *view, const char *const **names_r);
/* Lists what the contents depend on and how each entry is heard; valid until the next call. */
size_t view_dependencies(const struct view *view, const struct view_dependency **rows_r);
/* Lists the nodes of a view that is kept incrementally, as its last refresh has told; none since viewd has started:
 * nothing. Valid until control returns to the loop. */
size_t view_nodes(const struct view *view, const struct viewd_explained **facts_r);
/* Finds what a relation that the view reads is called in the lists above. *view_r: the text is the label of an instance
 * of ours. NULL: it is not among them. */
const char *view_read_name(const struct view *view, const char *schema, const char *name, bool *view_r);
const char *view_name(const struct view *view);     /* "category_stats" */
const char *view_database(const struct view *view); /* "shop" */
const char *view_group(const struct view *view);    /* the refresh_group it is in with others; NULL: none */
bool view_is_disabled(const struct view *view);     /* enabled = no */
/* "category_stats", or "shop:category_stats" when on several databases */
const char *view_label(const struct view *view);

/* Sentences that answer "why is it (not) fresh, why this mode, what does it wait for"; fn once a line. */
void engine_why(struct engine *eng, const struct view *view, void (*fn)(void *ctx, const char *line), void *ctx);

/* The configuration in force; NULL before the first engine_commit. The engine's: valid until control returns to the
 * loop, unless the caller takes a conf_ref. */
const struct conf *engine_conf(const struct engine *eng);

/* Counters for /v1/info. */
struct engine_counts {
	size_t views, databases, databases_down, running, waiting, stuck_workers, sessions;
	int64_t runs, failures, generation, started_us;
};
void engine_counts(const struct engine *eng, struct engine_counts *out);

/* ---- acting ---------------------------------------------------------------------------------------------------- */

/* The end of something asked for one instance. */
struct engine_item {
	const struct view *view; /* NULL: it has been removed meanwhile */
	const char *label;
	const char *database;
	enum view_result result;
	int did;                         /* enum viewd_did, -1 none (refresh, create) */
	enum viewd_change change;        /* create, drop, plan */
	const char *reason;              /* plan: why that change */
	const char *group;               /* the refresh_group; NULL: none */
	const char *locks;               /* plan: what is locked meanwhile; "" none */
	const struct doubt_names *names; /* plan (core/plan/doubt.h); NULL: nobody could look */
	const char *definition;          /* adopt: what belongs into the file; NULL: nothing */
	int64_t rows, rows_written, duration_us;
	const struct viewd_err *error;       /* NULL when none */
	const struct viewd_verdict *verdict; /* verify only */
};

/* The result of an instance in a request when nothing ran for it: no rows were counted, no time was taken. err
 * NULL: none. */
static inline struct engine_item item_not_run(enum view_result result, const struct viewd_err *err)
{
	return (struct engine_item){
		.result = result, .did = -1, .rows = -1, .rows_written = -1, .duration_us = -1, .error = err};
}

struct engine_report {
	const struct engine_item *items;
	size_t n;
};
/* Called exactly once, from the loop. The report is gone when it returns. */
typedef void engine_done_fn(void *ctx, const struct engine_report *report);

struct engine_refresh_flags {
	bool full;       /* recompute everything whatever the mode */
	bool upstream;   /* first what it reads */
	bool downstream; /* then what reads it */
};

/* Asks for a refresh. Works on paused, suspended views too. done may be NULL. */
void engine_refresh(struct engine *eng, struct view *const *views, size_t n, struct engine_refresh_flags flags,
                    enum view_trigger trigger, engine_done_fn *done, void *ctx);

/* Inspect, decide, apply: creates what is missing, replaces what differs. */
void engine_create(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* As engine_create; besides, what somebody else has put in the place of an object, or has made of it, goes. */
void engine_replace(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* Keeps what somebody else has put in the place of an object, as it is, and tells its definition. */
void engine_adopt(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* Drops the object and its state row; the instance is MISSING afterwards. */
void engine_drop(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* As engine_drop; what depends on the objects goes, too. */
void engine_drop_cascading(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* Inspect and decide, change nothing. A definition that the database cannot compute is an error, unless it only waits
 * for another object of the same plan. */
void engine_plan(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* Compares the stored rows with the definition. */
void engine_verify(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx);

/* Reads past runs, newest first, from the database. done is called once, from the loop; rows are gone when it
 * returns. err NULL: they could be read. */
typedef void engine_history_fn(void *ctx, const struct viewd_history_row *rows, size_t n, const struct viewd_err *err);
void engine_history(struct engine *eng, struct view *view, int limit, engine_history_fn *done, void *ctx);

/* Tells how a view can be kept incrementally, from the database's catalogue. done is called once, from the loop;
 * facts are gone when it returns. */
typedef void engine_explain_fn(void *ctx, const struct viewd_explained *facts, size_t n, const struct viewd_err *err);
void engine_explain(struct engine *eng, struct view *view, engine_explain_fn *done, void *ctx);

/* Taking viewd out of a database: the statements that were carried out or, with print, that would be. error NULL: all
 * is out. */
struct engine_uninstalled {
	const char *database;
	bool print;
	const char *const *statements;
	size_t n;
	const struct viewd_err *error;
};
/* Called exactly once, from the loop. The report is gone when it returns. */
typedef void engine_uninstall_fn(void *ctx, const struct engine_uninstalled *report);

/* Lets the database go (no watch, no sessions; its views fail with a class CONFIG that says so), then takes everything
 * of viewd's out of it but the views' objects. It stays let go until its section is another one, or the process ends;
 * unless nothing could be taken out. print: only tells, changes nothing. False: err, and done is not called. */
bool engine_uninstall(struct engine *eng, const char *database, bool print, engine_uninstall_fn *done, void *ctx,
                      struct viewd_err *err) MUST_CHECK;

/* A pause survives restarts. False when the state file cannot be written (the pause holds until the end of the
 * process). */
bool engine_pause(struct engine *eng, struct view *const *views, size_t n, struct viewd_err *err) MUST_CHECK;
bool engine_resume(struct engine *eng, struct view *const *views, size_t n, struct viewd_err *err) MUST_CHECK;

/* Cancels what runs and forgets what waits. Returns how many refreshes were told to stop. */
size_t engine_cancel(struct engine *eng, struct view *const *views, size_t n);

#endif
