/* SPDX-License-Identifier: MIT
 *
 * call.c: the life of one call, from its parameters to its one reply.
 */
#include "ctl/call/call.h"

#include "base/err.h"
#include "base/mem.h"
#include "ctl/answer/json.h"
#include "ctl/call/handlers.h"

#include <fnmatch.h>
#include <string.h>
#include <talloc.h>

struct call {
	const struct ctl *ctl;
	struct args *args;
	const char *accept;
	const struct call_receiver *receiver;
	void *ctx;
	bool streams;
	void (*on_gone)(void *ctx);
	void *gone_ctx;
};

struct call *call_new(const struct ctl *ctl, struct args *args, const struct call_receiver *receiver, void *ctx)
{
	struct call *call = talloc_zero(NULL, struct call);
	assert(call != NULL);
	call->ctl = ctl;
	call->args = talloc_steal(call, args);
	call->receiver = receiver;
	call->ctx = ctx;
	return call;
}

void call_set_accept(struct call *call, const char *accept)
{
	call->accept = accept != NULL ? mem_strdup(call, accept) : NULL;
}

const char *call_accept(const struct call *call)
{
	return call->accept != NULL ? call->accept : "";
}

void call_run(struct call *call)
{
	handler_for(args_command(call->args)->id)(call);
}

bool call_gone(struct call *call)
{
	if (!call->streams && call->on_gone == NULL)
		return false;
	if (call->on_gone != NULL)
		call->on_gone(call->gone_ctx);
	talloc_free(call);
	return true;
}

void call_stream(struct call *call, const struct call_stream *stream)
{
	call->streams = true;
	call->receiver->stream(call->ctx, stream);
}

void call_kick(struct call *call)
{
	call->receiver->kick(call->ctx);
}

void call_drop(struct call *call)
{
	call->receiver->drop(call->ctx);
}

void call_on_gone(struct call *call, void (*fn)(void *ctx), void *ctx)
{
	call->on_gone = fn;
	call->gone_ctx = ctx;
}

const struct ctl *call_ctl(const struct call *call)
{
	return call->ctl;
}

const struct args *call_args(const struct call *call)
{
	return call->args;
}

void call_reply_as(struct call *call, int status, json_t *body)
{
	call->receiver->reply(call->ctx, status, body);
	talloc_free(call);
}

void call_reply(struct call *call, json_t *body)
{
	call_reply_as(call, 200, body);
}

void call_fail(struct call *call, const struct viewd_err *err)
{
	call_reply_as(call, call_error_status(err), call_error_body(err_class_word(err->cls), err));
}

void call_reply_list(struct call *call, json_t *items, size_t n_bad)
{
	json_t *body = json_reply();
	json_object_set_new(body, "ok", json_boolean(n_bad == 0));
	json_object_set_new(body, "failed", json_integer((json_int_t)n_bad));
	json_object_set_new(body, "items", items);
	call_reply(call, body);
}

bool call_item_failed(const struct engine_item *item)
{
	return item->error != NULL && item->error->cls != VIEWD_ERR_OK;
}

void call_reply_report(struct call *call, const struct engine_report *report,
                       json_t *(*to_json)(const struct engine_item *item), bool (*good)(const struct engine_item *item))
{
	json_t *items = json_array();
	size_t n_bad = 0;
	for (size_t i = 0; i < report->n; i++) {
		json_array_append_new(items, to_json(&report->items[i]));
		n_bad += !good(&report->items[i]);
	}
	call_reply_list(call, items, n_bad);
}

json_t *call_error_body(const char *class_word, const struct viewd_err *err)
{
	json_t *body = json_reply();
	json_object_set_new(body, "error", json_failure(class_word, err));
	return body;
}

