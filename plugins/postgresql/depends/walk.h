/* SPDX-License-Identifier: MIT
 *
 * walk.h: the walk from a definition to everything that its contents depend on. Private to walk.c and its helpers.
 * Functions run on the thread of their connection.
 */
#ifndef VIEWD_POSTGRESQL_DEPENDS_WALK_H
#define VIEWD_POSTGRESQL_DEPENDS_WALK_H

#include "common/depends/dependencies.h"
#include "postgresql/pg.h"

/* A function in SQL whose body is only text. */
struct walk_body {
	char oid[16];
	char *source; /* its name in the list */
	bool immutable;
};

struct walk {
	struct viewd_conn *conn;
	struct dependencies *list;
	struct walk_body *bodies; /* those found so far; the first n_done have been gone through */
	size_t n_bodies, n_done;
};

/* Where a walk begins: a view or a function that the caller has made, and will undo. */
struct walk_start {
	const char *relation, *function; /* oids, one of them NULL */
};

/* Adds all that can be reached from there. In a transaction. */
bool walk_from(struct walk *w, const struct walk_start *start, struct viewd_err *err) MUST_CHECK;

/* Adds an entry of no relation: source is `word name`. Texts are copied; unheard may be NULL. */
void walk_note(struct walk *w, enum viewd_depends kind, const char *name, const char *unheard);

/* Adds what the text says of the clock where the server has already put the present time in its place: 'now', 'today'.
 * In a transaction. */
bool walk_literals(struct walk *w, const char *text, const struct walk_start *start, struct viewd_err *err) MUST_CHECK;

/* ---- bodies.c */

/* Goes through the bodies that are only text, and those found in them. In a transaction. */
bool walk_bodies(struct walk *w, struct viewd_err *err) MUST_CHECK;

#endif
