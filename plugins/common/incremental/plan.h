/* SPDX-License-Identifier: MIT
 *
 * plan.h: from the answer of the analysis to what refreshes run with: positions of columns, change logs, nodes.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_PLAN_H
#define VIEWD_COMMON_INCREMENTAL_PLAN_H

#include "common/incremental/chain.h"

/* The error for something that prevents it whatever the engine. Returns false. */
bool plan_prevent(const struct task *task, const char *what, const char *why, struct viewd_err *err);

/* Room for the logs of all nodes. */
void plan_logs(struct task *task, struct chain *chain);

/* The part that writes the relation, of the definition or of what a roll yields. */
bool plan_writer(struct task *task, struct chain *chain, struct part *part, struct viewd_err *err) MUST_CHECK;

/* The tables of a node, and the logs that they need. */
bool plan_sources(struct task *task, struct chain *chain, const struct analysis_node *node, const struct roll *roll,
                  struct part *part, struct viewd_err *err) MUST_CHECK;

/* The roll that the analysis ends in, and, once it has its sources, what is below it. */
struct roll *plan_roll(const struct db *db, struct chain *chain);
void plan_below(struct chain *chain);

/* The top, and all of its pieces. Asks the server for their columns. [worker] */
bool plan_top(struct task *task, struct chain *chain, struct viewd_err *err) MUST_CHECK;

#endif
