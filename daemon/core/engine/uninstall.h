/* SPDX-License-Identifier: MIT
 *
 * uninstall.h: taking viewd out of a database: first the daemon lets it go, then a worker has the dialect take out what
 * is there.
 */
#ifndef VIEWD_CORE_ENGINE_UNINSTALL_H
#define VIEWD_CORE_ENGINE_UNINSTALL_H

struct engine;

/* Starts the uninstalls whose database has come to rest. Part of each turn. [loop] */
void uninstall_review(struct engine *eng);

/* Ends the uninstalls that have not begun: the engine stops. [loop] */
void uninstall_stop(struct engine *eng);

#endif
