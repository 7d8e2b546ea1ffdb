/* SPDX-License-Identifier: MIT
 *
 * cmd_explain.c: explain.
 */
#include "ctl/call/handlers.h"

#include "base/err.h"
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
	struct view **views;
	size_t n;
	if (!call_views(call, false, &views, &n))
		return;
	if (n != 1) {
		struct viewd_err err;
		err_set(&err, VIEWD_ERR_CONFLICT, "view '%s' is in %zu databases", view_name(views[0]), n);
		err_hint(&err, "say which, for example %s:%s", view_database(views[0]), view_name(views[0]));
		call_fail(call, &err);
		return;
	}
	engine_explain(call_ctl(call)->engine, views[0], explain_done, call);
}
