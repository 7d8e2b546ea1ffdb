/* SPDX-License-Identifier: MIT */
#include "plugin/host.h"

#include "base/clock.h"
#include "base/failpoint.h"
#include "base/log.h"
#include "base/macros.h"

#include <string.h>

static void host_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	log_event(level, "%s", msg);
}

static int64_t host_now(void *ctx UNUSED)
{
	const struct clock *clk = clock_system();
	return clk->wall(clk);
}

static void host_failpoint(void *ctx UNUSED, const char *place)
{
	failpoint_hit(place);
}

void host_copy_row(void *out, size_t size, const void *row)
{
	uint32_t theirs;
	memcpy(&theirs, row, sizeof theirs);
	memset(out, 0, size);
	memcpy(out, row, theirs < size ? theirs : size);
}

const struct viewd_host *host_services(void)
{
	static const struct viewd_host host = {
		.struct_size = sizeof host,
		.abi_major = VIEWD_ABI_MAJOR,
		.abi_minor = VIEWD_ABI_MINOR,
		.log = host_log,
		.now = host_now,
		.failpoint = host_failpoint,
	};
	return &host;
}
