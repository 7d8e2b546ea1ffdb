/* SPDX-License-Identifier: MIT
 *
 * database.h: the states of a database, and the work that each change of state starts. [loop]
 */
#ifndef VIEWD_CORE_ENGINE_DATABASE_H
#define VIEWD_CORE_ENGINE_DATABASE_H

#include "core/exec/job.h"

/* The record of a section, in the engine's talloc tree: finds its dialect (which conf_load has opened), judges the
 * section. Never NULL: a section that cannot be used is DB_UNUSABLE, which is logged. */
struct database *database_new(struct engine *eng, const struct conf_database *conf);

/* The section changed: other url, other limits. Sessions of the old one are closed as they come back. */
void database_changed(struct database *db, const struct conf_database *conf);

/* Starts a prepare job now, unless one is under way or it is up. */
void database_probe(struct database *db);

/* The watch is open and holds the database's lock; or it ended. */
void database_watch_opened(struct database *db);
void database_watch_lost(struct database *db, const struct viewd_err *err);

/* A look of the watch has come to its end, and it is the first one or was asked for: the number of the last question
 * that this answers. */
void database_watch_looked(struct database *db, uint64_t answered);

/* A look goes on: until it has come to its end nobody knows whether views are fresh. */
void database_watch_behind(struct database *db);

/* The change marks in the database are older than those known: a backup was restored while viewd was connected. The
 * known marks are forgotten and all views are inspected. */
void database_rewound(struct database *db);

/* An inspection has found contents of a view that are older than those known: a backup was restored while viewd was not
 * connected. Only warns, once for each connect: after a connect all views are inspected anyway. */
void database_contents_rewound(struct database *db);

/* Some watch has been closed: databases that waited for it are probed. */
void database_watch_closed(struct engine *eng);

/* A prepare job has ended. */
void database_prepared(struct job *job);

/* A job's connection broke or could not be opened: nothing else is started until a probe succeeds. */
void database_lost(struct database *db, const struct viewd_err *err);

/* Ends watch, sessions and jobs of a database that viewd is about to be taken out of. err is told to whoever asks for
 * its views. Jobs that run are cancelled; n_jobs tells when they have come back. */
void database_begin_uninstall(struct database *db, const struct viewd_err *err);
/* Judges and probes the database again, as if it were new. */
void database_undo_uninstall(struct database *db);

/* Why the database cannot be used: keeps a copy of the error, or forgets it (NULL). */
void database_set_error(struct database *db, const struct viewd_err *err);

/* The section is gone from the files, with all its instances: no probes, no new jobs. The record is freed when the last
 * job has ended. */
void database_remove(struct database *db);

/* The database of that section, or NULL. */
struct database *database_find(struct engine *eng, const char *name);

/* Closes the idle sessions and frees the record; leaves NULL. */
void database_free(struct database **db);

#endif
