/* SPDX-License-Identifier: MIT */
#include "core/engine/uninstall.h"

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/engine/database.h"
#include "core/engine/side_jobs.h"
#include "core/exec/exec.h"
#include "core/exec/uninstall_run.h"
#include "core/exec/watch.h"

#include <string.h>

struct uninstall {
	struct worker_task task;
	struct engine *eng;
	struct database *db; /* counted among its jobs: it outlives this */
	const struct viewd_dialect *dialect;
	struct conf *conf;
	const struct conf_database *conf_db;
	bool print;
	bool was_uninstalled; /* an earlier one had let it go already */
	bool begun;
	engine_uninstall_fn *done;
	void *ctx;
	LIST_ENTRY(uninstall) link;

	/* out */
	const char **statements;
	size_t n;
	bool ok;
	struct viewd_err err;
};

static bool keep_statement(void *ctx, const char *text)
{
	struct uninstall *u = ctx;
	u->statements = mem_grow(u, u->statements, const char *, u->n + 1);
	u->statements[u->n++] = mem_strdup(u, text);
	return true;
}

static void uninstall_run(struct worker_task *task)
{
	struct uninstall *u = CONTAINER_OF(task, struct uninstall, task);
	u->ok = uninstall_carry_out(u->dialect, u->conf_db, u->print,
	                            (struct viewd_text_sink){.fn = keep_statement, .ctx = u}, &u->err);
}

static void say_uninstalled(const char *database, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "database '%s', viewd has left it (viewctl uninstall): its views stay as they are",
	        database);
	err_hint(err, "take its sections out of the files; a restart of viewd, or another url, sets it up again");
}

/* Where nothing was taken out everything is as it was; where something was, it stays let go. */
static void conclude(struct uninstall *u)
{
	struct database *db = u->db;
	const char *name = u->conf_db->name;
	struct viewd_err now;
	if (u->ok) {
		log_info("database '%s', viewd has left it (%zu statements): its views stay as ordinary objects that nobody "
		         "refreshes",
		         name, u->n);
		say_uninstalled(name, &now);
		database_set_error(db, &now);
		return;
	}
	log_error("database '%s', cannot be left%s (%s)%s%s", name, u->n > 0 || u->was_uninstalled ? " wholly" : "",
	          u->err.msg, u->err.hint[0] != '\0' ? "; " : "", u->err.hint);
	if (u->n > 0 || u->was_uninstalled)
		database_set_error(db, &u->err);
	else if (!u->eng->stop.stopping)
		database_undo_uninstall(db);
}

static void end(struct uninstall *u)
{
	struct database *db = u->db;
	const struct engine_uninstalled report = {.database = u->conf_db->name,
	                                          .print = u->print,
	                                          .statements = u->statements,
	                                          .n = u->n,
	                                          .error = u->ok ? NULL : &u->err};
	LIST_REMOVE(u, link);
	if (!u->print && db->uninstalled && !db->removed)
		conclude(u);
	u->done(u->ctx, &report);
	conf_unref(&u->conf);
	talloc_free(u);
	if (--db->work.n_jobs == 0 && db->removed)
		database_free(&db);
}

static void uninstall_done(struct worker_task *task)
{
	struct uninstall *u = CONTAINER_OF(task, struct uninstall, task);
	struct engine *eng = u->eng;
	end(u);
	turn_soon(eng);
	eng->news.exec->session_closed(eng);
}

static void begin(struct uninstall *u)
{
	u->begun = true;
	u->eng->count.sessions++;
	u->task = (struct worker_task){
		.run = uninstall_run,
		.done = uninstall_done,
		.threads = u->dialect->threads,
	};
	worker_submit(u->eng->pool, &u->task);
}

/* Jobs that end meanwhile may leave work for later. */
static bool at_rest(const struct uninstall *u)
{
	if (!u->print)
		side_jobs_drop_waiting(u->db, u->db->err);
	return u->print || (u->db->work.n_jobs == 1 && !watch_lingers(u->db));
}

void uninstall_review(struct engine *eng)
{
	struct uninstall *u;
	LIST_FOREACH(u, &eng->open.uninstalls, link)
		if (!u->begun && at_rest(u))
			begin(u);
}

void uninstall_stop(struct engine *eng)
{
	struct uninstall *u, *next;
	for (u = LIST_FIRST(&eng->open.uninstalls); u != NULL; u = next) {
		next = LIST_NEXT(u, link);
		if (u->begun)
			continue;
		err_set(&u->err, VIEWD_ERR_CANCELLED, "viewd is stopping");
		end(u);
	}
}

static bool is_being_uninstalled(const struct database *db)
{
	const struct uninstall *u;
	LIST_FOREACH(u, &db->eng->open.uninstalls, link)
		if (u->db == db && !u->print)
			return true;
	return false;
}

static bool may_uninstall(const struct database *db, const char *name, bool print, struct viewd_err *err)
{
	if (db == NULL) {
		err_set(err, VIEWD_ERR_MISSING, "database '%s' is not in the configuration", name);
		return err_hint(err, "it is named as its section is: [database NAME]");
	}
	if (db->dialect == NULL) {
		*err = *db->err;
		return false;
	}
	if (!uninstall_is_possible(db->dialect, db->conf, err))
		return false;
	return print || !is_being_uninstalled(db) ||
	       err_set(err, VIEWD_ERR_CONFLICT, "database '%s', viewd is just being taken out of it", name);
}

bool engine_uninstall(struct engine *eng, const char *database, bool print, engine_uninstall_fn *done, void *ctx,
                      struct viewd_err *err)
{
	struct database *db = database_find(eng, database);
	struct viewd_err why;
	if (!may_uninstall(db, database, print, err))
		return false;
	struct uninstall *u = mem_new(NULL, struct uninstall);
	u->eng = eng;
	u->db = db;
	u->dialect = db->dialect;
	u->conf = conf_ref(eng->conf);
	u->conf_db = db->conf;
	u->print = print;
	u->was_uninstalled = db->uninstalled;
	u->done = done;
	u->ctx = ctx;
	db->work.n_jobs++;
	LIST_INSERT_HEAD(&eng->open.uninstalls, u, link);
	if (!print) {
		log_info("database '%s', viewd is being taken out of it", database);
		err_set(&why, VIEWD_ERR_CONFIG, "database '%s', viewd is being taken out of it (viewctl uninstall)", database);
		database_begin_uninstall(db, &why);
	}
	turn_soon(eng);
	return true;
}
