/* SPDX-License-Identifier: MIT
 *
 * staged_rows.c: fetches the definition's rows before the write transaction begins, for engines with one writer: the
 * application's writers wait only while differences are written, however long the definition runs.
 */
#include "base/err.h"
#include "common/objects/steps.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>

/* A name of the hidden row number that no column has taken; NULL when all are taken. */
static const char *free_row_id(const struct task *task)
{
	const struct syntax *syn = task->db->syntax;
	for (size_t i = 0; i < ARRAY_LEN(syn->diff.row_ids) && syn->diff.row_ids[i] != NULL; i++) {
		bool taken = false;
		for (size_t j = 0; j < task->columns->n; j++)
			taken = taken || ident_same(syn, task->columns->names[j], syn->diff.row_ids[i]);
		if (!taken)
			return syn->diff.row_ids[i];
	}
	return NULL;
}

static void name_tables(struct task *task)
{
	struct task_stage *stage = &task->stage;
	gen_diff_name(&task->gen, &stage->rows);
	stage->gone = stage->fresh = stage->rows;
	snprintf(stage->gone.name, sizeof stage->gone.name, "%.200s_gone", stage->rows.name);
	snprintf(stage->fresh.name, sizeof stage->fresh.name, "%.200s_fresh", stage->rows.name);
}

static bool drop_tables(struct task *task, struct viewd_err *err)
{
	const struct relation *const tables[] = {&task->stage.rows, &task->stage.gone, &task->stage.fresh};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!db_exec(task->db, gen_diff_drop(&task->gen, tables[i]), err))
			return false;
	return true;
}

static bool count_rows(struct task *task, const struct relation *table, int64_t *n_r, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(task), "SELECT count(*) FROM %s", relation_quoted(task->db->syntax, task, table));
	return db_query_int(task->db, sql, n_r, err);
}

/* Rows with a NULL in their key, all or none of them. */
static bool compare_keyless(struct task *task, struct viewd_err *err)
{
	struct task_stage *stage = &task->stage;
	const struct gen *gen = &task->gen;
	int64_t differ = 0;
	return db_query_int(task->db, gen_keyless_differ(gen, &stage->rows), &differ, err) &&
	       (differ == 0 ||
	        (db_exec(task->db, gen_delta_keyless_gone(gen, &stage->gone, stage->row_id), err) &&
	         db_exec(task->db, gen_delta_keyless_fresh(gen, &stage->rows, &stage->fresh, stage->row_id), err)));
}

static bool compare_rows(struct task *task, struct viewd_err *err)
{
	struct task_stage *stage = &task->stage;
	const struct gen *gen = &task->gen;
	return db_exec(task->db, gen_diff_index(gen, &stage->rows), err) &&
	       db_exec(task->db, gen_delta_gone(gen, &stage->rows, &stage->gone, stage->row_id), err) &&
	       db_exec(task->db, gen_delta_fresh(gen, &stage->rows, &stage->fresh, stage->row_id), err) &&
	       compare_keyless(task, err) && count_rows(task, &stage->gone, &stage->n_gone, err) &&
	       count_rows(task, &task->rel, &stage->n_before, err);
}

static bool fill_tables(struct task *task, bool compared, struct viewd_err *err)
{
	struct task_stage *stage = &task->stage;
	return drop_tables(task, err) && db_exec(task->db, gen_diff_stage(&task->gen, &stage->rows), err) &&
	       task->db->ops->exec(task->db, gen_insert(&task->gen, &stage->rows), NULL, 0, &stage->n_rows, err) &&
	       (!compared || compare_rows(task, err));
}

static bool ask_version(struct task *task, int64_t *version_r, struct viewd_err *err)
{
	const struct db_session_ops *session = &task->db->ops->session;
	*version_r = 0;
	return session->definitions_version == NULL || session->definitions_version(task->db, version_r, err);
}

bool staged_rows_check(struct task *task, struct viewd_err *err)
{
	int64_t version;
	if (!task->stage.filled)
		return true;
	if (!ask_version(task, &version, err))
		return false;
	task->stage.outdated = version != task->stage.definitions;
	return !task->stage.outdated ||
	       err_set(err, VIEWD_ERR_CONFLICT, "a definition has changed while the rows of '%s' were computed",
	               task->rel.name);
}

bool staged_rows_fill(struct task *task, bool compared, struct viewd_err *err)
{
	task->stage.row_id = free_row_id(task);
	if (compared && task->stage.row_id == NULL)
		return true;
	name_tables(task);
	if (!task_read_marks(task, err) || !ask_version(task, &task->stage.definitions, err) ||
	    !fill_tables(task, compared, err))
		return false;
	task->stage.filled = true;
	task->stage.compared = compared;
	task->gen.source = &task->stage.rows;
	return true;
}

bool staged_rows_make(struct task *task, bool compared, struct viewd_err *err)
{
	struct db *db = task->db;
	if (!db->syntax->diff.stage_first)
		return true;
	if (!db->ops->begin(db, DB_BEGIN_SNAPSHOT, err))
		return false;
	if (!staged_rows_fill(task, compared, err) || !db->ops->commit(db, err)) {
		db->ops->rollback(db);
		task->stage.filled = false;
		return false;
	}
	if (task->stage.filled)
		db_failpoint(db, "refresh:staged");
	return true;
}

/* A cancel or a timeout has done its work by now and must not keep the tables alive. */
void staged_rows_drop(struct task *task)
{
	struct viewd_err ignored;
	if (!task->stage.filled)
		return;
	db_enter(task->db);
	if (!drop_tables(task, &ignored))
		db_log(task->db, VIEWD_LOG_WARNING, "database '%s', a temporary table stays until the connection ends (%s)",
		       task->db->database_name, ignored.msg);
	task->stage.filled = false;
}

bool staged_rows_apply(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	const struct task_stage *stage = &task->stage;
	struct db *db = task->db;
	int64_t deleted = 0, inserted = 0;
	if (!db->ops->exec(db, gen_delta_delete(&task->gen, &stage->gone, stage->row_id), NULL, 0, &deleted, err))
		return false;
	if (deleted != stage->n_gone)
		return err_set(err, VIEWD_ERR_CONFLICT, "rows of '%s' were changed by someone else during the refresh",
		               task->rel.name);
	if (!db->ops->exec(db, gen_delta_insert(&task->gen, &stage->rows, &stage->fresh, stage->row_id), NULL, 0, &inserted,
	                   err))
		return false;
	out->rows = stage->n_before - deleted + inserted;
	out->rows_written = deleted + inserted;
	out->did = out->rows_written == 0 ? VIEWD_DID_NO_DATA : VIEWD_DID_DIFF;
	if (out->rows == stage->n_rows)
		return true;
	err_set(err, VIEWD_ERR_QUERY, "unique_key does not identify the rows of the definition (%lld rows, %lld distinct)",
	        (long long)stage->n_rows, (long long)out->rows);
	return err_hint(err, "name all columns that together are unique");
}
