/* SPDX-License-Identifier: MIT
 *
 * run.h: the worker side of a job: what the files with its steps share. [worker]
 */
#ifndef VIEWD_CORE_EXEC_RUN_H
#define VIEWD_CORE_EXEC_RUN_H

#include "core/exec/job.h"

/* Inspects, decides and applies until nothing is left to do. False: job->out.err. */
bool run_reconcile(struct job *job);

/* The connection broke in the middle of the last run: has that run ended well? Fills the outcome then. */
bool run_was_recorded(struct job *job);

/* From now on a refresh tells the job what the view's nodes are. */
void run_take_nodes(struct job *job);

/* Writes job->out.err into the history; best effort. Looks whether it is the view's own object that is missing. */
void run_record_failure(struct job *job, enum viewd_failure how);

/* Fills out for a member of a group that failed with cause, the error of view culprit. [any] */
void run_mate_error(const struct job *lead, const struct viewd_err *cause, const char *culprit, struct viewd_err *out);

/* The lead's failure becomes that of all parts. Touches only the jobs. [any] */
void run_share_error(struct job *lead);

/* Refreshes all parts as one. False: lead->out.err, and lead->group.failed where one part is to blame. */
bool run_group(struct job *lead);

#endif
