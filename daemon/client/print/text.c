/* SPDX-License-Identifier: MIT
 *
 * text.c: values of a reply as text for people.
 */
#include "client/print/text.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/span.h"

#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

char *text_count(void *mem_ctx, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	if (!json_is_integer(value))
		return NULL;
	return talloc_asprintf(mem_ctx, "%lld", (long long)json_integer_value(value));
}

static char *human(void *mem_ctx, double us)
{
	char buf[64];
	return talloc_strdup(mem_ctx, span_human((int64_t)us, buf, sizeof(buf)));
}

char *text_ms(void *mem_ctx, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? human(mem_ctx, json_number_value(value) * 1e3) : NULL;
}

char *text_seconds(void *mem_ctx, const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);
	return json_is_number(value) ? human(mem_ctx, json_number_value(value) * 1e6) : NULL;
}

char *text_until(void *mem_ctx, const json_t *object, const char *key, int64_t now_us)
{
	const char *text = text_of(object, key);
	int64_t when = 0;
	char buf[64];
	if (text == NULL || !clock_parse(text, &when))
		return NULL;
	/* whole seconds: more would only flicker */
	int64_t left = (when - now_us) / SPAN_SECOND * SPAN_SECOND;
	if (left == 0)
		return talloc_strdup(mem_ctx, "now");
	if (left > 0)
		return talloc_asprintf(mem_ctx, "in %s", span_human(left, buf, sizeof(buf)));
	return talloc_asprintf(mem_ctx, "%s ago", span_human(-left, buf, sizeof(buf)));
}

char *text_time(void *mem_ctx, const json_t *object, const char *key, bool utc)
{
	const char *text = text_of(object, key);
	int64_t when = 0;
	struct tm tm = {0};
	char date[32];
	if (text == NULL || !clock_parse(text, &when))
		return talloc_strdup(mem_ctx, text);
	time_t sec = (time_t)(when / SPAN_SECOND);
	(utc ? gmtime_r : localtime_r)(&sec, &tm);
	strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &tm);
	long east = tm.tm_gmtoff / 60;
	long minutes = labs(east) % 60;
	char *out = talloc_asprintf(mem_ctx, "%s%c%02ld", date, east < 0 ? '-' : '+', labs(east) / 60);
	return minutes != 0 ? talloc_asprintf_append_buffer(out, ":%02ld", minutes) : out;
}

char *text_joined(void *mem_ctx, const json_t *object, const char *key)
{
	const json_t *list = json_object_get(object, key);
	char *out = NULL;
	size_t i;
	json_t *item;
	json_array_foreach(list, i, item) {
		const char *one = json_string_value(item) != NULL ? json_string_value(item) : "?";
		out = out == NULL ? talloc_strdup(mem_ctx, one) : talloc_asprintf_append_buffer(out, ", %s", one);
	}
	return out;
}

char *text_error(void *mem_ctx, const json_t *error)
{
	const char *cls = text_of(error, "class");
	const char *code = text_of(error, "code");
	const char *message = text_of(error, "message");
	const char *hint = text_of(error, "hint");
	if (message == NULL)
		return NULL;
	return talloc_asprintf(mem_ctx, "%s%s%s: %s%s%s%s", cls != NULL ? cls : "error", code != NULL ? " " : "",
	                       code != NULL ? code : "", message, hint != NULL ? " (" : "", hint != NULL ? hint : "",
	                       hint != NULL ? ")" : "");
}
