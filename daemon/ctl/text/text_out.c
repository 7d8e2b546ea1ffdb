/* SPDX-License-Identifier: MIT
 *
 * text_out.c: JSON written straight into growing text.
 */
#include "ctl/text/text_out.h"

#include "base/clock.h"
#include "base/macros.h"
#include "base/mem.h"
#include "ctl/text/json_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void text_out_free(struct text_out *out)
{
	free(out->data);
	*out = (struct text_out){0};
}

static char *make_room(struct text_out *out, size_t more)
{
	if (out->len + more > out->room) {
		out->room = (out->len + more) * 2;
		out->data = realloc(out->data, out->room);
		assert(out->data != NULL);
	}
	return out->data + out->len;
}

static void put_bytes(struct text_out *out, const char *text, size_t len)
{
	if (len == 0)
		return;
	memcpy(make_room(out, len), text, len);
	out->len += len;
}

void text_out_raw(struct text_out *out, const char *text)
{
	put_bytes(out, text, strlen(text));
}

static bool is_plain(unsigned char c)
{
	return c >= 0x20 && c != '"' && c != '\\' && c != 0x7f;
}

static void put_escaped(struct text_out *out, unsigned char c)
{
	char buf[8];
	switch (c) {
	case '"':
	case '\\':
		put_bytes(out, (const char[]){'\\', (char)c}, 2);
		break;
	case '\n':
		put_bytes(out, "\\n", 2);
		break;
	case '\t':
		put_bytes(out, "\\t", 2);
		break;
	default:
		put_bytes(out, buf, (size_t)snprintf(buf, sizeof(buf), "\\u%04x", c));
		break;
	}
}

void text_out_string(struct text_out *out, const char *text)
{
	if (text == NULL) {
		put_bytes(out, "null", 4);
		return;
	}
	bool ascii = true;
	for (const char *p = text; *p != '\0' && ascii; p++)
		ascii = (unsigned char)*p < 0x80;
	bool valid = ascii || json_text_valid(text);
	put_bytes(out, "\"", 1);
	while (*text != '\0') {
		size_t run = 0;
		while (text[run] != '\0' && is_plain((unsigned char)text[run]) && (valid || (unsigned char)text[run] < 0x80))
			run++;
		put_bytes(out, text, run);
		text += run;
		if (*text == '\0')
			break;
		if ((unsigned char)*text >= 0x80)
			put_bytes(out, "?", 1);
		else
			put_escaped(out, (unsigned char)*text);
		text++;
	}
	put_bytes(out, "\"", 1);
}

void text_out_pair(struct text_out *out, const char *before, const char *text)
{
	text_out_raw(out, before);
	text_out_string(out, text);
}

const char *text_out_known(const char *text)
{
	return text != NULL && text[0] != '\0' ? text : NULL;
}

void text_out_int(struct text_out *out, int64_t n)
{
	char buf[24];
	put_bytes(out, buf, (size_t)snprintf(buf, sizeof(buf), "%" PRId64, n));
}

void text_out_bool(struct text_out *out, bool value)
{
	text_out_raw(out, value ? "true" : "false");
}

void text_out_count(struct text_out *out, int64_t n)
{
	if (n < 0)
		put_bytes(out, "null", 4);
	else
		text_out_int(out, n);
}

void text_out_ms(struct text_out *out, int64_t us)
{
	text_out_count(out, us < 0 ? -1 : (us + 500) / 1000);
}

void text_out_seconds(struct text_out *out, int64_t us)
{
	char buf[40];
	if (us < 0)
		put_bytes(out, "null", 4);
	else
		put_bytes(out, buf, (size_t)snprintf(buf, sizeof(buf), "%" PRId64 ".%06" PRId64, us / 1000000, us % 1000000));
}

void text_out_time(struct text_out *out, int64_t wall_us)
{
	char buf[32];
	text_out_string(out, wall_us == 0 ? NULL : clock_format(wall_us, buf, sizeof(buf)));
}

json_t *text_out_parse(struct text_out *out)
{
	json_t *value = mem_need(json_loadb(out->data, out->len, JSON_DECODE_ANY, NULL));
	text_out_free(out);
	return value;
}
