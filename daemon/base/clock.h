/* SPDX-License-Identifier: MIT
 *
 * clock.h: time as a parameter. Code that needs the time takes a struct clock *, tests hand in a fake one. [any]
 */
#ifndef VIEWD_BASE_CLOCK_H
#define VIEWD_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct clock {
	int64_t (*wall)(const struct clock *clk); /* microseconds since the epoch */
	/* Microseconds, never steps back; stands still while the machine sleeps */
	int64_t (*mono)(const struct clock *clk);
	int64_t (*slept)(const struct clock *clk); /* microseconds that the machine has slept since it was started */
};

/* The machine's clocks. Static; never freed. */
const struct clock *clock_system(void);

/* A clock that tests move by hand. */
struct clock_fake {
	struct clock clock;
	int64_t wall_us;
	int64_t mono_us;
	int64_t slept_us;
};
void clock_fake_init(struct clock_fake *fake, int64_t wall_us);
void clock_fake_advance(struct clock_fake *fake, int64_t us);
/* The machine sleeps: the wall clock goes on. */
void clock_fake_sleep(struct clock_fake *fake, int64_t us);

/* An RFC 3339 time, "2026-11-22T08:44:01.123Z" or with an offset as in "+01:00" or "+01"; false for anything
 * else, and for what no calendar has. */
bool clock_parse(const char *text, int64_t *wall_us_r);

/* "2026-11-22T08:44:01.123Z" (RFC 3339, UTC, milliseconds). Buffer at least 32 bytes. Returns buf. */
char *clock_format(int64_t wall_us, char *buf, size_t size);

#endif
