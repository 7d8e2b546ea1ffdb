/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

static bool is_tail(unsigned char c)
{
	return (c & 0xc0) == 0x80;
}

size_t utf8_sequence(const char *text, size_t len)
{
	const unsigned char *p = (const unsigned char *)text;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	size_t want = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (len < want)
		return 0;
	for (size_t i = 1; i < want; i++)
		if (!is_tail(p[i]))
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) || (p[0] == 0xf0 && p[1] < 0x90) ||
	    (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return want;
}

bool utf8_valid_bytes(const char *text, size_t len, size_t *at_r)
{
	size_t i = 0;
	while (i < len) {
		size_t n = text[i] == '\0' ? 0 : utf8_sequence(text + i, len - i);
		if (n == 0) {
			*at_r = i;
			return false;
		}
		i += n;
	}
	return true;
}

/* No sequence is longer than four bytes, and the NUL ends one that is cut short. */
int32_t utf8_next(const char **p)
{
	static const int32_t lead_mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *s = (const unsigned char *)*p;
	size_t n = utf8_sequence(*p, 4);
	if (n == 0)
		return -1;
	int32_t c = *s & lead_mask[n];
	for (size_t i = 1; i < n; i++)
		c = c << 6 | (s[i] & 0x3f);
	*p += c == 0 ? 0 : n;
	return c;
}

bool utf8_is_control(int32_t c)
{
	return (c >= 0 && c < 0x20) || (c >= 0x7f && c < 0xa0);
}

bool utf8_valid(const char *text)
{
	int32_t c;
	while ((c = utf8_next(&text)) > 0)
		;
	return c == 0;
}

size_t utf8_length(const char *text)
{
	size_t n = 0;
	while (utf8_next(&text) > 0)
		n++;
	return n;
}
