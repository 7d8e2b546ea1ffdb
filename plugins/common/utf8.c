/* SPDX-License-Identifier: MIT */
#include "common/utf8.h"

/* Bytes that follow a lead byte, or -1. */
static int followers(unsigned char lead)
{
	if (lead < 0x80)
		return 0;
	if (lead >= 0xc2 && lead <= 0xdf)
		return 1;
	if ((lead & 0xf0) == 0xe0)
		return 2;
	return lead >= 0xf0 && lead <= 0xf4 ? 3 : -1;
}

int32_t utf8_next(const char **p)
{
	static const int32_t least[] = {0, 0x80, 0x800, 0x10000};
	static const int32_t lead_mask[] = {0x7f, 0x1f, 0x0f, 0x07};
	const unsigned char *s = (const unsigned char *)*p;
	int more = followers(*s);
	if (more < 0)
		return -1;
	int32_t c = *s & lead_mask[more];
	for (int i = 1; i <= more; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return -1;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[more] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return -1;
	*p += c == 0 ? 0 : more + 1;
	return c;
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
