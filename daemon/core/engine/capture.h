/* SPDX-License-Identifier: MIT
 *
 * capture.h: of which relations changes must be noticed for which instance. Keeps the database's registrations equal
 * to what is read. [loop]
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

/* Takes in the end of a capture job. */
void capture_done(struct job *job);

/* Notes what the state table says is captured, as a prepare job has read it after a connect. */
void capture_remember(struct database *db, const struct job *prepared);

/* Forgets what is known of the database's marks and registrations: a trigger may be gone, numbers may have begun
 * again. */
void capture_distrust(struct database *db);

/* Reviews at once; the work of engine.captures.timer, which a failure sets. */
void capture_retry(void *engine);

#endif
