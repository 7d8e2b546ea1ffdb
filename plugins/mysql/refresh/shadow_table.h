/* SPDX-License-Identifier: MIT
 *
 * shadow_table.h: building an object beside the live one and exchanging their names.
 *
 * Every name is `viewd_new_`, `viewd_old_` or `viewd_lock_` and 16 digits that follow from the relation, so whatever a
 * killed process left is found again; a lock of the server keeps two of them from working on one relation. [worker]
 */
#ifndef VIEWD_MYSQL_REFRESH_SHADOW_TABLE_H
#define VIEWD_MYSQL_REFRESH_SHADOW_TABLE_H

#include "mysql/my.h"
#include "mysql/objects/tag.h"

struct shadow {
	struct viewd_conn *conn;
	struct relation live;
	struct relation fresh; /* what is being built */
	struct relation old;   /* what was live */
	char lock[IDENT_MAX];
};

/* ---- shadow_table.c: names and locks */

/* rel must have its schema. */
void shadow_names(struct viewd_conn *conn, const struct relation *rel, struct shadow *out);
/* Waits at most wait_us; VIEWD_ERR_CONFLICT when another connection works on the relation. */
bool shadow_lock(struct shadow *shadow, int64_t wait_us, struct viewd_err *err) MUST_CHECK;
void shadow_unlock(struct shadow *shadow);
/* shadow_lock, for the transaction that is open: its end frees the lock. */
bool shadow_hold(struct shadow *shadow, struct viewd_err *err) MUST_CHECK;
/* Removes fresh and old if a table's tag or, for views, views_too proves that they are viewd's; VIEWD_ERR_EXISTS when
 * something else has the name. The lock is held. */
bool shadow_clear(struct shadow *shadow, bool views_too, struct viewd_err *err) MUST_CHECK;
/* Like shadow_clear for one name; for after a failure: only logs. */
void shadow_discard(struct shadow *shadow, const struct relation *rel);
/* `old`, `fresh` ... quoted, talloc'ed on mem. */
char *shadow_quoted(void *mem, const struct relation *rel);
/* RENAME TABLE with bounded waiting and a few attempts. live_first: live TO old, fresh TO live; else fresh TO live. */
bool shadow_rename(struct shadow *shadow, bool live_first, struct viewd_err *err) MUST_CHECK;
/* The same for any RENAME TABLE. */
bool shadow_run_rename(struct viewd_conn *conn, const char *sql, struct viewd_err *err) MUST_CHECK;
/* Undoes shadow_rename(live_first). */
bool shadow_rename_back(struct shadow *shadow, struct viewd_err *err) MUST_CHECK;
/* Checks that what is now called old is the recorded object, drops it. When it is not, or something refers to it, names
 * are exchanged back and the error says why. */
bool shadow_drop_old(struct shadow *shadow, const char *identity, struct viewd_err *err) MUST_CHECK;

/* ---- stage.c: filling */

/* Fills fresh with INSERT INTO fresh (...) query and writes the tag that says when and how much. */
bool stage_fill(struct task *task, struct shadow *shadow, const char *uid, struct viewd_outcome *out,
                struct viewd_err *err) MUST_CHECK;
/* Writes the tag of the filled fresh table, and its statistics. */
bool stage_tag(struct shadow *shadow, const struct tag *tag, struct viewd_err *err) MUST_CHECK;
/* A table for the task, tagged with uid, indexed, empty. */
bool stage_create(struct task *task, struct shadow *shadow, const char *uid, struct viewd_err *err) MUST_CHECK;
/* A copy of the live table's structure, empty. */
bool stage_copy(struct shadow *shadow, struct viewd_err *err) MUST_CHECK;

/* ---- inplace.c: all rows anew in one transaction, for tables so small that a table aside costs more */

/* Is the task's table that small? After task_look_for_refresh. */
bool inplace_fits(const struct task *task);
/* Inside the recipe's transaction. Rows of the table are locked only after the definition has run. */
bool inplace_refresh(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* ---- swap_blockers.c */

struct swap_blocker {
	bool blocked;  /* something would be lost if names were exchanged */
	bool log_only; /* nothing but triggers of change logs, which are made again */
	char reason[256];
};

/* Can the names of this table be exchanged? */
bool swap_blocked(struct viewd_conn *conn, const struct relation *rel, struct swap_blocker *out,
                  struct viewd_err *err) MUST_CHECK;

/* ---- intent.c: what is about to happen, written before RENAME, which commits by itself */

bool intent_setup(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* row->identity may be "" while the object is being built. */
bool intent_write(struct task *task, const struct state_row *row, struct viewd_err *err) MUST_CHECK;
/* The state row takes the intent's place, in one transaction. */
bool intent_fulfil(struct task *task, const struct state_row *row, struct viewd_err *err) MUST_CHECK;
void intent_forget(struct viewd_conn *conn, const char *view);
/* Finishes or undoes what a killed process was doing. */
bool intent_recover(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;

/* ---- the hooks */

bool my_create(struct task *task, struct viewd_outcome *out, struct viewd_err *err);             /* replace.c */
bool my_replace(struct task *task, struct viewd_outcome *out, struct viewd_err *err);            /* replace.c */
bool my_swap(struct task *task, struct viewd_outcome *out, struct viewd_err *err);               /* swap.c */
bool my_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err);               /* swap.c */
bool my_diff(struct task *task, bool *done_r, struct viewd_outcome *out, struct viewd_err *err); /* diff.c */
/* Whole rows that differ, instead of all; inside the recipe's transaction. diff.c */
bool my_write_differing(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;
enum viewd_refresh_mode my_choose_mode(struct task *task, char reason[static 256]); /* swap.c */
bool my_refresh_group(struct refresh_group *group, struct viewd_err *err);          /* group.c */
bool my_clean_leftovers(struct db *db, struct viewd_err *err);                      /* leftovers.c */
/* Fails, naming them, when views read columns of live that fresh lacks. dependants.c */
bool my_check_dependants(struct task *task, const struct shadow *shadow, struct viewd_err *err) MUST_CHECK;

#endif
