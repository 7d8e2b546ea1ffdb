/* SPDX-License-Identifier: MIT
 *
 * fake_engine.c: views alpha and beta on database shop; beta reads alpha and has failed.
 */
#include "fake_engine.h"

#include "base/err.h"

#include <string.h>
#include <talloc.h>

struct view {
	const char *name;
};

static struct view alpha = {"alpha"};
static struct view beta = {"beta"};
static struct view extra = {"extra"};
static const struct conf_database shop = {.name = "shop", .dialect = "sqlite"};

void engine_each_view(struct engine *eng, bool (*fn)(void *ctx, struct view *view), void *ctx)
{
	if (!fn(ctx, &alpha) || !fn(ctx, &beta))
		return;
	for (size_t i = 0; i < eng->n_extra; i++)
		if (!fn(ctx, &extra))
			return;
}

struct view *engine_view(struct engine *eng, const char *name, const char *database UNUSED)
{
	if (eng->gone != NULL && strcmp(name, eng->gone) == 0)
		return NULL;
	return strcmp(name, "alpha") == 0   ? &alpha
	       : strcmp(name, "beta") == 0  ? &beta
	       : strcmp(name, "extra") == 0 ? &extra
	                                    : NULL;
}

bool engine_find(struct engine *eng UNUSED, void *mem_ctx, const char *text, struct view ***views_r, size_t *n_r,
                 struct viewd_err *err)
{
	const char *name = strchr(text, ':') != NULL ? strchr(text, ':') + 1 : text;
	struct view *view = strcmp(name, "alpha") == 0 ? &alpha : strcmp(name, "beta") == 0 ? &beta : NULL;
	if (view == NULL) {
		err_set(err, VIEWD_ERR_MISSING, "view '%s' is not known", text);
		return err_hint(err, "did you mean alpha?");
	}
	*views_r = talloc_realloc(mem_ctx, *views_r, struct view *, *n_r + 1);
	(*views_r)[(*n_r)++] = view;
	return true;
}

static const struct viewd_err *beta_error(void)
{
	static const struct viewd_err err = {
		.cls = VIEWD_ERR_CONFLICT,
		.sqlstate = "55P03",
		.msg = "lock timeout after 2s",
	};
	return &err;
}

void engine_status(struct engine *eng, const struct view *view, struct view_status *out)
{
	bool good = view != &beta;
	*out = (struct view_status){
		.conf = conf_find_view(eng->conf, "alpha"),
		.database = &shop,
		.name = view->name,
		.relation = "\"public\".\"alpha\"",
		.method = "materialized",
		.refresh_mode = "concurrently",
		.state = eng->paused ? VIEW_STATE_PAUSED
	             : good      ? VIEW_STATE_ACTIVE
	                         : VIEW_STATE_FAILED,
		.trigger = good ? VIEW_TRIGGER_SCHEDULED : VIEW_TRIGGER_NONE,
		.result = good ? VIEW_RESULT_SUCCEEDED : VIEW_RESULT_FAILED,
		.did = good ? VIEWD_DID_CONCURRENT : -1,
		.last_refresh_us = INT64_C(1700000000123456),
		.last_success_us = good ? INT64_C(1700000000123456) : 0,
		.data_timestamp_us = good ? INT64_C(1700000000000000) : 0,
		.freshness = good ? VIEW_FRESHNESS_FRESH : VIEW_FRESHNESS_STALE,
		.stale_since_us = good ? 0 : INT64_C(1700000000500000),
		.lag_us = good ? 0 : 1500000,
		.age_us = good ? 2500000 : -1,
		.duration_us = 12345,
		.rows = good ? 7 : -1,
		.rows_written = good ? 2 : -1,
		.consecutive_errors = good ? 0 : 3,
		.error = good ? NULL : beta_error(),
		.reason = "because",
		.waits_for = "",
		.schedule = "every 5m",
	};
}

const char *view_group(const struct view *view UNUSED)
{
	return NULL;
}

size_t view_upstream(const struct view *view, struct view *const **views_r)
{
	static struct view *const up[] = {&alpha};
	*views_r = up;
	return view == &beta;
}

size_t view_downstream(const struct view *view, struct view *const **views_r)
{
	static struct view *const down[] = {&beta};
	*views_r = down;
	return view == &alpha;
}

