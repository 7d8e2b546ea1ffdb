/* SPDX-License-Identifier: MIT */
#include "common/incremental/chain.h"

#include "base/err.h"
#include "common/depends/knowledge.h"
#include "common/incremental/attempt.h"
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

static bool prevent(const struct task *task, const char *what, const char *why, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "view '%s' cannot be refreshed incrementally (%s: %s)", task->view->name, what, why);
	return err_hint(err, "refresh_mode = auto always works; viewctl explain tells more");
}

static bool refuse_as_analysed(const struct task *task, const struct refusal *no, struct viewd_err *err)
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
	return find_hindrance(task, &what, &why, err) && (why == NULL || prevent(task, what, why, err));
}

/* ---- making ---- */

/* Rolls that can be moved: of sums and counts whose texts are known, of complete images or of one part. Images of what
 * a pre_hook writes in the refresh's own transaction would be read by it and by the next one; computing a key twice
 * does no harm. */
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
	if (analysis->n_nodes == 1)
		return !ops->images_guess && last->sources[0].images && last->sources[0].complete &&
		       last->texts->inside == NULL && task->view->pre_hook == NULL;
	return analysis->n_nodes == 2 && analysis->nodes[0].kind == ANALYSIS_PART &&
	       analysis->nodes[0].key_sql.n == analysis->nodes[0].key.n;
}

static bool is_part(const struct analysis *analysis)
{
	return analysis->n_nodes == 1 && analysis->nodes[0].kind == ANALYSIS_PART;
}

struct analysis *chain_analyse(const struct task *task, void *mem, const struct facts *facts)
{
	const struct db *db = task->db;
	struct analysis *analysis = analysis_run(mem, db->syntax, task->definition, facts, 0);
	if (analysis->possible && (is_part(analysis) || can_roll(task, analysis)))
		return analysis;
	analysis = analysis_run(mem, db->syntax, task->definition, facts, ANALYSIS_NO_IMAGES);
	if (analysis->possible && can_roll(task, analysis))
		return analysis;
	return analysis_run(mem, db->syntax, task->definition, facts, ANALYSIS_ONE_PART);
}

static bool analyse(struct task *task, struct chain *chain, struct viewd_err *err)
{
	struct db *db = task->db;
	struct knowledge *knowledge = knowledge_new(chain);
	knowledge_average(knowledge, db->ops->incremental.average, db->ops->incremental.average_large);
	if (!db->ops->depends.know(db, knowledge_names(db->syntax, task->mem, task->definition), knowledge, err))
		return false;
	const struct facts *facts = knowledge_facts(knowledge);
	chain->analysis = attempt_is_plain(task)
	                      ? analysis_run(chain, db->syntax, chain->definition, facts, ANALYSIS_ONE_PART)
	                      : chain_analyse(task, chain, facts);
	if (!chain->analysis->possible)
		return refuse_as_analysed(task, &chain->analysis->refusal, err);
	if (!is_part(chain->analysis)) {
		chain->roll = talloc_zero(chain, struct roll);
		assert(chain->roll != NULL);
	}
	return true;
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
	if (chain->roll == NULL)
		return &chain->part;
	return chain->roll->images ? NULL : &chain->roll->part;
}

const struct analysis_node *chain_first(const struct chain *chain)
{
	return &chain->analysis->nodes[0];
}

const struct analysis_node *chain_last(const struct chain *chain)
{
	return &chain->analysis->nodes[chain->analysis->n_nodes - 1];
}

static bool find_column(const struct task *task, const char *name, size_t *position_r)
{
	const struct columns *columns = task->columns;
	for (size_t i = 0; i < columns->n; i++) {
		const char *inner = columns->inner != NULL && columns->inner[i] != NULL ? columns->inner[i] : columns->names[i];
		if (ident_same(task->db->syntax, inner, name) || ident_same(task->db->syntax, columns->names[i], name)) {
			*position_r = i;
			return true;
		}
	}
	return false;
}

static bool find_key(struct task *task, struct chain *chain, struct part *part, struct viewd_err *err)
{
	const struct analysis_list *key = &chain_last(chain)->key_columns;
	if ((key->n == 0 && chain->roll == NULL) || key->n > KEY_WIDTH_MAX)
		return prevent(task, "the key", "its columns have no names of their own", err);
	for (size_t i = 0; i < key->n; i++)
		if (!find_column(task, key->items[i], &part->key[i]))
			return prevent(task, "the key", "it is not among the columns of the relation", err);
	part->n_key = key->n;
	return true;
}

static void find_row_columns(struct task *task, struct chain *chain, struct part *part)
{
	const struct analysis_list *row = &chain_last(chain)->row_columns;
	size_t *positions = talloc_array(chain, size_t, (unsigned)row->n + 1);
	assert(positions != NULL);
	part->row = positions;
	for (size_t i = 0; i < row->n; i++)
		if (!find_column(task, row->items[i], &positions[i]))
			return;
	part->n_row = row->n;
}

