/* SPDX-License-Identifier: MIT */
#include "common/incremental/chain.h"

#include "base/err.h"
#include "common/depends/knowledge.h"
#include "common/incremental/attempt.h"
#include "common/incremental/chain_nodes.h"
#include "common/objects/refresh_group.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define CHAINS_MAX 256 /* of a connection; beyond that the oldest one is found out again when it is needed */

struct chains {
	struct chain *items[CHAINS_MAX];
	size_t n;
};

/* ---- what prevents it ---- */

bool chain_refuse(const struct task *task, const struct refusal *no, struct viewd_err *err)
{
	if (no->line > 0)
		err_set(err, VIEWD_ERR_CONFIG, "view '%s' cannot be refreshed incrementally (%s at line %d, column %d: %s)",
		        task->view->name, no->construct, no->line, no->column, no->why);
	else
		err_set(err, VIEWD_ERR_CONFIG, "view '%s' cannot be refreshed incrementally (%s: %s)", task->view->name,
		        no->construct, no->why);
	return err_hint(err, "%s%srefresh_mode = auto always works", no->help, no->help[0] != '\0' ? "; or " : "");
}

/* The hindrance that there is whatever the definition says; *why_r NULL: none. */
static bool find_hindrance(struct task *task, const char **what_r, const char **why_r, struct viewd_err *err)
{
	struct db *db = task->db;
	*what_r = db->syntax->dialect;
	*why_r = NULL;
	if (db->ops->incremental.apply_part == NULL || db->ops->depends.know == NULL) {
		*why_r = "its dialect does not know how";
	} else if (task->view->run_as != NULL) {
		*what_r = "run_as";
		*why_r = "the statements would run with the rights of two roles";
	} else {
		return db->ops->incremental.possible == NULL || db->ops->incremental.possible(db, why_r, err);
	}
	return true;
}

static bool may(struct task *task, struct viewd_err *err)
{
	const char *what, *why;
	return find_hindrance(task, &what, &why, err) && (why == NULL || chain_prevent(task, what, why, err));
}

/* ---- what else is written in the refresh's transaction ---- */

static bool is_shared(const struct task *task)
{
	return task->group != NULL && task->group->n > 1;
}

/* The view's pre_hook, and the other members of its group with theirs. talloc'ed */
static char *others_inside(void *mem, const struct task *task)
{
	char *text = sql_add(sql_new(mem), "%s", task->view->pre_hook != NULL ? "pre_hook" : "");
	for (size_t i = 0; is_shared(task) && i < task->group->n; i++) {
		const struct viewd_view_spec *other = task->group->members[i].task->view;
		text = sql_add(text, "\n%s%s%s", task->group->names[i], other->pre_hook != NULL ? " pre_hook" : "",
		               other->post_hook != NULL ? " post_hook" : "");
	}
	return text;
}

/* May the source be written there, before it is read? */
static bool is_written_inside(const struct task *task, const struct analysis_source *source)
{
	bool written = task->view->pre_hook != NULL;
	for (size_t i = 0; is_shared(task) && task->db->ops->incremental.roll.own_images_again && i < task->group->n; i++) {
		const struct task *other = task->group->members[i].task;
		written |= other->view->pre_hook != NULL || (other != task && other->view->post_hook != NULL) ||
		           (strcmp(other->rel.name, source->name) == 0 && strcmp(other->rel.schema, source->schema) == 0);
	}
	return written;
}

/* ---- making ---- */

/* Rolls that can be moved: of sums and counts whose texts are known, of complete images or of one part. Images of what
 * is written in the refresh's own transaction may be read by it and by the next one; computing a key twice does no
 * harm. */
static bool can_roll(const struct task *task, const struct analysis *analysis)
{
	if (task->db->ops->incremental.make_node == NULL)
		return false;
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	if (last->kind != ANALYSIS_ROLL || last->texts == NULL || last->texts->groups.n > KEY_WIDTH_MAX ||
	    last->key_columns.n != last->texts->groups.n)
		return false;
	const struct db_incremental_ops *ops = &task->db->ops->incremental;
	if (ops->nodes_lose_types && !(last->one_answer && analysis->nodes[0].one_answer))
		return false;
	for (size_t i = 0; i < last->texts->n_terms && analysis->n_nodes == 1; i++)
		if (last->texts->terms[i].extreme != NULL)
			return false;
	if (analysis->n_nodes == 1)
		return !ops->images_guess && last->sources[0].images && last->sources[0].complete &&
		       last->texts->inside == NULL && !is_written_inside(task, &last->sources[0]);
	return analysis->n_nodes == 2 && analysis->nodes[0].kind == ANALYSIS_PART &&
	       analysis->nodes[0].key_sql.n == analysis->nodes[0].key.n;
}

