/* SPDX-License-Identifier: MIT
 *
 * state.h: the tables viewd keeps in the user's database. Here: view_state (one row a view) and refresh_history.
 * Others: captures and requests (marks.h), objects (objects.h), change_logs and log_readers (change_log.h), nodes
 * (node_table.h), learnt (learnt.h). What applications read of view_state is the view `views` (views.h).
 *
 * Column names are part of the manual; add, never rename. Times are UTC with microseconds in the engine's own type
 * (PostgreSQL timestamptz, MySQL DATETIME(6)) or RFC 3339 text (SQLite).
 */
#ifndef VIEWD_COMMON_STATE_STATE_H
#define VIEWD_COMMON_STATE_STATE_H

#include "common/conn/db.h"

#define STATE_HISTORY_KEEP 200 /* runs a view */

/* One row of view_state. */
struct state_row {
	bool present;
	char relation[520]; /* canonical, with schema where the engine has schemas */
	enum viewd_method method;
	char definition_hash[65];
	char index_hash[65];
	char identity[128];
	char canonical[65];
	char on_remove[8];
	char indexes[2048]; /* names of the indexes viewd made, one a line */
	int64_t last_success_us;
	int64_t data_timestamp_us;
	int64_t duration_us;
	int64_t rows;        /* -1 unknown */
	bool kept;           /* as somebody else has made it: its definition is the recorded text, not the file's */
	int64_t all_rows_us; /* the data_timestamp of the last run that computed all rows; 0 unknown */
};

/* One finished run. Texts may be NULL. */
struct state_run {
	const char *trigger;
	const char *action;
	bool succeeded;
	enum viewd_failure failure; /* unless succeeded: how it ended */
	const char *error;
	int64_t run_id;
	int64_t started_us;
	int64_t duration_us;
	int64_t rows;
	int64_t rows_written;
	int64_t data_timestamp_us; /* 0: the run brought no data */
	bool from_logs;            /* no more was computed than what change logs tell */
};

/* Creates the tables that are absent. Outside a transaction. [worker] */
bool state_setup(struct db *db, struct viewd_err *err) MUST_CHECK;

/* SQL: the names of all of them in an engine where they have a prefix, as literals separated by commas. */
#define STATE_TABLES_SQL \
	"'viewd_view_state', 'viewd_views', 'viewd_refresh_history', 'viewd_captures', 'viewd_requests', " \
	"'viewd_objects', " \
	"'viewd_change_logs', 'viewd_log_readers', 'viewd_nodes', 'viewd_learnt'"

/* Is it the name of one of these? [any] */
bool state_is_table(const char *name);

/* Why nothing tells of changes of viewd's own tables: a view over one would wake itself. */
#define STATE_UNHEARD "viewd writes it with each refresh"

/* The name of a state table ("captures") with its schema or prefix, talloc'ed on mem_ctx. */
char *state_table(struct db *db, void *mem_ctx, const char *name);

/* Are the state tables there? They are not where viewd has never been. */
bool state_exists(struct db *db, bool *yes_r, struct viewd_err *err) MUST_CHECK;

/* Reads the row of a view, locking it when lock is set; present tells whether there is one. */
bool state_load(struct db *db, const char *view, bool lock, struct state_row *out, struct viewd_err *err) MUST_CHECK;

/* The same, answered as db_ops.session.query_later does: *out is complete when the next call has succeeded. */
bool state_load_later(struct db *db, const char *view, bool lock, struct state_row *out,
                      struct viewd_err *err) MUST_CHECK;

/* The query the recorded object was made from, talloc'ed; NULL when none is recorded. */
bool state_definition(struct db *db, void *mem_ctx, const char *view, char **text_r, struct viewd_err *err) MUST_CHECK;
bool state_save_definition(struct db *db, const char *view, const char *text, struct viewd_err *err) MUST_CHECK;

/* Inserts or updates what identifies the object (everything but the outcome of runs). */
bool state_save(struct db *db, const char *view, const struct state_row *row, struct viewd_err *err) MUST_CHECK;

/* Whether changes of what the view reads are followed. In a transaction. */
bool state_set_followed(struct db *db, const char *view, bool followed, struct viewd_err *err) MUST_CHECK;

/* The indexes and grants of this digest are all there. */
bool state_set_indexed(struct db *db, const char *view, const char *index_hash, struct viewd_err *err) MUST_CHECK;

/* Removes the row of a view, and what was learnt of it. Its history stays until trimmed. */
bool state_forget(struct db *db, const char *view, struct viewd_err *err) MUST_CHECK;

/* Everything that is known of one view is from now on known of another, of which nothing is known: its row, history,
 * marks, what was asked for, what was learnt. In a transaction. */
bool state_move(struct db *db, const char *from, const char *to, struct viewd_err *err) MUST_CHECK;

/* Forgets when and with how many rows the view was last filled: its object is new and empty. */
bool state_clear_data(struct db *db, const char *view, struct viewd_err *err) MUST_CHECK;

/* Writes the outcome of a run into the state row (if there is one) and the history; trims the history now and then. In
 * a transaction: as db_ops.session.exec_later does. */
bool state_record_run(struct db *db, const char *view, const struct state_run *run, struct viewd_err *err) MUST_CHECK;
/* Writes error into the newest row of the view's history. */
bool state_annotate(struct db *db, const char *view, const char *error, struct viewd_err *err) MUST_CHECK;

/* Every recorded view. */
bool state_list(struct db *db, struct viewd_recorded_sink rows, struct viewd_err *err) MUST_CHECK;

/* Past runs of a view, newest first. */
bool state_history(struct db *db, const char *view, int limit, struct viewd_history_sink rows,
                   struct viewd_err *err) MUST_CHECK;

#endif