size_t view_sources(const struct view *view, const char *const **names_r)
{
	static const char *const names[] = {"public.orders", "public.items"};
	*names_r = names;
	return view == &alpha ? 2 : 0;
}

/* A roll over a part that reads s.t. */
size_t view_nodes(const struct view *view, const struct viewd_explained **facts_r)
{
	static const struct viewd_explained facts[] = {
		{sizeof facts[0], 1, 0, VIEWD_EXPLAINED_TEXT, "kind", "part", 0},
		{sizeof facts[0], 1, 0, VIEWD_EXPLAINED_ITEM, "key", "t.id", 0},
		{sizeof facts[0], 1, 1, VIEWD_EXPLAINED_TEXT, "schema", "s", 0},
		{sizeof facts[0], 1, 1, VIEWD_EXPLAINED_TEXT, "name", "t", 0},
		{sizeof facts[0], 2, 0, VIEWD_EXPLAINED_TEXT, "kind", "roll", 0},
		{sizeof facts[0], 2, 0, VIEWD_EXPLAINED_ITEM, "groups", "t.g", 0},
		{sizeof facts[0], 2, 1, VIEWD_EXPLAINED_NUMBER, "of_node", NULL, 1},
	};
	*facts_r = facts;
	return view == &beta ? ARRAY_LEN(facts) : 0;
}

const char *view_read_name(const struct view *view UNUSED, const char *schema, const char *name, bool *view_r)
{
	*view_r = false;
	return strcmp(schema, "s") == 0 && strcmp(name, "t") == 0 ? "s.t" : NULL;
}

size_t view_dependencies(const struct view *view, const struct view_dependency **rows_r)
{
	static const struct view_dependency rows[] = {
		{"public.orders", VIEWD_DEPENDS_TABLE, VIEWD_HEARD_TRIGGER, NULL},
		{"function public.f()", VIEWD_DEPENDS_FUNCTION, VIEWD_HEARD_NONE, "it is volatile"},
	};
	*rows_r = rows;
	return view == &alpha ? 2 : 0;
}

const char *view_name(const struct view *view)
{
	return view->name;
}

const char *view_database(const struct view *view UNUSED)
{
	return "shop";
}

bool view_is_disabled(const struct view *view UNUSED)
{
	return false;
}

const char *view_label(const struct view *view)
{
	return view->name;
}

void engine_why(struct engine *eng UNUSED, const struct view *view UNUSED, void (*fn)(void *ctx, const char *line),
                void *ctx)
{
	fn(ctx, "it is fresh");
}

const struct conf *engine_conf(const struct engine *eng)
{
	return eng->conf;
}

void engine_counts(const struct engine *eng, struct engine_counts *out)
{
	*out = (struct engine_counts){
		.views = 2 + eng->n_extra, .databases = 1, .generation = 4, .started_us = 1700000000000000};
}

void engine_each_database(struct engine *eng UNUSED, void (*fn)(void *ctx, const struct database_measure *m), void *ctx)
{
	static const struct database_counts counts = {
		.runs = {[VIEW_RESULT_SUCCEEDED] = {[VIEWD_DID_FULL] = 3}, [VIEW_RESULT_FAILED] = {[VIEWD_DID_COUNT] = 1}},
		.durations = {[VIEWD_DID_FULL] = {.n = {1, 0, 2}, .sum_us = 250000}},
		.rows_written = 12,
		.changes = 5,
	};
	const struct database_measure m = {
		.name = "shop", .up = true, .leader = true, .views = 2, .waiting = 1, .counts = &counts};
	fn(ctx, &m);
}

const struct view_counts *view_counts(const struct view *view)
{
	static const struct view_counts counts = {.runs = 4, .failures = 1, .rows_written = 12, .changes = 5}, none = {0};
	return view == &alpha ? &counts : &none;
}

int64_t past_read(struct view *view, struct past_slot slots_r[static PAST_SLOTS])
{
	memset(slots_r, 0, PAST_SLOTS * sizeof *slots_r);
	slots_r[PAST_SLOTS - 1] =
		(struct past_slot){.lag_ms = 1500, .duration_ms = 12, .runs = 1, .failed = view != &alpha};
	return INT64_C(1700000000000000);
}

struct waiter {
	struct engine *eng;
	engine_wait_fn *done;
	void *ctx;
};

