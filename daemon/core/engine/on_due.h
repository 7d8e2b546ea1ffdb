/* SPDX-License-Identifier: MIT
 *
 * on_due.h: starts the instances that are due. [loop]
 */
#ifndef VIEWD_CORE_ENGINE_ON_DUE_H
#define VIEWD_CORE_ENGINE_ON_DUE_H

/* The work of engine.due.timer: starts waves over everything that is due. */
void on_due(void *engine);

#endif