static bool is_part(const struct analysis *analysis)
{
	return analysis->n_nodes == 1 && analysis->nodes[0].kind == ANALYSIS_PART;
}

/* Can a top read its rows from a table, or a roll, of viewd's own? */
static bool can_read(const struct task *task, const struct analysis *analysis)
{
	const struct db_incremental_ops *ops = &task->db->ops->incremental;
	size_t n_key = analysis->nodes[analysis->n_nodes - 1].key_columns.n;
	if (ops->make_node == NULL || n_key > KEY_WIDTH_MAX || (n_key == 0 && is_part(analysis)))
		return false;
	for (size_t i = 0; ops->nodes_lose_types && i < analysis->n_columns; i++)
		if (analysis->columns[i].odd)
			return false;
	return true;
}

struct judging {
	const struct task *task;
	bool plain; /* sums cannot be moved */
};

static bool can_run(void *ctx, const struct analysis *analysis, bool piece)
{
	const struct judging *judging = ctx;
	if (piece && !can_read(judging->task, analysis))
		return false;
	return is_part(analysis) || (!judging->plain && can_roll(judging->task, analysis));
}

struct analysis *chain_analyse(const struct task *task, void *mem, const struct facts *facts)
{
	struct judging judging = {.task = task};
	return analysis_keep(mem, task->db->syntax, task->definition, facts, can_run, &judging);
}

static bool lists(const struct analysis_list *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->items[i], name) == 0)
			return true;
	return false;
}

static bool reads(const struct analysis *analysis, const struct fact_relation *relation, const char *column)
{
	for (size_t i = 0; i < analysis->n_nodes; i++)
		for (size_t k = 0; k < analysis->nodes[i].n_sources; k++) {
			const struct analysis_source *source = &analysis->nodes[i].sources[k];
			if (source->node == 0 && strcmp(source->name, relation->name) == 0 &&
			    strcmp(source->schema, relation->schema) == 0 &&
			    (lists(&source->read, column) || lists(&source->logged, column)))
				return true;
		}
	return false;
}

/* A node's table has the types that its sources had. */
static const char *types_of(void *mem, const struct analysis *analysis, const struct facts *facts)
{
	char *text = sql_new(mem);
	for (size_t i = 0; i < facts->n_relations; i++)
		for (size_t k = 0; k < facts->relations[i].n_columns; k++) {
			const struct fact_relation *relation = &facts->relations[i];
			const struct fact_column *column = &relation->columns[k];
			if (reads(analysis, relation, column->name))
				text = sql_add(text, "%s.%s.%s %s %d %d\n", relation->schema, relation->name, column->name,
				               column->written, (int)column->type, column->scale);
		}
	return text;
}

static bool analyse(struct task *task, struct chain *chain, struct viewd_err *err)
{
	struct db *db = task->db;
	struct judging judging = {task, attempt_is_plain(task)};
	struct knowledge *knowledge = knowledge_new(chain);
	knowledge_average(knowledge, db->ops->incremental.average, db->ops->incremental.average_large);
	knowledge_extremes(knowledge, db->ops->incremental.roll.extreme_odd);
	if (!db->ops->depends.know(db, knowledge_names(db->syntax, task->mem, task->definition), knowledge, err))
		return false;
	chain->analysis =
		analysis_keep(chain, db->syntax, chain->definition, knowledge_facts(knowledge), can_run, &judging);
	chain->types = types_of(chain, chain->analysis, knowledge_facts(knowledge));
	return chain->analysis->possible || chain_refuse(task, &chain->analysis->refusal, err);
}

static char *describe_part(void *mem, const struct analysis_node *part)
{
	char *text = talloc_strdup(mem, "refresh_mode = incremental keeps it by one part, with the key ");
	for (size_t i = 0; i < part->key.n; i++)
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? ", " : "", part->key.items[i]);
	return text;
}

