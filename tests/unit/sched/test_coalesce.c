/* SPDX-License-Identifier: MIT
 *
 * test_coalesce.c: many changes, few refreshes.
 */
#include "sched/coalesce.h"

#include "base/span.h"
#include "support/harness.h"

#define NOW (1000 * SPAN_SECOND)

static void nothing_changed(void)
{
	const struct coalesce c = {.debounce = SPAN_SECOND, .max_delay = SPAN_SECOND, .at_most_every = SPAN_HOUR};
	CHECK_INT(coalesce_start(&c, 0, 0, NOW), 0);
}

static void at_once_when_idle(void)
{
	const struct coalesce none = {.debounce = 0}, spaced = {.at_most_every = SPAN_MINUTE};
	CHECK_INT(coalesce_start(&none, NOW, NOW, 0), NOW);
	CHECK_INT(coalesce_start(&spaced, NOW, NOW, 0), NOW); /* never started before */
	CHECK_INT(coalesce_start(&spaced, NOW, NOW, NOW - SPAN_MINUTE), NOW);
}

static void pushed_back_but_not_for_ever(void)
{
	const struct coalesce c = {.debounce = 10, .max_delay = 25}, endless = {.debounce = 10};
	CHECK_INT(coalesce_start(&c, NOW, NOW, 0), NOW + 10);
	CHECK_INT(coalesce_start(&c, NOW, NOW + 9, 0), NOW + 19);
	CHECK_INT(coalesce_start(&c, NOW, NOW + 18, 0), NOW + 25);
	CHECK_INT(coalesce_start(&endless, NOW, NOW + 1000, 0), NOW + 1010);
}

/* The distance between starts is a promise to the database: it wins over the delay. */
static void starts_are_apart(void)
{
	const struct coalesce c = {.debounce = 10, .max_delay = 25, .at_most_every = 100};
	CHECK_INT(coalesce_start(&c, NOW, NOW, NOW - 50), NOW + 50);
	CHECK_INT(coalesce_start(&c, NOW, NOW + 90, NOW - 50), NOW + 50);
	CHECK_INT(coalesce_start(&c, NOW, NOW, NOW - 95), NOW + 10);
}

static const struct harness_test tests[] = {
	{"nothing changed", nothing_changed},
	{"at once when idle", at_once_when_idle},
	{"debounce and max_delay", pushed_back_but_not_for_ever},
	{"at_most_every", starts_are_apart},
};
HARNESS_MAIN(SUITE("coalesce", tests))
