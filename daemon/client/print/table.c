/* SPDX-License-Identifier: MIT
 *
 * table.c: aligned columns.
 */
#include "client/print/table.h"

#include "base/macros.h"

#include <string.h>
#include <talloc.h>

#define COLUMNS_MAX 12
#define GAP 2

struct cell {
	char *text;
	enum table_colour colour;
};

struct row {
	struct cell cells[COLUMNS_MAX];
	size_t n_cells;
	struct cell *notes;
	size_t n_notes;
};

struct table {
	const char *const *headings;
	size_t n_columns;
	bool colours;
	struct row *rows;
	size_t n_rows;
};

struct table *table_new(void *mem_ctx, const char *const *headings, size_t n, bool colours)
{
	struct table *table = talloc_zero(mem_ctx, struct table);
	assert(table != NULL && n <= COLUMNS_MAX);
	table->headings = headings;
	table->n_columns = n;
	table->colours = colours;
	return table;
}

/* Texts of a database may hold escape sequences; a terminal must not see them. */
static char *clean(void *mem_ctx, const char *text)
{
	char *copy = talloc_strdup(mem_ctx, text != NULL && text[0] != '\0' ? text : "-");
	assert(copy != NULL);
	for (char *p = copy; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = *p == '\n' || *p == '\t' ? ' ' : '?';
	return copy;
}

void table_row(struct table *table)
{
	table->rows = talloc_realloc(table, table->rows, struct row, table->n_rows + 1);
	assert(table->rows != NULL);
	table->rows[table->n_rows++] = (struct row){0};
}

void table_cell(struct table *table, const char *text, enum table_colour colour)
{
	struct row *row = &table->rows[table->n_rows - 1];
	assert(row->n_cells < table->n_columns);
	row->cells[row->n_cells++] = (struct cell){clean(table, text), colour};
}

void table_note(struct table *table, const char *text, enum table_colour colour)
{
	struct row *row = &table->rows[table->n_rows - 1];
	row->notes = talloc_realloc(table, row->notes, struct cell, row->n_notes + 1);
	assert(row->notes != NULL);
	row->notes[row->n_notes++] = (struct cell){clean(table, text), colour};
}

/* Columns that UTF-8 text takes, wide and combining characters aside. */
static size_t width_of(const char *text)
{
	size_t n = 0;
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

void table_put(FILE *out, const char *text, enum table_colour colour, bool colours)
{
	static const char *const codes[] = {
		[TABLE_PLAIN] = "",    [TABLE_BOLD] = "1", [TABLE_GREEN] = "32",
		[TABLE_YELLOW] = "33", [TABLE_RED] = "31", [TABLE_DIM] = "2",
	};
	if (colours && colour != TABLE_PLAIN)
		fprintf(out, "\033[%sm%s\033[0m", codes[colour], text);
	else
		fputs(text, out);
}

void table_put_clean(FILE *out, const char *text)
{
	for (; *text != '\0'; text++) {
		bool control = ((unsigned char)*text < 0x20 && *text != '\n' && *text != '\t') || *text == 0x7f;
		fputc(control ? '?' : *text, out);
	}
}

static size_t column_width(const struct table *table, size_t column)
{
	size_t width = width_of(table->headings[column]);
	for (size_t i = 0; i < table->n_rows; i++) {
		const struct row *row = &table->rows[i];
		size_t w = column < row->n_cells ? width_of(row->cells[column].text) : 0;
		width = w > width ? w : width;
	}
	return width;
}

static void put_padded(FILE *out, const char *text, size_t width, enum table_colour colour, bool colours)
{
	table_put(out, text, colour, colours);
	for (size_t i = width_of(text); i < width; i++)
		fputc(' ', out);
}

static void put_row(const struct table *table, const struct row *row, const size_t *widths, FILE *out)
{
	for (size_t c = 0; c < row->n_cells; c++) {
		bool last = c + 1 == row->n_cells;
		put_padded(out, row->cells[c].text, last ? 0 : widths[c] + GAP, row->cells[c].colour, table->colours);
	}
	fputc('\n', out);
	for (size_t i = 0; i < row->n_notes; i++) {
		fputs("    ", out);
		table_put(out, row->notes[i].text, row->notes[i].colour, table->colours);
		fputc('\n', out);
	}
}

void table_print(const struct table *table, FILE *out)
{
	size_t widths[COLUMNS_MAX] = {0};
	struct row head = {.n_cells = table->n_columns};
	for (size_t c = 0; c < table->n_columns; c++) {
		widths[c] = column_width(table, c);
		head.cells[c].text = talloc_strdup(table, table->headings[c]);
		head.cells[c].colour = TABLE_BOLD;
	}
	put_row(table, &head, widths, out);
	for (size_t i = 0; i < table->n_rows; i++)
		put_row(table, &table->rows[i], widths, out);
}
