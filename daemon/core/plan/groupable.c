/* SPDX-License-Identifier: MIT */
#include "core/plan/groupable.h"

#include "base/err.h"

bool groupable_refuse(const struct conf_view *conf, const struct viewd_dialect *dialect,
                      const struct viewd_resolved *resolved, struct viewd_err *err)
{
	if (conf->refresh_group == NULL || resolved->method == VIEWD_METHOD_SIMPLE || dialect->refresh_group != NULL)
		return false;
	err_set(err, VIEWD_ERR_CONFIG, "refresh_group = %s, but the dialect %s cannot refresh several views together",
	        conf->refresh_group, dialect->name);
	err_hint(err, "remove refresh_group, or use depends_on to have them refreshed one after the other");
	return true;
}
