/* SPDX-License-Identifier: MIT */
#include "common/incremental/audit.h"

#include "common/sqltext/sqltext.h"

#include <inttypes.h>
#include <sys/random.h>
#include <talloc.h>

#define AUDIT_ROWS 20

/* Which rows are audited: the relation's, or of a top those of its pieces that have some, in turns. */
struct audited {
	const struct part *part;
	const char *definition;
};

static bool may_audit(const struct piece *piece)
{
	return piece->roll == NULL && piece->part.n_key > 0 && piece->said->analysis->nodes[0].one_answer;
}

static bool find_piece(const struct top *top, unsigned turn, struct audited *out)
{
	for (size_t i = 0; i < top->n_pieces; i++) {
		const struct piece *piece = &top->pieces[(turn + i) % top->n_pieces];
		if (!may_audit(piece))
			continue;
		*out = (struct audited){&piece->part, piece->said->text};
		return true;
	}
	return false;
}

static bool find_audited(struct chain *chain, struct audited *out)
{
	if (chain->top != NULL)
		return find_piece(chain->top, chain->audits, out);
	*out = (struct audited){chain_writer(chain), chain->definition};
	return chain_last(chain)->one_answer && out->part->n_key > 0;
}

bool audit_due(struct chain *chain, int64_t took_us)
{
	struct audited audited;
	return find_audited(chain, &audited) && cost_audit_due(&chain->cost, took_us);
}

/* A stretch of the relation that begins anywhere. */
static char *sample_query(struct task *task, const struct part *part)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = 0;
	/* How many rows a piece has is not known: the first ones, in whatever order. */
	int64_t rows = task->chain->top == NULL && task->state.rows > AUDIT_ROWS ? task->state.rows - AUDIT_ROWS : 0;
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
	struct audited audited;
	if (!find_audited(task->chain, &audited))
		return true;
	struct part other = *audited.part;
	struct key_set keys = {.mem = task->mem, .width = other.n_key, .name = "viewd_audit"};
	struct part_written written = {0};
	other.form = other.form == 0 ? 1 : 0;
	other.definition = audited.definition;
	int64_t begin = db_now(db);
	bool done = db->ops->incremental.add_keys(db, &keys, sample_query(task, audited.part), NULL, err);
	int64_t before = db_now(db);
	done = done && (keys.n == 0 || db->ops->incremental.apply_part(db, &other, &keys, &written, err));
	if (done && task->chain->roll == NULL && task->chain->top == NULL)
		cost_learn_hint(&task->chain->cost, other.form, keys.n, db_now(db) - before);
	if (db->ops->incremental.drop_keys != NULL)
		db->ops->incremental.drop_keys(db, &keys);
	cost_learn_audit(&task->chain->cost, db_now(db) - begin);
	task->chain->audits++;
	*wrong_r = written.inserted + written.updated + written.deleted;
	return done;
}