int call_error_status(const struct viewd_err *err)
{
	switch (err->cls) {
	case VIEWD_ERR_MISSING:
		return 404;
	case VIEWD_ERR_AUTH:
	case VIEWD_ERR_DENIED:
		return 403;
	case VIEWD_ERR_EXISTS:
	case VIEWD_ERR_CONFLICT:
	case VIEWD_ERR_CANCELLED:
		return 409;
	case VIEWD_ERR_CONFIG:
	case VIEWD_ERR_QUERY:
		return 422;
	case VIEWD_ERR_TIMEOUT:
		return 504;
	case VIEWD_ERR_CONNECT:
	case VIEWD_ERR_LOST:
	case VIEWD_ERR_RESOURCE:
	case VIEWD_ERR_STANDBY:
		return 503;
	case VIEWD_ERR_OK:
	case VIEWD_ERR_PLUGIN:
	case VIEWD_ERR_BUG:
	case VIEWD_ERR_CLASS_COUNT:
		return 500;
	}
	return 500;
}

struct collect {
	struct call *call;
	struct view **views;
	size_t n;
};

static bool collect_view(void *ctx, struct view *view)
{
	struct collect *c = ctx;
	c->views = talloc_realloc(c->call, c->views, struct view *, c->n + 1);
	assert(c->views != NULL);
	c->views[c->n++] = view;
	return true;
}

bool call_views(struct call *call, bool empty_is_all, struct view ***views_r, size_t *n_r)
{
	const struct command *command = args_command(call->args);
	int index = command_param_index(command, "view");
	const char *const *names = NULL;
	const char *one = NULL;
	size_t n_names = 0;
	if (command->params[index].kind == PARAM_ARG_LIST)
		n_names = args_list(call->args, "view", &names);
	else if ((one = args_text(call->args, "view")) != NULL)
		names = &one, n_names = 1;
	struct collect c = {.call = call};
	bool all = command_param_index(command, "all") >= 0 && args_flag(call->args, "all");
	if (all || (n_names == 0 && empty_is_all))
		engine_each_view(call->ctl->engine, collect_view, &c);
	struct viewd_err err;
	for (size_t i = 0; i < n_names; i++) {
		if (!engine_find(call->ctl->engine, call, names[i], &c.views, &c.n, &err)) {
			call_fail(call, &err);
			return false;
		}
	}
	*views_r = c.views;
	*n_r = c.n;
	return true;
}

static bool is_pattern(const char *text)
{
	return strpbrk(text, "*?[") != NULL;
}

struct match {
	struct collect *into;
	const char *pattern;
};

static bool collect_match(void *ctx, struct view *view)
{
	const struct match *m = ctx;
	char *full = talloc_asprintf(NULL, "%s:%s", view_database(view), view_name(view));
	const char *text = strchr(m->pattern, ':') != NULL ? full : view_name(view);
	bool matches = fnmatch(m->pattern, text, 0) == 0;
	talloc_free(full);
	return !matches || collect_view(m->into, view);
}

bool call_views_or_patterns(struct call *call, struct view ***views_r, size_t *n_r)
{
	const char *const *names;
	size_t n = args_list(call->args, "view", &names);
	struct collect c = {.call = call};
	struct viewd_err err;
	if (n == 0)
		return call_views(call, true, views_r, n_r);
	for (size_t i = 0; i < n; i++) {
		if (is_pattern(names[i]))
			engine_each_view(call->ctl->engine, collect_match, &(struct match){&c, names[i]});
		else if (!engine_find(call->ctl->engine, call, names[i], &c.views, &c.n, &err)) {
			call_fail(call, &err);
			return false;
		}
	}
	*views_r = c.views;
	*n_r = c.n;
	return true;
}

/* A view that is disabled is refused to who names it; --all means the others. */
bool call_views_to_work_on(struct call *call, struct view ***views_r, size_t *n_r)
{
	struct view **views;
	size_t n, kept = 0;
	if (!call_views(call, false, &views, &n))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!args_flag(call_args(call), "all") || !view_is_disabled(views[i]))
			views[kept++] = views[i];
	*views_r = views;
	*n_r = kept;
	return true;
}

struct view *call_view(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views(call, false, &views, &n))
		return NULL;
	if (n == 1)
		return views[0];
	struct viewd_err err;
	err_set(&err, VIEWD_ERR_CONFLICT, "view '%s' is in %zu databases", view_name(views[0]), n);
	err_hint(&err, "say which, for example %s:%s", view_database(views[0]), view_name(views[0]));
	call_fail(call, &err);
	return NULL;
}