struct waiter *engine_wait(struct engine *eng, struct view *view UNUSED, int64_t newer_than_us UNUSED,
                           engine_wait_fn *done, void *ctx)
{
	struct waiter *w = talloc(NULL, struct waiter);
	*w = (struct waiter){eng, done, ctx};
	eng->waiting = w;
	eng->n_waiters++;
	return w;
}

void engine_wait_cancel(struct waiter **waiter)
{
	if (*waiter == NULL)
		return;
	(*waiter)->eng->n_waiters--;
	TALLOC_FREE(*waiter);
}

void fake_end_wait(struct engine *eng)
{
	struct waiter *w = eng->waiting;
	eng->n_waiters--;
	w->done(w->ctx, INT64_C(1700000000000000), eng->fail ? beta_error() : NULL);
	talloc_free(w);
}

void engine_observe(struct engine *eng, struct engine_observer *observer)
{
	eng->observers[eng->n_observers++] = observer;
	observer->listener.ctx = eng;
}

void engine_unobserve(struct engine_observer *observer)
{
	struct engine *eng = observer->listener.ctx;
	for (size_t i = 0; i < eng->n_observers; i++)
		if (eng->observers[i] == observer)
			eng->observers[i] = eng->observers[--eng->n_observers];
}

void fake_run(struct engine *eng)
{
	const struct engine_event event = {
		.kind = ENGINE_EVENT_RUN,
		.view = &alpha,
		.trigger = VIEW_TRIGGER_CHANGE,
		.result = VIEW_RESULT_SUCCEEDED,
		.did = VIEWD_DID_FULL,
		.rows = 7,
		.rows_written = -1,
		.duration_us = 12345,
	};
	for (size_t i = 0; i < eng->n_observers; i++)
		eng->observers[i]->fn(eng->observers[i]->ctx, &event);
}

static void later(struct engine *eng, const char *what, struct view *const *views, size_t n, engine_done_fn *done,
                  void *ctx)
{
	struct fake_call call = {.what = what, .done = done, .ctx = ctx};
	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(call.views);
		snprintf(call.views + len, sizeof(call.views) - len, "%s%s", i > 0 ? " " : "", views[i]->name);
	}
	assert(eng->n_pending < FAKE_PENDING_MAX);
	if (done != NULL)
		eng->pending[eng->n_pending++] = call;
}

static struct fake_call take_pending(struct engine *eng)
{
	struct fake_call call = eng->pending[0];
	memmove(&eng->pending[0], &eng->pending[1], --eng->n_pending * sizeof(call));
	return call;
}

bool fake_answer(struct engine *eng, const struct engine_item *items, size_t n)
{
	if (eng->n_pending == 0)
		return false;
	struct fake_call call = take_pending(eng);
	call.done(call.ctx, &(struct engine_report){.items = items, .n = n});
	return true;
}

bool fake_finish(struct engine *eng)
{
	static const struct viewd_verdict equal = {.rows = 7};
	static const struct viewd_verdict differs = {.rows = 7, .missing = 2, .unexpected = 1};
	if (eng->n_pending == 0)
		return false;
	struct engine_item item = {
		.view = &alpha,
		.label = "alpha",
		.database = "shop",
		.result = eng->fail ? VIEW_RESULT_FAILED : VIEW_RESULT_SUCCEEDED,
		.did = VIEWD_DID_CONCURRENT,
		.change = VIEWD_CHANGE_CREATE,
		.reason = "nothing of that name exists",
		.locks = "",
		.rows = 7,
		.rows_written = 2,
		.duration_us = 12345,
		.error = eng->fail ? beta_error() : NULL,
		.verdict = eng->fail ? &differs : &equal,
	};
	if (strcmp(eng->pending[0].what, "verify") == 0)
		item.error = NULL;
	return fake_answer(eng, &item, 1);
}

void engine_refresh(struct engine *eng, struct view *const *views, size_t n, struct engine_refresh_flags flags,
                    enum view_trigger trigger UNUSED, engine_done_fn *done, void *ctx)
{
	eng->n_refresh++;
	later(eng, flags.full ? "refresh all rows" : "refresh", views, n, done, ctx);
}

void engine_replace(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "replace", views, n, done, ctx);
}

void engine_adopt(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "adopt", views, n, done, ctx);
}

void engine_create(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "create", views, n, done, ctx);
}

