/* SPDX-License-Identifier: MIT
 *
 * run.h: the worker side of a job: what the files with its steps share. [worker]
 */
#ifndef VIEWD_CORE_RUN_H
#define VIEWD_CORE_RUN_H

#include "core/job.h"

/* Decides and applies until nothing is left to do. */
bool run_reconcile(struct job *job);

/* The connection broke in the middle of the last run: has that run ended well? Fills the outcome then. */
bool run_was_recorded(struct job *job);

/* Writes job->err into the history; best effort. Looks whether it is the view's own object that is missing. */
void run_record_failure(struct job *job, const char *result);

/* Refreshes all parts as one. */
bool run_group(struct job *lead);

#endif
