/* SPDX-License-Identifier: MIT */
#include "common/incremental/audit.h"

#include "common/sqltext/sqltext.h"

#include <inttypes.h>
#include <sys/random.h>
#include <talloc.h>

#define AUDIT_ROWS 20
#define AUDIT_AMONG 100000 /* rows of a node, which are not counted beyond */
#define AUDIT_SUMS 10      /* of audits one has a roll's sums computed from all their rows */

/* The rows that are audited. */
struct audited {
	const struct part *part;
	const char *definition;
};

/* The rows that a roll is moved by have a key that few rows of the sources belong to. Sums over few groups take as long
 * as all rows, so they are audited first, and seldom after that. */
static bool find_in_roll(const struct chain *chain, unsigned turn, struct audited *out)
{
	bool rows = !chain->roll->images && chain_first(chain)->one_answer;
	bool sums = chain_last(chain)->one_answer && chain->roll->result.n_key > 0;
	if (rows && (!sums || turn % AUDIT_SUMS != 0))
		*out = (struct audited){&chain->roll->part, chain->roll->part.definition};
	else
		*out = (struct audited){&chain->roll->result, chain->definition};
	return rows || sums;
}

static bool find_in_piece(const struct piece *piece, struct audited *out)
{
	if (piece->same != NULL || !piece->said->analysis->nodes[0].one_answer)
		return false;
	if (piece->roll == NULL)
		*out = (struct audited){&piece->part, piece->said->text};
	else
		*out = (struct audited){&piece->roll->part, piece->roll->part.definition};
	return piece->roll == NULL || !piece->roll->images;
}

/* Pieces whose rows are in a table take turns. */
static bool find_in_top(const struct top *top, unsigned turn, struct audited *out)
{
	for (size_t i = 0; i < top->n_pieces; i++)
		if (find_in_piece(&top->pieces[(turn + i) % top->n_pieces], out) && out->part->n_key > 0)
			return true;
	return false;
}

static bool find_audited(const struct chain *chain, struct audited *out)
{
	unsigned turn = chain->audits;
	if (chain->top != NULL)
		return find_in_top(chain->top, turn, out);
	if (chain->roll != NULL)
		return find_in_roll(chain, turn, out);
	*out = (struct audited){&chain->part, chain->definition};
	return chain_last(chain)->one_answer && out->part->n_key > 0;
}

bool audit_due(struct chain *chain, int64_t took_us)
{
	struct audited audited;
	return find_audited(chain, &audited) && cost_audit_due(&chain->cost, took_us);
}

/* The relation's rows have been counted; those of a node only up to a bound. */
static bool count(struct task *task, const struct part *part, int64_t *rows_r, struct viewd_err *err)
{
	*rows_r = task->state.rows;
	if (part == chain_writer(task->chain))
		return true;
	return db_query_int(task->db,
	                    sql_add(sql_new(task->mem), "SELECT count(*) FROM (SELECT 1 FROM %s LIMIT %d) AS viewd_a",
	                            relation_quoted(task->db->syntax, task->mem, &part->rel), AUDIT_AMONG),
	                    rows_r, err);
}

/* A stretch of rows that begins anywhere. */
static char *sample_query(struct task *task, const struct part *part, int64_t rows)
{
	uint32_t random = 0;
	if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
		random = 0;
	char *sql = sql_add(sql_new(task->mem), "SELECT DISTINCT ");
	for (size_t i = 0; i < part->n_key; i++)
		sql = ident_append(task->db->syntax, sql_add(sql, i > 0 ? ", viewd_a." : "viewd_a."),
		                   part->columns->names[part->key[i]]);
	return sql_add(sql, " FROM (SELECT * FROM %s LIMIT %d OFFSET %" PRId64 ") AS viewd_a",
	               relation_quoted(task->db->syntax, task->mem, &part->rel), AUDIT_ROWS,
	               rows > AUDIT_ROWS ? (int64_t)(random % (uint64_t)(rows - AUDIT_ROWS)) : 0);
}

bool audit_run(struct task *task, int64_t *wrong_r, struct viewd_err *err)
{
	struct db *db = task->db;
	struct audited audited;
	int64_t rows = 0;
	int64_t begin = db_now(db);
	if (!find_audited(task->chain, &audited))
		return true;
	if (!count(task, audited.part, &rows, err))
		return false;
	struct part other = *audited.part;
	struct key_set keys = {.mem = task->mem, .width = other.n_key, .name = "viewd_audit"};
	struct part_written written = {0};
	other.form = other.form == 0 ? 1 : 0;
	other.definition = audited.definition;
	bool done = db->ops->incremental.add_keys(db, &keys, sample_query(task, audited.part, rows), NULL, err);
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
