/* SPDX-License-Identifier: MIT
 *
 * task.h: all that is known about one view during one call of the daemon. Functions run on the thread of their
 * connection.
 */
#ifndef VIEWD_COMMON_OBJECTS_TASK_H
#define VIEWD_COMMON_OBJECTS_TASK_H

#include "common/generate/generate.h"
#include "common/objects/check.h"
#include "common/state/marks.h"
#include "common/state/state.h"

/* Rows of the definition that were fetched before the write transaction (syntax->diff.stage_first). */
struct task_stage {
	bool filled;
	bool compared; /* gone and fresh say what differs */
	const char *row_id;
	struct relation rows, gone, fresh;
	int64_t n_rows;
	int64_t n_before;    /* rows of the relation at that snapshot */
	int64_t definitions; /* their version there (db_ops.session) */
	bool outdated;       /* staged_rows_check() has found another one */
	int64_t n_gone;
};

struct chain; /* chain.h */

struct task {
	struct db *db;
	void *mem; /* talloc context; the task itself lives on it */
	const struct viewd_view_spec *view;
	struct viewd_resolved resolved;
	struct relation rel;     /* schema filled in by task_look */
	const char *definition;  /* cleaned; NULL for a drop */
	struct state_row state;  /* what is recorded: filled by task_look */
	struct db_object found;  /* what exists under rel: filled by task_look */
	struct columns *columns; /* filled by task_columns */
	struct gen gen;          /* ready for the generators once task_columns has run */
	char tag[33];            /* random, new for each object that is made */
	struct marks marks;      /* of a captured view: read once, before any data */
	bool marks_known;
	bool hook_run; /* the pre_hook, outside a transaction */
	bool definition_recalled;
	char *kept_text;      /* the definition of what is kept as it is; NULL: it is made from ours */
	struct relation rows; /* gen.source points here while rows are made apart (rows.c) */
	bool elsewhere;       /* another server computes them, and is ready to */
	bool stateless;       /* there are no state tables: viewd has never been here (only_look) */
	bool narrow;          /* of what the definition yields only the columns count that the object has */
	int64_t started_us;   /* wall clock at the beginning of the call */
	struct task_stage stage;
	struct chain *chain;               /* refreshed by what has changed (incremental/); NULL: not */
	const struct refresh_group *group; /* refreshed with these; NULL: alone */
	char record_identity[128];         /* set by a create/replace hook that knows better than find_object; "" else */
};

/* Judges the view offline and makes a task. NULL: err. Free with task_close. */
struct task *task_open(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err);
/* A task for a view of which only name and relation matter (drop, history). */
struct task *task_open_name(struct db *db, const struct viewd_view_spec *view, struct viewd_err *err);
void task_close(struct task **task);

/* Reads the state row (locked when lock) and the catalogue. */
bool task_look(struct task *task, bool lock, struct viewd_err *err) MUST_CHECK;

/* Everything that a refresh begins with: the state row (locked when lock), the marks (task_read_marks), and whose
 * object it is; its definition is not looked at. */
bool task_look_for_refresh(struct task *task, bool lock, struct viewd_err *err) MUST_CHECK;

/* Questions about the definition are asked as the role of run_as, or not any more. */
void task_probe_as(struct task *task, bool on);

/* The columns, NULL: none, are those of the task and of what it generates. */
void task_use_columns(struct task *task, struct columns *columns);

/* Asks the server for the definition's columns and checks them against the declaration; fills task->columns and
 * task->gen. */
bool task_columns(struct task *task, struct viewd_err *err) MUST_CHECK;

/* Is the object found under rel the very one that was recorded? */
bool task_is_ours(const struct task *task);

/* Fails with VIEWD_ERR_EXISTS unless found is the recorded object or nothing is there. */
bool task_require_ours(const struct task *task, struct viewd_err *err) MUST_CHECK;

/* Looks the object up again (the last moment before destroying it) and fails with VIEWD_ERR_EXISTS when it is another
 * one. */
bool task_recheck(struct task *task, struct viewd_err *err) MUST_CHECK;

/* The statement by which an incremental refresh writes next asks for what task_recheck() looks at, where the engine
 * can; false: that is not wanted any more. */
void task_recheck_along(struct task *task, bool on);

/* The object was made from another query than the one configured now, and may stay so (on_configuration_change =
 * continue): its rows still come from the query it was made from. After task_look. */
bool task_recall_definition(struct task *task, struct viewd_err *err) MUST_CHECK;

/* Looks up what was made, and saves the state row with the wanted hashes. */
bool task_record_object(struct task *task, struct viewd_err *err) MUST_CHECK;

/* Changes that come from now on count, even if so many came that they do not any more (marks.h). First of all, outside
 * a transaction. */
bool task_count_again(struct task *task, struct viewd_err *err) MUST_CHECK;

/* Reads the change marks of a captured view, before any data is read; and, in the transaction of the data, settles them
 * and marks the views that are registered for this one when rows were written. */
bool task_read_marks(struct task *task, struct viewd_err *err) MUST_CHECK;
bool task_settle_marks(struct task *task, struct viewd_outcome *out, struct viewd_err *err) MUST_CHECK;

/* Counts the rows of the relation. */
bool task_count_rows(struct task *task, int64_t *rows_r, struct viewd_err *err) MUST_CHECK;

#endif
