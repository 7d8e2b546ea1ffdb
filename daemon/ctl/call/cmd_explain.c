/* SPDX-License-Identifier: MIT
 *
 * cmd_explain.c: explain.
 */
#include "ctl/call/handlers.h"

#include "ctl/answer/json.h"
#include "ctl/text/json_explain.h"

static void explain_done(void *ctx, const struct viewd_explained *facts, size_t n, const struct viewd_err *err)
{
	struct call *call = ctx;
	if (err != NULL && err->cls != VIEWD_ERR_OK) {
		call_fail(call, err);
		return;
	}
	json_t *explanation = json_explained_new();
	for (size_t i = 0; i < n; i++)
		(void)json_explained_add(explanation, &facts[i]);
	json_t *body = json_reply();
	json_object_set_new(body, "view", json_text(args_text(call_args(call), "view")));
	json_object_set_new(body, "explanation", explanation);
	call_reply(call, body);
}

void cmd_explain(struct call *call)
{
	struct view *view = call_view(call);
	if (view != NULL)
		engine_explain(call_ctl(call)->engine, view, explain_done, call);
}
