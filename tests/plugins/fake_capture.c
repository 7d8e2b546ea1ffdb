/* SPDX-License-Identifier: MIT
 *
 * fake_capture.c: change capture of the fake dialect. Marks are kept as ADR 002 asks for: dirty counts of each (view,
 * source), settled by refreshes with what they read before the data. A hint only wakes; a deaf watch still finds every
 * mark when it looks.
 */
#include "plugins/fake_private.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

struct fake_mark {
	char *source;
	int64_t dirty, clean;
};

struct fake_capture {
	char *view;
	struct fake_mark *rows;
	size_t n;
	struct fake_capture *next; /* of its bucket */
};

struct fake_request {
	struct fake_request *next;
	char view[];
};

struct viewd_watch {
	struct fake_server *server;
	const struct viewd_host *host;
	char *database;
	unsigned epoch, hints;
	bool looked, woken;
};

/* With a control file it has to be looked at now and then. */
#define SLICE_US 20000

/* ---- marks ------------------------------------------------------------------------------------------------------ */

static struct fake_capture **place_of(struct fake_server *s, const char *view)
{
	struct fake_capture **link = &s->captures[fake_hash(0, view) % FAKE_BUCKETS];
	while (*link != NULL && strcmp((*link)->view, view) != 0)
		link = &(*link)->next;
	return link;
}

static void free_capture(struct fake_capture *c)
{
	for (size_t i = 0; i < c->n; i++)
		free(c->rows[i].source);
	free(c->rows);
	free(c->view);
	free(c);
}

void fake_uncapture(struct fake_server *s, const char *view)
{
	struct fake_capture **link = place_of(s, view), *c = *link;
	if (c == NULL)
		return;
	*link = c->next;
	free_capture(c);
}

void fake_free_captures(struct fake_server *s)
{
	for (size_t i = 0; i < FAKE_BUCKETS; i++)
		while (s->captures[i] != NULL) {
			struct fake_capture *c = s->captures[i];
			s->captures[i] = c->next;
			free_capture(c);
		}
	while (s->requests != NULL) {
		struct fake_request *r = s->requests;
		s->requests = r->next;
		free(r);
	}
}

bool fake_is_captured(struct fake_server *s, const char *view)
{
	return *place_of(s, view) != NULL;
}

static int64_t sum(const struct fake_capture *c, bool clean)
{
	int64_t n = 0;
	for (size_t i = 0; i < c->n; i++)
		n += clean ? c->rows[i].clean : c->rows[i].dirty;
	return n;
}

static bool is_among(const struct viewd_group_item *const *items, size_t n, const char *view)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(items[i]->view->name, view) == 0)
			return true;
	return false;
}

void fake_touch(struct fake_server *s, const char *source, const struct viewd_group_item *const *but, size_t n_but)
{
	for (size_t b = 0; b < FAKE_BUCKETS; b++)
		for (struct fake_capture *c = s->captures[b]; c != NULL; c = c->next)
			for (size_t i = 0; i < c->n && !is_among(but, n_but, c->view); i++)
				if (strcmp(c->rows[i].source, source) == 0)
					c->rows[i].dirty++;
	s->hints += !s->deaf;
	fake_wake();
}

void fake_rewind_marks(struct fake_server *s)
{
	for (size_t b = 0; b < FAKE_BUCKETS; b++)
		for (struct fake_capture *c = s->captures[b]; c != NULL; c = c->next)
			for (size_t i = 0; i < c->n; i++) {
				c->rows[i].dirty = 1;
				c->rows[i].clean = 0;
			}
	s->hints += !s->deaf;
	fake_wake();
}

struct fake_seen fake_read_marks(struct fake_server *s, const char *view)
{
	struct fake_seen seen = {.seq = 0};
	const struct fake_capture *c = *place_of(s, view);
	for (size_t i = 0; c != NULL && i < c->n && i < FAKE_SEEN; i++)
		seen.dirty[seen.n++] = c->rows[i].dirty;
	seen.seq = c != NULL ? sum(c, false) : 0;
	return seen;
}

void fake_settle_marks(struct fake_server *s, const char *view, const struct fake_seen *seen)
{
	struct fake_capture *c = *place_of(s, view);
	for (size_t i = 0; c != NULL && i < c->n && i < seen->n; i++)
		if (seen->dirty[i] > c->rows[i].clean)
			c->rows[i].clean = seen->dirty[i];
}