bool chain_describe(struct task *task, const struct analysis *analysis, char **text_r, struct viewd_err *err)
{
	const char *what, *why;
	if (!find_hindrance(task, &what, &why, err))
		return false;
	char *text = why != NULL           ? talloc_asprintf(task->mem, "it is refreshed as a whole (%s: %s)", what, why)
	             : !analysis->possible ? talloc_strdup(task->mem, "it is refreshed as a whole")
	             : is_part(analysis)   ? describe_part(task->mem, &analysis->nodes[0])
	                                   : talloc_strdup(task->mem, "refresh_mode = incremental keeps it by this chain");
	assert(text != NULL);
	*text_r = text;
	return true;
}

struct part *chain_keyed(struct chain *chain)
{
	if (chain->top != NULL)
		return NULL;
	if (chain->roll == NULL)
		return &chain->part;
	return chain->roll->images ? NULL : &chain->roll->part;
}

struct part *chain_writer(struct chain *chain)
{
	return chain->top != NULL ? &chain->top->result : chain->roll != NULL ? &chain->roll->result : &chain->part;
}

bool chain_is_stuck(const struct chain *chain)
{
	bool stuck = chain->roll != NULL && chain->roll->stuck;
	for (size_t i = 0; chain->top != NULL && i < chain->top->n_pieces; i++)
		stuck |= chain->top->pieces[i].roll != NULL && chain->top->pieces[i].roll->stuck;
	return stuck;
}

const struct analysis_node *chain_first(const struct chain *chain)
{
	return &chain->analysis->nodes[0];
}

const struct analysis_node *chain_last(const struct chain *chain)
{
	return &chain->analysis->nodes[chain->analysis->n_nodes - 1];
}

static bool make(struct task *task, struct chain *chain, struct viewd_err *err)
{
	chain->view = talloc_strdup(chain, task->view->name);
	chain->definition = talloc_strdup(chain, task->definition);
	digest_text(task->definition, chain->digest);
	chain->inside = others_inside(chain, task);
	if (!may(task, err) || !task_columns(task, err) || !analyse(task, chain, err))
		return false;
	chain->sums = sums_recall(task->db, chain->view, chain->digest);
	chain->columns = talloc_steal(chain, task->columns);
	chain_logs(task, chain);
	if (chain->analysis->top != NULL)
		return chain_top(task, chain, err);
	if (!is_part(chain->analysis))
		chain->roll = chain_roll(task->db, chain);
	if (!chain_make_writer(task, chain, chain_writer(chain), err) ||
	    !chain_sources(task, chain, chain_first(chain), chain->roll, &chain->part, err))
		return false;
	chain_below(chain);
	return true;
}

/* The tables of its inner nodes, in order. */
static size_t tables_of(const struct chain *chain, struct node_table *tables[NODES_MAX])
{
	size_t n = 0;
	for (size_t i = 0; chain->top != NULL && i < chain->top->n_pieces; i++)
		n += piece_tables(&chain->top->pieces[i], &tables[n]);
	if (chain->roll != NULL && !chain->roll->images)
		tables[n++] = &chain->roll->below;
	if (chain->roll != NULL)
		tables[n++] = &chain->roll->table;
	return n;
}

static bool check_nodes(struct db *db, struct chain *chain, struct viewd_err *err)
{
	if (chain->top != NULL) {
		top_bind(db, chain, chain->top);
		return top_check(db, chain, chain->view, chain->top, chain->definition, err);
	}
	if (chain->roll == NULL)
		return true;
	roll_bind(db, chain, chain->roll);
	return roll_check(db, chain, chain->view, chain->roll, &chain->part.sources[0], chain->definition, err);
}

bool chain_make_nodes(struct db *db, struct chain *chain, struct viewd_err *err)
{
	struct node_table *places[NODES_MAX], tables[NODES_MAX];
	size_t n = tables_of(chain, places);
	for (size_t i = 0; i < n; i++) {
		tables[i] = *places[i];
		tables[i].types = chain->types;
	}
	if (!node_tables_ensure(db, chain, chain->view, tables, n, err))
		return false;
	for (size_t i = 0; i < n; i++)
		*places[i] = tables[i];
	return check_nodes(db, chain, err);
}

