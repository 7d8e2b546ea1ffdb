/* SPDX-License-Identifier: MIT */
#include "common/text/timetext.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

char *timetext_format(int64_t us, bool with_zone, char buf[static TIMETEXT_SIZE])
{
	int64_t frac = us % 1000000;
	time_t sec = (time_t)(us / 1000000 - (frac < 0));
	struct tm tm;
	char date[32];
	gmtime_r(&sec, &tm);
	strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf, TIMETEXT_SIZE, "%s.%06d%s", date, (int)(frac < 0 ? frac + 1000000 : frac), with_zone ? "Z" : "");
	return buf;
}

/* Microseconds after the point, however many digits there are; moves *p behind them. */
static int64_t read_fraction(const char **p)
{
	int64_t us = 0, scale = 100000;
	if (**p != '.')
		return 0;
	for ((*p)++; isdigit((unsigned char)**p); (*p)++, scale /= 10)
		us += (**p - '0') * scale;
	return us;
}

static bool is_moment(const struct tm *tm)
{
	return tm->tm_year >= 1 && tm->tm_mon >= 1 && tm->tm_mon <= 12 && tm->tm_mday >= 1 && tm->tm_mday <= 31 &&
	       tm->tm_hour >= 0 && tm->tm_hour <= 23 && tm->tm_min >= 0 && tm->tm_min <= 59 && tm->tm_sec >= 0 &&
	       tm->tm_sec <= 60;
}

int64_t timetext_parse(const char *text)
{
	struct tm tm = {0};
	int end = 0;
	if (text == NULL ||
	    sscanf(text, "%4d-%2d-%2d%*1[T ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min,
	           &tm.tm_sec, &end) != 6 ||
	    end == 0 || !is_moment(&tm))
		return 0;
	const char *p = text + end;
	int64_t us = read_fraction(&p);
	if (*p != '\0' && strcmp(p, "Z") != 0 && strcmp(p, "+00") != 0 && strcmp(p, "+00:00") != 0)
		return 0;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	int64_t time = (int64_t)timegm(&tm) * 1000000 + us;
	return time > 0 ? time : 0;
}
