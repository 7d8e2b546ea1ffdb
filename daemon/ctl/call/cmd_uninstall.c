/* SPDX-License-Identifier: MIT
 *
 * cmd_uninstall.c: uninstall.
 */
#include "ctl/call/handlers.h"

#include "ctl/answer/json.h"

static void uninstall_done(void *ctx, const struct engine_uninstalled *report)
{
	if (report->error != NULL) {
		call_fail(ctx, report->error);
		return;
	}
	json_t *list = json_array();
	for (size_t i = 0; i < report->n; i++)
		json_array_append_new(list, json_text(report->statements[i]));
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_true());
	json_object_set_new(body, "database", json_text(report->database));
	json_object_set_new(body, "statements", list);
	call_reply(ctx, body);
}

void cmd_uninstall(struct call *call)
{
	const struct args *args = call_args(call);
	struct viewd_err err;
	if (!engine_uninstall(call_ctl(call)->engine, args_text(args, "database"), args_flag(args, "print"), uninstall_done,
	                      call, &err))
		call_fail(call, &err);
}
