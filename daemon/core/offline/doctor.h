/* SPDX-License-Identifier: MIT
 *
 * doctor.h: privileges and settings that a daemon with these files would lack, asked of the databases without one.
 * [any]
 */
#ifndef VIEWD_CORE_OFFLINE_DOCTOR_H
#define VIEWD_CORE_OFFLINE_DOCTOR_H

#include "base/macros.h"
#include "conf/conf.h"

struct registry;

/* One finding, told by one call of fn; its texts live until fn returns. */
struct offline_finding_sink {
	void (*fn)(void *ctx, const char *database, const struct viewd_finding *finding);
	void *ctx;
};

/* Connects to each database, and has its dialect examine the account and the server. Changes nothing. A database that
 * cannot be examined is a finding. Blocks. */
void offline_doctor(const struct conf *conf, struct registry *registry, struct offline_finding_sink sink);

#endif
