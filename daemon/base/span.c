/* SPDX-License-Identifier: MIT */
#include "base/span.h"

#include "base/err.h"

#include <stdio.h>
#include <string.h>

struct span_unit {
	const char *word;
	int64_t factor;
};

/* Descending: a compound may only go from larger to smaller units. */
static const struct span_unit span_units[] = {
	{"w", SPAN_WEEK},   {"d", SPAN_DAY}, {"h", SPAN_HOUR}, {"m", SPAN_MINUTE},
	{"s", SPAN_SECOND}, {"ms", SPAN_MS}, {"us", 1},
};
static const struct span_unit size_units[] = {
	{"TiB", INT64_C(1) << 40},
	{"GiB", INT64_C(1) << 30},
	{"MiB", INT64_C(1) << 20},
	{"KiB", INT64_C(1) << 10},
	{"B", 1},
};

/* Reads digits into *n_r; false when there are none or they overflow. */
static bool read_number(const char **p, int64_t *n_r)
{
	const char *start = *p;
	int64_t n = 0;
	for (; **p >= '0' && **p <= '9'; (*p)++)
		if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, **p - '0', &n))
			return false;
	*n_r = n;
	return *p != start;
}

/* Index of the unit at *p, or -1. Letters must match whole. */
static int read_unit(const char **p, const struct span_unit *units, size_t count)
{
	size_t len = strcspn(*p, "0123456789 \t");
	for (size_t i = 0; i < count; i++)
		if (strlen(units[i].word) == len && strncmp(*p, units[i].word, len) == 0) {
			*p += len;
			return (int)i;
		}
	return -1;
}

static bool parse_units(const char *text, const struct span_unit *units, size_t count, int64_t *out_r)
{
	const char *p = text;
	int64_t total = 0, n, part;
	int last = -1;
	while (*p != '\0') {
		if (!read_number(&p, &n))
			return false;
		int unit = read_unit(&p, units, count);
		if (unit <= last)
			return false;
		if (__builtin_mul_overflow(n, units[unit].factor, &part) || __builtin_add_overflow(total, part, &total))
			return false;
		last = unit;
	}
	if (last < 0)
		return false;
	*out_r = total;
	return true;
}

bool span_parse(const char *text, int64_t *us_r, struct viewd_err *err)
{
	if (strcmp(text, "0") == 0) {
		*us_r = 0;
		return true;
	}
	if (parse_units(text, span_units, ARRAY_LEN(span_units), us_r))
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "'%s' is not a duration", text);
	return err_hint(err, "write a number with a unit: 250ms, 30s, 5m, 2h, 1d, 1w or 1h30m");
}

char *span_format(int64_t us, char *buf, size_t size)
{
	size_t len = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(span_units) && us > 0 && len < size; i++) {
		int64_t n = us / span_units[i].factor;
		if (n > 0)
			len += (size_t)snprintf(buf + len, size - len, "%lld%s", (long long)n, span_units[i].word);
		us %= span_units[i].factor;
	}
	if (len == 0)
		snprintf(buf, size, "0");
	return buf;
}

char *span_human(int64_t us, char *buf, size_t size)
{
	if (us < SPAN_SECOND)
		snprintf(buf, size, "%.1fms", (double)us / 1e3);
	else if (us < SPAN_MINUTE)
		snprintf(buf, size, "%.1fs", (double)us / 1e6);
	else if (us < SPAN_HOUR)
		snprintf(buf, size, "%lldm%llds", (long long)(us / SPAN_MINUTE), (long long)(us % SPAN_MINUTE / SPAN_SECOND));
	else if (us < SPAN_DAY)
		snprintf(buf, size, "%lldh%lldm", (long long)(us / SPAN_HOUR), (long long)(us % SPAN_HOUR / SPAN_MINUTE));
	else
		snprintf(buf, size, "%lldd%lldh", (long long)(us / SPAN_DAY), (long long)(us % SPAN_DAY / SPAN_HOUR));
	return buf;
}

bool size_parse(const char *text, int64_t *bytes_r, struct viewd_err *err)
{
	const char *p = text;
	int64_t n;
	if (read_number(&p, &n) && *p == '\0') {
		*bytes_r = n;
		return true;
	}
	if (parse_units(text, size_units, ARRAY_LEN(size_units), bytes_r))
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "'%s' is not a size", text);
	return err_hint(err, "write bytes or a number with KiB, MiB, GiB: 64MiB");
}

char *size_format(int64_t bytes, char *buf, size_t size)
{
	for (size_t i = 0; i < ARRAY_LEN(size_units); i++)
		if (bytes != 0 && bytes % size_units[i].factor == 0 && size_units[i].factor > 1) {
			snprintf(buf, size, "%lld%s", (long long)(bytes / size_units[i].factor), size_units[i].word);
			return buf;
		}
	snprintf(buf, size, "%lld", (long long)bytes);
	return buf;
}
