/* SPDX-License-Identifier: MIT */
#include "core/engine/inspection.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "core/engine/database.h"
#include "core/model/edges.h"
#include "core/model/record.h"

/* A time of an earlier life on the monotonic clock. The future counts as now: the clock was set back. */
static int64_t mono_of(const struct view *view, int64_t wall)
{
	int64_t ago = engine_wall(view->eng) - wall;
	return engine_mono(view->eng) - (ago > 0 ? ago : 0);
}

/* The data's time commits with the data, so only a restored backup makes it older than what was told of it. */
#define REWOUND_BY SPAN_SECOND

static bool contents_rewound(struct view *view, const struct viewd_found *found)
{
	if (found->data_timestamp_us == 0 || view->last.data_timestamp_us - found->data_timestamp_us <= REWOUND_BY)
		return false;
	log_info("view '%s', its contents have gone back in time (a backup was restored?)", view->label);
	database_contents_rewound(view->db);
	view->last.result = VIEW_RESULT_NONE;
	return true;
}

/* Another daemon led for a while. */
static bool ran_elsewhere(const struct view *view, const struct viewd_found *found)
{
	return view->failure.unknown_since_us == 0 && found->data_timestamp_us - view->last.data_timestamp_us > REWOUND_BY;
}

void inspection_take(struct job *job)
{
	struct view *view = job->view;
	const struct viewd_found *found = &job->out.look->found;
	if (!view_stands_at(view, found->schema, found->name)) {
		view_set_place(view, found->schema, found->name);
		edges_invalidate(view->eng);
	}
	/* While something is missing the definition cannot be read: what it read before is followed still, for when that
	 * comes back. */
	view->reads.sources_unknown = found->sources_unknown;
	view->relation.kept = found->kept;
	if (!found->sources_unknown) {
		edges_set_sources(view, job->out.sources, job->out.n_sources);
		TALLOC_FREE(view->reads.guesses);
	}
	if (!found->ours || (view->last.success_us != 0 && !ran_elsewhere(view, found) && !contents_rewound(view, found)))
		return;
	/* First look after a start: the state table remembers the runs of earlier lives, and of others. */
	view->last.success_us = view->last.refresh_us = found->last_success_us;
	view->last.data_timestamp_us = found->data_timestamp_us;
	view->last.duration_us = found->duration_us;
	view->last.rows = found->rows;
	if (found->last_success_us == 0)
		return;
	view->last.result = VIEW_RESULT_SUCCEEDED;
	view->timing.past.last_due = view->timing.past.last_end = mono_of(view, found->last_success_us);
	view->timing.past.data = mono_of(view, found->data_timestamp_us);
	view->timing.past.all_rows = found->all_rows_us != 0 ? mono_of(view, found->all_rows_us) : view->timing.past.data;
	view->timing.past.cron_served = found->last_success_us;
	schedule_learn(&view->timing.past.runs, found->duration_us);
}
