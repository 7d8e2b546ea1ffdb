/* SPDX-License-Identifier: MIT
 *
 * mode.c: the mode that a view is refreshed by, and the reason for it.
 */
#include "base/words.h"
#include "common/refresh/member.h"

#include <stdio.h>

static enum viewd_refresh_mode choose(struct task *task, char reason[static 256])
{
	if (task->db->ops->refresh.choose_mode != NULL)
		return task->db->ops->refresh.choose_mode(task, reason);
	if (task->resolved.method == VIEWD_METHOD_MATERIALIZED) {
		bool can = task->found.can_concurrently;
		snprintf(reason, 256,
		         can ? "auto: concurrently, because a unique index is usable"
		             : "auto: full, because no unique index is usable or there is no data yet");
		return can ? VIEWD_MODE_CONCURRENTLY : VIEWD_MODE_FULL;
	}
	bool keyed = task->columns != NULL && task->columns->n_key > 0;
	snprintf(reason, 256,
	         keyed ? "auto: diff, because unique_key identifies the rows"
	               : "auto: full, because there is no unique_key to find changed rows by");
	return keyed ? VIEWD_MODE_DIFF : VIEWD_MODE_FULL;
}

enum viewd_refresh_mode member_mode(struct task *task, const struct viewd_refresh_request *req, char reason[static 256])
{
	enum viewd_refresh_mode mode = task->resolved.mode;
	if (req->force_full) {
		snprintf(reason, 256, "full, because it was asked for");
		return VIEWD_MODE_FULL;
	}
	if (mode == VIEWD_MODE_AUTO)
		return choose(task, reason);
	if (mode == VIEWD_MODE_CONCURRENTLY && !task->found.populated) {
		snprintf(reason, 256, "full, because the first refresh cannot be concurrent");
		return VIEWD_MODE_FULL;
	}
	snprintf(reason, 256, "%s, as configured", word_mode(mode));
	return mode;
}
