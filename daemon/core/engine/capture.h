/* SPDX-License-Identifier: MIT
 *
 * capture.h: which relations must be watched for which instance. Keeps the database's registrations equal to what is
 * read.
 */
#ifndef VIEWD_CORE_ENGINE_CAPTURE_H
#define VIEWD_CORE_ENGINE_CAPTURE_H

#include "core/exec/job.h"

/* When edges or settings changed and everything is set up: starts capture jobs for the instances whose sources are not
 * the ones that were registered. Cheap when nothing changed. */
void capture_review(struct engine *eng);

/* Fills in the request of a capture job from the instance's edges. */
void capture_describe(struct job *job);

/* Something that the instance depends on has another definition, or is gone: its dependencies are looked up anew. */
void capture_redefined(struct view *view);

/* A capture job has ended. */
void capture_done(struct job *job);

/* What the state table says is captured, after a connect. */
void capture_remember(struct db *db, const struct job *prepared);

/* Nothing is known of its marks and registrations any more: a trigger may be gone, numbers may have begun again. */
void capture_distrust(struct db *db);

/* The timer's work after a failure. */
void capture_retry(void *engine);

#endif
