/* SPDX-License-Identifier: MIT
 *
 * table.h: aligned columns with optional colour, and lines between the rows. viewctl has one thread.
 */
#ifndef VIEWD_CLIENT_PRINT_TABLE_H
#define VIEWD_CLIENT_PRINT_TABLE_H

#include <stdbool.h>
#include <stdio.h>

enum table_colour { TABLE_PLAIN, TABLE_BOLD, TABLE_GREEN, TABLE_YELLOW, TABLE_RED, TABLE_DIM };

struct table;

/* headings: n column titles. colours: write escape sequences. A child of mem_ctx (talloc). */
struct table *table_new(void *mem_ctx, const char *const *headings, size_t n, bool colours);

/* Starts a row; table_cell then fills it from the left. Text is copied; NULL and "" show as "-". Control characters
 * become '?'. */
void table_row(struct table *table);
void table_cell(struct table *table, const char *text, enum table_colour colour);

/* A line of its own below the current row. */
void table_note(struct table *table, const char *text, enum table_colour colour);

void table_print(const struct table *table, FILE *out);

/* text in colour when colours is set. */
void table_put(FILE *out, const char *text, enum table_colour colour, bool colours);

/* text with control characters replaced by '?', newlines and tabs kept. */
void table_put_clean(FILE *out, const char *text);

#endif