void engine_drop(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "drop", views, n, done, ctx);
}

void engine_drop_cascading(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "drop --cascade", views, n, done, ctx);
}

void engine_plan(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "plan", views, n, done, ctx);
}

void engine_verify(struct engine *eng, struct view *const *views, size_t n, engine_done_fn *done, void *ctx)
{
	later(eng, "verify", views, n, done, ctx);
}

bool engine_uninstall(struct engine *eng, const char *database, bool print, engine_uninstall_fn *done, void *ctx,
                      struct viewd_err *err)
{
	static const char *const statements[] = {"DROP TRIGGER t ON a", "DROP SCHEMA viewd"};
	const struct viewd_err denied = {.cls = VIEWD_ERR_DENIED, .msg = "not the owner"};
	if (strcmp(database, "shop") != 0)
		return err_set(err, VIEWD_ERR_MISSING, "database '%s' is not in the configuration", database);
	const struct engine_uninstalled report = {
		.database = database, .print = print, .statements = statements, .n = 2, .error = eng->fail ? &denied : NULL};
	done(ctx, &report);
	return true;
}

void engine_history(struct engine *eng UNUSED, struct view *view UNUSED, int limit UNUSED, engine_history_fn *done,
                    void *ctx)
{
	const struct viewd_history_row row = {
		.struct_size = sizeof row,
		.started_us = INT64_C(1700000000123456),
		.duration_us = 12345,
		.rows = 7,
		.rows_written = 2,
		.trigger = "MANUAL",
		.action = "DIFF",
		.result = "SUCCEEDED",
	};
	done(ctx, &row, 1, NULL);
}

void engine_explain(struct engine *eng, struct view *view UNUSED, engine_explain_fn *done, void *ctx)
{
	static const struct viewd_explained facts[] = {
		{sizeof facts[0], 0, 0, VIEWD_EXPLAINED_TEXT, "today", "as a whole", 0},
		{sizeof facts[0], 0, 0, VIEWD_EXPLAINED_FLAG, "possible", NULL, 1},
		{sizeof facts[0], 1, 0, VIEWD_EXPLAINED_TEXT, "kind", "part", 0},
		{sizeof facts[0], 1, 0, VIEWD_EXPLAINED_ITEM, "key", "a.id", 0},
		{sizeof facts[0], 1, 0, VIEWD_EXPLAINED_ITEM, "key", "a.day", 0},
		{sizeof facts[0], 1, 2, VIEWD_EXPLAINED_TEXT, "name", "b", 0},
		{sizeof facts[0], 2, 1, VIEWD_EXPLAINED_NUMBER, "of_node", NULL, 1},
	};
	const struct viewd_err denied = {.cls = VIEWD_ERR_DENIED, .msg = "permission denied"};
	done(ctx, facts, eng->fail ? 0 : ARRAY_LEN(facts), eng->fail ? &denied : NULL);
}

bool engine_pause(struct engine *eng, struct view *const *views UNUSED, size_t n UNUSED, struct viewd_err *err)
{
	if (eng->fail)
		return err_set(err, VIEWD_ERR_RESOURCE, "state file cannot be written");
	return eng->paused = true;
}

bool engine_resume(struct engine *eng, struct view *const *views UNUSED, size_t n UNUSED, struct viewd_err *err UNUSED)
{
	eng->paused = false;
	return true;
}

size_t engine_cancel(struct engine *eng UNUSED, struct view *const *views UNUSED, size_t n)
{
	return n;
}

void reload_request_plan(struct reload *reload, reload_done_fn *done, void *ctx)
{
	reload_request(reload, true, done, ctx);
}

void reload_request(struct reload *reload UNUSED, bool dry_run, reload_done_fn *done, void *ctx)
{
	static const struct conf_problem problem = {.text = "/etc/viewd/viewd.conf:3: [view x] every: '5' has no unit"};
	static const struct reload_entry entry = {"view", "alpha", "changed", "every"};
	done(ctx, &(struct reload_report){
				  .outcome = dry_run ? RELOAD_DRY_RUN : RELOAD_REFUSED,
				  .generation = 4,
				  .problems = &problem,
				  .n_problems = dry_run ? 0 : 1,
				  .entries = &entry,
				  .n_entries = dry_run ? 1 : 0,
			  });
}
