/* SPDX-License-Identifier: MIT
 *
 * why.c: tells people in sentences why an instance is as it is, and what comes next.
 */
#include "base/err.h"
#include "base/mem.h"
#include "base/span.h"
#include "base/words.h"
#include "core/model/edges.h"
#include "core/model/group.h"
#include "core/plan/due.h"
#include "core/plan/freshness.h"

#include <string.h>

struct speaker {
	void (*fn)(void *ctx, const char *line);
	void *ctx;
	void *mem;
};

static void say(struct speaker *sp, const char *fmt, ...) PRINTF_LIKE(2, 3);
static void say(struct speaker *sp, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *line = mem_need(talloc_vasprintf(sp->mem, fmt, ap));
	va_end(ap);
	sp->fn(sp->ctx, line);
}

static void say_unknown(void *ctx, const char *reason)
{
	say(ctx, "unknown: %s", reason);
}

static void why_state(struct speaker *sp, const struct view *v, const struct view_status *st)
{
	char text[32], code[16];
	say(sp, "state %s, %s", view_state_word(st->state), view_freshness_word(st->freshness));
	if (st->freshness == VIEW_FRESHNESS_STALE && st->lag_us >= 0)
		say(sp, "stale: a change of %s ago is not in it yet", span_human(st->lag_us, text, sizeof text));
	freshness_reasons(v, say_unknown, sp);
	if (freshness_help(v)[0] != '\0')
		say(sp, "help: %s", freshness_help(v));
	if (v->relation.method == VIEWD_METHOD_SIMPLE)
		say(sp, "a simple view is computed when it is read: it needs no refresh");
	else if (st->age_us >= 0)
		say(sp, "the last refresh that succeeded ended %s ago", span_human(st->age_us, text, sizeof text));
	else
		say(sp, "%s",
		    v->db->err != NULL ? "when it was filled last is known when the database answers"
		                       : "it has not been filled yet");
	if (st->error != NULL) {
		const char *c = err_code(st->error, code);
		say(sp, "last error: %s%s%s: %s", err_class_word(st->error->cls), c[0] != '\0' ? " " : "", c, st->error->msg);
		if (st->error->hint[0] != '\0')
			say(sp, "hint: %s", st->error->hint);
		say(sp, "%s: %s", err_class_word(st->error->cls), err_class_doc(st->error->cls));
	}
}

static const char *why_due(const struct view *v, const struct view_status *st)
{
	switch (v->timing.due_reason) {
	case DUE_SCHEDULE:
	case DUE_REASONS:
		break;
	case DUE_CATCH_UP:
		return "a scheduled time passed meanwhile";
	case DUE_STALENESS:
		return "max_staleness";
	case DUE_RETRY:
		return "retry after a failure";
	case DUE_CHANGE:
		return "a source changed";
	case DUE_REQUEST:
		return "asked for in SQL";
	}
	switch (v->timing.nominal.kind) {
	case SCHEDULE_EVERY:
		return "every";
	case SCHEDULE_AFTER:
		return "after";
	case SCHEDULE_CRON:
		return "cron";
	case SCHEDULE_LAG:
		return "target_lag";
	case SCHEDULE_NONE:
		break;
	}
	return st->schedule;
}

static void why_lag(struct speaker *sp, const struct view *v)
{
	char takes[32];
	int64_t expected = schedule_expected(&v->timing.past.runs);
	if (v->conf->target_lag == 0 || v->relation.method == VIEWD_METHOD_SIMPLE)
		return;
	if (expected >= v->conf->target_lag)
		say(sp, "target_lag cannot be kept: a refresh may take %s", span_human(expected, takes, sizeof takes));
	else if (freshness_is_followed(v) && v->change.first == 0)
		say(sp, "target_lag: no change since the last refresh, so none is due");
	else
		say(sp, "target_lag: a refresh is expected to take at most %s", span_human(expected, takes, sizeof takes));
}

static void why_next(struct speaker *sp, const struct view *v, const struct view_status *st, int64_t now)
{
	char in[32];
	if (v->paused)
		say(sp, "paused: only manual refreshes run; viewctl resume ends it");
	if (!v->conf->enabled)
		say(sp, "enabled = no: nothing is created, refreshed or dropped; enabled = yes and a reload end that");
	if (st->state == VIEW_STATE_SUSPENDED && v->failure.losses >= QUARANTINE_LOSSES)
		say(sp, "suspended: %d runs in a row broke the connection; viewctl resume, or a manual success, ends it",
		    v->failure.losses);
	else if (st->state == VIEW_STATE_SUSPENDED)
		say(sp,
		    "suspended: %d failures in a row reached max_consecutive_errors; viewctl resume, or a manual success, ends "
		    "it",
		    v->failure.consecutive);
	if (v->db->state == DB_DOWN && v->db->probing.next_mono > now)
		say(sp, "the database is tried again in %s; a refresh by hand tries at once",
		    span_human(v->db->probing.next_mono - now, in, sizeof in));
	if (due_mono(v) > 0)
		say(sp, "next: in %s (%s)", span_human(due_mono(v) > now ? due_mono(v) - now : 0, in, sizeof in),
		    why_due(v, st));
	else if (v->relation.method != VIEWD_METHOD_SIMPLE)
		say(sp, "next: nothing is scheduled (%s)", st->schedule);
	why_lag(sp, v);
	if (st->waits_for[0] != '\0')
		say(sp, "waits for %s", st->waits_for);
}

