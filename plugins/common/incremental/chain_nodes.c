/* SPDX-License-Identifier: MIT */
#include "common/incremental/chain_nodes.h"

#include "base/err.h"
#include "common/depends/knowledge.h"
#include "common/generate/columns.h"
#include "common/incremental/sums/sums.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

bool chain_prevent(const struct task *task, const char *what, const char *why, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "view '%s' cannot be refreshed incrementally (%s: %s)", task->view->name, what, why);
	return err_hint(err, "refresh_mode = auto always works; viewctl explain tells more");
}

/* ---- columns ---- */

static bool find_column(const struct syntax *syn, const struct columns *columns, const char *name, size_t *position_r)
{
	for (size_t i = 0; i < columns->n; i++) {
		const char *inner = columns->inner != NULL && columns->inner[i] != NULL ? columns->inner[i] : columns->names[i];
		if (ident_same(syn, inner, name) || ident_same(syn, columns->names[i], name)) {
			*position_r = i;
			return true;
		}
	}
	return false;
}

/* Where the node's key, and what identifies its rows, stand in the columns of the part. */
static bool find_key(struct task *task, const struct analysis_node *node, struct part *part, struct viewd_err *err)
{
	const struct analysis_list *key = &node->key_columns;
	if ((key->n == 0 && node->kind == ANALYSIS_PART) || key->n > KEY_WIDTH_MAX)
		return chain_prevent(task, "the key", "its columns have no names of their own", err);
	for (size_t i = 0; i < key->n; i++)
		if (!find_column(task->db->syntax, part->columns, key->items[i], &part->key[i]))
			return chain_prevent(task, "the key", "it is not among the columns of the relation", err);
	part->n_key = key->n;
	return true;
}

static void find_row_columns(struct task *task, void *mem, const struct analysis_node *node, struct part *part)
{
	const struct analysis_list *row = &node->row_columns;
	size_t *positions = talloc_array(mem, size_t, (unsigned)row->n + 1);
	assert(positions != NULL);
	part->row = positions;
	for (size_t i = 0; i < row->n; i++)
		if (!find_column(task->db->syntax, part->columns, row->items[i], &positions[i]))
			return;
	part->n_row = row->n;
}

bool chain_make_writer(struct task *task, struct chain *chain, struct part *part, struct viewd_err *err)
{
	part->rel = task->rel;
	part->definition = chain->definition;
	part->columns = chain->columns;
	if (!find_key(task, chain_last(chain), part, err))
		return false;
	find_row_columns(task, chain, chain_last(chain), part);
	return true;
}

/* ---- logs ---- */

void chain_logs(struct task *task, struct chain *chain)
{
	size_t n = 0;
	for (size_t i = 0; i < chain->analysis->n_nodes; i++)
		n += chain->analysis->nodes[i].n_sources;
	chain->logs = talloc_zero_array(chain, struct change_log, (unsigned)n + 1);
	chain->log_names = knowledge_names(task->db->syntax, chain, chain->definition);
	assert(chain->logs != NULL);
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static struct change_log *log_of(struct chain *chain, const struct analysis_source *said, const struct log_sums *sums)
{
	for (size_t i = 0; i < chain->n_logs; i++)
		if (strcmp(chain->logs[i].source.name, said->name) == 0 &&
		    strcmp(chain->logs[i].source.schema, said->schema) == 0 && change_log_holds(&chain->logs[i], sums))
			return &chain->logs[i];
	struct change_log *log = &chain->logs[chain->n_logs++];
	*log = (struct change_log){.names = chain->log_names, .sums = sums, .mem = chain};
	snprintf(log->source.schema, sizeof log->source.schema, "%s", said->schema);
	snprintf(log->source.name, sizeof log->source.name, "%s", said->name);
	return log;
}

static bool want_columns(struct task *task, struct chain *chain, struct change_log *log,
                         const struct analysis_list *list, struct viewd_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strchr(list->items[i], '\n') != NULL || strncasecmp(list->items[i], "viewd_", 6) == 0)
			return chain_prevent(task, list->items[i], "a change log cannot have a column of this name", err);
		if (has_name(log->columns, log->n_columns, list->items[i]))
			continue;
		log->columns = talloc_realloc(chain, log->columns, const char *, (unsigned)log->n_columns + 1);
		assert(log->columns != NULL);
		log->columns[log->n_columns++] = list->items[i];
	}
	return true;
}

/* A change of any column that is read must leave images, so all of them stand in the log. */
static struct change_log *want_log(struct task *task, struct chain *chain, const struct analysis_source *said,
                                   const struct log_sums *sums, struct viewd_err *err)
{
	struct change_log *log = log_of(chain, said, sums);
	return want_columns(task, chain, log, &said->logged, err) && want_columns(task, chain, log, &said->read, err)
	           ? log
	           : NULL;
}

