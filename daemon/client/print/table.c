/* SPDX-License-Identifier: MIT
 *
 * table.c: libsmartcols.
 */
#include "client/print/table.h"

#include "base/hash.h"
#include "base/macros.h"

#include <libsmartcols/libsmartcols.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define DEPTHS 4
#define TEXT_LEAST 20
#define NAME_SHARE 0.1 /* of the width: down to there names give way alone */

struct note {
	char *text;
	enum look_colour colour;
	unsigned number;
	UT_hash_handle by_text;
};

struct table {
	const struct table_column *columns;
	size_t n_columns;
	struct look look;
	struct libscols_table *cols;
	struct libscols_line *last[DEPTHS]; /* the last row of each depth */
	struct libscols_line *line;         /* the row that is being filled */
	size_t n_cells;                     /* of it */
	struct note *notes;                 /* in the order of their numbers */
};

static int on_free(struct table *table)
{
	HASH_CLEAR(by_text, table->notes);
	scols_unref_table(table->cols);
	return 0;
}

/* The library fails for want of memory only. */
static void must(int rc)
{
	assert(rc == 0);
}

static void add_column(struct table *table, const struct table_column *column)
{
	static const int flags[] = {
		[TABLE_WORD] = SCOLS_FL_WRAP, [TABLE_NUMBER] = SCOLS_FL_RIGHT, [TABLE_NAME] = SCOLS_FL_WRAP,
		[TABLE_TEXT] = SCOLS_FL_WRAP, [TABLE_TREE] = SCOLS_FL_TREE,
	};
	double hint = column->fit == TABLE_NAME ? NAME_SHARE : 0;
	struct libscols_column *cl = scols_table_new_column(table->cols, column->heading, hint, flags[column->fit]);
	assert(cl != NULL);
	if (column->fit == TABLE_TEXT) {
		must(scols_column_set_safechars(cl, "\n"));
		must(scols_column_set_wrapfunc(cl, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL));
	}
	if (table->look.colours)
		must(scols_cell_set_color(scols_column_get_header(cl), look_sequence(LOOK_BOLD)));
}

struct table *table_new(void *mem_ctx, const struct table_column *columns, size_t n, const struct look *look)
{
	struct table *table = talloc_zero(mem_ctx, struct table);
	assert(table != NULL);
	table->columns = columns;
	table->n_columns = n;
	table->look = *look;
	table->cols = scols_new_table();
	assert(table->cols != NULL);
	talloc_set_destructor(table, on_free);
	scols_table_enable_colors(table->cols, look->colours);
	scols_table_enable_ascii(table->cols, !look_draws_lines());
	scols_table_set_termforce(table->cols, look->width > 0 ? SCOLS_TERMFORCE_ALWAYS : SCOLS_TERMFORCE_NEVER);
	if (look->width > 0)
		scols_table_set_termwidth(table->cols, look->width);
	for (size_t i = 0; i < n; i++)
		add_column(table, &columns[i]);
	return table;
}

void table_row(struct table *table)
{
	table_row_below(table, 0);
}

void table_row_below(struct table *table, size_t depth)
{
	assert(depth < DEPTHS);
	table->line = scols_table_new_line(table->cols, depth > 0 ? table->last[depth - 1] : NULL);
	assert(table->line != NULL);
	table->last[depth] = table->line;
	table->n_cells = 0;
}

static char *clean(void *mem_ctx, const char *text, bool has_lines)
{
	return look_clean(mem_ctx, text != NULL && text[0] != '\0' ? text : "-", has_lines);
}

void table_cell(struct table *table, const char *text, enum look_colour colour)
{
	size_t at = table->n_cells++;
	assert(at < table->n_columns);
	char *copy = clean(table, text, table->columns[at].fit == TABLE_TEXT);
	must(scols_line_set_data(table->line, at, copy));
	if (table->look.colours && colour != LOOK_PLAIN)
		must(scols_cell_set_color(scols_line_get_cell(table->line, at), look_sequence(colour)));
	talloc_free(copy);
}

static struct note *find_note(struct table *table, const char *text, enum look_colour colour)
{
	struct note *note = NULL;
	char *copy = clean(table, text, false);
	HASH_FIND(by_text, table->notes, copy, strlen(copy), note);
	if (note != NULL) {
		talloc_free(copy);
		return note;
	}
	note = talloc_zero(table, struct note);
	assert(note != NULL);
	note->text = copy;
	note->colour = colour;
	note->number = HASH_CNT(by_text, table->notes) + 1;
	HASH_ADD_KEYPTR(by_text, table->notes, note->text, strlen(note->text), note);
	return note;
}

void table_note(struct table *table, const char *text, enum look_colour colour)
{
	const struct note *note = find_note(table, text, colour);
	struct libscols_cell *cell = scols_line_get_cell(table->line, table->n_cells - 1);
	char *marked = talloc_asprintf(table, "%s [%u]", scols_cell_get_data(cell), note->number);
	must(scols_cell_set_data(cell, marked));
	talloc_free(marked);
}

/* ---- printing ---------------------------------------------------------------------------------------------------- */

/* The columns of the terminal that the other ones leave to the last one. */
static size_t room_for_text(struct table *table, struct libscols_column *text_column)
{
	char *drawn = NULL;
	size_t taken = 0;
	must(scols_column_set_flags(text_column, SCOLS_FL_HIDDEN));
	must(scols_print_table_to_string(table->cols, &drawn));
	must(scols_column_set_flags(text_column, SCOLS_FL_WRAP));
	free(drawn);
	for (size_t i = 0; i + 1 < table->n_columns; i++)
		taken += scols_column_get_width(scols_table_get_column(table->cols, i)) + 1;
	return taken + TEXT_LEAST < table->look.width ? table->look.width - taken : TEXT_LEAST;
}

static void break_text(struct table *table)
{
	size_t last = table->n_columns - 1;
	struct libscols_iter *iter = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line = NULL;
	assert(iter != NULL);
	size_t room = room_for_text(table, scols_table_get_column(table->cols, last));
	while (scols_table_next_line(table->cols, iter, &line) == 0) {
		const char *text = scols_cell_get_data(scols_line_get_cell(line, last));
		char *broken = text != NULL ? look_wrap(table, text, 0, 0, room) : NULL;
		must(scols_line_set_data(line, last, broken));
		talloc_free(broken);
	}
	scols_free_iter(iter);
}

static void put_notes(const struct table *table, FILE *out)
{
	if (table->notes != NULL)
		fputc('\n', out);
	for (const struct note *note = table->notes; note != NULL; note = note->by_text.next) {
		char *mark = talloc_asprintf(NULL, "[%u] ", note->number);
		size_t len = strlen(mark);
		char *text = look_wrap(mark, note->text, len, len, table->look.width);
		fputs(mark, out);
		look_put(out, text, note->colour, &table->look);
		fputc('\n', out);
		talloc_free(mark);
	}
}

void table_print(struct table *table, FILE *out)
{
	if (table->look.width > 0 && table->columns[table->n_columns - 1].fit == TABLE_TEXT && table->line != NULL)
		break_text(table);
	must(scols_table_set_stream(table->cols, out));
	must(scols_print_table(table->cols));
	put_notes(table, out);
}