/* The rows of a view become exactly these; those that stay keep their counts. */
static void register_rows(struct fake_server *s, const char *view, const struct viewd_capture_request *req)
{
	struct fake_capture **link = place_of(s, view), *old = *link;
	struct fake_capture *c = calloc(1, sizeof *c);
	size_t n_base = req->n_names > 0 ? req->n_names : req->n_sources;
	c->view = strdup(view);
	c->rows = calloc(n_base + req->n_kept + 1, sizeof *c->rows);
	for (size_t i = 0; i < n_base; i++)
		c->rows[c->n++] =
			(struct fake_mark){.source = strdup(req->n_names > 0 ? req->names[i] : req->sources[i].name), .dirty = 1};
	for (size_t i = 0; i < req->n_kept; i++)
		c->rows[c->n++] = (struct fake_mark){.source = strdup(req->kept[i].name), .dirty = 1};
	for (size_t i = 0; i < c->n; i++)
		for (size_t k = 0; old != NULL && k < old->n; k++)
			if (strcmp(c->rows[i].source, old->rows[k].source) == 0) {
				c->rows[i].dirty = old->rows[k].dirty;
				c->rows[i].clean = old->rows[k].clean;
			}
	c->next = old != NULL ? old->next : NULL;
	*link = c;
	if (old != NULL)
		free_capture(old);
}

/* Nothing hears tables whose name begins with t_unheard. */
static void tell_dependencies(const struct viewd_capture_request *req)
{
	for (size_t i = 0; i < req->n_sources + req->n_kept; i++) {
		bool kept = i >= req->n_sources;
		const char *name = kept ? req->kept[i - req->n_sources].name : req->sources[i].name;
		bool unheard = strncmp(name, "t_unheard", strlen("t_unheard")) == 0;
		const struct viewd_dependency row = {.struct_size = sizeof row,
		                                     .kind = unheard ? VIEWD_DEPENDS_FUNCTION : VIEWD_DEPENDS_TABLE,
		                                     .name = name,
		                                     .heard_by = unheard ? VIEWD_HEARD_NONE
		                                                 : kept  ? VIEWD_HEARD_KEPT
		                                                         : VIEWD_HEARD_TRIGGER,
		                                     .reason = unheard ? "the fake cannot hear it" : NULL};
		if (!req->dependencies.fn(req->dependencies.ctx, &row))
			return;
	}
}

bool fake_capture(struct viewd_conn *conn, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
                  struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	fake_lock();
	struct fake_server *s = conn->server;
	bool ok = fake_enter(s, conn, FAKE_capture, view->name, err);
	if (ok) {
		*out = (struct viewd_captured){.mode = req->mode};
		if (req->mode == VIEWD_CAPTURE_NONE)
			fake_uncapture(s, view->name);
		else {
			register_rows(s, view->name, req);
			tell_dependencies(req);
			out->mode = VIEWD_CAPTURE_TRIGGER;
			snprintf(out->reason, sizeof out->reason, "the fake knows no other way");
			if (req->n_sources + req->n_kept + req->n_names == 0)
				warnings.fn(warnings.ctx, "it reads nothing that could change");
		}
		s->hints += !s->deaf;
		fake_wake();
		fake_leave(conn);
	}
	fake_unlock();
	return ok;
}

/* ---- commands --------------------------------------------------------------------------------------------------- */

void fake_request_refresh(struct fake_server *s, const char *view)
{
	struct fake_request *r = calloc(1, sizeof *r + strlen(view) + 1), **end = &s->requests;
	memcpy(r->view, view, strlen(view) + 1);
	while (*end != NULL)
		end = &(*end)->next;
	*end = r;
	s->hints += !s->deaf;
}

void fake_storm(struct fake_server *s, const char *source, long times)
{
	talloc_free(s->storm);
	s->storm = talloc_strdup(s, source);
	s->storm_left = times;
	s->hints += !s->deaf;
}

void fake_lag(struct fake_server *s, bool behind)
{
	s->behind = behind;
	s->hints++;
	fake_wake();
}

size_t fake_stale(const char *server)
{
	size_t n = 0;
	fake_lock();
	const struct fake_server *s = fake_server_named(server);
	for (size_t b = 0; b < FAKE_BUCKETS; b++)
		for (const struct fake_capture *c = s->captures[b]; c != NULL; c = c->next)
			n += sum(c, false) > sum(c, true);
	fake_unlock();
	return n;
}

char *fake_captured_sources(void *mem_ctx, const char *server, const char *view)
{
	fake_lock();
	const struct fake_capture *c = *place_of(fake_server_named(server), view);
	char *text = talloc_strdup(mem_ctx, c == NULL ? "-" : "");
	for (size_t i = 0; c != NULL && i < c->n; i++)
		text = talloc_asprintf_append_buffer(text, "%s%s", i > 0 ? " " : "", c->rows[i].source);
	fake_unlock();
	return text;
}

/* ---- the watch -------------------------------------------------------------------------------------------------- */

struct viewd_watch *fake_watch_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err)
{
	struct viewd_watch *w = NULL;
	fake_lock();
	struct fake_server *s = fake_server_of_url(db->url);
	bool ok = fake_enter(s, NULL, FAKE_watch_open, db->name, err);
	if (ok && s->down != VIEWD_ERR_OK)
		ok = err_set(err, s->down, "server '%s' is down", s->name);
	if (ok && (s->rival || (s->watch != NULL && s->watch->epoch == s->watch_epoch)))
		ok = err_set(err, VIEWD_ERR_STANDBY, "another viewd keeps this database");
	if (ok) {
		w = talloc_zero(NULL, struct viewd_watch);
		w->server = s;
		w->host = host;
		w->database = talloc_strdup(w, db->name);
		w->epoch = s->watch_epoch;
		s->watch = w;
		s->n_watches++;
	}
	fake_unlock();
	return w;
}

