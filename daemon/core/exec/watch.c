/* SPDX-License-Identifier: MIT */
#include "core/exec/watch.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/snapshot/login.h"
#include "core/exec/exec.h"

#include <poll.h>
#include <stdatomic.h>
#include <string.h>

/* A watch returns at least this often, so that a stop is noticed even by a dialect that lost its wake-up. */
#define ROUND (30 * SPAN_SECOND)
/* Each look tells of every stale view. While thousands are set up or wait for their turn, each wake-up would tell of
 * all of them again, so a look that told of many is followed by a pause of so much for each. */
#define MANY_TOLD 100
#define PAUSE_EACH INT64_C(20) /* microseconds */
#define PAUSE_MAX (250 * SPAN_MS)

struct watcher {
	struct worker_task task;
	struct engine *eng;
	LIST_ENTRY(watcher) link;
	struct database *db; /* NULL once stopped; loop side only */
	const struct viewd_dialect *dialect;
	struct conf *conf;
	const struct conf_database *conf_db;
	struct viewd_watch *watch; /* set by the thread before it sends `opened`; used by the loop after that */
	bool opened;               /* loop side */
	int64_t told;              /* thread side: signals in this round */
	bool looked;               /* thread side: the first look, which tells what happened before, is over */
	bool behind;               /* thread side: a look has been begun, and is not */
	_Atomic bool stop;
	_Atomic uint64_t asked; /* number of the last question: a look that begins after it and succeeds is to be told */
	struct viewd_err err;
};

/* News that the thread tells the loop. */
enum note_kind { NOTE_OPENED, NOTE_SIGNAL, NOTE_LOOKED, NOTE_BEHIND };
struct watch_note {
	struct worker_note note;
	struct watcher *watcher;
	enum note_kind what;
	enum viewd_signal_kind kind;
	int64_t seq;
	bool old;    /* from before the watch began */
	char view[]; /* name */
};

/* ---- loop side -------------------------------------------------------------------------------------------------- */

static void receive(struct worker_note *note)
{
	struct watch_note *n = CONTAINER_OF(note, struct watch_note, note);
	struct watcher *w = n->watcher;
	if (w->db != NULL && n->what == NOTE_OPENED) {
		w->opened = true;
		watch_adopt_conf(w->db);
		if (w->db->watch.asked > w->db->watch.answered)
			watch_wake(w->db); /* the look under way may have begun before that */
		w->eng->news.exec->watch_opened(w->db);
	} else if (n->what == NOTE_OPENED)
		w->dialect->capture->watch_wake(w->watch); /* stopped before this was known: it may wait already */
	else if (w->db != NULL && n->what == NOTE_LOOKED)
		w->eng->news.exec->watch_looked(w->db, (uint64_t)n->seq);
	else if (w->db != NULL && n->what == NOTE_BEHIND)
		w->eng->news.exec->watch_behind(w->db);
	else if (w->db != NULL)
		w->eng->news.exec->watch_signal(
			w->db, &(struct watch_signal){.kind = n->kind, .view = n->view, .seq = n->seq, .old = n->old});
	free(n);
}

/* ---- the thread ------------------------------------------------------------------------------------------------- */

/* Notes are malloc'ed: made on one thread, freed on another, thousands in a storm. */
static struct watch_note *note_new(struct watcher *w, const char *view)
{
	size_t len = strlen(view) + 1;
	struct watch_note *n = mem_need(calloc(1, sizeof *n + len));
	memcpy(n->view, view, len);
	n->watcher = w;
	n->note.fn = receive;
	return n;
}

static void tell_note(struct watcher *w, enum note_kind what, uint64_t number)
{
	struct watch_note *n = note_new(w, "");
	n->what = what;
	n->seq = (int64_t)number;
	worker_send(w->eng->pool, &n->note);
}

static bool tell_signal(void *ctx, const struct viewd_signal *signal)
{
	struct watcher *w = ctx;
	if (signal->kind == VIEWD_SIGNAL_BEHIND) {
		w->behind = true;
		return !w->stop;
	}
	struct watch_note *n = note_new(w, signal->view);
	n->what = NOTE_SIGNAL;
	n->kind = signal->kind;
	n->seq = signal->seq;
	n->old = !w->looked;
	w->told++;
	worker_send(w->eng->pool, &n->note);
	return !w->stop;
}

static bool open_watch(struct watcher *w)
{
	struct login login;
	if (login_begin(&login, w->conf_db, "watch", &w->err))
		w->watch = w->dialect->capture->watch_open(&w->eng->open.sessions.watch_host, &login.spec, &w->err);
	login_end(&login);
	return w->watch != NULL;
}

static void pause_after(int64_t told)
{
	int64_t us = told * PAUSE_EACH;
	if (told > MANY_TOLD)
		poll(NULL, 0, (int)((us < PAUSE_MAX ? us : PAUSE_MAX) / SPAN_MS));
}

/* Takes rounds until everything is told that was committed before the look began. Questions that come meanwhile are
 * answered by the next look. */
