/* SPDX-License-Identifier: MIT
 *
 * inplace.c: refreshing a small table by writing all its rows anew in one transaction.
 *
 * A table aside costs five definitions of tables, each of which waits for the disk several times and for every
 * transaction that has used the name. For a few rows that is far more than the rows themselves. The definition runs
 * into a temporary table first, so that whoever locks rows of the table (SERIALIZABLE, LOCK IN SHARE MODE) waits for
 * the exchange alone. The lock of shadow_table.h keeps a predecessor's RENAME, which may still be waiting in the
 * server, from coming after it.
 */
#include "mysql/refresh/shadow_table.h"

#include <string.h>

#include "base/err.h"

#define STAGE "viewd_rows"
#define SMALL_ROWS 1000 /* from some 4,000 on a table aside is as quick (measured without waiting for a disk) */
#define SMALL_BYTES \
	(INT64_C(4) << 20) /* wide rows; and old versions that a long transaction keeps: then the swap brings a new table */

bool inplace_fits(const struct task *task)
{
	return task->state.rows >= 0 && task->state.rows <= SMALL_ROWS && task->found.bytes >= 0 &&
	       task->found.bytes <= SMALL_BYTES;
}

/* Empty, with the columns of the task's table. */
static bool make_stage(struct task *task, const struct relation *stage, struct viewd_err *err)
{
	struct gen plain = task->gen;

	plain.tag = NULL;
	plain.row_key = &(struct row_key){.table = task->db->row_key.temporary};
	return my_make_temporary(my_conn(task->db), STAGE, strchr(gen_create_table(&plain, stage, false), '('), err);
}

static bool exchange(struct task *task, const struct relation *stage, struct viewd_outcome *out, struct viewd_err *err)
{
	struct db *db = task->db;
	struct gen from_stage = task->gen;

	from_stage.source = stage;
	if (!my_keep_object(task, err))
		return false;
	if (task->found.bytes < 0)
		return err_set(err, VIEWD_ERR_CONFLICT, "table '%s' has no transactions any more", task->rel.name);
	if (!db_exec(db, gen_delete(&task->gen, &task->rel), err))
		return false;
	db_failpoint(db, "refresh:emptied");
	return db->ops->exec(db, gen_insert(&from_stage, &task->rel), NULL, 0, &out->rows, err);
}

bool inplace_refresh(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct relation stage = {.schema = "", .name = STAGE};
	struct shadow shadow;
	int64_t staged = 0;

	shadow_names(my_conn(task->db), &task->rel, &shadow);
	if (!shadow_hold(&shadow, err) || !make_stage(task, &stage, err) ||
	    !task->db->ops->exec(task->db, gen_insert(&task->gen, &stage), NULL, 0, &staged, err))
		return false;
	db_failpoint(task->db, "mysql:filled");
	if (!exchange(task, &stage, out, err) || (staged > SMALL_ROWS && !my_drop_temporary(my_conn(task->db), STAGE, err)))
		return false;
	out->rows_written = out->rows;
	out->did = VIEWD_DID_FULL;
	/* As a tag's: strictly later than what is recorded, even when the clock was set back. */
	if (out->data_timestamp_us <= task->state.data_timestamp_us)
		out->data_timestamp_us = task->state.data_timestamp_us + 1;
	return true;
}
