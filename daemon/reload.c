/* SPDX-License-Identifier: MIT */
#include "reload.h"

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/snapshot/diff.h"
#include "conf/snapshot/show.h"
#include "core/offline/offline.h"
#include "core/runtime.h"
#include "loop/loop.h"
#include "plugin/loader.h"
#include "reload_plan.h"
#include "sys/notify.h"
#include "work/worker.h"

#include <malloc.h>
#include <string.h>

/* A storm of signals is a few reloads. */
#define SPACING (500 * SPAN_MS)

struct waiting {
	bool dry_run;
	bool plans; /* to be told what the databases say */
	reload_done_fn *done;
	void *ctx;
	struct waiting *next;
};

/* One reload under way: owned by a worker between start and finish. */
struct build {
	struct worker_task task;
	struct reload *reload;
	struct conf *old, *new;
	struct conf_problems problems;
	struct conf_diff *diff;
	struct reload_entry *entries;
	struct waiting *waiting; /* who asked */
	bool dry_run, plans;
	int64_t started_mono;
};

struct reload {
	struct engine *eng;
	struct worker_pool *pool;
	struct registry *registry;
	const char *conf_path;
	struct waiting *waiting;
	struct build *running;
	struct build *planning;        /* its databases are being asked; NULL: none */
	struct reload_outside outside; /* take NULL: there is nothing to ask */
	struct loop_timer *timer;
	int64_t last_start_mono;
	int64_t generation;
};

/* ---- the worker side --------------------------------------------------------------------------------------------- */

struct conf *reload_build(void *mem_ctx, const char *conf_path, struct registry *registry, bool starting,
                          struct conf_problems *problems)
{
	struct conf_dialects dialects = offline_dialects(registry);
	dialects.may_be_absent = starting;
	struct conf *conf = conf_load(mem_ctx, conf_path, &dialects, problems);
	if (conf != NULL && !offline_check(mem_ctx, conf, &dialects, problems))
		conf_unref(&conf);
	return conf;
}

static void build_run(struct worker_task *task)
{
	struct build *b = CONTAINER_OF(task, struct build, task);
	b->new = reload_build(b, b->reload->conf_path, b->reload->registry, false, &b->problems);
	if (b->new != NULL)
		b->diff = conf_diff_new(b, b->old, b->new);
}

/* ---- the report -------------------------------------------------------------------------------------------------- */

/* A section that is renamed is one that goes and one that comes: what is behind them is the same. */
static const char *rename_detail(struct build *b, const struct conf_diff_entry *e)
{
	const struct conf_view *was = conf_find_view(b->old, e->name), *is = conf_find_view(b->new, e->name);
	if (is != NULL && is->renamed_from != NULL && conf_find_view(b->new, is->renamed_from) == NULL &&
	    conf_find_view(b->old, is->renamed_from) != NULL)
		return mem_need(talloc_asprintf(b, "it was view '%s' before, whose rows and history go on", is->renamed_from));
	const struct conf_view *follower =
		was != NULL && was->database.n > 0 ? conf_find_follower(b->new, e->name, was->database.items[0]) : NULL;
	if (follower == NULL)
		return "";
	return mem_need(talloc_asprintf(b, "it goes on as view '%s'", follower->name));
}

static const char *entry_detail(struct build *b, const struct conf_diff_entry *e, bool of_view)
{
	if (of_view && e->what != CONF_DIFF_CHANGED)
		return rename_detail(b, e);
	char *text = mem_strdup(b, "");
	for (size_t i = 0; i < e->keys.n; i++)
		text = mem_need(talloc_asprintf_append(text, "%s%s", i > 0 ? ", " : "", e->keys.items[i]));
	enum viewd_method from, to;
	bool other = of_view && e->what == CONF_DIFF_CHANGED &&
	             offline_method_changes(b->old, b->new, b->reload->registry, e->name, &from, &to);
	if (e->what == CONF_DIFF_CHANGED && text[0] != '\0')
		text = mem_need(talloc_asprintf_append(text, " (%s)", option_reload_word(other ? OPTION_REDEFINE : e->reload)));
	if (other && from == VIEWD_METHOD_MATERIALIZED && to == VIEWD_METHOD_TABLE)
		text = mem_need(talloc_asprintf_append(text, "; the materialized view becomes a table in one transaction: what "
		                                             "reads it, indexes, grants and comments stay"));
	return text;
}

static void add_entries(struct build *b, struct reload_report *report, const char *what,
                        const struct conf_diff_entry *entries, size_t n)
{
	struct reload_entry *list = b->entries = mem_grow(b, b->entries, struct reload_entry, report->n_entries + n + 1);
	for (size_t i = 0; i < n; i++)
		if (entries[i].what != CONF_DIFF_UNCHANGED)
			list[report->n_entries++] = (struct reload_entry){
				.what = what,
				.name = entries[i].name,
				.change = conf_diff_word(entries[i].what),
				.detail = entry_detail(b, &entries[i], strcmp(what, "view") == 0),
			};
	report->entries = list;
}

