/* SPDX-License-Identifier: MIT
 *
 * cmd_status.c: commands that look: status, show, why, info.
 */
#include "ctl/call/handlers.h"

#include "base/mem.h"
#include "conf/snapshot/show.h"
#include "ctl/answer/json.h"
#include "ctl/answer/json_status.h"

#include <string.h>

/* Bytes after which a listing lets the loop do other work: about a millisecond. */
#define PIECE ((size_t)64 << 10)

/* Views that are asked about before it does so likewise. */
#define PIECE_VIEWS 500

/* The views that `status` selects. */
struct selection {
	bool failed, stale;
	const char *tag, *database; /* NULL: any */
};

/* A listing goes out in pieces, and a reload may come between two of them: views are kept by name. */
struct listing {
	struct engine *engine;
	struct selection selection;
	uint64_t fields;
	struct listed {
		char *name, *database;
	} * views;
	size_t n, next;
	bool any;
};

static bool has_tag(const struct conf_view *view, const char *tag)
{
	for (size_t i = 0; i < view->tags.n; i++)
		if (strcmp(view->tags.items[i], tag) == 0)
			return true;
	return false;
}

/* Something is wrong with it, or was at the last attempt. */
static bool is_failed(const struct view_status *st)
{
	return st->state == VIEW_STATE_FAILED || st->state == VIEW_STATE_MISSING || st->state == VIEW_STATE_SUSPENDED ||
	       st->result == VIEW_RESULT_FAILED || st->result == VIEW_RESULT_UPSTREAM_FAILED;
}

static bool is_selected(const struct selection *s, struct engine *eng, const struct view *view)
{
	if (s->database != NULL && strcmp(view_database(view), s->database) != 0)
		return false;
	if (!s->failed && !s->stale && s->tag == NULL)
		return true;
	struct view_status st = {0};
	engine_status(eng, view, &st);
	if (s->tag != NULL && !has_tag(st.conf, s->tag))
		return false;
	return (!s->failed && !s->stale) || (s->failed && is_failed(&st)) ||
	       (s->stale && st.freshness == VIEW_FRESHNESS_STALE);
}

static void put_listed(struct listing *l, const struct listed *key, struct text_out *out)
{
	const struct view *view = engine_view(l->engine, key->name, key->database);
	if (view == NULL || !is_selected(&l->selection, l->engine, view))
		return;
	text_out_raw(out, l->any ? ",\n" : "");
	json_status_put(out, l->engine, view, l->fields);
	l->any = true;
}

static enum call_more fill_listing(void *ctx, struct text_out *out)
{
	struct listing *l = ctx;
	size_t until = l->next + PIECE_VIEWS < l->n ? l->next + PIECE_VIEWS : l->n;
	text_out_raw(out, l->next == 0 ? "[" : "\n"); /* a piece holds something */
	while (l->next < until && out->len < PIECE)
		put_listed(l, &l->views[l->next++], out);
	if (l->next < l->n)
		return CALL_MORE;
	text_out_raw(out, "]\n");
	return CALL_END;
}

void cmd_status(struct call *call)
{
	struct view **views;
	size_t n;
	const struct args *args = call_args(call);
	uint64_t fields = JSON_STATUS_ALL;
	struct viewd_err err = {0};
	if (args_text(args, "fields") != NULL && !json_status_choose(args_text(args, "fields"), &fields, &err)) {
		call_reply_as(call, 400, call_error_body("usage", &err));
		return;
	}
	if (!call_views_or_patterns(call, &views, &n))
		return;
	struct listing *l = mem_new(call, struct listing);
	l->engine = call_ctl(call)->engine;
	l->fields = fields;
	l->selection = (struct selection){.failed = args_flag(args, "failed"),
	                                  .stale = args_flag(args, "stale"),
	                                  .tag = args_text(args, "tag"),
	                                  .database = args_text(args, "database")};
	l->views = mem_array(l, struct listed, n);
	for (l->n = 0; l->n < n; l->n++)
		l->views[l->n] = (struct listed){mem_strdup(l->views, view_name(views[l->n])),
		                                 mem_strdup(l->views, view_database(views[l->n]))};
	const struct call_stream stream = {.content_type = "application/json", .fill = fill_listing, .ctx = l};
	call_stream(call, &stream);
}

static void add_setting(void *ctx, const struct conf_setting *setting)
{
	json_t *one = json_object();
	json_object_set_new(one, "key", json_text(setting->key));
	json_object_set_new(one, "value", json_text(setting->value));
	json_object_set_new(one, "origin", json_text(setting->origin));
	json_array_append_new(ctx, one);
}

void cmd_show(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views(call, false, &views, &n))
		return;
	struct engine *eng = call_ctl(call)->engine;
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, json_view(eng, views[i]));
	struct view_status st = {0};
	engine_status(eng, views[0], &st);
	json_t *settings = json_array();
	conf_show_view(engine_conf(eng), st.conf, add_setting, settings);
	json_t *body = json_reply();
	json_object_set_new(body, "views", list);
	json_object_set_new(body, "settings", settings);
	call_reply(call, body);
}

static void why_line(void *ctx, const char *line)
{
	json_array_append_new(ctx, json_text(line));
}

void cmd_why(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views(call, false, &views, &n))
		return;
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *lines = json_array();
		engine_why(call_ctl(call)->engine, views[i], why_line, lines);
		json_t *one = json_object();
		json_object_set_new(one, "view", json_text(view_label(views[i])));
		json_object_set_new(one, "lines", lines);
		json_array_append_new(list, one);
	}
	json_t *body = json_reply();
	json_object_set_new(body, "views", list);
	call_reply(call, body);
}

void cmd_info(struct call *call)
{
	struct engine_counts c = {0};
	engine_counts(call_ctl(call)->engine, &c);
	json_t *body = json_reply();
	json_object_set_new(body, "version", json_text(call_ctl(call)->version));
	json_object_set_new(body, "started", json_time(c.started_us));
	json_object_set_new(body, "generation", json_integer(c.generation));
	json_object_set_new(body, "views", json_integer((json_int_t)c.views));
	json_object_set_new(body, "databases", json_integer((json_int_t)c.databases));
	json_object_set_new(body, "databases_down", json_integer((json_int_t)c.databases_down));
	json_object_set_new(body, "running", json_integer((json_int_t)c.running));
	json_object_set_new(body, "waiting", json_integer((json_int_t)c.waiting));
	json_object_set_new(body, "stuck_workers", json_integer((json_int_t)c.stuck_workers));
	json_object_set_new(body, "runs", json_integer(c.runs));
	json_object_set_new(body, "failures", json_integer(c.failures));
	call_reply(call, body);
}
