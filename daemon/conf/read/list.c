/* SPDX-License-Identifier: MIT */
#include "conf/read/list.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The comma that ends the item at p, or the end of the text. */
static const char *item_end(const char *p, bool *open_r)
{
	int depth = 0;
	char quote = '\0';
	for (; *p != '\0'; p++) {
		if (quote != '\0')
			quote = *p == quote ? '\0' : quote;
		else if (*p == '"' || *p == '`')
			quote = *p;
		else if (*p == '(')
			depth++;
		else if (*p == ')')
			depth--;
		else if (depth <= 0 && *p == ',')
			break;
	}
	*open_r |= quote != '\0' || depth != 0;
	return p;
}

bool list_next(const char **text, const char **item_r, size_t *len_r, bool *open_r)
{
	const char *p = *text;
	if (p == NULL)
		return false;
	const char *end = item_end(p, open_r);
	*text = *end == ',' ? end + 1 : NULL;
	while (p < end && is_blank(*p))
		p++;
	while (end > p && is_blank(end[-1]))
		end--;
	*item_r = p;
	*len_r = (size_t)(end - p);
	return true;
}

static size_t quoted_name(const char *text, size_t len)
{
	for (size_t i = 1; i < len; i++) {
		if (text[i] != text[0])
			continue;
		if (i + 1 >= len || text[i + 1] != text[0])
			return i > 1 ? i + 1 : 0;
		i++;
	}
	return 0;
}

size_t list_name(const char *text, size_t len)
{
	if (len > 0 && (text[0] == '"' || text[0] == '`'))
		return quoted_name(text, len);
	size_t n = 0;
	while (n < len && !is_blank(text[n]) && strchr("\"'`(),;", text[n]) == NULL)
		n++;
	return n;
}
