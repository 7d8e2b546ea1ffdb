/* SPDX-License-Identifier: MIT */
#include "conf/list.h"

#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The comma that ends the item at p, or the end of the text. */
static const char *item_end(const char *p, bool *open_r)
{
	int depth = 0;
	bool quoted = false;
	for (; *p != '\0'; p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (!quoted && *p == '(')
			depth++;
		else if (!quoted && *p == ')')
			depth--;
		else if (!quoted && depth <= 0 && *p == ',')
			break;
	}
	*open_r |= quoted || depth != 0;
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

static char *quoted_ident(struct arena *arena, const char *text, size_t len, size_t *used_r)
{
	char *name = arena_strndup(arena, text, len);
	size_t n = 0;
	for (size_t i = 1; i < len; i++) {
		if (text[i] == '"' && (i + 1 >= len || text[i + 1] != '"')) {
			name[n] = '\0';
			*used_r = i + 1;
			return n > 0 ? name : NULL;
		}
		if (text[i] == '"')
			i++;
		name[n++] = text[i];
	}
	return NULL;
}

char *list_ident(struct arena *arena, const char *text, size_t len, size_t *used_r)
{
	if (len > 0 && text[0] == '"')
		return quoted_ident(arena, text, len, used_r);
	size_t n = 0;
	while (n < len && !is_blank(text[n]) && strchr("\"'`(),;", text[n]) == NULL)
		n++;
	if (n == 0)
		return NULL;
	char *name = arena_strndup(arena, text, n);
	for (char *p = name; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	*used_r = n;
	return name;
}
