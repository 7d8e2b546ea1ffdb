/* SPDX-License-Identifier: MIT */
#include "core/model/record.h"

#include "base/log.h"
#include "base/mem.h"

/* A disabled view stays DISABLED, whatever the end of a job would say. */
void view_set_state(struct view *view, enum view_state state)
{
	if (!view->conf->enabled)
		state = VIEW_STATE_DISABLED;
	if (view->state == state || view->relation.refused)
		return;
	if (view->relation.reconciled || state != VIEW_STATE_ACTIVE || view->state == VIEW_STATE_DISABLED)
		log_info("view '%s', state %s -> %s", view->label, view_state_word(view->state), view_state_word(state));
	enum view_state before = view->state;
	view->state = state;
	event_tell(view->eng, &(struct event){.kind = EVENT_STATE, .view = view, .db = view->db, .before = before});
}

/* A job that still ran when the section was refused does not change the refusal. */
void view_set_error(struct view *view, const struct viewd_err *err)
{
	if (view->relation.refused)
		return;
	view->failure.of_capture = false;
	if (err == NULL) {
		TALLOC_FREE(view->failure.err);
		return;
	}
	if (view->failure.err == NULL)
		view->failure.err = mem_new(view, struct viewd_err);
	*view->failure.err = *err;
}

void view_take_nodes(struct view *view, struct viewd_explained **facts, size_t n)
{
	TALLOC_FREE(view->nodes.facts);
	view->nodes = (struct view_nodes){talloc_steal(view, *facts), n};
	*facts = NULL;
}
