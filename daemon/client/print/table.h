/* SPDX-License-Identifier: MIT
 *
 * table.h: rows in aligned columns that fit the terminal, and notes below them. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_PRINT_TABLE_H
#define VIEWD_CLIENT_PRINT_TABLE_H

#include "client/print/look.h"

struct table;

/* A column in a terminal that is too narrow. */
enum table_fit {
	TABLE_WORD,   /* goes on in a second line when the names have given way */
	TABLE_NUMBER, /* stays, aligned to the right */
	TABLE_NAME,   /* goes on in a second line */
	TABLE_TEXT,   /* broken at blanks; its newlines stay. The last column only */
	TABLE_TREE    /* the first column only: rows hang below each other */
};

struct table_column {
	const char *heading;
	enum table_fit fit;
};

/* columns: n of them, static. look is copied. A child of mem_ctx (talloc). */
struct table *table_new(void *mem_ctx, const struct table_column *columns, size_t n, const struct look *look);

/* Starts a row; table_cell then fills it from the left. Text is copied; NULL and "" show as "-". Control characters
 * become '?'. */
void table_row(struct table *table);
void table_cell(struct table *table, const char *text, enum look_colour colour);

/* As table_row; the row hangs below the last one of depth - 1. A row of table_row has depth 0. */
void table_row_below(struct table *table, size_t depth);

/* "[1]" behind the cell that was filled last, and the text below the table; a text that is there already is not
 * repeated. */
void table_note(struct table *table, const char *text, enum look_colour colour);

/* Once. Prints nothing when there are no rows. */
void table_print(struct table *table, FILE *out);

#endif
