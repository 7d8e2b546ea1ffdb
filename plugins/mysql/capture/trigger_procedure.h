/* SPDX-License-Identifier: MIT
 *
 * trigger_procedure.h: what viewd puts beside an application's tables so that their writers leave a word: row triggers,
 * and the one procedure that all triggers of a database call. Functions run on the thread of their connection.
 *
 * A writer's statement must not fail because of them. The procedure writes the log, so LOCK TABLES of the application's
 * tables locks it as well. Handlers stand around the CALL and in the procedure, for named errors only: those that say
 * that viewd's own objects are gone, changed or forbidden. What a handler swallows is lost, so note_test() proves now
 * and then that nothing is. Every name is one of the table's own database where possible: a dump of it may be loaded
 * under any name. A table of another database than the URL's has the procedure beside it, the log is always in the
 * URL's.
 */
#ifndef VIEWD_MYSQL_CAPTURE_TRIGGER_PROCEDURE_H
#define VIEWD_MYSQL_CAPTURE_TRIGGER_PROCEDURE_H

#include "mysql/capture/capture.h"

#define NOTE_LOG "viewd_changes"
#define NOTE_SLOTS "viewd_slots" /* held by writers who leave no row since nobody takes any off the log: slots.c */
#define NOTE_N_SLOTS "64"
#define NOTE_HEARD "64"     /* not a slot: the row that says up to which number some node of a cluster takes rows off */
#define NOTE_ENOUGH "10000" /* rows; then every source counts as changed */
#define NOTE_AHEAD "1000"   /* rows that a session writes without asking whether anybody takes them off */
#define NOTE_FROM "@viewd_from" /* a session's: for which numbers it need not ask */
#define NOTE_TO "@viewd_to"
#define WATCH_PREFIX "viewd_watch_" /* of the lock of whoever takes rows off the log */
#define NOTE_PREFIX "viewd_note"
#define NOTE_TEST_PREFIX "viewd_test" /* calls the procedure with the rights of the triggers' definer */
#define NOTE_COMMENT "viewd "         /* of both, and a digest of the body */

/* ---- definer.c: whom triggers and procedures run as */

#define DEFINER_ROLE "viewd_definer" /* outlives every account; has to be granted to viewd's */

struct definer {
	bool role;
	char name[2 * IDENT_MAX]; /* as information_schema tells it, without an @ at the end */
	char lacks[IDENT_MAX];    /* the role is there and may not be used: what it lacks */
	char former[IDENT_MAX];   /* the session's role before, "" none */
};

/* Chooses for triggers on the table: the role where it exists and has the privilege TRIGGER there, else the account.
 * Until definer_leave definer_clause() may be used. */
bool definer_enter(struct viewd_conn *conn, const struct relation *table, struct definer *out,
                   struct viewd_err *err) MUST_CHECK;
/* For triggers that name columns of the table's rows: the role needs SELECT there, too. */
bool definer_enter_reading(struct viewd_conn *conn, const struct relation *table, struct definer *out,
                           struct viewd_err *err) MUST_CHECK;
/* A session that cannot get its role back is lost. */
void definer_leave(struct viewd_conn *conn, const struct definer *definer);
/* For CREATE: "DEFINER = x " or "". */
const char *definer_clause(const struct definer *definer);
/* May the account make triggers on the table, and the procedure that they call? */
bool definer_may(struct viewd_conn *conn, const struct relation *table, bool *may_r, struct viewd_err *err) MUST_CHECK;
/* Is it the one that information_schema tells? */
bool definer_same(const struct definer *definer, const char *told);

/* ---- trigger_procedure.c: the procedure */

/* "BEGIN DECLARE CONTINUE HANDLER ... ": what the bodies of triggers begin with. */
extern const char note_head[];
/* "BEGIN DECLARE EXIT HANDLER ... ": likewise, of what they call. */
extern const char note_inner_head[];

/* Is it the URL's own database? */
bool note_is_home(const struct viewd_conn *conn, const char *schema);
/* The name of an object of viewd's in a database, unquoted. Elsewhere than at home two viewds of different databases
 * may follow tables, so names tell whose they are. */
void note_name_in(struct viewd_conn *conn, const char *schema, const char *prefix, char out[static IDENT_MAX]);
/* The name of the procedure in a database, unquoted. */
void note_name(struct viewd_conn *conn, const char *schema, char out[static IDENT_MAX]);
/* Is it there, of this version, and its definer's? EXISTS when another one has its name. */
bool note_is_right(struct viewd_conn *conn, const char *schema, const struct definer *definer, bool *right_r,
                   struct viewd_err *err) MUST_CHECK;
/* Makes it, in place of one that is not right. Under my_captures_lock and between definer_enter and definer_leave. */
bool note_make(struct viewd_conn *conn, const char *schema, const struct definer *definer,
               struct viewd_err *err) MUST_CHECK;
/* Leaves a word in the log as a trigger would, and takes it back. *works_r false: why says what is wrong (256
 * bytes). */
bool note_test(struct viewd_conn *conn, const char *schema, bool *works_r, char why[static 256],
               struct viewd_err *err) MUST_CHECK;
/* Fails with DENIED where it does not work. */
bool note_prove(struct viewd_conn *conn, const char *schema, const struct definer *definer,
                struct viewd_err *err) MUST_CHECK;
/* Does the failure of such a test say something of viewd's objects, not of the moment? */
bool note_is_verdict(const struct viewd_err *failure);
/* note_test for all databases whose triggers some view needs. */
bool note_test_all(struct viewd_conn *conn, bool *works_r, char why[static 256], struct viewd_err *err) MUST_CHECK;

/* ---- trigger.c */

/* Drops the triggers of all sources: no writer that is still at work has run one that failed in silence. tables_mend()
 * makes them again. */
bool trigger_drop_all(struct viewd_conn *conn, struct viewd_err *err) MUST_CHECK;
/* Runs a CREATE TRIGGER that names things of that database alone. */
bool trigger_create_in(struct viewd_conn *conn, void *mem, const char *schema, const char *sql,
                       struct viewd_err *err) MUST_CHECK;

/* ---- trigger_plan.c */

/* DENIED: the catalogue does not say what the trigger does, because the account lacks TRIGGER there. */
bool trigger_hidden(struct viewd_conn *conn, const char *schema, const char *name, struct viewd_err *err);
/* The catalogue does not show it. Fails with DENIED when it is there all the same. */
bool trigger_absent(struct viewd_conn *conn, const char *schema, const char *name, struct viewd_err *err) MUST_CHECK;
/* `database`.`trigger`, talloc'ed. */
char *trigger_quoted(void *mem, const char *schema, const char *name);

/* ---- body.c: the texts of triggers */

/* A relation as triggers name it: without its database where that is the URL's. talloc'ed. */
char *body_relation(struct viewd_conn *conn, void *mem, const struct relation *rel);
/* Reads what body_relation wrote, and what older versions did (with the database always). False: it is neither. */
bool body_source(struct viewd_conn *conn, const char *text, struct relation *out);
/* A body that notes `source`, where condition (NULL: always) holds. talloc'ed. */
char *body_text(struct viewd_conn *conn, void *mem, const char *schema, const char *source, const char *condition);
/* Was it written by viewd, of this or an older version, for the URL's database? */
bool body_is_ours(struct viewd_conn *conn, const char *schema, const char *body);

#endif
