/* SPDX-License-Identifier: MIT
 *
 * compare.c: are the stored rows those of the definition, byte by byte?
 */
#include "model/shapes/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define ROWS_MAX 16384

/* How an engine tells the bytes of a value. */
struct telling {
	const char *engine, *columns, *value, *folded, *trimmed, *before, *between, *after;
};

static const struct telling *telling_of(const struct world *world)
{
	static const struct telling tellings[] = {
		{"postgresql",
	     "SELECT attname FROM pg_attribute WHERE attrelid = '%s'::regclass AND attnum > 0 AND NOT attisdropped ORDER "
	     "BY attnum",
	     "\"%s\"", "lower(rtrim(\"%s\"))", "rtrim(\"%s\")", "ROW(", ", ", ")::text"},
		{"mariadb",
	     "SELECT column_name FROM information_schema.columns WHERE table_schema = database() AND table_name = '%s' AND "
	     "column_name <> 'viewd_pk' "
	     "ORDER BY ordinal_position",
	     "QUOTE(CAST(`%s` AS BINARY))", "QUOTE(CAST(lower(rtrim(`%s`)) AS BINARY))",
	     "QUOTE(CAST(rtrim(`%s`) AS BINARY))", "CONCAT_WS(', ', ", ", ", ")"},
		{"sqlite", "SELECT name FROM pragma_table_info('%s')", "typeof(`%1$s`) || ' ' || quote(`%1$s`)",
	     "typeof(`%1$s`) || ' ' || quote(lower(rtrim(`%1$s`)))", "typeof(`%1$s`) || ' ' || quote(rtrim(`%1$s`))", "",
	     " || ', ' || ", ""},
	};
	size_t i = 0;
	while (strcmp(tellings[i].engine, world->engine) != 0)
		i++;
	return &tellings[i];
}

static bool is_among(const char *list, const char *column)
{
	size_t len = strlen(column);
	const char *at = strstr(list, column);
	return at != NULL && (at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0');
}

static const char *format_of(const struct telling *as, const struct shape *shape, const char *column)
{
	return is_among(shape->fold, column) ? as->folded : is_among(shape->trim, column) ? as->trimmed : as->value;
}

static void must(struct world *world, const char *sql, char *text)
{
	if (sqlclient_run(world->reader, sql, text, SHAPES_TEXT))
		return;
	world_tell(world, "what is compared cannot be read: %s\n\t%s", sql, text);
	text[0] = '\0';
}

/* The formats are those above. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
void compare_open(struct world *world, struct shape *shape)
{
	const struct telling *as = telling_of(world);
	char *bytes = talloc_strdup(world, as->before), *rest = world->text, *column;
	must(world, talloc_asprintf(world, as->columns, shape->name), world->text);
	for (bool first = true; (column = strsep(&rest, "\n")) != NULL && column[0] != '\0'; first = false) {
		bytes = talloc_strdup_append_buffer(bytes, first ? "" : as->between);
		bytes = talloc_asprintf_append_buffer(bytes, format_of(as, shape, column), column);
	}
	shape->bytes = talloc_strdup_append_buffer(bytes, as->after);
}
#pragma GCC diagnostic pop

static int by_bytes(const void *x, const void *y)
{
	const char *const *a = x, *const *b = y;
	return strcmp(*a, *b);
}

static size_t split(char *text, char **rows)
{
	size_t n = 0;
	for (char *row; n < ROWS_MAX && (row = strsep(&text, "\n")) != NULL;)
		if (row[0] != '\0')
			rows[n++] = row;
	qsort(rows, n, sizeof *rows, by_bytes);
	return n;
}

/* Tells the rows that only one of them has. */
static size_t tell_rows(struct world *world, char **stored, size_t n_stored, char **wanted, size_t n_wanted)
{
	size_t differ = 0;
	for (size_t s = 0, w = 0; s < n_stored || w < n_wanted;) {
		int order = s == n_stored ? 1 : w == n_wanted ? -1 : strcmp(stored[s], wanted[w]);
		if (order != 0 && differ++ < 10)
			world_tell(world, "\t%s: %s", order < 0 ? "stored" : "wanted", order < 0 ? stored[s] : wanted[w]);
		s += order <= 0;
		w += order >= 0;
	}
	return differ;
}

bool compare_shape(struct world *world, const struct shape *shape)
{
	static char *stored[ROWS_MAX], *wanted[ROWS_MAX];
	char *sql = talloc_asprintf(world, "SELECT %s FROM %s", shape->bytes, shape->name);
	must(world, sql, world->text);
	talloc_free(sql);
	sql = talloc_asprintf(world, "SELECT %s FROM (%s) wanted", shape->bytes, shape->definition);
	must(world, sql, world->wanted);
	talloc_free(sql);
	size_t n_stored = split(world->text, stored), n_wanted = split(world->wanted, wanted);
	return tell_rows(world, stored, n_stored, wanted, n_wanted) == 0;
}