static bool has_name(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static struct change_log *log_of(struct chain *chain, const struct analysis_source *said)
{
	for (size_t i = 0; i < chain->n_logs; i++)
		if (strcmp(chain->logs[i].source.name, said->name) == 0 &&
		    strcmp(chain->logs[i].source.schema, said->schema) == 0)
			return &chain->logs[i];
	struct change_log *log = &chain->logs[chain->n_logs++];
	*log = (struct change_log){0};
	snprintf(log->source.schema, sizeof log->source.schema, "%s", said->schema);
	snprintf(log->source.name, sizeof log->source.name, "%s", said->name);
	return log;
}

static bool want_columns(struct task *task, struct chain *chain, struct change_log *log,
                         const struct analysis_list *list, struct viewd_err *err)
{
	for (size_t i = 0; i < list->n; i++) {
		if (strchr(list->items[i], '\n') != NULL || strncasecmp(list->items[i], "viewd_", 6) == 0)
			return prevent(task, list->items[i], "a change log cannot have a column of this name", err);
		if (has_name(log->columns, log->n_columns, list->items[i]))
			continue;
		log->columns = talloc_realloc(chain, log->columns, const char *, (unsigned)log->n_columns + 1);
		assert(log->columns != NULL);
		log->columns[log->n_columns++] = list->items[i];
	}
	return true;
}

/* A change of any column that is read must leave images, so all of them stand in the log. */
static bool find_sources(struct task *task, struct chain *chain, struct viewd_err *err)
{
	const struct analysis_node *node = chain_first(chain);
	struct part *part = &chain->part;
	part->sources = talloc_zero_array(chain, struct part_source, (unsigned)node->n_sources);
	chain->logs = talloc_zero_array(chain, struct change_log, (unsigned)node->n_sources);
	assert(part->sources != NULL && chain->logs != NULL);
	part->n_sources = node->n_sources;
	const char *names = knowledge_names(task->db->syntax, chain, chain->definition);
	for (size_t i = 0; i < node->n_sources; i++) {
		const struct analysis_source *said = &node->sources[i];
		if ((said->n_pairs == 0 && !said->images) || said->n_pairs > KEY_WIDTH_MAX)
			return prevent(task, said->name, "too many columns lead to the key", err);
		part->sources[i].said = said;
		part->sources[i].log = log_of(chain, said);
		part->sources[i].log->names = names;
		if (!want_columns(task, chain, part->sources[i].log, &said->logged, err) ||
		    !want_columns(task, chain, part->sources[i].log, &said->read, err))
			return false;
	}
	return true;
}

/* The part that writes the relation: of the definition, or of what a roll yields. */
static bool plan(struct task *task, struct chain *chain, struct part *part, struct viewd_err *err)
{
	if (!find_key(task, chain, part, err))
		return false;
	find_row_columns(task, chain, part);
	part->rel = task->rel;
	part->definition = chain->definition;
	part->columns = chain->columns;
	return true;
}

static void plan_roll(struct chain *chain)
{
	struct roll *roll = chain->roll;
	roll->texts = chain_last(chain)->texts;
	roll->images = chain->analysis->n_nodes == 1;
	roll_plan(chain, roll, chain_first(chain));
	if (roll->images)
		return;
	chain->part.n_key = roll->part.n_key;
	roll->part.sources = chain->part.sources;
	roll->part.n_sources = chain->part.n_sources;
}

static bool make(struct task *task, struct chain *chain, struct viewd_err *err)
{
	chain->view = talloc_strdup(chain, task->view->name);
	chain->definition = talloc_strdup(chain, task->definition);
	digest_text(task->definition, chain->digest);
	chain->hooked = task->view->pre_hook != NULL;
	if (!may(task, err) || !task_columns(task, err) || !analyse(task, chain, err))
		return false;
	chain->columns = talloc_steal(chain, task->columns);
	if (!plan(task, chain, chain->roll != NULL ? &chain->roll->result : &chain->part, err) ||
	    !find_sources(task, chain, err))
		return false;
	if (chain->roll != NULL)
		plan_roll(chain);
	return true;
}

bool chain_make_nodes(struct db *db, struct chain *chain, struct viewd_err *err)
{
	struct node_table tables[2];
	size_t n = 0;
	if (chain->roll != NULL && !chain->roll->images)
		tables[n++] = chain->roll->below;
	if (chain->roll != NULL)
		tables[n++] = chain->roll->table;
	if (!node_tables_ensure(db, chain, chain->view, tables, n, err))
		return false;
	if (chain->roll == NULL)
		return true;
	chain->roll->table = tables[n - 1];
	if (!chain->roll->images)
		chain->roll->below = tables[0];
	roll_bind(db, chain, chain->roll);
	return roll_check(db, chain, chain->view, chain->roll, &chain->part.sources[0], chain->definition, err);
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
	return strcmp(chain->definition, task->definition) == 0 && chain->hooked == (task->view->pre_hook != NULL);
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
	(chain->roll != NULL ? &chain->roll->result : &chain->part)->rel = task->rel;
	return node_tables_ask(task->db, chain->view, &chain->recorded, err);
}

bool chain_check_nodes(struct task *task, struct viewd_err *err)
{
	struct chain *chain = task->chain;
	const struct node_numbers *found = &chain->recorded;
	int64_t wanted[NODES_MAX] = {0};
	size_t n = 0;
	if (chain->roll != NULL && !chain->roll->images)
		wanted[n++] = chain->roll->below.number;
	if (chain->roll != NULL)
		wanted[n++] = chain->roll->table.number;
	if (found->n == n && memcmp(found->numbers, wanted, n * sizeof *wanted) == 0)
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
