/* SPDX-License-Identifier: MIT
 *
 * account.h: the user of the system that the service runs as.
 */
#ifndef VIEWD_BASE_ACCOUNT_H
#define VIEWD_BASE_ACCOUNT_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* For root who asks with the configuration of the system's service, or with another file of its directory: goes on as
 * the user of the service for good, with the groups and the home that systemd gives it, so that databases and files
 * answer as they answer the service. Everybody else stays who they are, as does root where there is no such user. False
 * when it could not be done: nothing is to be asked then. Before the first thread. */
bool account_of_service(const char *conf, struct viewd_err *err) MUST_CHECK;

#endif
