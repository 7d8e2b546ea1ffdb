/* SPDX-License-Identifier: MIT
 *
 * on_signal.h: acts on the signals of a watch: a change is noted, a refresh is asked for, a redefinition is looked
 * into.
 */
#ifndef VIEWD_CORE_ENGINE_ON_SIGNAL_H
#define VIEWD_CORE_ENGINE_ON_SIGNAL_H

#include "core/exec/exec.h"

/* The loop's side of a watch; views that are not configured any more are passed over. [loop] */
void on_signal(struct database *db, const struct watch_signal *signal);

#endif
