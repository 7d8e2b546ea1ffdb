/* SPDX-License-Identifier: MIT
 *
 * uninstall.h: taking viewd out of a database: first the daemon lets it go, then a worker has the dialect take out what
 * is there.
 */
#ifndef VIEWD_CORE_ENGINE_UNINSTALL_H
#define VIEWD_CORE_ENGINE_UNINSTALL_H

struct engine;

/* Starts those whose database has come to rest. Part of each dispatch. [loop] */
void uninstall_review(struct engine *eng);

/* The engine stops: what has not begun will not. [loop] */
void uninstall_stop(struct engine *eng);

#endif
