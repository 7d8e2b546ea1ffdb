/* SPDX-License-Identifier: MIT
 *
 * cmd_history.c: past runs of one view, of several or of all, together.
 */
#include "ctl/call/handlers.h"

#include "base/err.h"
#include "base/mem.h"
#include "ctl/answer/json.h"

#include <stdlib.h>
#include <string.h>

struct past_run {
	int64_t started_us;
	json_t *json;
};

struct history_call {
	struct call *call;
	struct history_of {
		struct history_call *all;
		char *label, *database;
	} * views;
	size_t n_left;
	size_t limit;
	struct past_run *runs;
	size_t n_runs;
	json_t *errors; /* one a database */
	struct viewd_err first_error;
};

static int newest_first(const void *a, const void *b)
{
	const struct past_run *x = a, *y = b;
	return (x->started_us < y->started_us) - (x->started_us > y->started_us);
}

static void reply(struct history_call *h)
{
	json_t *list = json_array(), *body = json_reply();
	if (h->n_runs > 1)
		qsort(h->runs, h->n_runs, sizeof *h->runs, newest_first);
	for (size_t i = 0; i < h->n_runs; i++)
		if (i < h->limit)
			json_array_append_new(list, h->runs[i].json);
		else
			json_decref(h->runs[i].json);
	h->n_runs = 0;
	const char *const *names;
	size_t n_names = args_list(call_args(h->call), "view", &names);
	json_object_set_new(body, "view", json_text(n_names == 1 ? names[0] : NULL));
	json_object_set_new(body, "runs", list);
	json_object_set(body, "errors", h->errors);
	json_decref(h->errors);
	call_reply(h->call, body);
}

static void note_error(struct history_call *h, const char *database, const struct viewd_err *err)
{
	size_t i;
	json_t *known;
	if (h->first_error.cls == VIEWD_ERR_OK)
		h->first_error = *err;
	json_array_foreach(h->errors, i, known)
		if (strcmp(json_string_value(json_object_get(known, "database")), database) == 0)
			return;
	json_t *one = json_object();
	json_object_set_new(one, "database", json_text(database));
	json_object_set_new(one, "error", json_err(err));
	json_array_append_new(h->errors, one);
}

static void take_runs(struct history_of *of, const struct viewd_history_row *rows, size_t n)
{
	struct history_call *h = of->all;
	h->runs = mem_grow(h, h->runs, struct past_run, h->n_runs + n);
	for (size_t i = 0; i < n; i++) {
		json_t *run = json_history_row(&rows[i]);
		json_object_set_new(run, "view", json_text(of->label));
		h->runs[h->n_runs++] = (struct past_run){rows[i].started_us, run};
	}
}

static void done(void *ctx, const struct viewd_history_row *rows, size_t n, const struct viewd_err *err)
{
	struct history_of *of = ctx;
	struct history_call *h = of->all;
	bool failed = err != NULL && err->cls != VIEWD_ERR_OK;
	if (failed)
		note_error(h, of->database, err);
	else if (n > 0)
		take_runs(of, rows, n);
	if (--h->n_left > 0)
		return;
	if (h->n_runs > 0 || h->first_error.cls == VIEWD_ERR_OK) {
		reply(h);
		return;
	}
	json_decref(h->errors);
	call_fail(h->call, &h->first_error);
}

void cmd_history(struct call *call)
{
	struct view **views;
	size_t n;
	if (!call_views_or_patterns(call, &views, &n))
		return;
	struct history_call *h = mem_new(call, struct history_call);
	h->call = call;
	h->limit = (size_t)args_number(call_args(call), "limit", 20);
	h->errors = json_array();
	h->views = mem_array(h, struct history_of, n);
	h->n_left = n;
	if (n == 0) {
		reply(h);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		h->views[i] = (struct history_of){h, mem_strdup(h->views, view_label(views[i])),
		                                  mem_strdup(h->views, view_database(views[i]))};
		engine_history(call_ctl(call)->engine, views[i], (int)h->limit, done, &h->views[i]);
	}
}