/* The log tells each of them once a database. */
static void why_warnings(struct speaker *sp, const struct view *v)
{
	for (const char *line = v->capture.warnings; line != NULL && *line != '\0';) {
		size_t len = strcspn(line, "\n");
		say(sp, "mind: %.*s", (int)len, line);
		line += len + (line[len] != '\0');
	}
}

static void why_mode(struct speaker *sp, const struct view *v, const struct view_status *st)
{
	if (v->relation.kept)
		say(sp, "kept as somebody else has made it (viewctl adopt): the definition in the files is not used until it "
		        "says the same; viewctl create --replace puts back what the files say");
	if (v->relation.method == VIEWD_METHOD_SIMPLE)
		return;
	say(sp, "method %s%s, refresh_mode %s", st->method,
	    (int)v->relation.method != v->conf->method ? " (materialized_as_table: this engine has no materialized views)"
	                                               : "",
	    st->refresh_mode);
	if (v->conf->on_change)
		say(sp, "on_change: %s", v->capture.reason != NULL ? v->capture.reason : "changes are not noticed yet");
	if (v->conf->on_change && v->conf->enabled)
		why_warnings(sp, v);
	if (st->did >= 0)
		say(sp, "the last refresh was %s%s%s", word_did((enum viewd_did)st->did), st->reason[0] != '\0' ? ": " : "",
		    st->reason);
}

/* Names of what is no relation begin with the word of their kind. */
static void say_dependency(struct speaker *sp, const struct view_dependency *row)
{
	const char *kind = word_depends(row->kind);
	bool named = strncmp(row->name, kind, strlen(kind)) == 0 && row->name[strlen(kind)] == ' ';
	say(sp, "depends on %s%s%s, heard by %s%s%s", named ? "" : kind, named ? "" : " ", row->name,
	    row->heard_by != VIEWD_HEARD_NONE ? word_heard(row->heard_by) : "nothing", row->reason != NULL ? ": " : "",
	    row->reason != NULL ? row->reason : "");
}

static void why_dependencies(struct speaker *sp, const struct view *v)
{
	const struct view_dependency *rows;
	size_t n = v->relation.method != VIEWD_METHOD_SIMPLE ? view_dependencies(v, &rows) : 0;
	for (size_t i = 0; i < n; i++)
		say_dependency(sp, &rows[i]);
}

static void why_upstream(struct speaker *sp, const struct view *v)
{
	struct view *const *up;
	size_t n = view_upstream(v, &up);
	for (size_t i = 0; i < n; i++)
		if (up[i]->last.result == VIEW_RESULT_FAILED || up[i]->last.result == VIEW_RESULT_UPSTREAM_FAILED)
			say(sp, "it reads view '%s', whose last refresh ended %s", up[i]->label,
			    view_result_word(up[i]->last.result));
		else
			say(sp, "it reads view '%s'", up[i]->label);
	if (v->graph.rank == GRAPH_CYCLIC)
		say(sp, "dependency cycle: %s", edges_cycle_text(v, sp->mem));
	char *guessed = v->reads.guesses != NULL && !v->relation.reconciled
	                    ? edges_guessed_cycle(v->eng->views[v->graph.node], sp->mem)
	                    : NULL;
	if (guessed != NULL)
		say(sp, "definitions mention each other: %s; if they read each other, none can be made first", guessed);
}

static void why_group(struct speaker *sp, const struct view *v)
{
	const struct group *g = v->graph.group;
	const struct view *held_by = group_held_by(v);
	char *others = mem_strdup(sp->mem, "");
	for (size_t i = 0; g != NULL && i < g->n; i++)
		if (g->views[i] != v)
			others =
				mem_need(talloc_asprintf_append(others, "%s'%s'", others[0] != '\0' ? ", " : "", g->views[i]->label));
	if (g != NULL && g->broken == NULL)
		say(sp, "refresh_group '%s': refreshed as one with %s", g->name, others);
	else if (g != NULL)
		say(sp, "refresh_group '%s' with %s cannot be refreshed: %s", g->name, others, g->broken);
	else if (v->conf->refresh_group != NULL && v->relation.method != VIEWD_METHOD_SIMPLE)
		say(sp, "refresh_group '%s': no other view is in it", v->conf->refresh_group);
	if (held_by != NULL)
		say(sp, "its group rests: view '%s' is %s", held_by->label, held_by->paused ? "paused" : "suspended");
}

void engine_why(struct engine *eng, const struct view *view, void (*fn)(void *ctx, const char *line), void *ctx)
{
	struct speaker sp = {.fn = fn, .ctx = ctx, .mem = talloc_new(NULL)};
	struct view_status st;
	engine_status(eng, view, &st);
	why_state(&sp, view, &st);
	why_mode(&sp, view, &st);
	why_dependencies(&sp, view);
	why_upstream(&sp, view);
	why_group(&sp, view);
	why_next(&sp, view, &st, engine_mono(eng));
	talloc_free(sp.mem);
}
