/* SPDX-License-Identifier: MIT
 *
 * status.c: an instance as others see it: what it reads, what reads it, its record for status.
 */
#include "base/mem.h"
#include "base/words.h"
#include "core/flow/ready.h"
#include "core/model/edges.h"
#include "core/model/group.h"
#include "core/model/record.h"
#include "core/plan/due.h"
#include "core/plan/freshness.h"

#include <string.h>

size_t view_upstream(const struct view *view, struct view *const **views_r)
{
	edges_update(view->eng);
	*views_r = view->graph.up;
	return view->graph.n_up;
}

size_t view_downstream(const struct view *view, struct view *const **views_r)
{
	edges_update(view->eng);
	*views_r = view->graph.down;
	return view->graph.n_down;
}

size_t view_sources(const struct view *view, const char *const **names_r)
{
	edges_update(view->eng);
	struct engine *eng = view->eng;
	size_t n = 0;
	eng->answers.sources = mem_grow(eng, eng->answers.sources, const char *, view->reads.n_sources + 1);
	for (size_t i = 0; i < view->reads.n_sources; i++)
		if (view->reads.sources[i].base)
			eng->answers.sources[n++] = view->reads.sources[i].full;
	*names_r = eng->answers.sources;
	return n;
}

size_t view_nodes(const struct view *view, const struct viewd_explained **facts_r)
{
	*facts_r = view->relation.facts;
	return view->relation.n_facts;
}

const char *view_read_name(const struct view *view, const char *schema, const char *name, bool *view_r)
{
	for (size_t i = 0; i < view->graph.n_up; i++)
		if (view_stands_at(view->graph.up[i], schema, name)) {
			*view_r = true;
			return view->graph.up[i]->label;
		}
	*view_r = false;
	for (size_t i = 0; i < view->reads.n_sources; i++)
		if (strcmp(view->reads.sources[i].schema, schema) == 0 && strcmp(view->reads.sources[i].name, name) == 0)
			return view->reads.sources[i].full;
	return NULL;
}

/* Nothing has told how each is heard: the relations that inspect found, unheard. */
static size_t unheard_rows(const struct view *v)
{
	static const enum viewd_depends kinds[] = {
		[VIEWD_KIND_NONE] = VIEWD_DEPENDS_OTHER,      [VIEWD_KIND_VIEW] = VIEWD_DEPENDS_VIEW,
		[VIEWD_KIND_MATVIEW] = VIEWD_DEPENDS_MATVIEW, [VIEWD_KIND_TABLE] = VIEWD_DEPENDS_TABLE,
		[VIEWD_KIND_OTHER] = VIEWD_DEPENDS_FOREIGN,
	};
	struct engine *eng = v->eng;
	const char *reason = !v->conf->on_change                      ? "on_change = no"
	                     : v->conf->capture == VIEWD_CAPTURE_NONE ? "capture = none"
	                                                              : "following it is not set up";
	eng->answers.dependencies =
		mem_grow(eng, eng->answers.dependencies, struct view_dependency, v->reads.n_sources + 1);
	for (size_t i = 0; i < v->reads.n_sources; i++)
		eng->answers.dependencies[i] = (struct view_dependency){
			v->reads.sources[i].full, kinds[v->reads.sources[i].kind], VIEWD_HEARD_NONE, reason};
	return v->reads.n_sources;
}

size_t view_dependencies(const struct view *v, const struct view_dependency **rows_r)
{
	if (v->reads.depends != NULL && v->conf->on_change) {
		*rows_r = v->reads.depends;
		return v->reads.n_depends;
	}
	size_t n = unheard_rows(v);
	*rows_r = v->eng->answers.dependencies;
	return n;
}

/* While a database is away its views are only as good as their last refresh: the database's trouble is theirs. */
static const struct viewd_err *effective_error(const struct view *v)
{
	return v->db->err != NULL && v->conf->enabled ? v->db->err : v->failure.err;
}

static enum view_state effective_state(const struct view *v)
{
	if (v->db->err == NULL || v->state == VIEW_STATE_DISABLED)
		return v->state;
	return v->db->err->cls == VIEWD_ERR_STANDBY ? VIEW_STATE_STANDBY : VIEW_STATE_FAILED;
}

static const char *waits_for(const struct view *v)
{
	if (v->members == NULL)
		return "";
	switch (v->db->state) {
	case DB_UNUSABLE:
	case DB_DOWN:
		return "the database to come back";
	case DB_PROBING:
		return "the connection to the database";
	case DB_UP:
		break;
	}
	if (v->job != NULL)
		return "the run before it";
	if (v->queued && !wave_group_is_free(v))
		return "the other views of its refresh_group";
	return v->queued ? "a free slot (max_concurrent_refreshes)" : "views it reads";
}

static enum view_activity activity(const struct view *v)
{
	if (v->job != NULL && v->job->kind != JOB_PLAN && v->job->kind != JOB_VERIFY)
		return VIEW_ACTIVITY_REFRESHING;
	return v->members != NULL ? VIEW_ACTIVITY_WAITING : VIEW_ACTIVITY_IDLE;
}

static const char *schedule_text(const struct view *v)
{
	static const char *const manual = "manual";
	if (v->timing.text == NULL)
		return v->relation.method == VIEWD_METHOD_SIMPLE ? "none needed" : manual;
	return v->timing.text;
}

static int64_t not_negative(int64_t us)
{
	return us > 0 ? us : 0;
}

static void set_freshness(const struct view *v, struct view_status *out, int64_t now)
{
	const struct freshness f = freshness_of(v);
	out->freshness = f.word;
	out->stale_since_us = f.stale_since_us;
	out->age_us = v->last.success_us > 0 ? not_negative(now - v->last.success_us) : -1;
	out->lag_us = f.word == VIEW_FRESHNESS_FRESH ? 0 : f.stale_since_us > 0 ? not_negative(now - f.stale_since_us) : -1;
}

void engine_status(struct engine *eng, const struct view *v, struct view_status *out)
{
	int64_t now = engine_wall(eng);
	bool simple = v->relation.method == VIEWD_METHOD_SIMPLE && v->relation.reconciled;
	*out = (struct view_status){
		.conf = v->conf,
		.database = v->db->conf,
		.name = v->conf->name,
		.relation = v->relation.text != NULL    ? v->relation.text
	                : v->conf->relation != NULL ? v->conf->relation
	                                            : v->conf->name,
		.method = word_method(v->relation.method),
		.refresh_mode = word_mode(v->relation.mode),
		.state = effective_state(v),
		.activity = activity(v),
		.trigger = v->last.trigger,
		.result = v->last.result,
		.did = v->last.did,
		.last_refresh_us = v->last.refresh_us,
		.last_success_us = v->last.success_us,
		.next_refresh_us = due_wall(v),
		.data_timestamp_us = simple ? now : v->last.data_timestamp_us,
		.running_since_us = activity(v) == VIEW_ACTIVITY_REFRESHING ? v->job->run.started_wall : 0,
		.expected_us = v->timing.past.runs.mean > 0 ? schedule_expected(&v->timing.past.runs) : -1,
		.duration_us = v->last.success_us > 0 ? v->last.duration_us : -1,
		.rows = v->last.rows,
		.rows_written = v->last.rows_written,
		.consecutive_errors = v->failure.consecutive,
		.error = effective_error(v),
		.reason = v->last.reason != NULL ? v->last.reason : "",
		.waits_for = waits_for(v),
		.schedule = schedule_text(v),
	};
	set_freshness(v, out, now);
}
