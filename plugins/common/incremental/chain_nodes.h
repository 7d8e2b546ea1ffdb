/* SPDX-License-Identifier: MIT
 *
 * chain_nodes.h: makes the nodes of a chain from the answer of the analysis: positions of columns, change logs, parts,
 * rolls.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_CHAIN_NODES_H
#define VIEWD_COMMON_INCREMENTAL_CHAIN_NODES_H

#include "common/incremental/chain.h"

/* The error for something that prevents it whatever the engine. Returns false. */
bool chain_prevent(const struct task *task, const char *what, const char *why, struct viewd_err *err);

/* Room for the logs of all nodes. */
void chain_logs(struct task *task, struct chain *chain);

/* The part that writes the relation, of the definition or of what a roll yields. */
bool chain_make_writer(struct task *task, struct chain *chain, struct part *part, struct viewd_err *err) MUST_CHECK;

/* The tables of a node, and the logs that they need. */
bool chain_sources(struct task *task, struct chain *chain, const struct analysis_node *node, const struct roll *roll,
                   struct part *part, struct viewd_err *err) MUST_CHECK;

/* The roll that the analysis ends in, and, once it has its sources, what is below it. */
struct roll *chain_roll(const struct db *db, struct chain *chain);
void chain_below(struct chain *chain);

/* The top, and all of its pieces. Asks the server for their columns. [worker] */
bool chain_top(struct task *task, struct chain *chain, struct viewd_err *err) MUST_CHECK;

#endif
