/* SPDX-License-Identifier: MIT
 *
 * database.h: is a database up, and what follows when that changes.
 */
#ifndef VIEWD_CORE_ENGINE_DATABASE_H
#define VIEWD_CORE_ENGINE_DATABASE_H

#include "core/exec/job.h"

/* For a section: finds its dialect (which conf_load has opened), judges the section. In the engine's talloc tree. */
struct db *database_new(struct engine *eng, const struct conf_database *conf);

/* The section changed: other url, other limits. Sessions of the old one are closed as they come back. */
void database_changed(struct db *db, const struct conf_database *conf);

/* Starts a prepare job now, unless one is under way or it is up. */
void database_probe(struct db *db);

/* The watch is open and holds the database's lock; or it ended. */
void database_watch_opened(struct db *db);
void database_watch_lost(struct db *db, const struct viewd_err *err);

/* A look of the watch has come to its end, and it is the first one or was asked for: the number of the last question
 * that this answers. */
void database_watch_looked(struct db *db, uint64_t answered);

/* One goes on: until it has come to its end nobody knows whether views are fresh. */
void database_watch_behind(struct db *db);

/* Its change marks are older than what was known of them: a backup was restored under us. Everything is looked at
 * anew. */
void database_went_back(struct db *db);

/* An inspection has found a view's contents older than what was told of them. After a reconnect everything is inspected
 * anyway, and the marks are forgotten before the watch need have told of them: this says it then, once for a connect,
 * however many views tell it. */
void database_contents_went_back(struct db *db);

/* Some watch has been closed: databases that waited for it are probed. */
void database_watch_closed(struct engine *eng);

/* A prepare job has ended. */
void database_prepared(struct job *job);

/* A job's connection broke or could not be opened: nothing else is started until a probe succeeds. */
void database_lost(struct db *db, const struct viewd_err *err);

/* viewd is about to be taken out of it: no watch, no sessions, no jobs any more; err says so to whoever asks for its
 * views. What still runs is cancelled. database_undo_uninstall ends that. */
void database_begin_uninstall(struct db *db, const struct viewd_err *err);
void database_undo_uninstall(struct db *db);
/* Says something else to whoever asks. */
void database_set_error(struct db *db, const struct viewd_err *err);

/* Gone from the files, with all its instances: no probes, no new jobs; freed when the last job has ended. */
void database_remove(struct db *db);

/* Closes its sessions and frees it. */
void database_free(struct db **db);

#endif
