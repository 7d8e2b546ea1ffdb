/* SPDX-License-Identifier: MIT
 *
 * turn.h: one turn of the engine: what has ended is finished, what is ready starts, who waits is told.
 */
#ifndef VIEWD_CORE_TURN_TURN_H
#define VIEWD_CORE_TURN_TURN_H

/* The post timer's work; turn_soon asks for it. Never called from inside anything else. [loop] */
void turn_run(void *engine);

#endif