static bool take_look(struct watcher *w, uint64_t *answered)
{
	struct viewd_signal_sink sink = {.fn = tell_signal, .ctx = w};
	uint64_t asked = w->asked; /* before the look: an older one is no answer */
	bool was_behind = false;
	if (asked != *answered)
		w->dialect->capture->watch_wake(w->watch); /* the first one may have ended the round before */
	do {
		w->behind = false;
		if (w->stop || !w->dialect->capture->watch_next(w->watch, ROUND, sink, &w->err))
			return false;
		if (w->behind)
			tell_note(w, NOTE_BEHIND, 0);
		was_behind |= w->behind;
		pause_after(w->told);
		w->told = 0;
	} while (w->behind);
	if (asked != *answered || was_behind || !w->looked)
		tell_note(w, NOTE_LOOKED, asked);
	*answered = asked;
	w->looked = true;
	return true;
}

static void watch_run(struct worker_task *task)
{
	struct watcher *w = CONTAINER_OF(task, struct watcher, task);
	uint64_t answered = 0;
	if (w->stop || !open_watch(w))
		return;
	tell_note(w, NOTE_OPENED, 0);
	while (take_look(w, &answered))
		;
}

/* ---- ending ----------------------------------------------------------------------------------------------------- */

static void close_run(struct worker_task *task)
{
	struct watcher *w = CONTAINER_OF(task, struct watcher, task);
	w->dialect->capture->watch_close(&w->watch);
}

static void close_done(struct worker_task *task)
{
	struct watcher *w = CONTAINER_OF(task, struct watcher, task);
	struct engine *eng = w->eng;
	LIST_REMOVE(w, link);
	conf_unref(&w->conf);
	talloc_free(w);
	eng->news.exec->watch_closed(eng);
	eng->news.exec->session_closed(eng);
}

/* The thread has left watch_next for good: nobody wakes it any more, so it may be closed. */
static void watch_done(struct worker_task *task)
{
	struct watcher *w = CONTAINER_OF(task, struct watcher, task);
	struct database *db = w->db;
	struct viewd_err err = w->err;
	bool told = db != NULL && !w->stop;
	if (db != NULL)
		db->watch.watcher = NULL;
	w->db = NULL;
	if (w->watch != NULL) {
		w->task.run = close_run;
		w->task.done = close_done;
		worker_submit(w->eng->pool, &w->task);
	} else
		close_done(&w->task);
	if (told)
		db->eng->news.exec->watch_lost(db, &err);
}

void watch_start(struct database *db)
{
	struct watcher *w = mem_new(NULL, struct watcher);
	w->eng = db->eng;
	w->db = db;
	w->dialect = db->dialect;
	w->conf = conf_ref(db->eng->conf);
	w->conf_db = db->conf;
	w->asked = db->watch.asked; /* what a watch before it was asked for is answered by its first round */
	w->task = (struct worker_task){
		.run = watch_run,
		.done = watch_done,
		.threads = db->dialect->threads,
		.lasting = true,
	};
	file_hints_begin(db->eng->open.sessions.hints);
	db->watch.watcher = w;
	db->watch.looked = false;
	LIST_INSERT_HEAD(&db->eng->open.watchers, w, link);
	db->eng->count.sessions++;
	worker_submit(db->eng->pool, &w->task);
}

void watch_wake(struct database *db)
{
	if (db->watch.watcher != NULL && db->watch.watcher->opened)
		db->dialect->capture->watch_wake(db->watch.watcher->watch);
}

/* Until it is open its thread reads the section. */
void watch_adopt_conf(struct database *db)
{
	struct watcher *w = db->watch.watcher;
	if (w == NULL || !w->opened || w->conf_db == db->conf)
		return;
	conf_unref(&w->conf);
	w->conf = conf_ref(db->eng->conf);
	w->conf_db = db->conf;
}

uint64_t watch_ask_now(struct database *db)
{
	if (db->watch.watcher == NULL || !db->watch.watcher->opened)
		return 0;
	db->watch.watcher->asked = ++db->watch.asked;
	watch_wake(db);
	return db->watch.asked;
}

uint64_t watch_ask_lasting(struct database *db)
{
	db->watch.asked++;
	if (db->watch.watcher != NULL)
		db->watch.watcher->asked = db->watch.asked;
	watch_wake(db);
	return db->watch.asked;
}

/* Equal but for parameters: likely the same database, and so the same lock. */
static bool same_place(const char *url, const char *other)
{
	size_t len = strcspn(url, "?");
	return len == strcspn(other, "?") && strncmp(url, other, len) == 0;
}

bool watch_lingers(const struct database *db)
{
	const struct watcher *w;
	LIST_FOREACH(w, &db->eng->open.watchers, link)
		if (w->db == NULL && same_place(w->conf_db->url, db->conf->url))
			return true;
	return false;
}

void watch_stop(struct database *db)
{
	struct watcher *w = db->watch.watcher;
	if (w == NULL)
		return;
	db->watch.watcher = NULL;
	w->db = NULL;
	w->stop = true;
	if (w->opened)
		w->dialect->capture->watch_wake(w->watch);
}
