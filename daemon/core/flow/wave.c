/* SPDX-License-Identifier: MIT */
#include "core/flow/wave.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/flow/flow_events.h"
#include "core/model/edges.h"
#include "core/model/group.h"
#include "core/model/queue.h"
#include "core/plan/change.h"
#include "core/plan/doubt.h"

static void add_one_follower(struct wave *wave, struct view *view)
{
	if ((wave->n & (wave->n - 1)) == 0 || wave->n == wave->n_asked)
		wave->members = mem_grow(wave, wave->members, struct member, wave->n * 2 + 1);
	wave->members[wave->n++] =
		(struct member){.wave = wave, .view = view, .conditional = true, .trigger = VIEW_TRIGGER_UPSTREAM};
}

/* With its group. */
static void add_follower(struct wave *wave, struct view *view, uint64_t visit)
{
	const struct group *g = group_of(view);
	add_one_follower(wave, view);
	for (size_t i = 0; g != NULL && i < g->n; i++) {
		if (g->views[i]->walk.visit == visit)
			continue;
		g->views[i]->walk.visit = visit;
		add_one_follower(wave, g->views[i]);
	}
}

/* Views that read v and follow changes; plain views in between are looked through. */
static void follow(struct wave *wave, const struct view *v, uint64_t visit)
{
	for (size_t k = 0; k < v->graph.n_down; k++) {
		struct view *down = v->graph.down[k];
		if (down->walk.visit == visit)
			continue;
		down->walk.visit = visit;
		if (down->relation.method == VIEWD_METHOD_SIMPLE)
			follow(wave, down, visit);
		else if (down->conf->on_change && down->conf->enabled && down->relation.reconciled)
			add_follower(wave, down, visit);
	}
}

static void add_followers(struct wave *wave, uint64_t visit)
{
	for (size_t i = 0; i < wave->n; i++)
		follow(wave, wave->members[i].view, visit);
}

static void add_one_asked(struct wave *wave, struct view *view, uint64_t visit)
{
	if (view->walk.visit == visit)
		return;
	view->walk.visit = visit;
	wave->members[wave->n++] = (struct member){.wave = wave, .view = view, .trigger = wave->trigger};
}

/* A refresh of one member of a group is a refresh of the group. */
static void add_asked(struct wave *wave, struct view *const *views, size_t n, uint64_t visit)
{
	size_t room = n;
	for (size_t i = 0; i < n && wave->kind == JOB_REFRESH; i++)
		room += group_of(views[i]) != NULL ? views[i]->graph.group->n : 0;
	wave->members = mem_array(wave, struct member, room);
	for (size_t i = 0; i < n; i++)
		add_one_asked(wave, views[i], visit);
	for (size_t i = 0; i < n && wave->kind == JOB_REFRESH; i++) {
		const struct group *g = group_of(views[i]);
		for (size_t k = 0; g != NULL && k < g->n; k++)
			add_one_asked(wave, g->views[k], visit);
	}
}

static struct wave *wave_new(struct engine *eng, const struct wave_spec *spec, struct view *const *views, size_t n)
{
	struct wave *wave = mem_new(NULL, struct wave);
	wave->eng = eng;
	wave->kind = spec->kind;
	wave->order = spec->order;
	wave->trigger = spec->trigger;
	wave->full = spec->full;
	wave->create_missing = spec->create_missing;
	wave->replace = spec->replace;
	wave->cascade = spec->cascade;
	wave->keep = spec->keep;
	wave->by_hand = spec->by_hand;
	wave->propagate = spec->propagate;
	wave->n_set_up_before = eng->captures.n_set_up;
	LIST_INSERT_HEAD(&eng->open.waves, wave, link);
	wave->done = spec->done;
	wave->ctx = spec->ctx;
	edges_update(eng); /* groups, too, and it uses marks */
	add_asked(wave, views, n, ++eng->visit);
	wave->n_asked = wave->n_asked_left = wave->n;
	if (spec->propagate)
		add_followers(wave, eng->visit);
	if (wave->kind == JOB_RECONCILE)
		eng->open.n_reconciling += wave->n;
	if (spec->done != NULL)
		wave->items = mem_array(wave, struct engine_item, wave->n_asked);
	wave->n_left = wave->n;
	return wave;
}

