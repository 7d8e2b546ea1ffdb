/* SPDX-License-Identifier: MIT
 *
 * cmd_health.c: what those ask who only want a yes or no: healthz, readyz.
 */
#include "ctl/call/handlers.h"

#include "ctl/answer/json.h"

#define NAMED_MAX 100

void cmd_healthz(struct call *call)
{
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_true());
	call_reply(call, body);
}

struct unready {
	struct engine *engine;
	json_t *views;
	size_t n;
};

static bool look_at(void *ctx, struct view *view)
{
	struct unready *u = ctx;
	struct view_status st = {0};
	engine_status(u->engine, view, &st);
	if (st.state != VIEW_STATE_FAILED && st.state != VIEW_STATE_MISSING)
		return true;
	if (u->n++ >= NAMED_MAX)
		return true;
	json_t *one = json_object();
	json_object_set_new(one, "view", json_text(view_name(view)));
	json_object_set_new(one, "database", json_text(view_database(view)));
	json_object_set_new(one, "state", json_text(view_state_word(st.state)));
	json_array_append_new(u->views, one);
	return true;
}

void cmd_readyz(struct call *call)
{
	struct unready u = {.engine = call_ctl(call)->engine, .views = json_array()};
	engine_each_view(u.engine, look_at, &u);
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_boolean(u.n == 0));
	json_object_set_new(body, "failed", json_integer((json_int_t)u.n));
	json_object_set_new(body, "views", u.views);
	call_reply_as(call, u.n == 0 ? 200 : 503, body);
}
