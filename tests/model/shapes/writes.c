/* SPDX-License-Identifier: MIT
 *
 * writes.c: random statements, made from the lines of shapes.writes.
 *
 *   table NAME COLUMN:KIND ...   a table whose key is `id`; a kind is a letter below
 *   fill STATEMENT               a row to begin with
 *   WEIGHT STATEMENT             for a transaction
 *   ddl WEIGHT STATEMENT         alone, by the owner; several are separated by ;;
 *
 * In a statement stand: $T a table, $C its columns, $V a value for each, $E each as `column = excluded.column`, $D as
 * `column = VALUES(column)`, $c one of its columns and $v a value for that, $id a likely id, $new one that nobody has
 * had, $n a number of a small range, $w and $p such ones that are never NULL, and $t $m $f $j as the
 * kinds.
 */
#include "model/shapes/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

#define TABLE_COLUMNS 6
#define LIKELY_IDS 30

struct table {
	const char *name;
	const char *columns[TABLE_COLUMNS];
	char kinds[TABLE_COLUMNS];
	size_t n;
};

struct template
{
	unsigned weight;
	const char *text;
};

struct templates {
	struct template *items;
	size_t n;
	unsigned total;
};

struct writes {
	const char *path;
	uint64_t state;
	int64_t next_id;
	struct table *tables;
	size_t n_tables;
	struct templates fill, some, ddl;
	bool one_writer;   /* SQLite: nobody else writes while a transaction does */
	struct steps open; /* what is left of a transaction that is open: its statements belong to client 2 */
};

/* Below n; splitmix64. */
static uint64_t below(struct writes *w, uint64_t n)
{
	uint64_t z = w->state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % n;
}

static bool one_in(struct writes *w, unsigned n)
{
	return below(w, n) == 0;
}

/* ---- values ---- */

#define PICK(w, array) ((array)[below((w), ARRAY_LEN(array))])

static const char *word_value(struct writes *w)
{
	static const char *const words[] = {"'ant'", "'Ant'",  "'ANT'", "'bee'", "'Bee'",
	                                    "'cat'", "'cat '", "'Cat'", "''",    "'dog'"};
	return PICK(w, words);
}

static const char *numeric_value(struct writes *w)
{
	static const char *const numbers[] = {"1", "1.0", "1.00", "0", "0.00", "2.5", "2.50", "-3.75", "10"};
	return PICK(w, numbers);
}

/* Sums of these are exact. */
static const char *float_value(struct writes *w)
{
	static const char *const numbers[] = {"'0'", "'-0'", "0.25", "-0.25", "1e3", "1.5", "'-0'"};
	return PICK(w, numbers);
}

static const char *json_value(struct writes *w)
{
	static const char *const documents[] = {"'{\"a\": 1}'", "'{\"a\":1}'", "'{\"a\": 1, \"b\": 2}'",
	                                        "'[]'",         "'[1.0]'",     "'[1.00]'"};
	return PICK(w, documents);
}

static char *value(struct writes *w, void *mem, char kind)
{
	if (kind != 'w' && kind != 'p' && one_in(w, 9))
		return talloc_strdup(mem, "NULL");
	switch (kind) {
	case 't':
		return talloc_strdup(mem, word_value(w));
	case 'm':
		return talloc_strdup(mem, numeric_value(w));
	case 'f':
		return talloc_strdup(mem, float_value(w));
	case 'j':
		return talloc_strdup(mem, json_value(w));
	case 'p':
		return talloc_asprintf(mem, "%d", (int)below(w, 8) + 1);
	default:
		return talloc_asprintf(mem, "%d", (int)below(w, 6) + 1);
	}
}

/* ---- expanding ---- */

static char *each_column(void *mem, const struct table *t, const char *format)
{
	char *text = talloc_strdup(mem, "");
	for (size_t i = 0; i < t->n; i++) {
		if (i > 0)
			text = talloc_strdup_append_buffer(text, ", ");
		for (const char *p = format; *p != '\0'; p++)
			text =
				*p == '%' ? talloc_strdup_append_buffer(text, t->columns[i]) : talloc_strndup_append_buffer(text, p, 1);
	}
	return text;
}

static char *each_value(struct writes *w, void *mem, const struct table *t)
{
	char *text = talloc_strdup(mem, "");
	for (size_t i = 0; i < t->n; i++)
		text = talloc_asprintf_append_buffer(text, "%s%s", i > 0 ? ", " : "", value(w, mem, t->kinds[i]));
	return text;
}

