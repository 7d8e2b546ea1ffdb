/* SPDX-License-Identifier: MIT
 *
 * host.h: under which names the page may be asked for. A site that makes a name of its own point here (DNS rebinding)
 * has its visitors' browsers ask under that name. [any]
 */
#ifndef VIEWD_CTL_SERVE_HOST_H
#define VIEWD_CTL_SERVE_HOST_H

#include "conf/conf.h"

/* Is host (the value of a Host header, a port included or not) an address, localhost or one of names? */
bool host_is_ours(const char *host, const struct conf_list *names);

#endif
