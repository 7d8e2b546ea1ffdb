/* SPDX-License-Identifier: MIT */
#include "common/incremental/audit.h"

#include "common/sqltext/sqltext.h"

#include <inttypes.h>
#include <sys/random.h>
#include <talloc.h>

#define AUDIT_EVERY 50
#define AUDIT_ROWS 20

/* The part that writes the relation. */
static const struct part *writer(const struct chain *chain)
{
	return chain->roll != NULL ? &chain->roll->result : &chain->part;
}

bool audit_due(struct chain *chain)
{
	return chain_last(chain)->one_answer && writer(chain)->n_key > 0 && ++chain->since_audit % AUDIT_EVERY == 1;
}

/* A stretch of the relation that begins anywhere. */
static char *sample_query(struct task *task)
{
	const struct part *part = writer(task->chain);
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = 0;
	int64_t rows = task->state.rows > AUDIT_ROWS ? task->state.rows - AUDIT_ROWS : 0;
	char *sql = sql_add(sql_new(task->mem), "SELECT DISTINCT ");
	for (size_t i = 0; i < part->n_key; i++)
		sql = ident_append(task->db->syntax, sql_add(sql, i > 0 ? ", viewd_a." : "viewd_a."),
		                   part->columns->names[part->key[i]]);
	return sql_add(sql, " FROM (SELECT * FROM %s LIMIT %d OFFSET %" PRId64 ") AS viewd_a",
	               relation_quoted(task->db->syntax, task->mem, &part->rel), AUDIT_ROWS,
	               rows > 0 ? (int64_t)(random % (uint64_t)rows) : 0);
}

bool audit_run(struct task *task, int64_t *wrong_r, struct viewd_err *err)
{
	struct db *db = task->db;
	struct part other = *writer(task->chain);
	struct key_set keys = {.mem = task->mem, .width = other.n_key, .name = "viewd_audit"};
	struct part_written written = {0};
	other.form = other.form == 0 ? 1 : 0;
	other.definition = task->chain->definition;
	bool done = db->ops->incremental.add_keys(db, &keys, sample_query(task), NULL, err);
	int64_t before = db_now(db);
	done = done && (keys.n == 0 || db->ops->incremental.apply_part(db, &other, &keys, &written, err));
	if (done && task->chain->roll == NULL)
		cost_learn_hint(&task->chain->cost, other.form, keys.n, db_now(db) - before);
	if (db->ops->incremental.drop_keys != NULL)
		db->ops->incremental.drop_keys(db, &keys);
	*wrong_r = written.inserted + written.updated + written.deleted;
	return done;
}
