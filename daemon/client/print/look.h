/* SPDX-License-Identifier: MIT
 *
 * look.h: what a text for people has to fit: the terminal's width, colours, the time zone. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_PRINT_LOOK_H
#define VIEWD_CLIENT_PRINT_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct look {
	size_t width; /* columns of the terminal; 0: no terminal, lines may be as long as they are */
	bool colours;
	bool utc; /* times in UTC instead of the local zone */
};

/* The look of a stream: a terminal has a width, and colours unless NO_COLOR says otherwise. Times are local. */
struct look look_of(FILE *out);

/* Texts of databases and files are UTF-8, so from here on this thread takes texts for that, whatever the user's locale
 * is. Returns what look_end wants. */
void *look_begin(void);
void look_end(void *begun);

/* Can the user's terminal show more than ASCII, as far as the locale tells? */
bool look_draws_lines(void);

enum look_colour { LOOK_PLAIN, LOOK_BOLD, LOOK_GREEN, LOOK_YELLOW, LOOK_RED, LOOK_DIM };

/* The escape sequence of a colour; "" for LOOK_PLAIN. */
const char *look_sequence(enum look_colour colour);

/* text as look_put_clean has it, in colour where the look has colours. */
void look_put(FILE *out, const char *text, enum look_colour colour, const struct look *look);

/* text with control characters and bytes that are no UTF-8 replaced by '?'; a child of mem_ctx (talloc). Newlines and
 * tabs stay where it has lines, else they become blanks. */
char *look_clean(void *mem_ctx, const char *text, bool lines);

/* A text of lines, clean. */
void look_put_clean(FILE *out, const char *text);

/* For programs that read it (SQL, configuration): byte for byte, but clean on a terminal. */
void look_put_data(FILE *out, const char *text, const struct look *look);

/* text in lines of at most width columns, broken at blanks, and inside a word that is longer; a child of mem_ctx
 * (talloc). Its own newlines stay. The first line is as if `first` columns were taken, those that follow begin with
 * `indent` blanks. width 0: as it is. */
char *look_wrap(void *mem_ctx, const char *text, size_t first, size_t indent, size_t width);

#endif
