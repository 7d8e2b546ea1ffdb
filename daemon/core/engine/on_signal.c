/* SPDX-License-Identifier: MIT */
#include "core/engine/on_signal.h"

#include "base/log.h"
#include "core/engine/capture.h"
#include "core/engine/database.h"
#include "core/exec/watch.h"
#include "core/flow/ready.h"
#include "core/model/events.h"
#include "core/model/views.h"
#include "core/plan/change.h"
#include "core/plan/freshness.h"

/* An application that asks in SQL does not wait at the other end: what it asked for waits for the database, and once is
 * enough. Anybody may ask, as often as they like: so at_most_every holds. */
static void request_refresh(struct view *view)
{
	const struct wave_spec spec = {
		.kind = JOB_REFRESH, .order = WAVE_UPSTREAM_FIRST, .trigger = VIEW_TRIGGER_MANUAL, .propagate = true};
	if (!wave_waits_as_asked(view) && !change_hold_request(view))
		wave_start(view->eng, &spec, &view, 1);
}

static void note_stale(struct view *view, const struct watch_signal *signal)
{
	log_debug("view '%s', a source has changed (mark %lld, known %lld, settled %lld)", view->label,
	          (long long)signal->seq, (long long)view->change.seen_seq, (long long)view->change.settled_seq);
	enum change_order order = change_order(view, signal->seq);
	if (order == CHANGE_BACKWARD)
		database_rewound(view->db);
	else if (order == CHANGE_SUSPECT)
		watch_wake(view->db);
	event_tell(
		view->eng,
		&(struct event){.kind = EVENT_CHANGED, .view = view, .db = view->db, .news = !freshness_lacks_a_change(view)});
	change_signal(view, signal->seq, signal->old);
}

void on_signal(struct database *db, const struct watch_signal *signal)
{
	struct view *view = views_find(db->eng, signal->view, db->conf->name);
	if (view == NULL)
		return;
	switch (signal->kind) {
	case VIEWD_SIGNAL_STALE:
		note_stale(view, signal);
		break;
	case VIEWD_SIGNAL_REQUEST:
		request_refresh(view);
		break;
	case VIEWD_SIGNAL_REDEFINED:
		log_debug("view '%s', something that it reads was redefined", view->label);
		capture_redefined(view);
		break;
	case VIEWD_SIGNAL_DOUBT:
		view->change.doubted = signal->seq != 0;
		break;
	case VIEWD_SIGNAL_BEHIND:
		break; /* of no view */
	}
}
