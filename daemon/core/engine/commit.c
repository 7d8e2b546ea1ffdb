/* SPDX-License-Identifier: MIT
 *
 * commit.c: walks the difference between two snapshots and changes the engine accordingly. Nothing here can fail.
 */
#include "core/runtime.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/snapshot/diff.h"
#include "core/engine/database.h"
#include "core/engine/group_align.h"
#include "core/engine/removal.h"
#include "core/exec/session.h"
#include "core/exec/watch.h"
#include "core/flow/wave.h"
#include "core/model/edges.h"
#include "core/model/events.h"
#include "core/model/group.h"
#include "core/model/pause.h"
#include "core/model/record.h"
#include "core/model/views.h"
#include "core/plan/capturable.h"
#include "core/plan/change.h"
#include "core/plan/due.h"
#include "core/plan/group_due.h"
#include "core/plan/groupable.h"
#include "core/plan/timing.h"

#include <string.h>

/* Instances to set up after the commit, all databases together, and those that only have other settings now. */
struct todo {
	struct view **views, **live;
	size_t n, n_live;
	bool disabled; /* some have been */
	bool regroup;  /* sections that came or changed have a refresh_group, or had one */
};

/* ---- databases -------------------------------------------------------------------------------------------------- */

static void mark_sections_going(struct engine *eng, const struct conf_diff *diff)
{
	for (size_t i = 0; i < diff->n_databases; i++)
		if (diff->databases[i].what == CONF_DIFF_REMOVED)
			database_find(eng, diff->databases[i].name)->section_going = true;
}

/* Whatever ends with a database may look at all others: the list is in order before the first one goes. */
static void remove_databases(struct engine *eng)
{
	struct database **gone = mem_array(NULL, struct database *, eng->n_dbs);
	size_t kept = 0, n_gone = 0;
	for (size_t i = 0; i < eng->n_dbs; i++)
		if (eng->dbs[i]->section_going)
			gone[n_gone++] = eng->dbs[i];
		else
			eng->dbs[kept++] = eng->dbs[i];
	eng->n_dbs = kept;
	eng->next_db = 0;
	for (size_t i = 0; i < n_gone; i++)
		database_remove(gone[i]);
	talloc_free(gone);
}

static void update_database(struct database *db, const struct conf_database *conf, const struct conf_diff_entry *entry)
{
	if (entry->what == CONF_DIFF_CHANGED && entry->reload != OPTION_LIVE) {
		database_changed(db, conf);
		return;
	}
	db->conf = conf;
	session_adopt_conf(db);
	watch_adopt_conf(db);
}

static void commit_databases(struct engine *eng, const struct conf *conf, const struct conf_diff *diff)
{
	for (size_t i = 0; i < conf->n_databases; i++) {
		struct database *db = database_find(eng, conf->databases[i].name);
		if (db != NULL) {
			update_database(db, &conf->databases[i], &diff->databases[i]);
			continue;
		}
		eng->dbs = mem_grow(eng, eng->dbs, struct database *, eng->n_dbs + 1);
		eng->dbs[eng->n_dbs++] = database_new(eng, &conf->databases[i]);
	}
}

/* ---- views ------------------------------------------------------------------------------------------------------ */

