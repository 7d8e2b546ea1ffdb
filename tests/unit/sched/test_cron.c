/* SPDX-License-Identifier: MIT
 *
 * test_cron.c: what is accepted, and when it is due: against a year lived through minute by minute with the C library's
 * clock.
 */
#include "sched/cron.h"

#include "base/span.h"
#include "support/harness.h"

#include <stdlib.h>
#include <talloc.h>
#include <time.h>

static struct cron parsed(const char *text)
{
	struct cron c = {0};
	struct viewd_err err = {0};
	REQUIRE_OK(cron_parse(text, &c, &err), &err);
	return c;
}

static struct zone *zone(const char *name)
{
	struct viewd_err err = {0};
	struct zone *z = zone_open(harness_ctx(), name, &err);
	REQUIRE_OK(z != NULL, &err);
	return z;
}

static void accepts_fields(void)
{
	struct cron c = parsed("*/20 1-3,7 1,15 jan-MAR mon");
	CHECK_INT(c.minute, 1 | INT64_C(1) << 20 | INT64_C(1) << 40);
	CHECK_INT(c.hour, 0x8e);
	CHECK_INT(c.day, 0x8002);
	CHECK_INT(c.month, 0xe);
	CHECK_INT(c.weekday, 2);
	CHECK(c.wildcard && !c.any_day && !c.any_weekday && c.every == 0);
	c = parsed("  5 10-20/5\t* *\t7 ");
	CHECK_INT(c.hour, 1 << 10 | 1 << 15 | 1 << 20);
	CHECK_INT(c.weekday, 1);
	CHECK(!c.wildcard && c.any_day && !c.any_weekday);
	CHECK_INT(parsed("0 0 * * 5-7").weekday, 0x61);
	CHECK_INT(parsed("0 0 * * sun,sat").weekday, 0x41);
	CHECK_INT(parsed("0 0 * feb *").month, 4);
	CHECK_INT(parsed("59 23 31 12 *").minute, INT64_C(1) << 59);
}

static void accepts_words(void)
{
	CHECK(parsed("@hourly").wildcard && parsed("@hourly").minute == 1);
	CHECK(!parsed("@daily").wildcard && parsed("@daily").hour == 1);
	CHECK_INT(parsed("@midnight").hour, 1);
	CHECK_INT(parsed("@weekly").weekday, 1);
	CHECK_INT(parsed("@monthly").day, 2);
	CHECK_INT(parsed("@yearly").month, 2);
	CHECK_INT(parsed("@annually").day, 2);
	CHECK_INT(parsed("@every 5m").every, 5 * SPAN_MINUTE);
	CHECK_INT(parsed("@every \t1h30m").every, 90 * SPAN_MINUTE);
}

static void refuses(const char *text, const char *msg, const char *hint)
{
	struct cron c = {.every = 7};
	struct viewd_err err = {0};
	CHECK(!cron_parse(text, &c, &err));
	CHECK_STR(err.msg, msg);
	CHECK_CONTAINS(err.hint, hint);
	CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
	CHECK_INT(c.every, 7);
}

static void says_what_is_wrong(void)
{
	refuses("61 * * * *", "minute '61' is not understood", "0 to 59, also as a list");
	refuses("* 24 * * *", "hour '24' is not understood", "0 to 23");
	refuses("* * 0 * *", "day of month '0' is not understood", "1 to 31");
	refuses("* * L * *", "day of month 'L' is not understood", "1 to 31");
	refuses("* * * 13 *", "month '13' is not understood", "1 to 12 or three letters of the English name");
	refuses("* * * january *", "month 'january' is not understood", "three letters");
	refuses("* * * * 8", "day of week '8' is not understood", "0 to 7 or three letters");
	refuses("* * * * mo", "day of week 'mo' is not understood", "three letters");
	refuses("5/10 * * * *", "minute '5/10' is not understood", "with a step */2");
	refuses("1,,2 * * * *", "minute '' is not understood", "a list 1,2");
	refuses("9-5 * * * *", "minute '9-5' is not understood", "a range 1-5");
	refuses("*/0 * * * *", "minute '*/0' is not understood", "step");
	refuses("-1 * * * *", "minute '-1' is not understood", "0 to 59");
	refuses("1000000000000 * * * *", "minute '1000000000000' is not understood", "0 to 59");
	refuses("**  * * * *", "minute '**' is not understood", "0 to 59");
	refuses("* * * *", "cron has 4 fields instead of 5", "day of week");
	refuses("0 0 * * * *", "cron has 6 fields instead of 5", "*/5 * * * *");
	refuses("", "cron has 0 fields instead of 5", "minute, hour");
	refuses("5", "cron has 1 field instead of 5", "minute, hour");
	refuses("@reboot", "'@reboot' is not understood", "@hourly");
	refuses("@every", "'@every' is not understood", "@every 5m");
	refuses("@every 0", "'@every 0' is too short", "@every 5m");
	refuses("0 0 30 2 *", "day of month and month give a date that never comes", "February 29");
	refuses("0 0 31 4,6,9,11 *", "day of month and month give a date that never comes", "30");
	struct cron c;
	CHECK(!cron_parse("@every 5", &c, &(struct viewd_err){0}));
	CHECK(cron_parse("0 0 30 2 1", &c, NULL)); /* or a Monday */
	CHECK(cron_parse("0 0 29 2 */6", &c, NULL));
}