static void fill_report(struct build *b, struct reload_report *report)
{
	const struct clock *clk = clock_system();
	report->problems = b->problems.items;
	report->n_problems = b->problems.n;
	report->duration_us = clk->mono(clk) - b->started_mono;
	report->generation = b->reload->generation;
	if (b->diff == NULL)
		return;
	add_entries(b, report, "viewd", &b->diff->daemon, 1);
	add_entries(b, report, "database", b->diff->databases, b->diff->n_databases);
	add_entries(b, report, "view", b->diff->views, b->diff->n_views);
	if (b->diff->daemon.what == CONF_DIFF_CHANGED && b->diff->daemon.reload == OPTION_RESTART) {
		report->restart_needed = b->diff->daemon.keys.items;
		report->n_restart_needed = b->diff->daemon.keys.n;
	}
}

static void log_report(const struct reload_report *r)
{
	char took[32];
	span_human(r->duration_us, took, sizeof took);
	for (size_t i = 0; i < r->n_problems; i++)
		log_event(r->problems[i].warning ? VIEWD_LOG_WARNING : VIEWD_LOG_ERROR, "%s", r->problems[i].text);
	for (size_t i = 0; i < r->n_restart_needed && r->outcome == RELOAD_COMMITTED; i++)
		log_warning("setting %s takes effect at the next start", r->restart_needed[i]);
	switch (r->outcome) {
	case RELOAD_COMMITTED:
		log_info("reload, done: %zu sections differ (generation %lld, %s)", r->n_entries, (long long)r->generation,
		         took);
		break;
	case RELOAD_UNCHANGED:
		log_info("reload, nothing differs, nothing was touched (%s)", took);
		break;
	case RELOAD_REFUSED:
		log_error("reload, refused: the old configuration stays in force (%s)", took);
		break;
	case RELOAD_DRY_RUN:
		break;
	}
}

/* ---- the loop side ----------------------------------------------------------------------------------------------- */

static void answer(struct waiting *list, const struct reload_report *report)
{
	while (list != NULL) {
		struct waiting *w = list;
		list = w->next;
		if (w->done != NULL)
			w->done(w->ctx, report);
		talloc_free(w);
	}
}

static void add_problem(struct build *b, char *text)
{
	size_t n = b->problems.n;
	struct conf_problem *items = mem_array(b, struct conf_problem, n + 1);
	for (size_t i = 0; i < n; i++)
		items[i] = b->problems.items[i];
	items[n].text = text;
	b->problems = (struct conf_problems){.items = items, .n = n + 1, .n_errors = b->problems.n_errors + 1};
}

/* An include that matches nothing (a directory that is not mounted) must not take every view away. */
static bool loses_everything(struct build *b)
{
	if (b->new == NULL || b->new->n_views > 0 || b->old->n_views == 0)
		return false;
	add_problem(b, mem_printf(b,
	                          "%s:1: no view is left; keep at least one, or restart viewd to run without any (viewctl "
	                          "uninstall takes out what it has put into a database)",
	                          b->reload->conf_path));
	return true;
}

static bool outside_refuses(struct build *b)
{
	const struct reload_outside *outside = &b->reload->outside;
	struct viewd_err err;
	if (outside->take == NULL || outside->take(outside->ctx, b->new, b->dry_run, &err))
		return false;
	char *place = conf_daemon_place(b, b->new, outside->key);
	add_problem(b, mem_printf(b, "%s: %s%s%s", place, err.msg, err.hint[0] != '\0' ? "; " : "", err.hint));
	return true;
}

static enum reload_outcome commit(struct build *b)
{
	if (b->new == NULL || engine_stopping(b->reload->eng) || loses_everything(b))
		return RELOAD_REFUSED;
	if (outside_refuses(b))
		return RELOAD_REFUSED;
	if (b->dry_run)
		return RELOAD_DRY_RUN;
	if (b->diff->n_differences == 0)
		return RELOAD_UNCHANGED;
	b->reload->generation++;
	engine_commit(b->reload->eng, b->new, b->diff);
	log_set_level((enum viewd_log_level)b->new->daemon.log_level);
	return RELOAD_COMMITTED;
}

/* Everybody who waits gets an answer all the same. */
static void refuse_waiting(struct reload *r)
{
	struct waiting *list = r->waiting;
	const struct reload_report report = {.outcome = RELOAD_REFUSED, .generation = r->generation};
	r->waiting = NULL;
	answer(list, &report);
}

/* One plan at a time, which no reload waits for. */
static bool may_start(const struct reload *r, const struct waiting *w)
{
	return !w->plans || r->planning == NULL;
}

static bool somebody_reloads(const struct reload *r)
{
	for (const struct waiting *w = r->waiting; w != NULL; w = w->next)
		if (!w->plans)
			return true;
	return false;
}

