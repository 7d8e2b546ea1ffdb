/* SPDX-License-Identifier: MIT
 *
 * table_rows.c: the two ways in which the rows of a table are written: all of them anew, or those that differ.
 */
#include "base/err.h"
#include "common/objects/steps.h"
#include "common/refresh/member.h"
#include "common/text/number.h"

/* The look at the object comes after the first statement that writes to it: the lock which that took keeps the name's
 * meaning until the end. An object put in its place since the look-up gets its rows back with the transaction. */
bool refresh_full(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	if (!db_exec(db, gen_delete(&task->gen, &task->rel), err) || !task_recheck(task, err))
		return false;
	db_failpoint(db, "refresh:emptied");
	if (!db->ops->exec(db, gen_insert(&task->gen, &task->rel), NULL, 0, &out->rows, err))
		return false;
	out->rows_written = out->rows;
	out->did = VIEWD_DID_FULL;
	return true;
}

/* Two rows of the definition with one key would both be left out by the insert: the counts tell. */
static bool check_counts(int64_t staged, const struct viewd_outcome *out, struct viewd_err *err)
{
	if (out->rows == staged)
		return true;
	err_set(err, VIEWD_ERR_QUERY, "unique_key does not identify the rows of the definition (%lld rows, %lld distinct)",
	        (long long)staged, (long long)out->rows);
	return err_hint(err, "name all columns that together are unique");
}

static bool read_counts_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	int64_t *counts = ctx;
	for (size_t i = 0; i < 2; i++)
		counts[i] = number_or(values[i], 0);
	return false;
}

static const struct db_reader read_counts[] = {{read_counts_fn, "NN", "the rows of a view"}};

/* After rows with a key were compared. Where neither side has one without, as usual, the count of all rows says so. */
static bool refresh_keyless(struct task *task, const struct relation *stage, int64_t staged, struct viewd_outcome *out,
                            struct viewd_err *err)
{
	struct db *db = task->db;
	int64_t counts[2] = {0}, differ = 0, inserted = 0;
	if (!db->ops->query(db, gen_diff_count(&task->gen), NULL, 0, read_counts, counts, err))
		return false;
	out->rows = counts[0];
	if (counts[1] == 0 && counts[0] == staged)
		return true;
	if (!db_query_int(db, gen_keyless_differ(&task->gen, stage), &differ, err))
		return false;
	if (differ == 0)
		return true;
	if (!db_exec(db, gen_keyless_delete(&task->gen), err) ||
	    !db->ops->exec(db, gen_keyless_insert(&task->gen, stage), NULL, 0, &inserted, err))
		return false;
	out->rows += inserted - counts[1];
	out->rows_written += inserted + counts[1];
	return true;
}

/* The drop at the beginning is for engines whose temporary tables outlive a transaction that was rolled back. */
static bool fill_stage(struct task *task, const struct relation *stage, int64_t *staged_r, struct viewd_err *err)
{
	struct db *db = task->db;
	if (!db_exec(db, gen_diff_drop(&task->gen, stage), err) || !db_exec(db, gen_diff_stage(&task->gen, stage), err) ||
	    !db->ops->exec(db, gen_insert(&task->gen, stage), NULL, 0, staged_r, err))
		return false;
	char *index = gen_diff_index(&task->gen, stage);
	return index == NULL || db_exec(db, index, err);
}

/* Where the engine has no way of its own: the definition's rows beside the relation's. */
static bool diff_by_stage(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct relation stage;
	int64_t staged = 0, deleted = 0, inserted = 0;
	gen_diff_name(&task->gen, &stage);
	if (!fill_stage(task, &stage, &staged, err))
		return false;
	db_failpoint(db, "refresh:staged");
	if (!task_recheck(task, err) || !db->ops->exec(db, gen_diff_delete(&task->gen, &stage), NULL, 0, &deleted, err) ||
	    !task_recheck(task, err) || !db->ops->exec(db, gen_diff_insert(&task->gen, &stage), NULL, 0, &inserted, err))
		return false;
	out->rows_written = deleted + inserted;
	if (!refresh_keyless(task, &stage, staged, out, err) || !check_counts(staged, out, err) ||
	    !db_exec(db, gen_diff_drop(&task->gen, &stage), err))
		return false;
	out->did = out->rows_written == 0 ? VIEWD_DID_NO_DATA : VIEWD_DID_DIFF;
	return true;
}

bool refresh_diff(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	bool done = false;
	if (task->stage.compared)
		return staged_rows_apply(task, out, err);
	if (task->db->ops->refresh.diff != NULL && !task->db->ops->refresh.diff(task, &done, out, err))
		return false;
	return done || diff_by_stage(task, out, err);
}
