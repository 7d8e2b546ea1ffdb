/* SPDX-License-Identifier: MIT
 *
 * capturable.c: whether following changes is enough for a section. Apart from capture.c, because it needs no engine.
 */
#include "base/err.h"
#include "core/capture.h"

bool capture_refused(const struct conf_view *conf, const struct viewd_dialect *dialect, const struct viewd_resolved *resolved,
                     struct viewd_err *err)
{
	if (!conf->on_change || resolved->method == VIEWD_METHOD_SIMPLE)
		return false;
	bool scheduled = conf->every > 0 || conf->after > 0 || conf->cron != NULL || conf->max_staleness > 0 || conf->target_lag > 0;
	if (dialect->capture == NULL || dialect->watch_open == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "on_change = yes, but the dialect %s cannot notice changes", dialect->name);
		err_hint(err, "use a schedule: every, after or cron");
		return true;
	}
	if (resolved->reads_clock[0] != '\0' && !scheduled) {
		err_set(err, VIEWD_ERR_CONFIG, "on_change = yes alone cannot keep it fresh: the definition reads the clock (%s)",
		        resolved->reads_clock);
		err_hint(err, "add a schedule as well: every, after, cron or max_staleness");
		return true;
	}
	return false;
}
