/* SPDX-License-Identifier: MIT */
#include "reload_plan.h"

#include "base/err.h"
#include "base/mem.h"
#include "conf/snapshot/diff.h"
#include "plugin/loader.h"
#include "work/worker.h"

/* Owned by a worker while a database is asked. */
struct reload_plan {
	struct worker_task task;
	struct worker_pool *pool;
	struct registry *registry;
	const struct conf *conf;
	size_t database;               /* in conf, the next one */
	bool *meant;                   /* beside conf->views */
	bool *asked;                   /* beside conf->databases: a view that is meant is on it */
	struct offline_planned *items; /* texts hang on them */
	size_t n;
	reload_plan_done_fn *done;
	void *ctx;
};

static const char *copy_text(const struct offline_planned *list, const char *text)
{
	return text != NULL ? mem_strdup(list, text) : NULL;
}

static void take_planned(void *ctx, const struct offline_planned *planned)
{
	struct reload_plan *p = ctx;
	struct offline_planned *list = p->items = mem_grow(p, p->items, struct offline_planned, p->n + 1);
	struct offline_planned *copy = &list[p->n++];
	*copy = *planned;
	copy->view = copy_text(list, planned->view);
	copy->database = copy_text(list, planned->database);
	copy->change = copy_text(list, planned->change);
	copy->reason = copy_text(list, planned->reason);
	copy->locks = copy_text(list, planned->locks);
	copy->group = copy_text(list, planned->group);
	if (planned->error != NULL) {
		struct viewd_err *err = mem_new(list, struct viewd_err);
		*err = *planned->error;
		copy->error = err;
	}
}

static void ask(struct worker_task *task)
{
	struct reload_plan *p = CONTAINER_OF(task, struct reload_plan, task);
	offline_plan_database(p->conf, p->registry, &p->conf->databases[p->database], p->meant,
	                      (struct offline_planned_sink){.fn = take_planned, .ctx = p});
}

static void asked(struct worker_task *task);

/* The next database that has such views, or the end. */
static void go_on(struct reload_plan *p)
{
	while (p->database < p->conf->n_databases && !p->asked[p->database])
		p->database++;
	if (p->database == p->conf->n_databases) {
		p->done(p->ctx, p->items, p->n);
		talloc_free(p);
		return;
	}
	struct viewd_err ignored; /* asking tells it */
	const char *name = p->conf->databases[p->database].dialect;
	const struct viewd_dialect *dialect = registry_open(p->registry, p->conf->daemon.plugin_dir, name, &ignored);
	p->task = (struct worker_task){.run = ask, .done = asked, .threads = dialect != NULL ? dialect->threads : NULL};
	worker_submit(p->pool, &p->task);
}

static void asked(struct worker_task *task)
{
	struct reload_plan *p = CONTAINER_OF(task, struct reload_plan, task);
	p->database++;
	go_on(p);
}

static bool is_meant(const struct conf_view *view, const struct conf_diff_entry *entry)
{
	return view->enabled && (entry->what == CONF_DIFF_ADDED || entry->what == CONF_DIFF_CHANGED);
}

static void mark_databases(struct reload_plan *p, const struct conf_view *view)
{
	for (size_t i = 0; i < view->database.n; i++)
		p->asked[conf_find_database(p->conf, view->database.items[i]) - p->conf->databases] = true;
}

/* Returns whether there is any. */
static bool mark_views(struct reload_plan *p, const struct conf_diff *diff)
{
	bool any = false;
	for (size_t i = 0; i < p->conf->n_views; i++) {
		p->meant[i] = is_meant(&p->conf->views[i], &diff->views[i]);
		if (p->meant[i])
			mark_databases(p, &p->conf->views[i]);
		any |= p->meant[i];
	}
	return any;
}

bool reload_plan_start(struct worker_pool *pool, struct registry *registry, const struct conf *conf,
                       const struct conf_diff *diff, reload_plan_done_fn *done, void *ctx)
{
	struct reload_plan *p = mem_new(NULL, struct reload_plan);
	*p = (struct reload_plan){.pool = pool, .registry = registry, .conf = conf, .done = done, .ctx = ctx};
	p->meant = mem_array(p, bool, conf->n_views);
	p->asked = mem_array(p, bool, conf->n_databases);
	if (!mark_views(p, diff)) {
		talloc_free(p);
		return false;
	}
	go_on(p);
	return true;
}