/* ---- the oracle: lives through the time, minute by minute ------------------------------------------------------- */

static bool matches(const struct cron *c, const struct tm *tm)
{
	bool mday = c->day >> tm->tm_mday & 1, wday = c->weekday >> tm->tm_wday & 1;
	bool date = c->any_day || c->any_weekday ? mday && wday : mday || wday;
	return date && (c->month >> (tm->tm_mon + 1) & 1) && (c->hour >> tm->tm_hour & 1) && (c->minute >> tm->tm_min & 1);
}

/* Local minutes left out by a jump: did one of them match? */
static bool left_out(const struct cron *c, int64_t from, int64_t to)
{
	for (int64_t m = from; m < to; m++) {
		time_t t = (time_t)(m * 60);
		struct tm tm;
		gmtime_r(&t, &tm);
		if (matches(c, &tm))
			return true;
	}
	return false;
}

static const char *const specs[] = {
	"30 2 * * *",  "0 * * * *",   "*/15 * * * *",      "0 0 * * *",  "15 1,2,3 * * *",
	"0 12 * * *",  "59 23 * * *", "*/30 2 * * *",      "0 2 * * 0",  "0 0 13 * 5",
	"0 0 */2 * 1", "30 1 * * *",  "0-59/7 0-23 * * *", "5 4 29 2 *", "10-50/20 */3 * mar,oct,nov *",
};

static int64_t local_minute(const struct tm *tm)
{
	struct tm copy = *tm;
	return (int64_t)timegm(&copy) / 60;
}

static void live(const char *name, int64_t from, int64_t to)
{
	struct zone *z = zone(name);
	struct cron cron[ARRAY_LEN(specs)];
	int64_t next[ARRAY_LEN(specs)];
	struct tm tm;
	setenv("TZ", name, 1);
	tzset();
	for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
		cron[i] = parsed(specs[i]);
		next[i] = cron_next(&cron[i], z, from);
	}
	time_t t = (time_t)from;
	localtime_r(&t, &tm);
	int64_t latest = local_minute(&tm);
	for (t += 60; t < (time_t)to; t += 60) {
		localtime_r(&t, &tm);
		int64_t now = local_minute(&tm);
		for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
			bool fixed_due = now > latest && (matches(&cron[i], &tm) || left_out(&cron[i], latest + 1, now));
			bool due = cron[i].wildcard ? matches(&cron[i], &tm) : fixed_due;
			if (due != (next[i] == t) &&
			    !harness_check(false, __FILE__, __LINE__, "%s in %s: due %lld, oracle at %lld says %d", specs[i], name,
			                   (long long)next[i], (long long)t, due))
				return;
			if (due)
				next[i] = cron_next(&cron[i], z, (int64_t)t);
		}
		if (now > latest)
			latest = now;
	}
	unsetenv("TZ");
	tzset();
}

#define DAYS(n) ((n)*INT64_C(86400))
#define YEAR(y) (DAYS(((y)-1970) * 365 + ((y)-1969) / 4)) /* 1901 to 2099 */

