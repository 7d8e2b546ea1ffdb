/* SPDX-License-Identifier: MIT */
#include "core/plan/freshness.h"

#include "base/err.h"
#include "base/mem.h"
#include "core/model/edges.h"

#include <stdarg.h>

/* ---- known changes ---------------------------------------------------------------------------------------------- */

static int64_t wall_of(const struct view *v, int64_t mono)
{
	return engine_wall(v->eng) - (engine_mono(v->eng) - mono);
}

/* The first change that the data lacks. One that came while nobody watched may be as old as the data. */
static int64_t first_missing(const struct view *v)
{
	const struct change *c = &v->change;
	bool runs = c->run.first != 0;
	int64_t first = runs ? c->run.first : c->first;
	bool old = runs ? c->run.old : c->old;
	return first == 0 || old ? v->last.data_timestamp_us : wall_of(v, first);
}

bool freshness_lacks_a_change(const struct view *v)
{
	const struct change *c = &v->change;
	return v->conf->on_change && (c->first != 0 || c->run.first != 0 || c->seen_seq > c->settled_seq);
}

int64_t freshness_missing_since(const struct view *v)
{
	return freshness_lacks_a_change(v) ? first_missing(v) : 0;
}

static bool is_stale(const struct view *v, int64_t *since_r)
{
	if (v->relation.method == VIEWD_METHOD_SIMPLE)
		return false;
	*since_r = freshness_missing_since(v);
	return freshness_lacks_a_change(v) || (v->relation.reconciled && v->last.success_us == 0);
}

/* ---- what nobody can know --------------------------------------------------------------------------------------- */

struct telling {
	void (*fn)(void *ctx, const char *reason);
	void *ctx;
	size_t n;
};

