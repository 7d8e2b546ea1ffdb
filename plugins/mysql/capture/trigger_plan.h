/* SPDX-License-Identifier: MIT
 *
 * trigger_plan.h: the triggers that a source is to have, and those that are there. Functions run on the thread of their
 * connection; texts are talloc'ed on mem. trigger_procedure.h declares what other folders ask of trigger_plan.c.
 */
#ifndef VIEWD_MYSQL_CAPTURE_TRIGGER_PLAN_H
#define VIEWD_MYSQL_CAPTURE_TRIGGER_PLAN_H

#include "mysql/capture/trigger_procedure.h"

/* One trigger: what it is on, and what it writes. */
struct trigger_plan {
	const struct relation *table;
	const char *event;
	const char *condition; /* NULL: always */
	char name[IDENT_MAX];
	char *body;
};

struct trigger_plans {
	struct trigger_plan *items;
	size_t n;
	const char *source; /* as triggers name it */
};

/* The three of the source itself, and those of the tables whose foreign keys write it. */
bool trigger_plan_all(struct viewd_conn *conn, void *mem, const struct relation *source, struct trigger_plans *all,
                      struct viewd_err *err) MUST_CHECK;

struct trigger_seen {
	bool there;
	bool hidden; /* the account may not see what it does */
	char *body;
	char definer[2 * IDENT_MAX];
	void *mem;
};

/* Looks a trigger up. table NULL: on whatever table; the server then looks at all tables of the database. */
bool trigger_see(struct viewd_conn *conn, void *mem, const char *schema, const char *table, const char *name,
                 struct trigger_seen *out, struct viewd_err *err) MUST_CHECK;

/* Is a trigger there as it is planned? definer NULL: whoever it runs as. */
bool trigger_is_there(struct viewd_conn *conn, void *mem, const struct trigger_plan *plan,
                      const struct definer *definer, bool *there_r, struct viewd_err *err) MUST_CHECK;

#endif
