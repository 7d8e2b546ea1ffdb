/* SPDX-License-Identifier: MIT
 *
 * test_zone.c: zones by name, their offsets and changes.
 */
#include "sched/zone.h"

#include "support/harness.h"

#define HOUR INT64_C(3600)
#define DAY (24 * HOUR)

static struct zone *zone(const char *name)
{
	struct viewd_err err = {0};
	struct zone *z = zone_open(harness_ctx(), name, &err);
	REQUIRE_OK(z != NULL, &err);
	return z;
}

static void offsets(void)
{
	/* 22 November 2026 12:00 and 22 July 2026 12:00, UTC */
	const int64_t winter = 1795348800, summer = 1784721600;
	CHECK_INT(zone_offset(zone("UTC"), winter), 0);
	CHECK_INT(zone_offset(zone("Europe/Berlin"), winter), HOUR);
	CHECK_INT(zone_offset(zone("Europe/Berlin"), summer), 2 * HOUR);
	CHECK_INT(zone_offset(zone("Asia/Kathmandu"), summer), 5 * HOUR + HOUR * 3 / 4);
	CHECK_INT(zone_offset(zone("America/New_York"), summer), -4 * HOUR);
	CHECK_INT(zone_offset(zone("Australia/Lord_Howe"), winter), 11 * HOUR);
	CHECK_INT(zone_offset(zone("Australia/Lord_Howe"), summer), 10 * HOUR + HOUR / 2);
	CHECK_INT(zone_offset(zone("Etc/GMT+3"), summer), -3 * HOUR);
}

/* Behind the last change that the database lists, its rule goes on. */
static void far_future(void)
{
	const int64_t july_2090 = 3803889600, january_2090 = 3788251200;
	CHECK_INT(zone_offset(zone("Europe/Berlin"), july_2090), 2 * HOUR);
	CHECK_INT(zone_offset(zone("Europe/Berlin"), january_2090), HOUR);
}

static void changes(void)
{
	const int64_t spring = 1774746000; /* 29 March 2026 01:00 UTC */
	struct zone *berlin = zone("Europe/Berlin");
	CHECK_INT(zone_change(berlin, spring - 30 * DAY, spring + 30 * DAY), spring);
	CHECK_INT(zone_change(berlin, spring - 1, spring), spring);
	CHECK_INT(zone_change(berlin, spring - DAY, spring - 1), spring);
	CHECK_INT(zone_change(berlin, spring, spring + 100 * DAY), spring + 100 * DAY + 1);
	CHECK_INT(zone_change(zone("UTC"), 0, 4000 * DAY), 4000 * DAY + 1);
}

static void wrong_names(void)
{
	static const char *const wrong[] = {"",
	                                    "Berlin",
	                                    "europe/berlin",
	                                    "Europe/",
	                                    "/etc/localtime",
	                                    "../../etc/passwd",
	                                    "UTC+3",
	                                    "EST5EDT,M3.2.0,M11.1.0",
	                                    "+02:00",
	                                    "Europe/Berlin ",
	                                    "Europe",
	                                    "tzdata.zi"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct viewd_err err = {0};
		CHECK(zone_open(harness_ctx(), wrong[i], &err) == NULL);
		CHECK_CONTAINS(err.msg, "there is no time zone '");
		CHECK_CONTAINS(err.hint, "Europe/Berlin");
	}
}

static void names_are_listed(void)
{
	size_t n, found = 0;
	const char **names = zone_names(harness_ctx(), &n);
	CHECK(n > 400);
	for (size_t i = 0; i < n; i++)
		found += strcmp(names[i], "Europe/Berlin") == 0 || strcmp(names[i], "Asia/Katmandu") == 0;
	CHECK_INT(found, 2);
}

static const struct harness_test tests[] = {
	{"offsets", offsets},
	{"far future", far_future},
	{"changes", changes},
	{"wrong names", wrong_names},
	{"names are listed", names_are_listed},
};
HARNESS_MAIN(SUITE("zone", tests))