static void finish_if_done(struct wave *wave)
{
	bool report = wave->n_asked_left == 0 && !wave->reported;
	if (wave->listed || (!report && wave->n_left > 0))
		return;
	wave->listed = true;
	wave->next = wave->eng->open.finished;
	wave->eng->open.finished = wave;
	turn_soon(wave->eng);
}

/* Nothing new is begun while viewd stops. */
static void end_all(struct wave *wave)
{
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_CANCELLED, "viewd is stopping");
	const struct engine_item item = item_not_run(VIEW_RESULT_CANCELLED, &err);
	for (size_t i = 0; i < wave->n; i++)
		wave_member_end(&wave->members[i], &item);
}

void wave_start(struct engine *eng, const struct wave_spec *spec, struct view *const *views, size_t n)
{
	struct wave *wave = wave_new(eng, spec, views, n);
	wave_link(wave);
	for (size_t i = 0; i < wave->n; i++) {
		struct member *m = &wave->members[i];
		m->next = m->view->members;
		m->view->members = m;
	}
	if (eng->stop.stopping)
		end_all(wave);
	for (size_t i = 0; i < wave->n; i++)
		if (wave->members[i].n_after > 0 && wave->members[i].view->db->state == DB_DOWN)
			wave_release(wave->members[i].view);
	for (size_t i = 0; i < wave->n; i++)
		if (wave_head(&wave->members[i])->n_waits == 0 && !wave->members[i].ended)
			queue_view(wave->members[i].view);
	finish_if_done(wave);
}

struct member *wave_take(struct view *view, enum job_kind kind)
{
	struct member *taken = NULL;
	struct member **link = &view->members;
	while (*link != NULL) {
		struct member *m = *link;
		if (m->wave->kind != kind || !wave_is_ready(m)) {
			link = &m->next;
			continue;
		}
		*link = m->next;
		m->next = taken;
		taken = m;
	}
	return taken;
}

struct member *wave_put_back(struct view *view, struct member *members)
{
	struct member *by_hand = NULL;
	while (members != NULL) {
		struct member *m = members, **list = m->wave->by_hand ? &by_hand : &view->members;
		members = m->next;
		m->next = *list;
		*list = m;
	}
	if (view->db->state != DB_UP)
		wave_release(view);
	return by_hand;
}

static void unlink_member(struct member *m)
{
	for (struct member **link = &m->view->members; *link != NULL; link = &(*link)->next)
		if (*link == m) {
			*link = m->next;
			return;
		}
}

static void note_item(struct member *m, const struct engine_item *item)
{
	struct wave *wave = m->wave;
	size_t i = (size_t)(m - wave->members);
	if (wave->items == NULL || i >= wave->n_asked)
		return;
	struct engine_item *copy = &wave->items[i];
	*copy = *item;
	copy->view = m->view;
	copy->label = mem_strdup(wave, m->view->label);
	copy->database = mem_strdup(wave, m->view->db->conf->name);
	copy->group = view_group(m->view) != NULL ? mem_strdup(wave, view_group(m->view)) : NULL;
	copy->reason = item->reason != NULL ? mem_strdup(wave, item->reason) : "";
	copy->definition = item->definition != NULL ? mem_strdup(wave, item->definition) : NULL;
	copy->locks = item->locks != NULL ? item->locks : "";
	copy->names = item->names != NULL ? doubt_names_copy(wave, item->names) : NULL;
	if (item->error != NULL) {
		struct viewd_err *err = mem_new(wave, struct viewd_err);
		*err = *item->error;
		copy->error = err;
	}
	if (item->verdict != NULL) {
		struct viewd_verdict *verdict = mem_new(wave, struct viewd_verdict);
		*verdict = *item->verdict;
		copy->verdict = verdict;
	}
}

