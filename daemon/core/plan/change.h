/* SPDX-License-Identifier: MIT
 *
 * change.h: changes under an instance: when they start a refresh, and when they are settled. [loop]
 */
#ifndef VIEWD_CORE_PLAN_CHANGE_H
#define VIEWD_CORE_PLAN_CHANGE_H

#include "core/model/model.h"

/* The database says that a captured source changed; seq is the mark's number. old: it happened while nobody watched, at
 * any time since the data was read. */
void change_signal(struct view *view, int64_t seq, bool old);

/* Numbers only grow: is this one from a database that has gone back in time? A slow look may tell late what a refresh
 * has settled since, so the first such number is only doubted: the next look decides. */
enum change_order { CHANGE_FORWARD, CHANGE_SUSPECT, CHANGE_BACKWARD };
enum change_order change_order(struct view *view, int64_t seq);

/* An instance that the view reads wrote rows. True when the view may start at once, as part of the wave that found out;
 * else it is due later. */
bool change_from_upstream(struct view *view);

/* As change_from_upstream, where no wave refreshes the view for that: it gets a refresh of its own. */
void change_add_upstream(struct view *view);

/* A refresh begins: what is known so far will be covered by it. */
void change_started(struct view *view);

/* Somebody asks in SQL for a refresh: when at_most_every forbids it now it is planned for when it does not, once, and
 * true is returned. */
bool change_hold_request(struct view *view);

/* A refresh has ended well and covered the marks up to settled_seq (0: unknown). Changes that came meanwhile start one
 * more. */
void change_covered(struct view *view, int64_t settled_seq);

/* As change_covered, for a refresh that was part of setting up, without a start of its own. */
void change_settled(struct view *view, int64_t settled_seq);

/* Takes change_started back: nothing came of the start. */
void change_not_begun(struct view *view);

/* A refresh has failed: what it was to cover is still to be done. */
void change_failed(struct view *view);

/* A refresh has found that the lost run before it had ended well: that has covered what it was started for, and nothing
 * since. */
void change_looked_up(struct view *view);

/* The instance has been registered anew: the numbers of its marks begin again. */
void change_forget_marks(struct view *view);

/* No mark tells of a refresh in another database. After a start the times do: one that read what has been refreshed
 * since is dirty. Edges are up to date. */
void change_catch_up(struct view *view);

/* Makes a dirty instance due (after it was set up, after it was left out of a wave). */
void change_plan(struct view *view);

/* As change_plan, after a pause or a suspension: what the last run before it failed to settle counts too. */
void change_resume(struct view *view);

/* A refresh that waited was cancelled: what it was to settle is tried again, but not at once. */
void change_put_off(struct view *view);

#endif
