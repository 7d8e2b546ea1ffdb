/* SPDX-License-Identifier: MIT */
#include "base/clock.h"

#include "base/macros.h"

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

static char *put_digits(char *at, int n, int value)
{
	for (int i = n - 1; i >= 0; i--, value /= 10)
		at[i] = (char)('0' + value % 10);
	return at + n;
}

/* By hand: a listing of thousands of views holds tens of thousands of times, and strftime is slow. */
char *clock_format(int64_t wall_us, char *buf, size_t size)
{
	int64_t sub = (wall_us % 1000000 + 1000000) % 1000000; /* before the epoch the division rounds the other way */
	time_t sec = (time_t)((wall_us - sub) / 1000000);
	struct tm tm;
	gmtime_r(&sec, &tm);
	const struct {
		int value, digits;
		char after;
	} parts[] = {{tm.tm_year + 1900, 4, '-'}, {tm.tm_mon + 1, 2, '-'}, {tm.tm_mday, 2, 'T'},       {tm.tm_hour, 2, ':'},
	             {tm.tm_min, 2, ':'},         {tm.tm_sec, 2, '.'},     {(int)(sub / 1000), 3, 'Z'}};
	char *at = buf;
	assert(size >= 32);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		at = put_digits(at, parts[i].digits, parts[i].value);
		*at++ = parts[i].after;
	}
	*at = '\0';
	return buf;
}

/* ".123" to microseconds; what is finer is cut. Returns what follows. */
static const char *parse_fraction(const char *text, int64_t *us_r)
{
	int64_t unit = 100000;
	*us_r = 0;
	if (*text != '.' || text[1] < '0' || text[1] > '9')
		return text;
	for (text++; *text >= '0' && *text <= '9'; text++, unit /= 10)
		*us_r += unit * (*text - '0');
	return text;
}

/* "Z", "+01:00", "+01" to seconds east. */
static bool parse_offset(const char *text, int *east_r)
{
	char sign = 0;
	int hours = 0, minutes = 0, used = 0, more = 0;
	*east_r = 0;
	if ((text[0] == 'Z' || text[0] == 'z') && text[1] == '\0')
		return true;
	if (sscanf(text, "%c%2d%n:%2d%n", &sign, &hours, &used, &minutes, &more) < 2 || used != 3 ||
	    (text[3] != '\0' && (more != 6 || text[6] != '\0')) || (sign != '+' && sign != '-') || hours > 23 ||
	    minutes > 59 || hours < 0 || minutes < 0)
		return false;
	*east_r = (hours * 60 + minutes) * 60 * (sign == '+' ? 1 : -1);
	return true;
}

bool clock_parse(const char *text, int64_t *wall_us_r)
{
	struct tm tm = {0};
	int used = 0, east = 0;
	int64_t us = 0;
	char between = 0;
	if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &between, &tm.tm_hour,
	           &tm.tm_min, &tm.tm_sec, &used) != 7 ||
	    used != 19 || (between != 'T' && between != 't' && between != ' '))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	struct tm given = tm;
	if (!parse_offset(parse_fraction(text + used, &us), &east))
		return false;
	time_t sec = timegm(&tm);
	/* timegm takes a 31st of February for the 3rd of March */
	if (tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday || tm.tm_hour != given.tm_hour ||
	    tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec)
		return false;
	*wall_us_r = ((int64_t)sec - east) * 1000000 + us;
	return true;
}
