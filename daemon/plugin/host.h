/* SPDX-License-Identifier: MIT
 *
 * host.h: the services plugins get from this process.
 */
#ifndef VIEWD_PLUGIN_HOST_H
#define VIEWD_PLUGIN_HOST_H

#include "viewd_dialect.h"

/* Log lines go to base/log, the clock is the system's, failpoints are base/failpoint's. Static; never freed. [any] */
const struct viewd_host *host_services(void);

/* Copies what a plugin has handed to a sink, a struct whose first member is its struct_size, into out of size bytes.
 * Members that the plugin's own version of it does not have are 0. [any] */
void host_copy_row(void *out, size_t size, const void *row);

#endif
