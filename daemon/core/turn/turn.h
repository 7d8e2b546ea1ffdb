/* SPDX-License-Identifier: MIT
 *
 * turn.h: one turn of the engine: what is ready starts, waves that are over are reported, who waits is told. A job that
 * comes back is finished at once (finish.h); a turn finishes only those that connect_check.h has held back.
 */
#ifndef VIEWD_CORE_TURN_TURN_H
#define VIEWD_CORE_TURN_TURN_H

/* The work of engine.turn.timer; turn_soon asks for it. Never called from inside anything else. [loop] */
void turn_run(void *engine);

#endif
