/* SPDX-License-Identifier: MIT
 *
 * audit.c: one log line for each changing command.
 */
#include "ctl/serve/audit.h"

#include "base/log.h"

void audit_log(const char *who_what, int status, const json_t *body, bool client_left)
{
	const char *left = client_left ? ", client left" : "";
	json_int_t failed = json_integer_value(json_object_get(body, "failed"));
	const char *message = json_string_value(json_object_get(json_object_get(body, "error"), "message"));
	if (status != 200)
		log_info("control, %s: refused (%s)%s", who_what, message != NULL ? message : "no reason given", left);
	else if (failed > 0)
		log_info("control, %s: %lld failed%s", who_what, (long long)failed, left);
	else
		log_info("control, %s: %s%s", who_what, json_is_false(json_object_get(body, "ok")) ? "failed" : "done", left);
}
