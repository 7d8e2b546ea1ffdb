/* SPDX-License-Identifier: MIT */
#include "client/print/look.h"

#include "base/macros.h"
#include "base/utf8.h"

#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <talloc.h>
#include <unistd.h>
#include <wchar.h>

/* Narrower than this nothing can be shown in columns. */
#define WIDTH_LEAST 40
#define WIDTH_DEFAULT 80

static size_t width_of(FILE *out)
{
	struct winsize size = {.ws_col = 0};
	if (isatty(fileno(out)) == 0)
		return 0;
	if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return size.ws_col > WIDTH_LEAST ? size.ws_col : WIDTH_LEAST;
}

struct look look_of(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR");
	bool wanted = no_colour == NULL || no_colour[0] == '\0';
	size_t width = width_of(out);
	return (struct look){.width = width, .colours = width > 0 && wanted};
}

/* ---- locale ------------------------------------------------------------------------------------------------------ */

struct begun {
	locale_t before, utf8;
};

void *look_begin(void)
{
	struct begun *begun = talloc_zero(NULL, struct begun);
	assert(begun != NULL);
	begun->utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", NULL);
	begun->before = begun->utf8 != NULL ? uselocale(begun->utf8) : NULL;
	return begun;
}

void look_end(void *ptr)
{
	struct begun *begun = ptr;
	if (begun->utf8 != NULL) {
		uselocale(begun->before);
		freelocale(begun->utf8);
	}
	talloc_free(begun);
}

bool look_draws_lines(void)
{
	locale_t users = newlocale(LC_CTYPE_MASK, "", NULL);
	bool can = users != NULL && strcmp(nl_langinfo_l(CODESET, users), "UTF-8") == 0;
	if (users != NULL)
		freelocale(users);
	return can;
}

/* ---- colours ----------------------------------------------------------------------------------------------------- */

const char *look_sequence(enum look_colour colour)
{
	static const char *const sequences[] = {
		[LOOK_PLAIN] = "",          [LOOK_BOLD] = "\033[1m", [LOOK_GREEN] = "\033[32m",
		[LOOK_YELLOW] = "\033[33m", [LOOK_RED] = "\033[31m", [LOOK_DIM] = "\033[2m",
	};
	return sequences[colour];
}

void look_put(FILE *out, const char *text, enum look_colour colour, const struct look *look)
{
	bool coloured = look->colours && colour != LOOK_PLAIN;
	fputs(coloured ? look_sequence(colour) : "", out);
	look_put_clean(out, text);
	fputs(coloured ? "\033[0m" : "", out);
}

char *look_clean(void *mem_ctx, const char *text, bool lines)
{
	char *out = talloc_array(mem_ctx, char, (unsigned)strlen(text) + 1), *to = out;
	assert(out != NULL);
	while (*text != '\0') {
		const char *from = text;
		int32_t c = utf8_next(&text);
		size_t n = c < 0 ? 0 : (size_t)(text - from);
		text += n == 0; /* a byte that is no text */
		if (n > 0 && !utf8_is_control(c)) {
			memcpy(to, from, n);
			to += n;
		} else if (c == '\n' || c == '\t') {
			*to++ = lines ? (char)c : ' ';
		} else {
			*to++ = '?';
		}
	}
	*to = '\0';
	return out;
}

void look_put_clean(FILE *out, const char *text)
{
	char *clean = look_clean(NULL, text, true);
	fputs(clean, out);
	talloc_free(clean);
}

void look_put_data(FILE *out, const char *text, const struct look *look)
{
	if (look->width > 0)
		look_put_clean(out, text);
	else
		fputs(text, out);
}

/* ---- lines ------------------------------------------------------------------------------------------------------- */

/* The bytes of the first character, and its columns. A byte that is none takes one. */
static size_t next_char(const char *text, size_t *columns_r)
{
	wchar_t wide = 0;
	mbstate_t state = {0};
	size_t n = mbrtowc(&wide, text, MB_CUR_MAX, &state);
	bool good = n != 0 && n != (size_t)-1 && n != (size_t)-2;
	int columns = good ? wcwidth(wide) : 1;
	*columns_r = columns >= 0 ? (size_t)columns : 1;
	return good ? n : 1;
}

/* How much of text fits into room columns: up to the last blank, all of it, or as many characters as there is room for
 * when it has no blank. *broken_r: it does not end at a blank. */
static size_t fitting(const char *text, size_t room, bool at_start, bool *broken_r)
{
	size_t used = 0, at = 0, blank = 0, columns = 0;
	*broken_r = false;
	while (text[at] != '\0' && text[at] != '\n') {
		size_t n = next_char(text + at, &columns);
		if (text[at] == ' ')
			blank = at;
		if (used + columns > room) {
			*broken_r = blank == 0 && at_start;
			return blank > 0 || !at_start ? blank : at > 0 ? at : n;
		}
		used += columns;
		at += n;
	}
	return at;
}

char *look_wrap(void *mem_ctx, const char *text, size_t first, size_t indent, size_t width)
{
	char *out = talloc_strdup(mem_ctx, "");
	size_t column = first;
	bool broken = false;
	while (width > 0 && *text != '\0') {
		bool at_start = column <= indent;
		size_t n = fitting(text, width > column ? width - column : at_start ? 1 : 0, at_start, &broken);
		out = talloc_strndup_append_buffer(out, text, n);
		text += n;
		if (*text != '\0' && !broken)
			text += *text == ' ' || *text == '\n';
		if (*text != '\0')
			out = talloc_asprintf_append_buffer(out, "\n%*s", (int)indent, "");
		column = indent;
	}
	out = talloc_strdup_append_buffer(out, text);
	assert(out != NULL);
	return out;
}
