/* SPDX-License-Identifier: MIT */
#include "core/engine/uninstall.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/engine/aux.h"
#include "core/engine/database.h"
#include "core/exec/exec.h"
#include "core/exec/leave_run.h"
#include "core/exec/watch.h"

#include <string.h>

struct leaving {
	struct worker_task task;
	struct engine *eng;
	struct db *db; /* counted among its jobs: it outlives this */
	const struct viewd_dialect *dialect;
	struct conf *conf;
	const struct conf_database *conf_db;
	bool print;
	bool was_left; /* an earlier one had let it go already */
	bool begun;
	engine_leave_fn *done;
	void *ctx;
	LIST_ENTRY(leaving) link;

	/* out */
	const char **statements;
	size_t n;
	bool ok;
	struct viewd_err err;
};

static bool keep(void *ctx, const char *text)
{
	struct leaving *l = ctx;
	l->statements = mem_grow(l, l->statements, const char *, l->n + 1);
	l->statements[l->n++] = mem_strdup(l, text);
	return true;
}

static void leave_run(struct worker_task *task)
{
	struct leaving *l = CONTAINER_OF(task, struct leaving, task);
	l->ok = leave_carry_out(l->dialect, l->conf_db, l->print, (struct viewd_text_sink){.fn = keep, .ctx = l}, &l->err);
}

static void say_left(const char *database, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "database '%s', viewd has left it (viewctl uninstall): its views stay as they are",
	        database);
	err_hint(err, "take its sections out of the files; a restart of viewd, or another url, sets it up again");
}

/* Where nothing was taken out everything is as it was; where something was, it stays let go. */
static void settle(struct leaving *l)
{
	struct db *db = l->db;
	const char *name = l->conf_db->name;
	struct viewd_err now;
	if (l->ok) {
		log_info("database '%s', viewd has left it (%zu statements): its views stay as ordinary objects that nobody "
		         "refreshes", name, l->n);
		say_left(name, &now);
		database_say(db, &now);
		return;
	}
	log_error("database '%s', cannot be left%s (%s)%s%s", name, l->n > 0 || l->was_left ? " wholly" : "", l->err.msg,
	          l->err.hint[0] != '\0' ? "; " : "", l->err.hint);
	if (l->n > 0 || l->was_left)
		database_say(db, &l->err);
	else if (!l->eng->stop.stopping)
		database_take_up(db);
}

static void end(struct leaving *l)
{
	struct db *db = l->db;
	const struct engine_leaving report = {.database = l->conf_db->name,
	                                      .print = l->print,
	                                      .statements = l->statements,
	                                      .n = l->n,
	                                      .error = l->ok ? NULL : &l->err};
	LIST_REMOVE(l, link);
	if (!l->print && db->left && !db->removed)
		settle(l);
	l->done(l->ctx, &report);
	conf_unref(&l->conf);
	talloc_free(l);
	if (--db->work.n_jobs == 0 && db->removed)
		database_free(&db);
}

static void leave_done(struct worker_task *task)
{
	struct leaving *l = CONTAINER_OF(task, struct leaving, task);
	struct engine *eng = l->eng;
	end(l);
	turn_soon(eng);
	eng->news.exec->session_closed(eng);
}

static void begin(struct leaving *l)
{
	l->begun = true;
	l->eng->count.sessions++;
	l->task = (struct worker_task){
		.run = leave_run,
		.done = leave_done,
		.threads = l->dialect->threads,
	};
	worker_submit(l->eng->pool, &l->task);
}

/* What ends meanwhile may leave work for later. */
static bool at_rest(const struct leaving *l)
{
	if (!l->print)
		aux_drop_waiting(l->db, l->db->err);
	return l->print || (l->db->work.n_jobs == 1 && !watch_lingers(l->db));
}

void uninstall_review(struct engine *eng)
{
	struct leaving *l;
	LIST_FOREACH(l, &eng->open.leavings, link)
		if (!l->begun && at_rest(l))
			begin(l);
}

void uninstall_stop(struct engine *eng)
{
	struct leaving *l, *next;
	for (l = LIST_FIRST(&eng->open.leavings); l != NULL; l = next) {
		next = LIST_NEXT(l, link);
		if (l->begun)
			continue;
		err_set(&l->err, VIEWD_ERR_CANCELLED, "viewd is stopping");
		end(l);
	}
}

static struct db *find(struct engine *eng, const char *name)
{
	for (size_t i = 0; i < eng->n_dbs; i++)
		if (strcmp(eng->dbs[i]->conf->name, name) == 0)
			return eng->dbs[i];
	return NULL;
}

static bool is_being_left(const struct db *db)
{
	const struct leaving *l;
	LIST_FOREACH(l, &db->eng->open.leavings, link)
		if (l->db == db && !l->print)
			return true;
	return false;
}

static bool judge(const struct db *db, const char *name, bool print, struct viewd_err *err)
{
	if (db == NULL) {
		err_set(err, VIEWD_ERR_MISSING, "database '%s' is not in the configuration", name);
		return err_hint(err, "it is named as its section is: [database NAME]");
	}
	if (db->dialect == NULL) {
		*err = *db->err;
		return false;
	}
	if (!leave_is_possible(db->dialect, db->conf, err))
		return false;
	return print || !is_being_left(db) || err_set(err, VIEWD_ERR_CONFLICT, "database '%s', viewd is just being taken "
	                                                                       "out of it", name);
}

bool engine_uninstall(struct engine *eng, const char *database, bool print, engine_leave_fn *done, void *ctx,
                      struct viewd_err *err)
{
	struct db *db = find(eng, database);
	struct viewd_err why;
	if (!judge(db, database, print, err))
		return false;
	struct leaving *l = mem_new(NULL, struct leaving);
	l->eng = eng;
	l->db = db;
	l->dialect = db->dialect;
	l->conf = conf_ref(eng->conf);
	l->conf_db = db->conf;
	l->print = print;
	l->was_left = db->left;
	l->done = done;
	l->ctx = ctx;
	db->work.n_jobs++;
	LIST_INSERT_HEAD(&eng->open.leavings, l, link);
	if (!print) {
		log_info("database '%s', viewd is being taken out of it", database);
		err_set(&why, VIEWD_ERR_CONFIG, "database '%s', viewd is being taken out of it (viewctl uninstall)", database);
		database_let_go(db, &why);
	}
	turn_soon(eng);
	return true;
}
