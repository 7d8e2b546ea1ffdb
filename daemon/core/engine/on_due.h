/* SPDX-License-Identifier: MIT
 *
 * on_due.h: what is due starts.
 */
#ifndef VIEWD_CORE_ENGINE_ON_DUE_H
#define VIEWD_CORE_ENGINE_ON_DUE_H

/* The due timer's work: starts waves over everything that is due. */
void on_due(void *engine);

#endif