/* SKIPPED and SUCCEEDED let those behind go on; so does any end where the order is only a guess. */
static bool lets_go_on(const struct wave *wave, enum view_result result)
{
	return wave->order == WAVE_GUESSED || result == VIEW_RESULT_SUCCEEDED || result == VIEW_RESULT_SKIPPED;
}

/* The change has reached it. Of a group, those that follow changes are told; when any of them may start, all may. */
static bool told_of_change(struct member *head)
{
	bool now = false;
	for (struct member *m = head; m != NULL; m = m->next_mate)
		if (!m->ended && (head->head == NULL || m->view->conf->on_change))
			now |= change_from_upstream(m->view);
	return now;
}

/* Nothing before a follower wrote rows: the change ends here. Or it has to wait for its own pace (debounce,
 * at_most_every). */
static bool runs_now(struct member *head)
{
	return !head->conditional || (head->changed && told_of_change(head));
}

/* Queues a member when all before it have ended, or pushes it on *idle when it will not run. */
static void let_go(struct member *head, struct member **idle)
{
	bool runs = !head->blocked && runs_now(head);
	for (struct member *m = head; m != NULL; m = m->next_mate) {
		if (m->ended)
			continue;
		if (runs) {
			queue_view(m->view);
			continue;
		}
		m->next_idle = *idle;
		*idle = m;
	}
}

static bool wrote(const struct engine_item *item)
{
	return item->result == VIEW_RESULT_SUCCEEDED && (item->rows_written != 0 || item->did != VIEWD_DID_NO_DATA);
}

static void tell_below(const struct view *v, uint64_t visit)
{
	for (size_t k = 0; k < v->graph.n_down; k++) {
		struct view *down = v->graph.down[k];
		if (down->walk.visit == visit)
			continue;
		down->walk.visit = visit;
		if (down->relation.method == VIEWD_METHOD_SIMPLE)
			tell_below(down, visit);
		else if (down->conf->on_change && down->relation.reconciled)
			change_add_upstream(down);
	}
}

/* Views that were set up since the wave began may have been filled with the old rows. */
static void tell_newcomers(const struct member *m)
{
	struct wave *wave = m->wave;
	struct engine *eng = wave->eng;
	if (!wave->propagate || wave->n_set_up_before == eng->captures.n_set_up)
		return;
	edges_update(eng);
	uint64_t visit = ++eng->visit;
	for (size_t i = 0; i < wave->n; i++) {
		struct view *v = wave->members[i].view;
		if (v != NULL && v->relation.method != VIEWD_METHOD_SIMPLE)
			v->walk.visit = visit;
	}
	tell_below(m->view, visit);
}

/* A member that waited for the one that has written rows, and was taken out of the wave (a cancel, a pause, its
 * database went away), is told all the same: no mark tells of refreshes in another database. */
static void tell_left_out(const struct member *after)
{
	struct view *v = after->view;
	if (after->wave->propagate && v != NULL && !v->removed && v->conf->on_change && v->relation.reconciled &&
	    v->relation.method != VIEWD_METHOD_SIMPLE)
		change_add_upstream(v);
}

/* Ends one member; members behind it that will not run are pushed on *idle. */
static void end_one(struct member *m, const struct engine_item *item, struct member **idle)
{
	struct wave *wave = m->wave;
	m->ended = true;
	unlink_member(m);
	note_item(m, item);
	wave->n_left--;
	if (!m->conditional)
		wave->n_asked_left--;
	if (wave->kind == JOB_RECONCILE)
		wave->eng->open.n_reconciling--;
	if (wrote(item))
		tell_newcomers(m);
	for (uint32_t i = 0; i < m->n_after; i++) {
		struct member *after = &wave->members[m->after[i] & ~WAVE_RELEASED];
		bool released = (m->after[i] & WAVE_RELEASED) != 0;
		/* On a cycle nobody is waited for: each member ends by itself. The head of a group counts on for the others. */
		if ((after->ended || released) && wrote(item))
			tell_left_out(after);
		if (released || (after->ended && after->next_mate == NULL) || after->n_waits == 0)
			continue;
		after->blocked |= !lets_go_on(wave, item->result);
		after->changed |= wrote(item);
		if (--after->n_waits == 0)
			let_go(after, idle);
	}
}

