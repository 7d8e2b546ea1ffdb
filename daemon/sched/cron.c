/* SPDX-License-Identifier: MIT */
#include "sched/cron.h"

#include "base/err.h"
#include "base/span.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DAY INT64_C(86400)
#define NEVER INT64_MIN
/* The longest a date can keep one waiting: 29 February on a given weekday, across a year like 2100. */
#define SEARCH_DAYS (41 * 366)
/* Local time is at most this far from UTC, and a zone changes its offset by at most a day (Samoa, 2011). */
#define FAR (26 * INT64_C(3600))
#define MANY_CHANGES 200

/* ---- reading ---------------------------------------------------------------------------------------------------- */

struct field {
	const char *name;
	int min, max;
	const char *words; /* three letters each */
	int first_word;
};
static const struct field fields[] = {
	{"minute", 0, 59, "", 0},
	{"hour", 0, 23, "", 0},
	{"day of month", 1, 31, "", 0},
	{"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec", 1},
	{"day of week", 0, 7, "sunmontuewedthufrisat", 0},
};
#define N_FIELDS ((int)ARRAY_LEN(fields))

static bool bad_value(const struct field *f, const char *text, size_t len, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "%s '%.*s' is not understood", f->name, (int)len, text);
	return err_hint(err, "%d to %d%s, also as a list 1,2, a range 1-5 or with a step */2", f->min, f->max,
	                f->words[0] == '\0' ? "" : " or three letters of the English name");
}

static int word_value(const struct field *f, const char *p)
{
	for (int i = 0; f->words[0] != '\0' && f->words[3 * i] != '\0'; i++)
		if (strncasecmp(p, f->words + 3 * i, 3) == 0 && !isalnum((unsigned char)p[3]))
			return f->first_word + i;
	return -1;
}

/* A number or a name; moves *p behind it. */
static bool parse_value(const struct field *f, const char **p, int *value_r)
{
	size_t digits = strspn(*p, "0123456789");
	int value = digits == 0 ? word_value(f, *p) : digits < 5 ? (int)strtol(*p, NULL, 10) : -1;
	if (value < f->min || value > f->max)
		return false;
	*p += digits == 0 ? 3 : digits;
	*value_r = value;
	return true;
}

static bool parse_step(const char **p, int *step_r)
{
	size_t digits = strspn(*p, "0123456789");
	*step_r = digits > 0 && digits < 4 ? (int)strtol(*p, NULL, 10) : 0;
	*p += digits;
	return *step_r > 0;
}

/* `*`, 5, 1-5, each but a single value with /STEP behind it: into bits. */
static bool parse_item(const struct field *f, const char *p, const char *end, uint64_t *bits)
{
	int first = f->min, last = f->max, step = 1;
	bool range = *p == '*';
	if (range)
		p++;
	else if (!parse_value(f, &p, &first))
		return false;
	else if (*p == '-') {
		p++;
		range = true;
		if (!parse_value(f, &p, &last) || last < first)
			return false;
	} else
		last = first;
	if (*p == '/' && range) {
		p++;
		if (!parse_step(&p, &step))
			return false;
	}
	for (int i = first; i <= last; i += step)
		*bits |= UINT64_C(1) << i;
	return p == end;
}

static bool parse_field(const struct field *f, const char *text, size_t len, uint64_t *bits_r, struct viewd_err *err)
{
	const char *end = text + len, *p = text;
	uint64_t bits = 0;
	for (;;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma != NULL ? comma : end;
		if (!parse_item(f, p, stop, &bits))
			return bad_value(f, p, (size_t)(stop - p), err);
		if (comma == NULL)
			break;
		p = comma + 1;
	}
	*bits_r = bits;
	return true;
}

static bool wrong_count(int n, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_CONFIG, "cron has %d field%s instead of 5", n, n == 1 ? "" : "s");
	return err_hint(err,
	                "minute, hour, day of month, month, day of week, for example */5 * * * *; or @hourly and the like");
}

static int count_words(const char *text)
{
	int n = 0;
	for (text += strspn(text, " \t"); *text != '\0'; n++) {
		text += strcspn(text, " \t");
		text += strspn(text, " \t");
	}
	return n;
}

static bool parse_fields(const char *text, struct cron *out, struct viewd_err *err)
{
	uint64_t bits[N_FIELDS];
	bool star[N_FIELDS];
	int n = count_words(text);
	if (n != N_FIELDS)
		return wrong_count(n, err);
	for (int i = 0; i < N_FIELDS; i++) {
		text += strspn(text, " \t");
		size_t len = strcspn(text, " \t");
		star[i] = text[0] == '*';
		if (!parse_field(&fields[i], text, len, &bits[i], err))
			return false;
		text += len;
	}
	*out = (struct cron){
		.minute = bits[0],
		.hour = (uint32_t)bits[1],
		.day = (uint32_t)bits[2],
		.month = (uint16_t)bits[3],
		.weekday = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f), /* 7 is Sunday as well */
		.any_day = star[2],
		.any_weekday = star[4],
		.wildcard = star[0] || star[1],
	};
	return true;
}

static bool parse_every(const char *text, struct cron *out, struct viewd_err *err)
{
	int64_t every;
	text += strspn(text, " \t");
	if (!span_parse(text, &every, err))
		return false;
	if (every < SPAN_MS) {
		err_set(err, VIEWD_ERR_CONFIG, "'@every %s' is too short", text);
		return err_hint(err, "at least 1ms, for example @every 5m");
	}
	*out = (struct cron){.every = every};
	return true;
}