/* ---- keeping ---- */

static struct chains *chains_of(struct db *db)
{
	if (db->chains == NULL)
		db->chains = talloc_zero(db, struct chains);
	assert(db->chains != NULL);
	return db->chains;
}

void chain_release(struct db *db, struct chain *chain)
{
	struct chains *all = chains_of(db);
	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i] != chain)
			continue;
		memmove(&all->items[i], &all->items[i + 1], (all->n - i - 1) * sizeof all->items[0]);
		all->n--;
		break;
	}
}

static void forget(struct db *db, struct chain *chain)
{
	chain_release(db, chain);
	talloc_free(chain);
}

static struct chain *find(struct task *task)
{
	struct chains *all = chains_of(task->db);
	for (size_t i = 0; i < all->n; i++)
		if (strcmp(all->items[i]->view, task->view->name) == 0)
			return all->items[i];
	return NULL;
}

static void keep(struct db *db, struct chain *chain)
{
	struct chains *all = chains_of(db);
	if (all->n == CHAINS_MAX)
		forget(db, all->items[0]);
	all->items[all->n++] = chain;
}

/* Another definition makes what was learnt void, also should the old one come back. Best effort. */
static void forget_others(struct task *task, const struct chain *chain)
{
	struct viewd_err failed;
	if (!learnt_forget(task->db, chain->view, LEARNT_DEMOTED, chain->digest, &failed) ||
	    !learnt_forget(task->db, chain->view, LEARNT_COSTS, chain->digest, &failed))
		db_log(task->db, VIEWD_LOG_DEBUG, "view '%s', what was learnt of another definition stays (%s)", chain->view,
		       failed.msg);
}

static struct chain *open_new(struct task *task, struct viewd_err *err)
{
	struct chain *chain = talloc_zero(chains_of(task->db), struct chain);
	assert(chain != NULL);
	if (make(task, chain, err)) {
		keep(task->db, chain);
		forget_others(task, chain);
		return chain;
	}
	task_use_columns(task, NULL);
	talloc_free(chain);
	return NULL;
}

static bool fits(const struct task *task, const struct chain *chain)
{
	char *inside = others_inside(task->mem, task);
	bool same = strcmp(chain->definition, task->definition) == 0 && strcmp(chain->inside, inside) == 0;
	talloc_free(inside);
	return same;
}

struct chain *chain_open(struct task *task, struct viewd_err *err)
{
	struct chain *chain = find(task);
	if (chain == NULL)
		return open_new(task, err);
	if (!fits(task, chain)) {
		forget(task->db, chain);
		return open_new(task, err);
	}
	task_use_columns(task, chain->columns);
	return chain;
}

bool chain_known(struct task *task)
{
	struct chain *chain = find(task);
	if (chain == NULL || !chain->ensured || !chain->indexed)
		return false;
	task->chain = chain;
	task_use_columns(task, chain->columns);
	return true;
}

bool chain_aim(struct task *task, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	if (!fits(task, chain)) {
		chain->ensured = false;
		return err_set(err, VIEWD_ERR_CONFLICT, "the definition of view '%s' has changed", chain->view);
	}
	chain_writer(chain)->rel = task->rel;
	for (size_t i = 0; i < chain->n_logs; i++)
		chain->logs[i].shared = is_shared(task);
	return true;
}

bool chain_check_nodes(struct task *task, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	const struct node_numbers *found = &chain->recorded;
	struct node_table *tables[NODES_MAX];
	size_t n = tables_of(chain, tables);
	bool same = found->n == n;
	for (size_t i = 0; i < n && same; i++)
		same = found->numbers[i] == tables[i]->number;
	if (same)
		return true;
	chain->ensured = false;
	return err_set(err, VIEWD_ERR_CONFLICT, "the inner nodes of view '%s' are others now", chain->view);
}

struct chain *chain_without_roll(struct task *task, struct viewd_err *err)
{
	chain_forget(task);
	attempt_plain(task);
	return open_new(task, err);
}

void chain_forget(struct task *task)
{
	struct chain *chain = find(task);
	task->chain = NULL;
	task_use_columns(task, NULL);
	if (chain != NULL)
		forget(task->db, chain);
}