static void wait_for_hint(struct viewd_watch *w, int64_t timeout_us)
{
	struct fake_server *s = w->server;
	for (int64_t end = fake_mono() + timeout_us, left; (left = end - fake_mono()) > 0;) {
		if (w->woken || w->hints != s->hints || w->epoch != s->watch_epoch)
			return;
		fake_wait(s->control != NULL && left > SLICE_US ? SLICE_US : left);
		fake_obey_control(s);
	}
}

/* One write of the storm's table: every view that reads it is told. */
static bool tell_write(struct fake_server *s, struct viewd_signal_sink signals)
{
	bool more = true;
	for (size_t b = 0; b < FAKE_BUCKETS && more; b++)
		for (const struct fake_capture *c = s->captures[b]; c != NULL && more; c = c->next)
			for (size_t i = 0; i < c->n && more; i++)
				if (strcmp(c->rows[i].source, s->storm) == 0) {
					c->rows[i].dirty++;
					const struct viewd_signal signal = {.struct_size = sizeof signal,
					                                    .kind = VIEWD_SIGNAL_STALE,
					                                    .view = c->view,
					                                    .seq = sum(c, false)};
					more = signals.fn(signals.ctx, &signal);
				}
	return more;
}

/* The writes of a storm that are told at once, before others get a turn. */
#define STORM_SLICE 1000

static bool tell_storm(struct fake_server *s, struct viewd_signal_sink signals)
{
	bool more = true;
	for (int i = 0; i < STORM_SLICE && s->storm_left > 0 && more; i++, s->storm_left--)
		more = tell_write(s, signals);
	s->hints += s->storm_left > 0;
	return more;
}

static bool tell_all(struct viewd_watch *w, struct viewd_signal_sink signals)
{
	struct fake_server *s = w->server;
	bool more = s->storm_left == 0 || tell_storm(s, signals);
	for (size_t b = 0; b < FAKE_BUCKETS && more; b++)
		for (const struct fake_capture *c = s->captures[b]; c != NULL && more; c = c->next) {
			const struct viewd_signal signal = {
				.struct_size = sizeof signal, .kind = VIEWD_SIGNAL_STALE, .view = c->view, .seq = sum(c, false)};
			more = sum(c, true) == signal.seq || signals.fn(signals.ctx, &signal);
		}
	while (s->requests != NULL && more) {
		struct fake_request *r = s->requests;
		const struct viewd_signal signal = {
			.struct_size = sizeof signal, .kind = VIEWD_SIGNAL_REQUEST, .view = r->view};
		s->requests = r->next;
		more = signals.fn(signals.ctx, &signal);
		free(r);
	}
	return more;
}

static void tell_redefined(struct fake_server *s, struct viewd_signal_sink signals)
{
	for (size_t b = 0; b < FAKE_BUCKETS && s->redefined != NULL; b++)
		for (const struct fake_capture *c = s->captures[b]; c != NULL; c = c->next)
			for (size_t i = 0; i < c->n; i++)
				if (strcmp(c->rows[i].source, s->redefined) == 0)
					signals.fn(signals.ctx,
					           &(const struct viewd_signal){.kind = VIEWD_SIGNAL_REDEFINED, .view = c->view});
	TALLOC_FREE(s->redefined);
}

static void tell_behind(struct viewd_watch *w, struct viewd_signal_sink signals)
{
	const struct viewd_signal signal = {.struct_size = sizeof signal, .kind = VIEWD_SIGNAL_BEHIND, .view = ""};
	signals.fn(signals.ctx, &signal);
	fake_wait(SLICE_US);
	w->looked = false; /* the next round goes on at once */
}

bool fake_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals, struct viewd_err *err)
{
	fake_lock();
	struct fake_server *s = w->server;
	if (w->looked)
		wait_for_hint(w, timeout_us);
	w->looked = true;
	w->woken = false;
	w->hints = s->hints;
	bool ok = fake_enter(s, NULL, FAKE_watch_next, w->database, err);
	if (ok && w->epoch != s->watch_epoch)
		ok = err_set(err, VIEWD_ERR_LOST, "the connection to server '%s' broke", s->name);
	if (ok && s->behind)
		tell_behind(w, signals);
	else if (ok) {
		tell_redefined(s, signals);
		tell_all(w, signals);
	}
	fake_unlock();
	return ok;
}

void fake_watch_wake(struct viewd_watch *w)
{
	fake_lock();
	w->woken = true;
	fake_wake();
	fake_unlock();
}

void fake_watch_close(struct viewd_watch **watch)
{
	struct viewd_watch *w = *watch;
	if (w == NULL)
		return;
	*watch = NULL;
	fake_lock();
	if (w->server->watch == w)
		w->server->watch = NULL;
	w->server->n_watches--;
	fake_unlock();
	talloc_free(w);
}
