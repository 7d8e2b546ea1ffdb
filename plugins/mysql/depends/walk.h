/* SPDX-License-Identifier: MIT
 *
 * walk.h: what a view depends on: found (walk.c, from the words that calls.c picks out of a text) and compared
 * (changed_objects.c).
 */
#ifndef VIEWD_MYSQL_DEPENDS_WALK_H
#define VIEWD_MYSQL_DEPENDS_WALK_H

#include "common/depends/dependencies.h"
#include "mysql/my.h"

#define FUNCTION_PREFIX "function " /* before the name of a stored function in `captures` */

/* ---- walk.c, changed_objects.c: hooks of struct db_ops */

bool my_walk(struct db *db, const struct viewd_view_spec *view, const char *definition, struct dependencies *list,
             struct viewd_err *err);
bool my_digest_of(struct db *db, void *mem, const struct object *object, char **digest_r, struct viewd_err *err);
bool my_know(struct db *db, const char *names, struct knowledge *out, struct viewd_err *err);
bool my_changed_objects(struct db *db, const struct db_reader *row, void *ctx, struct viewd_err *err);

/* The digest that is compared of a relation or a stored function. *digest_r is talloc'ed, NULL when there is no such
 * thing. */
bool look_at_object(struct viewd_conn *conn, void *mem, const struct relation *rel, bool function, char **digest_r,
                    struct viewd_err *err) MUST_CHECK;

/* ---- calls.c */

/* A name before a parenthesis. */
struct routine_call {
	struct relation name; /* schema "" when none is written */
	bool quoted;
	struct relation argument; /* the first one, when it is a name */
};
typedef bool call_fn(void *ctx, const struct routine_call *call);
/* Calls each for every one in the text, but for the names of a WITH clause. */
void calls_scan(const char *text, call_fn *each, void *ctx);

/* A name that stands where a table is read in the text of a function. */
typedef bool read_fn(void *ctx, const struct relation *name);
void calls_scan_reads(const char *text, read_fn *each, void *ctx);

/* Does a function of the server's own give another value each time, whatever it is given? */
bool calls_is_fickle(const char *name);
/* Does a body use variables, the session's or the server's (`@x`, `@@x`)? [any] */
bool calls_use_variables(const char *text);

#endif