static bool parse_nickname(const char *text, struct cron *out, struct viewd_err *err)
{
	static const char *const names[][2] = {
		{"@hourly", "0 * * * *"},  {"@daily", "0 0 * * *"},  {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
		{"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"},
	};
	if (strncmp(text, "@every", 6) == 0 && (text[6] == ' ' || text[6] == '\t'))
		return parse_every(text + 6, out, err);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(text, names[i][0]) == 0)
			return parse_fields(names[i][1], out, err);
	err_set(err, VIEWD_ERR_CONFIG, "'%s' is not understood", text);
	return err_hint(err, "one of @hourly @daily @midnight @weekly @monthly @yearly @annually, or @every 5m");
}

/* ---- the calendar, without zones: seconds of local time --------------------------------------------------------- */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Days since 1 January 1970 -> month and day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms": years
 * begin in March). */
static void month_and_day(int64_t days, int *month_r, int *day_r)
{
	int64_t z = days + 719468;
	int64_t day_of_era = z - floor_div(z, 146097) * 146097;
	int64_t year = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
	int64_t m = (5 * day_of_year + 2) / 153;
	*day_r = (int)(day_of_year - (153 * m + 2) / 5) + 1;
	*month_r = (int)(m < 10 ? m + 3 : m - 9);
}

static bool day_matches(const struct cron *c, int64_t days)
{
	int month, day;
	month_and_day(days, &month, &day);
	int weekday = (int)(days + 4 - floor_div(days + 4, 7) * 7); /* 1 January 1970 was a Thursday */
	bool by_day = c->day >> day & 1, by_weekday = c->weekday >> weekday & 1;
	if ((c->month >> month & 1) == 0)
		return false;
	return c->any_day || c->any_weekday ? by_day && by_weekday : by_day || by_weekday;
}

/* The first minute of the day at or after `from` that matches; -1: none. */
static int minute_of_day(const struct cron *c, int from)
{
	for (int hour = from / 60; hour < 24; hour++) {
		uint64_t minutes = hour == from / 60 ? c->minute >> (from % 60) << (from % 60) : c->minute;
		if ((c->hour >> hour & 1) != 0 && minutes != 0)
			return hour * 60 + __builtin_ctzll(minutes);
	}
	return -1;
}

/* The first match after `local`; NEVER. */
static int64_t calendar_next(const struct cron *c, int64_t local)
{
	int64_t start = floor_div(local, 60) + 1, day = floor_div(start, 1440);
	int from = (int)(start - day * 1440);
	for (int i = 0; i < SEARCH_DAYS; i++, day++, from = 0) {
		int minute = day_matches(c, day) ? minute_of_day(c, from) : -1;
		if (minute >= 0)
			return day * DAY + minute * 60;
	}
	return NEVER;
}

bool cron_parse(const char *text, struct cron *out, struct viewd_err *err)
{
	struct cron cron;
	if (!(text[0] == '@' ? parse_nickname(text, &cron, err) : parse_fields(text, &cron, err)))
		return false;
	if (cron.every == 0 && calendar_next(&cron, 0) == NEVER) {
		err_set(err, VIEWD_ERR_CONFIG, "day of month and month give a date that never comes");
		return err_hint(err, "no month has more than 31 days, April, June, September and November 30, February 29");
	}
	*out = cron;
	return true;
}

/* ---- in a zone -------------------------------------------------------------------------------------------------- */

/* Local time -> the moment: the first of two, or the end of the gap that it falls into. Never decreases as local
 * grows. */
static int64_t moment_of(const struct zone *zone, int64_t local)
{
	int64_t before = zone_offset(zone, local - FAR), after = zone_offset(zone, local + FAR);
	int64_t by_before = local - before, by_after = local - after;
	bool good_before = zone_offset(zone, by_before) == before, good_after = zone_offset(zone, by_after) == after;
	if (good_before && good_after)
		return by_before < by_after ? by_before : by_after;
	if (good_before || good_after)
		return good_before ? by_before : by_after;
	return zone_change(zone, local - FAR, local + FAR);
}

static int64_t min3(int64_t a, int64_t b, int64_t c)
{
	int64_t least = a < b ? a : b;
	return least < c ? least : c;
}

static int64_t fixed_next(const struct cron *c, const struct zone *zone, int64_t after)
{
	int64_t local =
		after + min3(zone_offset(zone, after - FAR), zone_offset(zone, after), zone_offset(zone, after + FAR));
	while ((local = calendar_next(c, local)) != NEVER) {
		int64_t t = moment_of(zone, local);
		if (t > after)
			return t;
	}
	return 0;
}

/* Stretches of one offset, one after the other. */
static int64_t elapsed_next(const struct cron *c, const struct zone *zone, int64_t after)
{
	int64_t from = after;
	for (int i = 0; i < MANY_CHANGES; i++) {
		int64_t offset = zone_offset(zone, from), local = calendar_next(c, after + offset);
		if (local == NEVER)
			return 0;
		int64_t t = local - offset, change = zone_change(zone, from, t);
		if (change > t)
			return t;
		from = change;
		after = change - 1;
	}
	return 0;
}

int64_t cron_next(const struct cron *cron, const struct zone *zone, int64_t after)
{
	return cron->wildcard ? elapsed_next(cron, zone, after) : fixed_next(cron, zone, after);
}
