/* SPDX-License-Identifier: MIT
 *
 * objects.h: the definitions that views depend on, as they were last seen: the state table `objects`, one row for each
 * distinct entry that has a digest, whoever reads it (docs/adr/005-dependencies.md).
 *
 * Whoever finds another digest stores it and raises the marks of all views that are registered for the source, in one
 * transaction. [worker]
 */
#ifndef VIEWD_COMMON_DEPENDS_OBJECTS_H
#define VIEWD_COMMON_DEPENDS_OBJECTS_H

#include "common/depends/dependencies.h"

/* One row. Instead of a digest: empty, the object was gone when it was last looked for; OBJECT_BACK, there was one of
 * that name again, which a walk has to find; OBJECT_UNTOLD, somebody has met another definition before a look did, and
 * the look has to tell. */
#define OBJECT_BACK "back"
#define OBJECT_UNTOLD "untold"
struct object {
	char *source, *kind, *identity, *stamp, *digest;
};
struct objects {
	void *mem;
	struct object *items;
	size_t n;
};

/* Reads all rows, for dialects that compare stamps themselves; list->mem is set. */
bool objects_load(struct db *db, struct objects *list, struct viewd_err *err) MUST_CHECK;

/* Stores what a walk has found. An object that is known with another identity or digest was redefined unseen: its marks
 * are raised, and the next look tells all views that read it. In a transaction, after marks_register. */
bool objects_register(struct db *db, const struct dependencies *list, struct viewd_err *err) MUST_CHECK;

/* Forgets the objects that no view is registered for. In the same transaction. */
bool objects_sweep(struct db *db, struct viewd_err *err) MUST_CHECK;

/* After a view's rows were read: the plain views and functions that it reads are still what is stored, or it is as when
 * a walk finds another definition. With db_ops.depends.digest_of, in the transaction of the rows. */
bool objects_check(struct db *db, const char *view, struct viewd_err *err) MUST_CHECK;

/* The look: asks db_ops.depends.changed_objects, stores what it tells, raises marks, and tells VIEWD_SIGNAL_REDEFINED
 * for each view that reads an object which was redefined or is gone. *news_r (may be NULL) becomes true when marks were
 * raised. Outside a transaction. [watcher thread] */
bool objects_look(struct db *db, struct viewd_signal_sink signals, bool *news_r, struct viewd_err *err) MUST_CHECK;

#endif
