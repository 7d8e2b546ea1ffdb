/* SPDX-License-Identifier: MIT
 *
 * turn.h: one turn of the engine: what has ended is finished, what is ready starts, who waits is told.
 */
#ifndef VIEWD_CORE_TURN_TURN_H
#define VIEWD_CORE_TURN_TURN_H

/* The work of engine.turn_timer; turn_soon asks for it. Never called from inside anything else. [loop] */
void turn_run(void *engine);

#endif