static void tell_reason(struct telling *t, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void tell_reason(struct telling *t, const char *fmt, ...)
{
	va_list ap;
	t->n++;
	if (t->fn == NULL)
		return;
	va_start(ap, fmt);
	char *text = mem_need(talloc_vasprintf(NULL, fmt, ap));
	va_end(ap);
	t->fn(t->ctx, text);
	talloc_free(text);
}

static bool is_refreshable(const struct view *v)
{
	return v->relation.method != VIEWD_METHOD_SIMPLE;
}

static void tell_existence(struct telling *t, const struct view *v)
{
	if (!v->conf->enabled)
		tell_reason(t, "enabled = no: nobody looks after it");
	else if (v->db->err != NULL)
		tell_reason(t, "the database cannot be asked (%s)", v->db->err->msg);
	else if (v->db->state != DB_UP)
		tell_reason(t, "the connection to the database is being made");
	else if (v->state == VIEW_STATE_MISSING)
		tell_reason(t, "it does not exist");
	else if (!v->relation.reconciled)
		tell_reason(t, "it is not set up%s%s%s", v->failure.err != NULL ? " (" : "",
		            v->failure.err != NULL ? v->failure.err->msg : "", v->failure.err != NULL ? ")" : "");
	if (v->graph.rank == GRAPH_CYCLIC)
		tell_reason(t, "it depends on itself");
}

static void tell_entries(struct telling *t, const struct view *v)
{
	bool clock_told = false;
	for (size_t i = 0; i < v->reads.n_depends; i++) {
		const struct view_dependency *d = &v->reads.depends[i];
		if (d->heard_by == VIEWD_HEARD_NONE)
			tell_reason(t, "nothing tells of changes of %s%s%s", d->name, d->reason != NULL ? ": " : "",
			            d->reason != NULL ? d->reason : "");
		clock_told |= d->kind == VIEWD_DEPENDS_CLOCK;
	}
	if (v->reads.clock && !clock_told)
		tell_reason(t, "its definition reads the clock");
}

/* Nobody would have noticed all changes by now: the capture is still to be set up or checked, or the watch has not come
 * to the end of a look since the connection was made. The database is up, and its changes are wanted. */
static bool is_blind(const struct view *v)
{
	const struct database *db = v->db;
	return db->dialect->capture != NULL &&
	       (v->capture.digest == 0 || !db->watch.looked || db->watch.answered < v->capture.look);
}

static void tell_capture(struct telling *t, const struct view *v)
{
	if (!is_refreshable(v) || !v->conf->enabled)
		return;
	if (!v->conf->on_change)
		tell_reason(t, "on_change = no: changes of what it reads are not noticed");
	else if (v->conf->capture == VIEWD_CAPTURE_NONE)
		tell_reason(t, "capture = none: changes of what it reads are not noticed");
	else if (v->capture.failed)
		tell_reason(t, "%s", v->capture.reason);
	else if (v->db->state == DB_UP && is_blind(v))
		tell_reason(t, v->capture.digest == 0 ? "the following of what it reads is being set up"
		                                      : "what changed before it was followed is still being looked at");
	else if (v->change.doubted)
		tell_reason(t, "others have committed since it was refreshed, and what is polled tells late of it");
	if (v->conf->on_change)
		tell_entries(t, v);
}

static void tell_own(struct telling *t, const struct view *v)
{
	tell_existence(t, v);
	tell_capture(t, v);
}

bool freshness_is_known(const struct view *v)
{
	struct telling t = {.fn = NULL};
	tell_own(&t, v);
	return t.n == 0;
}

bool freshness_unheard(const struct view *v)
{
	struct telling t = {.fn = NULL};
	if (!is_refreshable(v) || !v->conf->enabled)
		return false;
	if (!v->conf->on_change || v->conf->capture == VIEWD_CAPTURE_NONE || v->capture.failed)
		return true;
	tell_entries(&t, v);
	return t.n > 0;
}

const char *freshness_help(const struct view *v)
{
	bool unheard = v->reads.clock, vouchable = false, bounded = conf_view_is_scheduled(v->conf);
	for (size_t i = 0; i < v->reads.n_depends; i++) {
		const struct view_dependency *d = &v->reads.depends[i];
		unheard |= d->heard_by == VIEWD_HEARD_NONE;
		vouchable |= d->heard_by == VIEWD_HEARD_NONE && d->kind == VIEWD_DEPENDS_FUNCTION;
	}
	if (!unheard || !v->conf->on_change || (bounded && !vouchable))
		return "";
	if (bounded)
		return "sources = names the tables that a function reads";
	return vouchable ? "set max_staleness or a schedule; sources = names the tables that a function reads"
	                 : "set max_staleness or a schedule";
}

bool freshness_is_followed(const struct view *v)
{
	return v->conf->on_change && v->capture.set_up && !v->capture.failed && v->capture.digest != 0 &&
	       !v->change.doubted && !freshness_unheard(v);
}

/* ---- with all that it reads ------------------------------------------------------------------------------------- */

static void worsen(struct freshness *f, enum view_freshness word, int64_t since)
{
	if (word == VIEW_FRESHNESS_STALE && since != 0 && (f->stale_since_us == 0 || since < f->stale_since_us))
		f->stale_since_us = since;
	if (f->word != VIEW_FRESHNESS_STALE && word != VIEW_FRESHNESS_FRESH)
		f->word = word;
}

static void judge_own(struct freshness *f, const struct view *v)
{
	struct telling t = {.fn = NULL};
	int64_t since = 0;
	if (is_stale(v, &since))
		worsen(f, VIEW_FRESHNESS_STALE, since);
	tell_own(&t, v);
	if (t.n > 0)
		worsen(f, VIEW_FRESHNESS_UNKNOWN, 0);
}

static void judge_upstream(struct freshness *f, const struct view *v, uint64_t walk)
{
	for (size_t i = 0; i < v->graph.n_up; i++) {
		struct view *up = v->graph.up[i];
		if (up->walk.visit == walk)
			continue;
		up->walk.visit = walk;
		judge_own(f, up);
		judge_upstream(f, up, walk);
	}
}

struct freshness freshness_of(const struct view *v)
{
	struct freshness f = {.word = VIEW_FRESHNESS_FRESH};
	edges_update(v->eng);
	judge_own(&f, v);
	judge_upstream(&f, v, ++v->eng->visit);
	if (f.word != VIEW_FRESHNESS_STALE)
		f.stale_since_us = 0;
	return f;
}

static void tell_upstream(struct telling *t, const struct view *v)
{
	for (size_t i = 0; i < v->graph.n_up; i++)
		if (freshness_of(v->graph.up[i]).word == VIEW_FRESHNESS_UNKNOWN)
			tell_reason(t, "it reads view '%s', which is UNKNOWN", v->graph.up[i]->label);
}

size_t freshness_reasons(const struct view *v, void (*fn)(void *ctx, const char *reason), void *ctx)
{
	struct telling t = {.fn = fn, .ctx = ctx};
	edges_update(v->eng);
	tell_own(&t, v);
	tell_upstream(&t, v);
	return t.n;
}