static void lives_through_years(void)
{
	CHECK_INT(YEAR(2026), 1767225600);
	live("UTC", YEAR(2028), YEAR(2029));
	live("Europe/Berlin", YEAR(2026), YEAR(2027));
	live("Europe/Berlin", YEAR(2050), YEAR(2051));
	live("America/New_York", YEAR(2026), YEAR(2027));
	live("Australia/Lord_Howe", YEAR(2026), YEAR(2027));
	live("Asia/Kathmandu", YEAR(2026), YEAR(2026) + DAYS(60));
	live("America/Sao_Paulo", YEAR(2017), YEAR(2018));
	live("Pacific/Apia", YEAR(2011), YEAR(2012) + DAYS(120));
	live("Africa/Cairo", YEAR(2010), YEAR(2011));
	live("Africa/Cairo", YEAR(2024), YEAR(2025));
}

static int count(const char *spec, const char *name, int64_t from, int64_t to)
{
	struct cron c = parsed(spec);
	int n = 0;
	for (int64_t t = from - 1; (t = cron_next(&c, zone(name), t)) != 0 && t < to; n++)
		;
	return n;
}

/* 29 March and 25 October 2026 in Berlin, local midnight to local midnight. */
static void summer_time(void)
{
	const int64_t gap = 1774738800, fold = 1792879200;
	CHECK_INT(count("@hourly", "Europe/Berlin", gap, gap + 23 * 3600), 23);
	CHECK_INT(count("@hourly", "Europe/Berlin", fold, fold + 25 * 3600), 25);
	CHECK_INT(count("30 2 * * *", "Europe/Berlin", gap, gap + 23 * 3600), 1);
	CHECK_INT(count("30 2 * * *", "Europe/Berlin", fold, fold + 25 * 3600), 1);
	struct cron c = parsed("30 2 * * *");
	CHECK_INT(cron_next(&c, zone("Europe/Berlin"), gap), gap + 2 * 3600);          /* 03:00, right after the gap */
	CHECK_INT(cron_next(&c, zone("Europe/Berlin"), fold), fold + 2 * 3600 + 1800); /* the first 02:30 */
	CHECK_INT(cron_next(&c, zone("Europe/Berlin"), fold + 2 * 3600 + 1800), fold + DAYS(1) + 3600 + 2 * 3600 + 1800);
}

static void a_day_that_was_skipped(void)
{
	/* Samoa had no 30 December 2011: the clocks went from 23:59:59 on the 29th to 00:00 on the 31st, at 10:00 UTC on
	 * the 30th. */
	struct cron c = parsed("0 12 30 12 *");
	CHECK_INT(cron_next(&c, zone("Pacific/Apia"), YEAR(2011)), 1325239200);
}

static void rare_dates(void)
{
	struct cron c = parsed("0 0 29 2 *");
	CHECK_INT(cron_next(&c, zone("UTC"), YEAR(2026)), YEAR(2028) + DAYS(59));
	CHECK_INT(cron_next(&c, zone("UTC"), YEAR(2096) + DAYS(59)), INT64_C(4233686400)); /* 2104: 2100 is no leap year */
	c = parsed("0 0 29 2 */8"); /* Sundays only, AND-ed: it begins with a star */
	CHECK_INT(cron_next(&c, zone("UTC"), YEAR(2026)), YEAR(2032) + DAYS(59));
}

static void seconds_and_the_past(void)
{
	struct cron c = parsed("*/5 * * * *");
	CHECK_INT(cron_next(&c, zone("UTC"), 299), 300);
	CHECK_INT(cron_next(&c, zone("UTC"), 300), 600);
	CHECK_INT(cron_next(&c, zone("UTC"), -1), 0);
	CHECK_INT(cron_next(&c, zone("UTC"), -301), -300);
	CHECK_INT(cron_next(&c, zone("Asia/Kathmandu"), YEAR(2026) + 1), YEAR(2026) + 300);
}

static const struct harness_test tests[] = {
	{"accepts fields", accepts_fields},
	{"accepts words", accepts_words},
	{"says what is wrong", says_what_is_wrong},
	{"lives through years", lives_through_years},
	{"summer time", summer_time},
	{"a day that was skipped", a_day_that_was_skipped},
	{"rare dates", rare_dates},
	{"seconds and the past", seconds_and_the_past},
};
HARNESS_MAIN(SUITE("cron", tests))
