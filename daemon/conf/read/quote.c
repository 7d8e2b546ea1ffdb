/* SPDX-License-Identifier: MIT */
#include "conf/read/quote.h"

#include "base/utf8.h"
#include "conf/read/scan.h"

#include <string.h>
#include <talloc.h>

/* A name leaves room for what makes it another one. */
#define NAME_MAX_BYTES (SCAN_NAME_MAX - 12)

static bool is_plain(const char *text)
{
	size_t len = strlen(text);
	return len > 0 && strpbrk(text, ";#") == NULL && strchr("'\" \t", text[0]) == NULL &&
	       strchr(" \t\\", text[len - 1]) == NULL;
}

static bool holds_control(const char *text)
{
	for (const char *c = text; *c != '\0'; c++)
		if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
			return true;
	return false;
}

char *quote_line(void *mem_ctx, const char *key, const char *text)
{
	size_t bad;
	const char *quote = "";
	if (holds_control(text) || !utf8_valid_bytes(text, strlen(text), &bad))
		return NULL;
	if (!is_plain(text)) {
		quote = strchr(text, '\'') == NULL ? "'" : "\"";
		if (strstr(text, quote) != NULL || strchr(text, '\\') != NULL)
			return NULL;
	}
	char *line = talloc_asprintf(mem_ctx, "%s = %s%s%s", key, quote, text, quote);
	assert(line != NULL);
	if (strlen(line) <= SCAN_LINE_MAX)
		return line;
	talloc_free(line);
	return NULL;
}

char *quote_name(void *mem_ctx, const char *text)
{
	char *name = talloc_strndup(mem_ctx, text, NAME_MAX_BYTES);
	assert(name != NULL);
	for (char *c = name; *c != '\0'; c++) {
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
		else if (strchr("abcdefghijklmnopqrstuvwxyz0123456789_.-", *c) == NULL)
			*c = '_';
	}
	return name;
}
