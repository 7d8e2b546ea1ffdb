/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include "base/check.h"

#include <stdio.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t system_wall(const struct clock *clk UNUSED)
{
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_mono(const struct clock *clk UNUSED)
{
	return read_clock(CLOCK_MONOTONIC);
}

static int64_t system_slept(const struct clock *clk UNUSED)
{
	return read_clock(CLOCK_BOOTTIME) - read_clock(CLOCK_MONOTONIC);
}

const struct clock *clock_system(void)
{
	static const struct clock sys = {.wall = system_wall, .mono = system_mono, .slept = system_slept};
	return &sys;
}

static int64_t fake_wall(const struct clock *clk)
{
	return ((const struct clock_fake *)(const void *)clk)->wall_us;
}

static int64_t fake_mono(const struct clock *clk)
{
	return ((const struct clock_fake *)(const void *)clk)->mono_us;
}

static int64_t fake_slept(const struct clock *clk)
{
	return ((const struct clock_fake *)(const void *)clk)->slept_us;
}

void clock_fake_init(struct clock_fake *fake, int64_t wall_us)
{
	fake->clock = (struct clock){.wall = fake_wall, .mono = fake_mono, .slept = fake_slept};
	fake->wall_us = wall_us;
	fake->mono_us = 0;
	fake->slept_us = 0;
}

void clock_fake_advance(struct clock_fake *fake, int64_t us)
{
	fake->wall_us += us;
	fake->mono_us += us;
}

void clock_fake_sleep(struct clock_fake *fake, int64_t us)
{
	fake->wall_us += us;
	fake->slept_us += us;
}

char *clock_format(int64_t wall_us, char *buf, size_t size)
{
	int64_t sub = (wall_us % 1000000 + 1000000) % 1000000; /* before the epoch the division rounds the other way */
	time_t sec = (time_t)((wall_us - sub) / 1000000);
	struct tm tm;
	char date[24];
	gmtime_r(&sec, &tm);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, size, "%s.%03dZ", date, (int)(sub / 1000));
	return buf;
}
