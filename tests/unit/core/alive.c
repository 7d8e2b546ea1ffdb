/* SPDX-License-Identifier: MIT */
#include "unit/core/alive.h"

#include "core/exec/session.h"
#include "core/flow/wave.h"
#include "core/model/group.h"
#include "core/plan/due.h"

#include <stdlib.h>
#include <talloc.h>

#define MUST(cond) \
	do { \
		if (!harness_check((cond), __FILE__, __LINE__, "%s: %s", all->where, #cond)) \
			harness_abort(); \
	} while (0)

/* The living objects, by address. An address that is not here is not looked into. */
struct list {
	const void *items[200];
	size_t n;
};

struct all {
	const struct engine *eng;
	const char *where;
	struct list views, dbs, waves, jobs, listed;
	size_t *found; /* of each member of the wave that is looked at: how often somebody has it */
};

static void keep(struct list *list, const void *item)
{
	assert(list->n < ARRAY_LEN(list->items));
	list->items[list->n++] = item;
}

static bool has(const struct list *list, const void *item)
{
	size_t i = 0;
	while (i < list->n && list->items[i] != item)
		i++;
	return i < list->n;
}

static bool on_roster(const struct all *all, const struct view *v)
{
	return has(&all->listed, v);
}

static void collect_child(const void *ptr, int depth, int max_depth UNUSED, int is_ref UNUSED, void *ctx)
{
	struct all *all = ctx;
	if (depth == 1 && strcmp(talloc_get_name(ptr), "struct view") == 0)
		keep(&all->views, ptr);
	else if (depth == 1 && strcmp(talloc_get_name(ptr), "struct database") == 0)
		keep(&all->dbs, ptr);
}

static void collect(struct all *all)
{
	const struct engine *eng = all->eng;
	const struct wave *wave;
	const struct job *job;
	talloc_report_depth_cb(eng, 0, 1, collect_child, all);
	for (size_t i = 0; i < eng->n_views; i++)
		keep(&all->listed, eng->views[i]);
	LIST_FOREACH(wave, &eng->open.waves, link)
		keep(&all->waves, wave);
	LIST_FOREACH(job, &eng->open.begun, begun_link)
		keep(&all->jobs, job);
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

static size_t times_in(struct view *const *list, size_t n, const struct view *v)
{
	size_t times = 0;
	for (size_t i = 0; i < n; i++)
		times += list[i] == v;
	return times;
}

static void check_edges(const struct all *all, const struct view *v)
{
	for (size_t i = 0; i < v->graph.n_up; i++) {
		MUST(on_roster(all, v->graph.up[i]));
		MUST(times_in(v->graph.up[i]->graph.down, v->graph.up[i]->graph.n_down, v) == 1);
	}
	for (size_t i = 0; i < v->graph.n_down; i++) {
		MUST(on_roster(all, v->graph.down[i]));
		MUST(times_in(v->graph.down[i]->graph.up, v->graph.down[i]->graph.n_up, v) == 1);
	}
}

static bool is_child(const void *parent, const void *ptr)
{
	return ptr != NULL && talloc_parent(ptr) == parent;
}

static void check_group(const struct all *all, const struct view *v)
{
	const struct group *g = v->graph.group;
	if (g == NULL)
		return;
	MUST(is_child(v->db->groups, g));
	MUST(g->n > 1 && times_in(g->views, g->n, v) == 1);
	MUST(g->head == NULL);
	for (size_t i = 0; i < g->n; i++)
		MUST(on_roster(all, g->views[i]) && g->views[i]->graph.group == g && g->views[i]->db == v->db);
}

static void check_members(const struct all *all, const struct view *v)
{
	for (const struct member *m = v->members; m != NULL; m = m->next) {
		MUST(has(&all->waves, m->wave));
		MUST(m >= m->wave->members && m < m->wave->members + m->wave->n);
		MUST(m->view == v && !m->ended);
	}
	MUST(v->walk.wave_member == NULL);
}

static bool works_for(const struct job *job, const struct view *v)
{
	bool found = job->view == v;
	for (size_t i = 0; i < job->group.n; i++)
		found |= job->group.parts[i]->view == v;
	return found;
}

/* Nothing leads to it but its own job and the waves that it is a member of. */
static void check_gone(const struct all *all, const struct view *v)
{
	MUST(v->removed && v->job != NULL && v->last_conf != NULL);
	MUST(v->graph.n_up == 0 && v->graph.n_down == 0 && v->graph.group == NULL && v->members == NULL);
	MUST(!v->queued && v->timing.heap_index == 0 && LIST_EMPTY(&v->waiters));
	MUST(v->conf >= v->last_conf->views && v->conf < v->last_conf->views + v->last_conf->n_views);
}

static void check_listed(const struct all *all, const struct view *v)
{
	const struct conf *conf = all->eng->conf;
	MUST(!v->removed && v->last_conf == NULL);
	MUST(v->conf >= conf->views && v->conf < conf->views + conf->n_views);
	MUST(times_in(v->db->views, v->db->n_views, v) == 1);
	MUST((v->timing.heap_index != 0) == (due_mono(v) != 0));
	MUST(v->timing.heap_index == 0 || all->eng->due.heap[v->timing.heap_index] == v);
}

static void check_view(const struct all *all, const struct view *v)
{
	MUST(v->eng == all->eng && has(&all->dbs, v->db));
	if (on_roster(all, v))
		check_listed(all, v);
	else
		check_gone(all, v);
	check_edges(all, v);
	check_group(all, v);
	check_members(all, v);
	MUST(v->job == NULL || (has(&all->jobs, v->job) && works_for(v->job, v)));
}

static void check_heap(const struct all *all)
{
	const struct engine *eng = all->eng;
	for (size_t i = 1; i <= eng->due.n; i++) {
		MUST(on_roster(all, eng->due.heap[i]) && eng->due.heap[i]->timing.heap_index == i);
		MUST(i == 1 || due_mono(eng->due.heap[i / 2]) <= due_mono(eng->due.heap[i]));
	}
}

/* ---- waves ------------------------------------------------------------------------------------------------------ */

static void note_found(const struct all *all, const struct wave *wave, const struct member *list)
{
	for (const struct member *m = list; m != NULL; m = m->next)
		if (m->wave == wave)
			all->found[m - wave->members]++;
}

static void find_members(const struct all *all, const struct wave *wave)
{
	const struct job *job;
	for (size_t i = 0; i < all->listed.n; i++)
		note_found(all, wave, ((const struct view *)all->listed.items[i])->members);
	LIST_FOREACH(job, &all->eng->open.begun, begun_link) {
		note_found(all, wave, job->members);
		for (size_t i = 0; i < job->group.n; i++)
			note_found(all, wave, job->group.parts[i]->members);
	}
}

static void check_member(const struct all *all, const struct wave *wave, size_t i)
{
	const struct member *m = &wave->members[i];
	MUST(m->wave == wave);
	MUST(m->view == NULL ? m->ended : has(&all->views, m->view));
	MUST(all->found[i] == !m->ended);
	for (size_t k = 0; k < m->n_after; k++)
		MUST((m->after[k] & ~WAVE_RELEASED) < wave->n);
	const struct view *told = wave->items != NULL && i < wave->n_asked ? wave->items[i].view : NULL;
	MUST(told == NULL || told == m->view);
}

static void check_wave(struct all *all, const struct wave *wave)
{
	size_t left = 0, asked = 0;
	all->found = calloc(wave->n + 1, sizeof *all->found);
	find_members(all, wave);
	for (size_t i = 0; i < wave->n; i++) {
		check_member(all, wave, i);
		left += !wave->members[i].ended;
		asked += !wave->members[i].ended && i < wave->n_asked;
	}
	free(all->found);
	MUST(wave->n_left == left && wave->n_asked_left == asked);
	MUST(left > 0 || wave->listed);
}

static void check_waves(struct all *all)
{
	size_t setting_up = 0;
	for (size_t i = 0; i < all->waves.n; i++) {
		const struct wave *wave = all->waves.items[i];
		check_wave(all, wave);
		setting_up += wave->kind == JOB_RECONCILE ? wave->n_left : 0;
	}
	MUST(all->eng->open.n_reconciling == setting_up);
	for (const struct wave *wave = all->eng->open.finished; wave != NULL; wave = wave->next)
		MUST(has(&all->waves, wave) && wave->listed);
}

/* ---- databases and jobs ----------------------------------------------------------------------------------------- */

static size_t jobs_of(const struct all *all, const struct database *db, bool that_hold)
{
	const struct job *job;
	size_t n = 0;
	LIST_FOREACH(job, &all->eng->open.begun, begun_link)
		if (job->db == db)
			n += that_hold ? job->run.holds_slot : 1 + job->group.n;
	TAILQ_FOREACH(job, &db->work.side_jobs, link)
		n += !that_hold;
	return n;
}

static void check_queue(const struct all *all, const struct database *db)
{
	const struct view *v;
	size_t n = 0, queued = 0;
	TAILQ_FOREACH(v, &db->work.queue, link) {
		MUST(on_roster(all, v) && v->queued && v->db == db);
		n++;
	}
	for (size_t i = 0; i < db->n_views; i++)
		queued += db->views[i]->queued;
	MUST(n == queued);
}

static void check_db(const struct all *all, const struct database *db)
{
	bool listed = false;
	for (size_t i = 0; i < all->eng->n_dbs; i++)
		listed |= all->eng->dbs[i] == db;
	const struct conf *conf = listed ? all->eng->conf : db->last_conf;
	MUST(db->removed == !listed && db->section_going == !listed && (db->last_conf != NULL) == !listed);
	MUST(conf != NULL && db->conf >= conf->databases && db->conf < conf->databases + conf->n_databases);
	MUST(db->work.n_jobs == jobs_of(all, db, false) && (listed || db->work.n_jobs > 0));
	MUST(db->work.n_busy == jobs_of(all, db, true));
	MUST(db->work.side_job == NULL || has(&all->jobs, db->work.side_job));
	MUST(db->probing.job == NULL || has(&all->jobs, db->probing.job));
	MUST(listed || (db->n_views == 0 && TAILQ_EMPTY(&db->work.queue) && TAILQ_EMPTY(&db->work.side_jobs) &&
	                TAILQ_EMPTY(&db->work.unopened)));
	MUST(listed || (db->work.idle == NULL && db->watch.watcher == NULL));
	for (size_t i = 0; i < db->n_views; i++)
		MUST(on_roster(all, db->views[i]) && db->views[i]->db == db);
	for (const struct session *s = db->work.idle; s != NULL; s = s->next)
		MUST(s->conf_db == db->conf && s->epoch == db->epoch && !s->in_job);
	check_queue(all, db);
}

static void check_job(const struct all *all, const struct job *job)
{
	MUST(job->eng == all->eng && has(&all->dbs, job->db));
	MUST(job->view == NULL || (has(&all->views, job->view) && job->view->job == job));
	for (size_t i = 0; i < job->group.n; i++) {
		MUST(has(&all->views, job->group.parts[i]->view) && job->group.parts[i]->view->job == job);
		MUST(job->group.parts[i]->db == job->db && !job->group.parts[i]->run.begun);
	}
}

static void check_counts(const struct all *all)
{
	const struct job *job;
	size_t running = 0, views = 0;
	LIST_FOREACH(job, &all->eng->open.begun, begun_link)
		running += job->run.holds_slot;
	for (size_t i = 0; i < all->eng->n_dbs; i++) {
		MUST(has(&all->dbs, all->eng->dbs[i]));
		views += all->eng->dbs[i]->n_views;
	}
	MUST(all->eng->count.running == running && all->eng->n_views == views);
}

void alive_check(const struct rig *rig, const char *where)
{
	struct all *all = calloc(1, sizeof *all);
	all->eng = rig->eng;
	all->where = where;
	collect(all);
	for (size_t i = 0; i < all->listed.n; i++)
		MUST(has(&all->views, all->listed.items[i]));
	check_counts(all);
	for (size_t i = 0; i < all->views.n; i++)
		check_view(all, all->views.items[i]);
	for (size_t i = 0; i < all->dbs.n; i++)
		check_db(all, all->dbs.items[i]);
	for (size_t i = 0; i < all->jobs.n; i++)
		check_job(all, all->jobs.items[i]);
	check_heap(all);
	check_waves(all);
	free(all);
}

size_t alive_removed(const struct rig *rig)
{
	struct all *all = calloc(1, sizeof *all);
	all->eng = rig->eng;
	collect(all);
	size_t n = all->views.n - all->listed.n + all->dbs.n - all->eng->n_dbs;
	free(all);
	return n;
}
