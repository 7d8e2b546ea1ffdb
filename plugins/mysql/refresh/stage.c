/* SPDX-License-Identifier: MIT
 *
 * stage.c: a table beside the live one: made, indexed, filled, tagged.
 */
#include "common/objects/steps.h"
#include "mysql/refresh/shadow_table.h"

#include <stdio.h>

#include "base/err.h"

static bool write_tag(struct shadow *shadow, const struct tag *tag, struct viewd_err *err)
{
	char text[TAG_TEXT_MAX];
	char *name = shadow_quoted(shadow->conn, &shadow->fresh);
	char *sql = talloc_asprintf(name, "ALTER TABLE %s COMMENT = '%s'", name, tag_format(tag, text));
	bool done = db_exec(&shadow->conn->db, sql, err);

	talloc_free(name);
	return done;
}

/* Statistics for the first reader's plan. A failure does no harm. */
static void analyse(struct shadow *shadow)
{
	char *name = shadow_quoted(shadow->conn, &shadow->fresh);
	char *sql = talloc_asprintf(name, "ANALYZE NO_WRITE_TO_BINLOG TABLE %s", name);
	struct viewd_err err;

	if (!db_exec(&shadow->conn->db, sql, &err))
		db_log(&shadow->conn->db, VIEWD_LOG_DEBUG, "table '%s' was not analysed (%s)", shadow->fresh.name, err.msg);
	talloc_free(name);
}

bool stage_tag(struct shadow *shadow, const struct tag *tag, struct viewd_err *err)
{
	if (!write_tag(shadow, tag, err))
		return false;
	analyse(shadow);
	return true;
}

bool stage_fill(struct task *task, struct shadow *shadow, const char *uid, struct viewd_outcome *out,
                struct viewd_err *err)
{
	struct tag tag = {.data_timestamp_us = db_now(task->db)};
	int64_t rows;

	/* Strictly later than what is recorded, even when the clock was set back: the later of tag and state row is the
	 * truth. */
	if (tag.data_timestamp_us <= task->state.data_timestamp_us)
		tag.data_timestamp_us = task->state.data_timestamp_us + 1;
	snprintf(tag.uid, sizeof tag.uid, "%s", uid);
	if (!task->db->ops->exec(task->db, gen_insert(&task->gen, &shadow->fresh), NULL, 0, &rows, err))
		return false;
	tag.rows = rows;
	tag.duration_us = db_now(task->db) - task->started_us;
	db_failpoint(task->db, "mysql:filled");
	if (!stage_tag(shadow, &tag, err))
		return false;
	out->rows = out->rows_written = rows;
	out->data_timestamp_us = tag.data_timestamp_us;
	return true;
}

bool stage_create(struct task *task, struct shadow *shadow, const char *uid, struct viewd_err *err)
{
	struct gen gen = task->gen;

	gen.tag = uid;
	if (!db_exec(task->db, gen_create_table(&gen, &shadow->fresh, false), err))
		return false;
	db_failpoint(task->db, "mysql:staged");
	return index_make_all(task, &shadow->fresh, err);
}

bool stage_copy(struct shadow *shadow, struct viewd_err *err)
{
	char *name = shadow_quoted(shadow->conn, &shadow->fresh);
	char *sql = talloc_asprintf(name, "CREATE TABLE %s LIKE %s", name, shadow_quoted(name, &shadow->live));
	bool done = db_exec(&shadow->conn->db, sql, err);

	talloc_free(name);
	db_failpoint(&shadow->conn->db, "mysql:staged");
	return done;
}