/* The text that the word after a $ stands for. */
static char *word(struct writes *w, void *mem, const char *name, size_t len, const struct table *t, size_t column)
{
	if (len == 2 && memcmp(name, "id", 2) == 0)
		return talloc_asprintf(mem, "%d", (int)below(w, LIKELY_IDS) + 1);
	if (len == 3 && memcmp(name, "new", 3) == 0)
		return talloc_asprintf(mem, "%lld", (long long)w->next_id++);
	if (len != 1) {
		fprintf(stderr, "shapes: %s: $%.*s is not known\n", w->path, (int)len, name);
		exit(EXIT_FAILURE);
	}
	switch (name[0]) {
	case 'T':
		return talloc_strdup(mem, t->name);
	case 'C':
		return each_column(mem, t, "%");
	case 'E':
		return each_column(mem, t, "% = excluded.%");
	case 'D':
		return each_column(mem, t, "% = VALUES(%)");
	case 'V':
		return each_value(w, mem, t);
	case 'c':
		return talloc_strdup(mem, t->columns[column]);
	case 'v':
		return value(w, mem, t->kinds[column]);
	default:
		return value(w, mem, name[0]);
	}
}

static char *expand(struct writes *w, void *mem, const char *template)
{
	const struct table *t = &w->tables[below(w, w->n_tables)];
	size_t column = below(w, t->n);
	char *text = talloc_strdup(mem, "");
	for (const char *p = template; *p != '\0';) {
		size_t plain = strcspn(p, "$");
		text = talloc_strndup_append_buffer(text, p, plain);
		p += plain;
		if (*p == '\0')
			break;
		size_t len = strspn(++p, "abcdefghijklmnopqrstuvwxyzCDETV");
		text = talloc_strdup_append_buffer(text, word(w, mem, p, len, t, column));
		p += len;
	}
	return text;
}

static char *any_of(struct writes *w, void *mem, const struct templates *from)
{
	uint64_t at = below(w, from->total);
	size_t i = 0;
	while (at >= from->items[i].weight)
		at -= from->items[i++].weight;
	return expand(w, mem, from->items[i].text);
}

/* ---- reading ---- */

static void add_table(struct writes *w, char *line)
{
	w->tables = talloc_realloc(w, w->tables, struct table, (unsigned)w->n_tables + 1);
	struct table *t = &w->tables[w->n_tables++];
	*t = (struct table){.name = talloc_strdup(w, strsep(&line, " "))};
	for (char *name; t->n < TABLE_COLUMNS && (name = strsep(&line, " ")) != NULL; t->n++) {
		char *kind = strchr(name, ':');
		t->kinds[t->n] = kind[1];
		*kind = '\0';
		t->columns[t->n] = talloc_strdup(w, name);
	}
}

static void add_template(struct writes *w, struct templates *to, unsigned weight, const char *text)
{
	to->items = talloc_realloc(w, to->items, struct template, (unsigned)to->n + 1);
	to->items[to->n++] = (struct template){.weight = weight, .text = talloc_strdup(w, text)};
	to->total += weight;
}

static void on_line(void *ctx, char *line)
{
	struct writes *w = ctx;
	char *rest = strchr(line, ' ') + 1;
	if (strncmp(line, "table ", 6) == 0) {
		add_table(w, rest);
	} else if (strncmp(line, "fill ", 5) == 0) {
		add_template(w, &w->fill, 1, rest);
	} else {
		bool ddl = strncmp(line, "ddl ", 4) == 0;
		unsigned weight = (unsigned)strtoul(ddl ? rest : line, &rest, 10);
		add_template(w, ddl ? &w->ddl : &w->some, weight, rest + 1);
	}
}

struct writes *writes_read(void *mem, const char *path, const char *engine, uint64_t seed)
{
	struct writes *w = talloc_zero(mem, struct writes);
	w->path = path;
	w->state = seed;
	w->next_id = 1000;
	w->one_writer = strcmp(engine, "sqlite") == 0;
	shapes_lines(w, path, engine, on_line, w);
	return w;
}

/* ---- batches ---- */

