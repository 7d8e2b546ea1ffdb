/* SPDX-License-Identifier: MIT
 *
 * limits.c: the default limits of the control server.
 */
#include "ctl/serve/server.h"

struct ctl_limits ctl_limits_default(void)
{
	return (struct ctl_limits){
		.clients = 256,
		.pending = 48,
		.held = 128,
		.header_bytes = 16 << 10,
		.body_bytes = 64 << 10,
		.reply_bytes = 64 << 20,
		.idle_us = 30 * INT64_C(1000000),
		.heartbeat_us = 15 * INT64_C(1000000),
	};
}

struct ctl_limits ctl_limits_web(void)
{
	struct ctl_limits limits = ctl_limits_default();
	limits.clients = 64;
	limits.pending = 8;
	limits.held = 32;
	limits.body_bytes = 4 << 10;
	return limits;
}
