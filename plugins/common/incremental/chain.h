/* SPDX-License-Identifier: MIT
 *
 * chain.h: how one view is kept incrementally, as its definition and the catalogue say. Kept with the connection, since
 * it takes longer to find out than to refresh by.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_CHAIN_H
#define VIEWD_COMMON_INCREMENTAL_CHAIN_H

#include "common/incremental/cost.h"
#include "common/incremental/part.h"
#include "common/incremental/sums/choose.h"
#include "common/incremental/top.h"
#include "common/objects/task.h"
#include "common/state/learnt.h"
#include "common/text/digest.h"

struct chain {
	char *view, *definition;
	char digest[DIGEST_SIZE]; /* of the definition */
	const struct analysis *analysis;
	const char *types; /* of what the definition reads */
	struct columns *columns;
	struct change_log *logs; /* one for each source table */
	size_t n_logs;
	const char *log_names; /* in the definition, as SQL literals */
	struct part part;      /* fills the relation; with a roll: finds the keys, or names the table of the images */
	struct roll *roll;     /* NULL: there is none */
	struct top *top;       /* likewise; with a top there is neither a part nor a roll, but in its pieces */
	struct node_numbers recorded; /* nodes of the view, as the refresh's snapshot has them */
	struct cost cost;
	struct sums_choice sums;
	unsigned refreshes, audits;
	struct learnt demotion; /* as the state table had it at the refresh's snapshot */
	int64_t found_wrong;    /* rows, in a transaction that is not known to be committed */
	bool demoted;       /* in this refresh: an audit has found a difference, so all rows are computed (demotion.h) */
	int64_t round_us;   /* this refresh's rows have taken; 0: it says nothing */
	bool again;         /* a refresh by keys has failed that may do in the other form */
	bool ensured;       /* the logs are there, as far as is known */
	bool indexed;       /* so is an index on the key */
	const char *inside; /* what else may write in the transaction of its refreshes */
};

/* The chain of the task's view; made when there is none, or when it is of another definition. NULL: err says what
 * stands in the way. The object must be there. [worker] */
struct chain *chain_open(struct task *task, struct viewd_err *err);

/* How the task's view is kept: by the chain of the analysis where it can be run, else as one part; or why not. facts
 * are the catalogue's. Everything hangs on mem; never NULL. */
struct analysis *chain_analyse(const struct task *task, void *mem, const struct facts *facts);

/* The error of a view that the analysis refuses. Returns false. */
bool chain_refuse(const struct task *task, const struct refusal *no, struct viewd_err *err);

/* How the task's view is kept, in one sentence for people: the answer of chain_analyse(), or what prevents it whatever
 * the definition says. talloc'ed on task->mem. Outside a transaction. [worker] */
bool chain_describe(struct task *task, const struct analysis *analysis, char **text_r,
                    struct viewd_err *err) MUST_CHECK;

/* A chain without rolls is made likewise, in place of the present one. [worker] */
struct chain *chain_without_roll(struct task *task, struct viewd_err *err);

/* Finds a chain whose logs and tables were there the last time, and gives it to the task, without asking the server
 * anything: what has become of them is found out by the refresh. */
bool chain_known(struct task *task);

/* In the refresh's transaction: the chain is that of the task's definition as it is now, and writes to the task's
 * relation; else an error, and the chain is to be opened again. */
bool chain_aim(struct task *task, struct viewd_err *err) MUST_CHECK;

/* After the next question to the server: the view has the chain's nodes, and no others. The position in the logs is the
 * view's, so another connection may have moved it with other nodes; then an error, and the chain is to be opened
 * again. */
bool chain_check_nodes(struct task *task, struct viewd_err *err) MUST_CHECK;

/* The task has no chain and no columns any more, nor will the next one find them. */
void chain_forget(struct task *task);

/* Finds or makes the tables of inner nodes, and has the server look at what will be asked of them. Outside a
 * transaction. [worker] */
bool chain_make_nodes(struct db *db, struct chain *chain, struct viewd_err *err) MUST_CHECK;

/* The part whose keys are pushed into its query, in a form that is chosen. Images of a roll have none, and a top has
 * several: NULL. */
struct part *chain_keyed(struct chain *chain);

/* The part that writes the relation. */
struct part *chain_writer(struct chain *chain);

/* Has a roll of it a sum that cannot be moved any more? */
bool chain_is_stuck(const struct chain *chain);

/* The node that the sources belong to. */
const struct analysis_node *chain_first(const struct chain *chain);

/* The node that writes the relation. */
const struct analysis_node *chain_last(const struct chain *chain);

/* The chain is not found any more; the caller frees it. */
void chain_release(struct db *db, struct chain *chain);

#endif
