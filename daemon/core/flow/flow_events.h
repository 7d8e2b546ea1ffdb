/* SPDX-License-Identifier: MIT
 *
 * flow_events.h: the functions by which waves tell their news upward. The engine gives them once, when it is made.
 * [loop]
 */
#ifndef VIEWD_CORE_FLOW_FLOW_EVENTS_H
#define VIEWD_CORE_FLOW_FLOW_EVENTS_H

struct view;
struct wave;

struct flow_events {
	/* A member ends without being tried, because something before it failed. */
	void (*upstream_failed)(struct view *view, const struct wave *wave);
	/* A follower ends without being tried, because nothing before it wrote rows. */
	void (*not_needed)(struct view *view);
};

#endif
