/* SPDX-License-Identifier: MIT */
#include "sys/notify.h"

#include "base/clock.h"
#include "base/mem.h"
#include "loop/loop.h"

#include <systemd/sd-daemon.h>

void notify_ready(const char *status)
{
	sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void notify_reloading(void)
{
	const struct clock *clk = clock_system();
	sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)clk->mono(clk));
}

void notify_stopping(int64_t extend_us)
{
	sd_notifyf(0, "STOPPING=1\nEXTEND_TIMEOUT_USEC=%lld", (long long)extend_us);
}

struct watchdog {
	struct loop_timer *timer;
	int64_t interval;
};

static void ping(void *ctx)
{
	struct watchdog *dog = ctx;
	sd_notify(0, "WATCHDOG=1");
	loop_timer_set(dog->timer, dog->interval);
}

struct watchdog *watchdog_new(struct loop *loop)
{
	uint64_t limit;
	if (sd_watchdog_enabled(0, &limit) <= 0)
		return NULL;
	struct watchdog *dog = mem_new(NULL, struct watchdog);
	dog->interval = (int64_t)(limit / 2);
	dog->timer = loop_timer_new(loop, ping, dog);
	ping(dog);
	return dog;
}

void watchdog_free(struct watchdog **dog)
{
	if (*dog == NULL)
		return;
	loop_timer_free(&(*dog)->timer);
	talloc_free(*dog);
	*dog = NULL;
}
