/* SPDX-License-Identifier: MIT
 *
 * capture.h: which relations must be watched for which instance. Keeps the database's registrations equal to what is read.
 */
#ifndef VIEWD_CORE_CAPTURE_H
#define VIEWD_CORE_CAPTURE_H

#include "core/job.h"

/* Why on_change cannot be had for this section on this dialect; false when it can. Pure. */
bool capture_refused(const struct conf_view *conf, const struct viewd_dialect *dialect, const struct viewd_resolved *resolved,
                     struct viewd_err *err);

/* Why its capture mode cannot be had on this dialect; false when it can, or nobody knows before it is tried. Pure. */
bool capture_mode_refused(const struct conf_view *conf, const struct viewd_dialect *dialect, const struct viewd_resolved *resolved,
                          struct viewd_err *err);

/* When edges or settings changed and everything is set up: starts capture jobs for the instances whose sources are not the ones that were
 * registered. Cheap when nothing changed. */
void capture_review(struct engine *eng);

/* Fills in the request of a capture job from the instance's edges. */
void capture_describe(struct job *job);

/* Do changes of all that it reads reach it? Then its data is current until the first one is told. */
bool capture_in_force(const struct view *view);

/* It follows changes, but nobody would have noticed all of them by now: its capture is still to be set up or checked, or the watch has not come to
 * the end of a look since the connection was made. */
bool capture_is_blind(const struct view *view);

/* Something that the instance depends on has another definition, or is gone: its dependencies are looked up anew. */
void capture_redefined(struct view *view);

/* A capture job has ended. */
void capture_done(struct job *job);

/* What the state table says is captured, after a connect. */
void capture_remember(struct db *db, const struct job *prepared);

/* Nothing is known of its marks and registrations any more: a trigger may be gone, numbers may have begun again. */
void capture_distrust(struct db *db);

/* The timer's work after a failure. */
void capture_again(void *engine);

#endif
