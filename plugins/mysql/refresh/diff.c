/* SPDX-License-Identifier: MIT
 *
 * diff.c: a refresh by difference that runs the definition once and keeps nothing on the server: viewd compares the
 * rows itself (compared.c). Where there are too many of them, or their texts do not tell every byte, a table of all
 * rows of the definition is made.
 */
#include "mysql/incremental/log.h"
#include "mysql/refresh/shadow_table.h"

#include <string.h>

#include "common/incremental/part.h"
#include "common/sqltext/sqltext.h"

/* Positions of the key among the columns. */
static size_t *key_of(void *mem, const struct columns *columns)
{
	size_t *positions = talloc_zero_array(mem, size_t, (unsigned)columns->n_key + 1);
	assert(positions != NULL);
	for (size_t i = 0; i < columns->n_key; i++)
		for (size_t k = 0; k < columns->n; k++)
			if (ident_same(&my_syntax, columns->names[k], columns->key[i]))
				positions[i] = k;
	return positions;
}

/* Where all rows would be written anew, and other nodes would have to carry that out before anything that comes after
 * it: only those that differ are. Whole rows are compared. */
bool my_write_differing(struct task *task, struct viewd_outcome *out, struct viewd_err *err)
{
	struct part_written written = {0};
	bool compared = false;
	const struct difference d = {
		.conn = my_conn(task->db), .mem = task->mem, .rel = &task->rel, .columns = task->columns};
	char *query = whole_query(task->mem, task->columns, task->definition);

	if (!my_keep_object(task, err) ||
	    (task->state.rows <= COMPARED_MAX && compared_may(&d) && !compared_apply(&d, query, &compared, &written, err)))
		return false;
	if (!compared && (!difference_stage(&d, err) || !difference_fill(&d, LOG_STAGE, query, err) ||
	                  !difference_apply(&d, &written, err) || !my_drop_temporary(d.conn, LOG_STAGE, err)))
		return false;
	out->rows_written = written.inserted + 2 * written.updated + written.deleted;
	out->did = out->rows_written == 0 ? VIEWD_DID_NO_DATA : VIEWD_DID_DIFF;
	return task_count_rows(task, &out->rows, err);
}

bool my_diff(struct task *task, bool *done_r, struct viewd_outcome *out, struct viewd_err *err)
{
	struct part_written written = {0};
	const struct columns *columns = task->columns;
	const struct difference d = {.conn = my_conn(task->db),
	                             .mem = task->mem,
	                             .rel = &task->rel,
	                             .columns = columns,
	                             .row = key_of(task->mem, columns),
	                             .n_row = columns->n_key,
	                             .nulls_not = true};
	*done_r = false;
	if (!d.conn->mariadb || task->state.rows > COMPARED_MAX || !compared_may(&d))
		return true;
	if (!my_keep_object(task, err) ||
	    !compared_apply(&d, whole_query(task->mem, columns, task->definition), done_r, &written, err))
		return false;
	if (!*done_r)
		return true;
	/* A row that has changed is deleted and inserted. */
	out->rows_written = written.inserted + 2 * written.updated + written.deleted;
	out->did = out->rows_written == 0 ? VIEWD_DID_NO_DATA : VIEWD_DID_DIFF;
	return task_count_rows(task, &out->rows, err);
}
