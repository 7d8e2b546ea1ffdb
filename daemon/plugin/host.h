/* SPDX-License-Identifier: MIT
 *
 * host.h: the services plugins get from this process.
 */
#ifndef VIEWD_PLUGIN_HOST_H
#define VIEWD_PLUGIN_HOST_H

#include "viewd_dialect.h"

/* Log lines go to base/log, the clock is the system's, failpoints are base/failpoint's. Static; never freed. [any thread] */
const struct viewd_host *host_services(void);

#endif