void writes_fill(struct writes *w, struct steps *out)
{
	for (size_t i = 0; i < w->fill.n; i++)
		steps_add(out, STEP_SQL, 0, expand(w, w, w->fill.items[i].text), 0);
	for (size_t t = 0; t < w->n_tables; t++)
		for (int id = 1; id <= LIKELY_IDS; id += 1 + (int)below(w, 2))
			steps_add(out, STEP_SQL, 0,
			          talloc_asprintf(w, "INSERT INTO %s (id, %s) VALUES (%d, %s)", w->tables[t].name,
			                          each_column(w, &w->tables[t], "%"), id, each_value(w, w, &w->tables[t])),
			          0);
}

static void add_savepoint(struct writes *w, struct steps *to, int client, size_t batch)
{
	steps_add(to, STEP_SQL, client, "SAVEPOINT s", batch);
	for (uint64_t n = 1 + below(w, 3); n > 0; n--)
		steps_add(to, STEP_SQL, client, any_of(w, w, &w->some), batch);
	steps_add(to, STEP_SQL, client, one_in(w, 2) ? "RELEASE SAVEPOINT s" : "ROLLBACK TO SAVEPOINT s", batch);
}

static void add_transaction(struct writes *w, struct steps *to, int client, size_t batch)
{
	bool alone = one_in(w, 4);
	if (!alone)
		steps_add(to, STEP_SQL, client, "BEGIN", batch);
	for (uint64_t n = 1 + below(w, alone ? 2 : 7); n > 0; n--) {
		if (!alone && one_in(w, 7))
			add_savepoint(w, to, client, batch);
		steps_add(to, STEP_SQL, client, any_of(w, w, &w->some), batch);
	}
	if (!alone)
		steps_add(to, STEP_SQL, client, one_in(w, 6) ? "ROLLBACK" : "COMMIT", batch);
}

static void add_ddl(struct writes *w, struct steps *to, size_t batch)
{
	char *rest = any_of(w, w, &w->ddl), *end;
	for (; (end = strstr(rest, " ;; ")) != NULL; rest = end + 4) {
		*end = '\0';
		steps_add(to, STEP_SQL, 0, rest, batch);
	}
	steps_add(to, STEP_SQL, 0, rest, batch);
}

/* Takes turns, in an order of chance; each client's statements stay in theirs. */
static void shuffle_in(struct writes *w, const struct steps *from, size_t batch, struct steps *out)
{
	size_t at[SHAPES_CLIENTS] = {0}, left = 0;
	for (int c = 0; c < SHAPES_CLIENTS; c++)
		left += from[c].n;
	while (left > 0) {
		int c = (int)below(w, SHAPES_CLIENTS);
		if (at[c] == from[c].n)
			continue;
		const struct step *step = &from[c].items[at[c]++];
		steps_add(out, step->kind, step->client, step->text, batch);
		left--;
	}
}

/* The last client keeps its transaction open now and then: what is left of it comes in the next batch. */
static void keep_open(struct writes *w, struct steps *of, bool last)
{
	w->open.n = 0;
	if (w->one_writer || last || of->n < 3 || strcmp(of->items[0].text, "BEGIN") != 0 || !one_in(w, 3))
		return;
	size_t kept = 1 + below(w, of->n - 1);
	for (size_t i = kept; i < of->n; i++)
		steps_add(&w->open, STEP_SQL, of->items[i].client, of->items[i].text, 0);
	of->n = kept;
}

void writes_batch(struct writes *w, size_t batch, bool last, struct steps *out)
{
	struct steps by_client[SHAPES_CLIENTS] = {0};
	bool ddl = w->ddl.n > 0 && one_in(w, 4), first = one_in(w, 2);
	for (size_t i = 0; i < w->open.n; i++)
		steps_add(&by_client[SHAPES_CLIENTS - 1], STEP_SQL, SHAPES_CLIENTS - 1, w->open.items[i].text, batch);
	for (int c = 0; c < SHAPES_CLIENTS; c++)
		if (c == 0 || one_in(w, 2))
			for (uint64_t n = below(w, 3); n > 0; n--)
				add_transaction(w, &by_client[c], c, batch);
	if (w->open.n == 0)
		keep_open(w, &by_client[SHAPES_CLIENTS - 1], last);
	else
		w->open.n = 0;
	if (ddl && first)
		add_ddl(w, out, batch);
	shuffle_in(w, by_client, batch, out);
	if (ddl && !first)
		add_ddl(w, out, batch);
	for (int c = 0; c < SHAPES_CLIENTS; c++)
		talloc_free(by_client[c].items);
}
