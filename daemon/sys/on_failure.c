/* SPDX-License-Identifier: MIT */
#include "sys/on_failure.h"

#include "base/clock.h"
#include "base/command.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "core/report/observe.h"
#include "work/program.h"
#include "work/worker.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define FACTS_MAX 32

/* A failure that is to be told, or is being told. */
struct notice {
	struct worker_task task;
	struct on_failure *hooks;
	char *view, *database;
	struct viewd_err err; /* the last failure */
	bool noted;           /* not told yet */
	bool of_run;          /* not only of setting the view up */
	bool running;
	struct program program;
	bool good; /* the program's end */
	struct viewd_err end;
	void *mem; /* of the program that runs */
	UT_hash_handle hh;
	char key[]; /* "database:view" */
};

struct on_failure {
	struct worker_pool *pool;
	struct engine *eng;
	struct engine_observer observer;
	struct loop_timer *timer;
	struct notice *notices;
	size_t n_running;
	int stop_fd;
	uint64_t files_max;
	bool stopping;
	loop_fn *idle;
	void *idle_ctx;
};

/* ---- the environment --------------------------------------------------------------------------------------------- */

struct facts {
	char **env;
	size_t n;
};

static void add(struct facts *facts, const char *name, const char *value)
{
	if (value != NULL && value[0] != '\0' && facts->n < FACTS_MAX)
		facts->env[facts->n++] = mem_printf(facts->env, "%s=%s", name, value);
}

/* Passwords may stand in what a server or a client library says. */
static void add_redacted(struct facts *facts, const char *name, const char *value)
{
	char *text = mem_strdup(facts->env, value);
	err_redact(text);
	add(facts, name, text);
}

static void add_time(struct facts *facts, const char *name, int64_t wall_us)
{
	char buf[32];
	if (wall_us != 0)
		add(facts, name, clock_format(wall_us, buf, sizeof buf));
}