static void arm(struct reload *r)
{
	const struct clock *clk = clock_system();
	const struct waiting *w = r->waiting;
	while (w != NULL && !may_start(r, w))
		w = w->next;
	if (engine_stopping(r->eng))
		refuse_waiting(r);
	else if (r->running == NULL && w != NULL)
		loop_timer_set(r->timer, r->last_start_mono + SPACING - clk->mono(clk));
}

static void finish(struct build *b, struct reload_report *report)
{
	struct reload *r = b->reload;
	bool stopping = engine_stopping(r->eng);
	fill_report(b, report);
	if (!stopping)
		log_report(report);
	if (!b->dry_run && !stopping) /* READY=1 would take back STOPPING=1 */
		notify_ready(report->outcome == RELOAD_REFUSED ? "running; the last reload was refused" : "running");
	answer(b->waiting, report);
	conf_unref(&b->old);
	conf_unref(&b->new);
	talloc_free(b);
	/* two snapshots and the texts of all files were there at once: free() gives only the end of the heap back */
	malloc_trim(0);
	arm(r);
}

static void plan_done(void *ctx, const struct offline_planned *items, size_t n)
{
	struct build *b = ctx;
	struct reload_report report = {.outcome = RELOAD_DRY_RUN, .planned = items, .n_planned = n};
	b->reload->planning = NULL;
	finish(b, &report);
}

static void build_done(struct worker_task *task)
{
	struct build *b = CONTAINER_OF(task, struct build, task);
	struct reload *r = b->reload;
	struct reload_report report = {.outcome = commit(b)};
	r->running = NULL;
	if (report.outcome == RELOAD_DRY_RUN && b->plans) {
		r->planning = b;
		if (reload_plan_start(r->pool, r->registry, b->new, b->diff, plan_done, b)) {
			arm(r);
			return;
		}
		r->planning = NULL;
	}
	finish(b, &report);
}

/* Either those who reload, or else those who plan. */
static void take_waiting(struct build *b)
{
	struct waiting **link = &b->reload->waiting;
	b->dry_run = true;
	b->plans = !somebody_reloads(b->reload);
	while (*link != NULL) {
		struct waiting *w = *link;
		if (w->plans != b->plans || !may_start(b->reload, w)) {
			link = &w->next;
			continue;
		}
		*link = w->next;
		w->next = b->waiting;
		b->waiting = w;
		b->dry_run &= w->dry_run;
	}
}

/* The timer's work. */
static void start(void *ctx)
{
	struct reload *r = ctx;
	const struct clock *clk = clock_system();
	if (engine_stopping(r->eng)) {
		refuse_waiting(r);
		return;
	}
	struct build *b = mem_new(NULL, struct build);
	b->reload = r;
	take_waiting(b);
	b->old = engine_conf_ref(r->eng);
	b->started_mono = r->last_start_mono = clk->mono(clk);
	b->task = (struct worker_task){.run = build_run, .done = build_done};
	r->running = b;
	if (!b->dry_run)
		notify_reloading();
	worker_submit(r->pool, &b->task);
}

static void add_waiting(struct reload *r, const struct waiting *request)
{
	struct waiting *w = mem_new(NULL, struct waiting);
	*w = *request;
	w->next = r->waiting;
	r->waiting = w;
	arm(r);
}

void reload_request(struct reload *r, bool dry_run, reload_done_fn *done, void *ctx)
{
	/* A signal more while one waits already adds nothing. */
	if (done == NULL && r->waiting != NULL && !dry_run && r->waiting->done == NULL)
		return;
	add_waiting(r, &(struct waiting){.dry_run = dry_run, .done = done, .ctx = ctx});
}

void reload_request_plan(struct reload *r, reload_done_fn *done, void *ctx)
{
	add_waiting(r, &(struct waiting){.dry_run = true, .plans = true, .done = done, .ctx = ctx});
}

void reload_set_outside(struct reload *r, const struct reload_outside *outside)
{
	r->outside = *outside;
}

struct reload *reload_new(struct engine *eng, struct loop *loop, struct worker_pool *pool, struct registry *registry,
                          const char *conf_path)
{
	struct reload *r = mem_new(NULL, struct reload);
	r->eng = eng;
	r->pool = pool;
	r->registry = registry;
	r->conf_path = conf_path;
	r->generation = 1;
	r->last_start_mono = -SPACING;
	r->timer = loop_timer_new(loop, start, r);
	return r;
}

void reload_free(struct reload **reload)
{
	struct reload *r = *reload;
	if (r == NULL)
		return;
	*reload = NULL;
	loop_timer_free(&r->timer);
	while (r->waiting != NULL) {
		struct waiting *w = r->waiting;
		r->waiting = w->next;
		talloc_free(w);
	}
	if (r->running != NULL || r->planning != NULL) /* its worker may still write to it: it goes with the process */
		return;
	talloc_free(r);
}