bool chain_sources(struct task *task, struct chain *chain, const struct analysis_node *node, const struct roll *roll,
                   struct part *part, struct viewd_err *err)
{
	bool sums = chain->sums.wanted && roll != NULL && roll->images;
	part->sources = talloc_zero_array(chain, struct part_source, (unsigned)node->n_sources);
	assert(part->sources != NULL);
	part->n_sources = node->n_sources;
	for (size_t i = 0; i < node->n_sources; i++) {
		const struct analysis_source *said = &node->sources[i];
		if ((said->n_pairs == 0 && !said->images) || said->n_pairs > KEY_WIDTH_MAX)
			return chain_prevent(task, said->name, "too many columns lead to the key", err);
		part->sources[i].said = said;
		part->sources[i].log =
			want_log(task, chain, said, sums ? sums_of_roll(chain, task->db->syntax, roll, said) : NULL, err);
		if (part->sources[i].log == NULL)
			return false;
	}
	return true;
}

/* ---- rolls ---- */

static struct roll *new_roll(const struct db *db, void *mem, const struct analysis *analysis)
{
	struct roll *roll = talloc_zero(mem, struct roll);
	assert(roll != NULL);
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	roll->texts = last->texts;
	roll->spelling = last->one_answer ? NULL : db->ops->incremental.roll.spelling;
	roll->images = analysis->n_nodes == 1;
	roll_plan(mem, roll, &analysis->nodes[0]);
	return roll;
}

struct roll *chain_roll(const struct db *db, struct chain *chain)
{
	return new_roll(db, chain, chain->analysis);
}

/* The part below finds keys by the same sources; without one, their images are added up. */
static void put_below(struct roll *roll, struct part *part)
{
	if (roll == NULL)
		return;
	if (roll->images) {
		part->sources[0].log->summed = true;
		return;
	}
	part->n_key = roll->part.n_key;
	roll->part.sources = part->sources;
	roll->part.n_sources = part->n_sources;
}

void chain_below(struct chain *chain)
{
	put_below(chain->roll, &chain->part);
}

/* ---- tops ---- */

static bool plan_part(struct task *task, struct chain *chain, struct piece *piece, struct viewd_err *err)
{
	const struct analysis_node *node = &piece->said->analysis->nodes[0];
	struct part *part = &piece->part;
	part->definition = piece->table.query = piece->said->text;
	part->columns = columns_of_query(task->db, chain, piece->said->text, err);
	if (part->columns == NULL || !find_key(task, node, part, err))
		return false;
	find_row_columns(task, chain, node, part);
	return true;
}

static bool plan_piece(struct task *task, struct chain *chain, const struct analysis_piece *said, struct piece *piece,
                       struct viewd_err *err)
{
	const struct analysis *analysis = said->analysis;
	piece->said = said;
	piece->same = said->same != 0 ? &chain->top->pieces[said->same - 1] : NULL;
	if (analysis->nodes[analysis->n_nodes - 1].kind == ANALYSIS_ROLL)
		piece->roll = new_roll(task->db, chain, analysis);
	if (piece->roll == NULL && !plan_part(task, chain, piece, err))
		return false;
	if (!chain_sources(task, chain, &analysis->nodes[0], piece->roll, &piece->part, err))
		return false;
	put_below(piece->roll, &piece->part);
	return true;
}

static bool plan_tables(struct task *task, struct chain *chain, struct top *top, struct viewd_err *err)
{
	const struct analysis_node *node = chain_last(chain);
	top->whole = talloc_zero_array(chain, struct change_log *, (unsigned)node->n_sources + 1);
	assert(top->whole != NULL);
	for (size_t i = 0; i < node->n_sources; i++) {
		if (node->sources[i].node != 0)
			continue;
		struct change_log *log = want_log(task, chain, &node->sources[i], NULL, err);
		if (log == NULL)
			return false;
		top->whole[top->n_whole++] = log;
	}
	return true;
}

bool chain_top(struct task *task, struct chain *chain, struct viewd_err *err)
{
	struct top *top = talloc_zero(chain, struct top);
	const struct analysis_top *said = chain->analysis->top;
	assert(top != NULL);
	top->said = said;
	top->pieces = talloc_zero_array(chain, struct piece, (unsigned)said->n_pieces);
	assert(top->pieces != NULL);
	top->n_pieces = said->n_pieces;
	top->result = (struct part){.rel = task->rel, .columns = chain->columns, .definition = chain->definition};
	chain->top = top;
	for (size_t i = 0; i < said->n_pieces; i++)
		if (!plan_piece(task, chain, &said->pieces[i], &top->pieces[i], err))
			return false;
	return plan_tables(task, chain, top, err);
}