/* The own environment of viewd may hold secrets (PGPASSWORD, CREDENTIALS_DIRECTORY): only names from here go on. */
static void add_inherited(struct facts *facts)
{
	static const char *const names[] = {"HOME", "USER", "LOGNAME", "LANG", "TZ", "TMPDIR"};
	add(facts, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		add(facts, names[i], getenv(names[i]));
}

static void add_error(struct facts *facts, const struct viewd_err *err)
{
	char code[16];
	add(facts, "VIEWD_ERROR_CLASS", err_class_word(err->cls));
	add(facts, "VIEWD_ERROR_CODE", err_code(err, code));
	add_redacted(facts, "VIEWD_ERROR_MESSAGE", err->msg);
	add_redacted(facts, "VIEWD_ERROR_HINT", err->hint);
}

/* Setting a view up is no run: the last run may have succeeded long ago. */
static void add_result(struct facts *facts, const struct view_status *st, bool of_run)
{
	long long errors = st->consecutive_errors;
	enum view_result result = of_run ? st->result : VIEW_RESULT_FAILED;
	if (result != VIEW_RESULT_NONE)
		add(facts, "VIEWD_RESULT", view_result_word(result));
	if (of_run && st->trigger != VIEW_TRIGGER_NONE)
		add(facts, "VIEWD_TRIGGER", view_trigger_word(st->trigger));
	add(facts, "VIEWD_CONSECUTIVE_ERRORS", mem_printf(facts->env, "%lld", of_run || errors > 0 ? errors : 1));
}

static char **environment(void *mem_ctx, const struct view_status *st, const struct notice *notice)
{
	struct facts facts = {.env = mem_array(mem_ctx, char *, FACTS_MAX + 1)};
	add_inherited(&facts);
	add(&facts, "VIEWD_VIEW", st->name);
	add(&facts, "VIEWD_DATABASE", st->database->name);
	add(&facts, "VIEWD_RELATION", st->relation);
	add(&facts, "VIEWD_STATE", view_state_word(st->state));
	add_result(&facts, st, notice->of_run);
	add_error(&facts, &notice->err);
	add_time(&facts, "VIEWD_LAST_REFRESH_TIME", st->last_refresh_us);
	add_time(&facts, "VIEWD_LAST_SUCCESS_TIME", st->last_success_us);
	add_time(&facts, "VIEWD_NEXT_REFRESH_TIME", st->next_refresh_us);
	add(&facts, "VIEWD_OWNER", st->conf->owner);
	add(&facts, "VIEWD_DESCRIPTION", st->conf->description);
	return facts.env;
}

/* ---- one program ------------------------------------------------------------------------------------------------- */

static void forget(struct on_failure *hooks, struct notice *notice)
{
	HASH_DEL(hooks->notices, notice);
	talloc_free(notice);
}

static void run(struct worker_task *task)
{
	struct notice *notice = CONTAINER_OF(task, struct notice, task);
	notice->good = program_run(&notice->program, &notice->end);
}

static void done(struct worker_task *task)
{
	struct notice *notice = CONTAINER_OF(task, struct notice, task);
	struct on_failure *hooks = notice->hooks;
	if (notice->good)
		log_debug("view '%s', on_failure: %s has been told", notice->view, notice->program.argv[0]);
	else if (!hooks->stopping)
		log_warning("view '%s', on_failure: %s", notice->view, notice->end.msg);
	TALLOC_FREE(notice->mem);
	notice->running = false;
	hooks->n_running--;
	if (!notice->noted)
		forget(hooks, notice);
	if (!hooks->stopping)
		loop_timer_set(hooks->timer, 0);
	else if (hooks->n_running == 0 && hooks->idle != NULL)
		hooks->idle(hooks->idle_ctx);
}

/* False: nobody is to be told. */
static bool start(struct on_failure *hooks, struct notice *notice)
{
	const struct view *view = engine_view(hooks->eng, notice->view, notice->database);
	const struct conf *conf = engine_conf(hooks->eng);
	struct view_status st;
	struct viewd_err err;
	if (view == NULL || conf == NULL)
		return false;
	engine_status(hooks->eng, view, &st);
	if (st.conf->on_failure == NULL)
		return false;
	notice->mem = talloc_new(hooks);
	char **words = command_words(notice->mem, st.conf->on_failure, &err);
	if (words == NULL) {
		TALLOC_FREE(notice->mem);
		return false;
	}
	notice->program = (struct program){.argv = words,
	                                   .envp = environment(notice->mem, &st, notice),
	                                   .files_max = hooks->files_max,
	                                   .timeout_us = conf->daemon.on_failure_timeout,
	                                   .stop_fd = hooks->stop_fd};
	notice->task = (struct worker_task){.run = run, .done = done, .lasting = true};
	notice->noted = notice->of_run = false;
	notice->running = true;
	hooks->n_running++;
	worker_submit(hooks->pool, &notice->task);
	return true;
}

static void start_noted(void *ctx)
{
	struct on_failure *hooks = ctx;
	struct notice *notice, *next;
	HASH_ITER(hh, hooks->notices, notice, next)
	{
		if (hooks->stopping || hooks->n_running >= ON_FAILURE_PROGRAMS)
			return;
		if (!notice->running && notice->noted && !start(hooks, notice))
			forget(hooks, notice);
	}
}

/* ---- what is heard ----------------------------------------------------------------------------------------------- */

static bool is_failure(const struct engine_event *event)
{
	if (event->error == NULL || event->error->cls == VIEWD_ERR_OK)
		return false;
	if (event->kind == ENGINE_EVENT_RUN)
		return event->result == VIEW_RESULT_FAILED;
	return event->kind == ENGINE_EVENT_STATE &&
	       (event->state == VIEW_STATE_FAILED || event->state == VIEW_STATE_MISSING ||
	        event->state == VIEW_STATE_SUSPENDED);
}

static struct notice *notice_of(struct on_failure *hooks, const struct view *view)
{
	char *key = mem_printf(NULL, "%s:%s", view_database(view), view_name(view));
	struct notice *notice;
	HASH_FIND_STR(hooks->notices, key, notice);
	if (notice == NULL) {
		notice = mem_need(talloc_zero_size(hooks, sizeof *notice + strlen(key) + 1));
		memcpy(notice->key, key, strlen(key) + 1);
		notice->hooks = hooks;
		notice->view = mem_strdup(notice, view_name(view));
		notice->database = mem_strdup(notice, view_database(view));
		HASH_ADD_STR(hooks->notices, key, notice);
	}
	talloc_free(key);
	return notice;
}

/* One failure may tell twice, of the run and of the state: both are one notice by the next turn of the loop. */
static void on_event(void *ctx, const struct engine_event *event)
{
	struct on_failure *hooks = ctx;
	if (hooks->stopping || !is_failure(event))
		return;
	struct notice *notice = notice_of(hooks, event->view);
	notice->err = *event->error;
	notice->noted = true;
	notice->of_run |= event->kind == ENGINE_EVENT_RUN;
	loop_timer_set(hooks->timer, 0);
}

/* ---- life -------------------------------------------------------------------------------------------------------- */

struct on_failure *on_failure_new(struct loop *loop, struct worker_pool *pool, struct engine *eng, uint64_t files_max)
{
	struct on_failure *hooks = mem_new(NULL, struct on_failure);
	hooks->pool = pool;
	hooks->eng = eng;
	hooks->files_max = files_max;
	hooks->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	hooks->timer = loop_timer_new(loop, start_noted, hooks);
	hooks->observer = (struct engine_observer){.fn = on_event, .ctx = hooks};
	engine_observe(eng, &hooks->observer);
	return hooks;
}

void on_failure_stop(struct on_failure *hooks, loop_fn *idle, void *ctx)
{
	const uint64_t one = 1;
	hooks->stopping = true;
	hooks->idle = idle;
	hooks->idle_ctx = ctx;
	loop_timer_clear(hooks->timer);
	while (write(hooks->stop_fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

bool on_failure_idle(const struct on_failure *hooks)
{
	return hooks == NULL || hooks->n_running == 0;
}

void on_failure_free(struct on_failure **hooks)
{
	if (*hooks == NULL)
		return;
	struct on_failure *gone = *hooks;
	struct notice *notice, *next;
	*hooks = NULL;
	engine_unobserve(&gone->observer);
	loop_timer_free(&gone->timer);
	if (gone->n_running > 0)
		return;
	HASH_ITER(hh, gone->notices, notice, next)
	forget(gone, notice);
	close(gone->stop_fd);
	talloc_free(gone);
}
