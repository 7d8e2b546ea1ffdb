/* SPDX-License-Identifier: MIT
 *
 * cmd_page.c: the pages for people, all views and one view; and what those ask who only want a yes or no.
 */
#include "ctl/call/handlers.h"

#include "base/mem.h"
#include "ctl/answer/json.h"
#include "ctl/page/detail.h"
#include "ctl/page/list.h"

#define HTML "text/html; charset=utf-8"
/* Bytes after which the loop does other work. */
#define PIECE ((size_t)64 << 10)

/* A reload may come between two pieces: views are kept by name. */
struct listing {
	struct engine *engine;
	struct listed {
		char *name, *database;
	} * views;
	size_t n, next;
	bool begun;
};

static enum call_more fill_list(void *ctx, struct text_out *out)
{
	struct listing *l = ctx;
	if (!l->begun)
		list_begin(out);
	l->begun = true;
	while (l->next < l->n && out->len < PIECE) {
		const struct listed *key = &l->views[l->next++];
		const struct view *view = engine_view(l->engine, key->name, key->database);
		if (view != NULL)
			list_row(out, l->engine, view);
	}
	if (l->next < l->n)
		return CALL_MORE;
	list_end(out);
	return CALL_END;
}

static bool add_view(void *ctx, struct view *view)
{
	struct listing *l = ctx;
	if ((l->n & (l->n - 1)) == 0)
		l->views = mem_grow(l, l->views, struct listed, l->n == 0 ? 1 : l->n * 2);
	l->views[l->n++] = (struct listed){mem_strdup(l, view_name(view)), mem_strdup(l, view_database(view))};
	return true;
}

void cmd_page(struct call *call)
{
	struct listing *l = mem_new(call, struct listing);
	l->engine = call_ctl(call)->engine;
	engine_each_view(l->engine, add_view, l);
	const struct call_stream stream = {.content_type = HTML, .fill = fill_list, .ctx = l};
	call_stream(call, &stream);
}

struct one {
	struct engine *engine;
	struct view *view;
};

static enum call_more fill_one(void *ctx, struct text_out *out)
{
	const struct one *one = ctx;
	detail_put(out, one->engine, one->view);
	return CALL_END;
}

void cmd_view(struct call *call)
{
	struct view *view = call_view(call);
	if (view == NULL)
		return;
	struct one *one = mem_new(call, struct one);
	*one = (struct one){.engine = call_ctl(call)->engine, .view = view};
	const struct call_stream stream = {.content_type = HTML, .fill = fill_one, .ctx = one};
	call_stream(call, &stream);
}

/* ---- yes or no -------------------------------------------------------------------------------------------------- */

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