static void end_idle(struct member *m, struct member **idle)
{
	const struct member *head = wave_head(m);
	struct wave *wave = m->wave;
	bool blocked = head->blocked;
	const struct engine_item item = item_not_run(blocked ? VIEW_RESULT_UPSTREAM_FAILED : VIEW_RESULT_SKIPPED, NULL);
	if (m->ended)
		return;
	if (blocked && head->changed && m->view->conf->on_change)
		change_from_upstream(m->view);
	if (blocked)
		wave->eng->news.flow->upstream_failed(m->view, wave);
	end_one(m, &item, idle);
	if (!blocked)
		wave->eng->news.flow->not_needed(m->view);
}

static void end_all_idle(struct wave *wave, struct member *idle)
{
	while (idle != NULL) {
		struct member *next = idle;
		idle = next->next_idle;
		end_idle(next, &idle);
	}
	finish_if_done(wave);
}

void wave_member_end(struct member *m, const struct engine_item *item)
{
	struct member *idle = NULL;
	if (m->ended)
		return;
	end_one(m, item, &idle);
	end_all_idle(m->wave, idle);
}

void wave_end_taken(struct member *members, const struct engine_item *item)
{
	while (members != NULL) {
		struct member *m = members;
		members = m->next;
		wave_member_end(m, item);
	}
}

static void release_one(struct member *m)
{
	struct wave *wave = m->wave;
	struct member *idle = NULL;
	for (uint32_t i = 0; i < m->n_after; i++) {
		if ((m->after[i] & WAVE_RELEASED) != 0)
			continue;
		struct member *after = &wave->members[m->after[i]];
		if (after->view == NULL || after->view->db == m->view->db)
			continue;
		m->after[i] |= WAVE_RELEASED;
		if (after->n_waits > 0 && --after->n_waits == 0)
			let_go(after, &idle);
	}
	end_all_idle(wave, idle);
}

void wave_release(struct view *view)
{
	for (struct member *m = view->members, *next; m != NULL; m = next) {
		next = m->next;
		if (!m->wave->by_hand)
			release_one(m);
	}
}

static bool is_meant(const struct wave *wave, enum wave_which which)
{
	switch (which) {
	case WAVE_ALL:
		break;
	case WAVE_CANCELLABLE:
		return wave->kind != JOB_CAPTURE;
	case WAVE_BY_HAND:
		return wave->by_hand;
	case WAVE_BY_ITSELF:
		return wave->kind == JOB_REFRESH && wave->trigger != VIEW_TRIGGER_MANUAL;
	}
	return true;
}

void wave_end_waiting(struct view *view, enum wave_which which, enum view_result result, const struct viewd_err *err)
{
	const struct engine_item item = item_not_run(result, err);
	struct member *m = view->members, *next;
	for (; m != NULL; m = next) {
		next = m->next;
		if (is_meant(m->wave, which))
			wave_member_end(m, &item);
	}
}

void wave_report_finished(struct engine *eng)
{
	while (eng->open.finished != NULL) {
		struct wave *wave = eng->open.finished;
		eng->open.finished = wave->next;
		wave->listed = false;
		if (wave->done != NULL && !wave->reported) {
			struct engine_report report = {.items = wave->items, .n = wave->n_asked};
			wave->done(wave->ctx, &report);
		}
		wave->reported = true;
		if (wave->n_left == 0) {
			LIST_REMOVE(wave, link);
			talloc_free(wave);
		}
	}
}

void wave_forget(const struct view *view)
{
	struct wave *wave;
	LIST_FOREACH(wave, &view->eng->open.waves, link)
		for (size_t i = 0; i < wave->n; i++) {
			if (wave->members[i].view != view)
				continue;
			wave->members[i].view = NULL;
			if (wave->items != NULL && i < wave->n_asked)
				wave->items[i].view = NULL;
		}
}
