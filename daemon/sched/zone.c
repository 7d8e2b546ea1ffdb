/* SPDX-License-Identifier: MIT */
#include "sched/zone.h"

#include "base/err.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <talloc.h>

#define DATABASE "/usr/share/zoneinfo"
#define DAY INT64_C(86400)

struct zone {
	GTimeZone *tz;
};

static int zone_free(struct zone *zone)
{
	g_time_zone_unref(zone->tz);
	return 0;
}

/* GLib would take rules ("UTC+3", which means three hours west) and absolute paths as well. */
static bool is_name(const char *name)
{
	static const char *const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/";
	char path[256];
	struct stat st;
	if (name[0] == '\0' || name[0] == '/' || name[strspn(name, letters)] != '\0' || strlen(name) > 100)
		return false;
	if (strcmp(name, "UTC") == 0)
		return true;
	snprintf(path, sizeof path, DATABASE "/%s", name);
	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

struct zone *zone_open(void *mem_ctx, const char *name, struct viewd_err *err)
{
	struct stat st;
	GTimeZone *tz = is_name(name) ? g_time_zone_new_identifier(name) : NULL;
	if (tz == NULL) {
		err_set(err, VIEWD_ERR_CONFIG, "there is no time zone '%s'", name);
		if (stat(DATABASE, &st) != 0)
			err_hint(err, "install the time zone database (Debian: tzdata), or use UTC");
		else
			err_hint(err, "a name of the time zone database, for example Europe/Berlin");
		return NULL;
	}
	struct zone *zone = talloc_zero(mem_ctx, struct zone);
	if (zone == NULL)
		abort();
	zone->tz = tz;
	talloc_set_destructor(zone, zone_free);
	return zone;
}

int64_t zone_offset(const struct zone *zone, int64_t utc)
{
	int interval = g_time_zone_find_interval(zone->tz, G_TIME_TYPE_UNIVERSAL, utc);
	return g_time_zone_get_offset(zone->tz, interval);
}

/* The offset is known to differ at the two ends. */
static int64_t bisect(const struct zone *zone, int64_t before, int64_t after)
{
	int64_t offset = zone_offset(zone, before);
	while (after - before > 1) {
		int64_t middle = before + (after - before) / 2;
		if (zone_offset(zone, middle) == offset)
			before = middle;
		else
			after = middle;
	}
	return after;
}

int64_t zone_change(const struct zone *zone, int64_t from, int64_t to)
{
	int64_t offset = zone_offset(zone, from);
	for (int64_t t = from; t < to; t += DAY) {
		int64_t next = to - t < DAY ? to : t + DAY;
		if (zone_offset(zone, next) != offset)
			return bisect(zone, t, next);
	}
	return to + 1;
}

static const char **add_name(void *mem_ctx, const char **names, size_t *n, const char *name)
{
	if ((*n & (*n - 1)) == 0)
		names = talloc_realloc(mem_ctx, names, const char *, *n == 0 ? 1 : *n * 2);
	if (names == NULL)
		abort();
	names[(*n)++] = talloc_strdup(names, name);
	return names;
}

/* tzdata.zi holds the whole database as text: "Z NAME ..." begins a zone, "L TARGET NAME" is another name for one
 * (zic(8)). */
const char **zone_names(void *mem_ctx, size_t *n_r)
{
	char line[256], name[128];
	const char **names = NULL;
	*n_r = 0;
	FILE *f = fopen(DATABASE "/tzdata.zi", "re");
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		if (sscanf(line, "Z %127s", name) == 1 || sscanf(line, "L %*s %127s", name) == 1)
			names = add_name(mem_ctx, names, n_r, name);
	if (f != NULL)
		fclose(f);
	return names;
}
