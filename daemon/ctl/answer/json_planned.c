/* SPDX-License-Identifier: MIT */
#include "ctl/answer/json_planned.h"

#include "ctl/text/json_err.h"
#include "ctl/text/json_text.h"

json_t *json_planned(const struct offline_planned *planned)
{
	json_t *item = json_object();
	json_object_set_new(item, "view", json_text(planned->view));
	json_object_set_new(item, "database", json_text(planned->database));
	json_object_set_new(item, "change", json_text(planned->change));
	json_object_set_new(item, "reason", json_text(planned->reason));
	json_object_set_new(item, "locks", json_text(planned->locks));
	json_object_set_new(item, "refresh_group", json_text(planned->group));
	json_object_set_new(item, "duration_ms",
	                    planned->duration_us > 0 ? json_integer((planned->duration_us + 500) / 1000) : json_null());
	json_object_set_new(item, "error", json_err(planned->error));
	return item;
}