static bool same_text(const char *a, const char *b)
{
	return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

struct guess_list {
	struct view *view;
	size_t n;
};

static bool take_guess(void *ctx, const char *identifier)
{
	struct guess_list *list = ctx;
	struct view *v = list->view;
	v->reads.guesses = mem_grow(v, v->reads.guesses, const char *, list->n + 2);
	v->reads.guesses[list->n++] = intern(v->eng->texts, identifier);
	v->reads.guesses[list->n] = NULL;
	return true;
}

static void refuse_view(struct view *v, const struct viewd_err *err)
{
	view_set_error(v, err);
	view_set_state(v, VIEW_STATE_FAILED);
	v->relation.refused = true;
	event_news(v, err);
	log_error("view '%s', cannot be kept (%s)%s%s", v->label, err->msg, err->hint[0] != '\0' ? "; " : "", err->hint);
}

/* The dialect's judgement of the section, without a connection. */
static void resolve(struct view *v)
{
	struct viewd_database_spec db_spec;
	struct viewd_view_spec spec;
	struct viewd_resolved resolved = {.method = VIEWD_METHOD_SIMPLE};
	struct viewd_err err;
	struct guess_list list = {.view = v};
	struct viewd_text_sink mentions = {.fn = take_guess, .ctx = &list};
	v->relation.refused = false;
	v->relation.judged = v->db->epoch;
	v->relation.method = (enum viewd_method)v->conf->method;
	v->relation.mode = (enum viewd_refresh_mode)v->conf->refresh_mode;
	if (v->db->dialect == NULL)
		return;
	conf_database_spec(v->db->conf, &db_spec);
	conf_view_spec(v->conf, v->db->dialect->name, &spec);
	TALLOC_FREE(v->reads.guesses);
	if (!v->db->dialect->check_view(&db_spec, &spec, &resolved, mentions, &err)) {
		refuse_view(v, &err);
		return;
	}
	if (capturable_refuse(v->conf, v->db->dialect, &resolved, &err) ||
	    capturable_refuse_mode(v->conf, v->db->dialect, &resolved, &err) ||
	    groupable_refuse(v->conf, v->db->dialect, &resolved, &err)) {
		refuse_view(v, &err);
		return;
	}
	v->reads.clock = resolved.reads_clock[0] != '\0';
	v->relation.method = resolved.method;
	v->relation.mode = resolved.mode;
	view_set_text(v, resolved.relation);
}

static void set_label(struct view *v)
{
	TALLOC_FREE(v->long_label);
	if (v->conf->database.n > 1)
		v->long_label = mem_printf(v, "%s:%s", v->db->conf->name, v->conf->name);
	v->label = v->long_label != NULL ? v->long_label : v->conf->name;
}

static void set_up_anew(struct view *v, struct todo *todo)
{
	v->relation.reconciled = false;
	v->failure.retries = 0;
	due_clear(v);
	if (!v->relation.refused && v->conf->enabled)
		todo->views[todo->n++] = v;
}

static void redefine(struct view *v, struct todo *todo)
{
	resolve(v);
	set_up_anew(v, todo);
}

/* Any key may be one that the dialect refuses, and another dialect may refuse others. */
static void judge_anew(struct view *v, struct todo *todo)
{
	bool was_refused = v->relation.refused;
	bool is_known = v->reads.guesses == NULL && v->relation.judged == v->db->epoch;
	enum viewd_method method = v->relation.method;
	resolve(v);
	if (v->relation.refused || was_refused || v->relation.method != method) {
		set_up_anew(v, todo);
		return;
	}
	if (is_known)
		TALLOC_FREE(v->reads.guesses); /* the same catalogue has told what it reads */
	todo->live[todo->n_live++] = v;
}

/* Disabled now: DISABLED; no longer: ACTIVE or PAUSED. */
static void take_enabled(struct view *view)
{
	if (!view->conf->enabled && !view->relation.reconciled && !view->relation.refused)
		view_set_error(view, NULL); /* it is not tried any more */
	if (!view->conf->enabled || view->state == VIEW_STATE_DISABLED)
		view_set_state(view, view->paused ? VIEW_STATE_PAUSED : VIEW_STATE_ACTIVE);
}

static bool same_list(const struct conf_list *a, const struct conf_list *b)
{
	for (size_t i = 0; i < a->n && a->n == b->n; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return a->n == b->n;
}

static void update_view(struct view *v, const struct conf_view *conf, const struct conf_diff_entry *entry,
                        struct todo *todo)
{
	bool renamed = v->conf->database.n != conf->database.n;
	bool was_enabled = v->conf->enabled;
	bool elsewhere = v->relation.judged != v->db->epoch;
	const struct conf_view *was = v->conf;
	v->conf = conf;
	set_label(v);
	if (entry->what == CONF_DIFF_UNCHANGED && !renamed && !elsewhere)
		return;
	timing_set(v);
	if (!same_text(was->cron, conf->cron) || !same_text(was->timezone, conf->timezone))
		v->timing.past.cron_served = engine_wall(v->eng); /* what the new times would have been is no miss */
	if (elsewhere || entry->reload != OPTION_LIVE || !same_list(&was->depends_on, &conf->depends_on))
		edges_invalidate(v->eng);
	todo->regroup |= was->refresh_group != NULL || conf->refresh_group != NULL;
	if (entry->reload != OPTION_LIVE || (conf->enabled && !was_enabled))
		redefine(v, todo);
	else
		judge_anew(v, todo);
	if (!conf->enabled)
		wave_end_waiting(v, WAVE_BY_ITSELF, VIEW_RESULT_SKIPPED, NULL);
	take_enabled(v);
	todo->disabled |= !conf->enabled && was_enabled;
	v->eng->captures.dirty = true;
}

static void add_view(struct engine *eng, struct database *db, const struct conf_view *conf, struct todo *todo)
{
	struct view *v = views_new(eng, db, conf);
	set_label(v);
	timing_set(v);
	v->paused = pause_claim(eng, v);
	v->state = !conf->enabled ? VIEW_STATE_DISABLED : v->paused ? VIEW_STATE_PAUSED : VIEW_STATE_ACTIVE;
	if ((eng->n_views & (eng->n_views - 1)) == 0)
		eng->views = mem_grow(eng, eng->views, struct view *, eng->n_views == 0 ? 1 : eng->n_views * 2);
	eng->views[eng->n_views++] = v;
	todo->regroup |= conf->refresh_group != NULL;
	redefine(v, todo);
}

static bool still_wanted(const struct view *v, const struct conf *conf)
{
	const struct conf_view *now = conf_find_view(conf, v->conf->name);
	return now != NULL && conf_view_is_on(now, v->db->conf->name);
}

/* Marks the instances of a section that are wanted no more; returns how many. */
static size_t mark_removed(struct engine *eng, const struct conf *conf, const char *section)
{
	size_t n, n_gone = 0;
	struct view **named = views_named(eng, section, &n);
	for (size_t i = 0; i < n; i++)
		if (!still_wanted(named[i], conf)) {
			named[i]->removed = true;
			named[i]->relation.followed = conf_find_follower(conf, section, named[i]->db->conf->name) != NULL;
			n_gone++;
		}
	return n_gone;
}

/* Instances that go lose their edges as well: one that still runs outlives what it read and what read it. */
static void retire_views(struct engine *eng, const struct conf *conf, const struct conf_diff *diff)
{
	size_t n_gone = 0, n = 0;
	for (size_t i = 0; i < diff->n_views; i++)
		if (diff->views[i].what == CONF_DIFF_REMOVED || diff->views[i].what == CONF_DIFF_CHANGED)
			n_gone += mark_removed(eng, conf, diff->views[i].name);
	if (n_gone == 0)
		return;
	struct view **gone = mem_array(NULL, struct view *, n_gone);
	for (size_t i = 0; i < eng->n_views; i++)
		if (eng->views[i]->removed)
			gone[n++] = eng->views[i];
	edges_forget(eng);
	views_drop_removed(eng);
	for (size_t i = 0; i < n; i++)
		removal_view(gone[i]);
	talloc_free(gone);
}

static void commit_views(struct engine *eng, const struct conf *conf, const struct conf_diff *diff, struct todo *todo)
{
	size_t n_old = eng->n_views, near = 0; /* the sorted part only is searched */
	struct database *db = NULL;
	for (size_t i = 0; i < conf->n_views; i++)
		for (size_t k = 0; k < conf->views[i].database.n; k++) {
			/* Mostly that of the view before. */
			if (db == NULL || strcmp(db->conf->name, conf->views[i].database.items[k]) != 0)
				db = database_find(eng, conf->views[i].database.items[k]);
			struct view *v = views_find_near(eng, n_old, &near, conf->views[i].name, db->conf->name);
			if (v != NULL)
				update_view(v, &conf->views[i], &diff->views[i], todo);
			else
				add_view(eng, db, &conf->views[i], todo);
		}
	if (eng->n_views == n_old)
		return;
	views_sort(eng);
	edges_invalidate(eng);
}

static void start_work(struct engine *eng, const struct todo *todo)
{
	struct view **up = mem_array(NULL, struct view *, todo->n);
	size_t n = 0;
	for (size_t i = 0; i < todo->n; i++)
		if (todo->views[i]->db->state == DB_UP)
			up[n++] = todo->views[i]; /* the others are set up when their database is */
	const struct wave_spec spec = {
		.kind = JOB_RECONCILE,
		.order = WAVE_GUESSED,
		.trigger = VIEW_TRIGGER_INITIAL,
		.create_missing = true,
	};
	if (n > 0)
		wave_start(eng, &spec, up, n);
	talloc_free(up);
	for (size_t i = 0; i < eng->n_dbs; i++)
		if (!eng->dbs[i]->probing.was_up)
			database_probe(eng->dbs[i]);
}

static void remember_held(struct engine *eng)
{
	for (size_t i = 0; i < eng->n_views; i++)
		eng->views[i]->was_held = group_held_by(eng->views[i]) != NULL;
}

static void plan_anew(struct view *v)
{
	due_schedule(v);
	change_plan(v);
}

/* Whom a paused member of its group held may have lost it, and others may have got one, though nothing else of them has
 * changed. */
static void plan_live(struct engine *eng, const struct todo *todo, bool was_grouped)
{
	edges_update(eng); /* which tells what groups are sound */
	for (size_t i = 0; i < todo->n_live; i++) {
		plan_anew(todo->live[i]);
		group_replan(todo->live[i]);
	}
	for (size_t i = 0; i < eng->n_views && (was_grouped || eng->edges.grouped); i++) {
		struct view *v = eng->views[i];
		bool was_held = was_grouped && v->was_held;
		if (v->relation.reconciled && was_held != (group_held_by(v) != NULL))
			plan_anew(v);
	}
}

void engine_commit(struct engine *eng, struct conf *conf, const struct conf_diff *diff)
{
	size_t most = 0;
	for (size_t i = 0; i < conf->n_views; i++)
		most += conf->views[i].database.n;
	struct todo todo = {.views = mem_array(NULL, struct view *, most), .live = mem_array(NULL, struct view *, most)};
	bool was_grouped = eng->edges.grouped;
	if (was_grouped)
		remember_held(eng);
	group_forget_all(eng);
	mark_sections_going(eng, diff);
	retire_views(eng, conf, diff);
	remove_databases(eng);
	struct conf *old = eng->conf;
	eng->conf = conf_ref(conf);
	commit_databases(eng, conf, diff);
	commit_views(eng, conf, diff, &todo);
	conf_unref(&old);
	if (was_grouped || todo.regroup) {
		group_make_all(eng);
		edges_invalidate(eng);
	}
	eng->count.generation++;
	plan_live(eng, &todo, was_grouped);
	start_work(eng, &todo);
	group_align_all(eng);
	if (todo.disabled)
		event_tell(eng, &(struct event){.kind = EVENT_DISABLED});
	talloc_free(todo.views);
	talloc_free(todo.live);
	turn_soon(eng);
}
