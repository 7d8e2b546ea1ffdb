/* SPDX-License-Identifier: MIT
 *
 * files.c: reads the lines of the files, and the views.
 */
#include "model/shapes/shapes.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

static void die(const char *path, const char *what)
{
	fprintf(stderr, "shapes: %s: %s\n", path, what);
	exit(EXIT_FAILURE);
}

static char *read_file(void *mem, const char *path)
{
	char part[4096];
	FILE *in = fopen(path, "re");
	if (in == NULL)
		die(path, "cannot be opened");
	char *text = talloc_strdup(mem, "");
	while (fgets(part, sizeof part, in) != NULL)
		text = talloc_strdup_append_buffer(text, part);
	fclose(in);
	return text;
}

/* "@postgresql,sqlite REST": is it for this engine? The mark is skipped. */
static bool is_for(char **line, const char *engine)
{
	if ((*line)[0] != '@')
		return true;
	char *rest = strchr(*line, ' ');
	if (rest == NULL)
		return false;
	*rest = '\0';
	bool yes = strstr(*line, engine) != NULL;
	*line = rest + 1;
	return yes;
}

void shapes_lines(void *mem, const char *path, const char *engine, void (*fn)(void *ctx, char *line), void *ctx)
{
	char *text = read_file(mem, path), *line;
	for (char *p = text; (p = strstr(p, "\n\t")) != NULL;)
		memcpy(p, "  ", 2);
	while ((line = strsep(&text, "\n")) != NULL)
		if (line[0] != '\0' && line[0] != '#' && is_for(&line, engine))
			fn(ctx, line);
}

/* ---- views ---- */

struct reading {
	struct shapes *shapes;
	const char *path, *only;
	bool wanted;
};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);
	for (const char *p = words; (p = strstr(p, word)) != NULL; p += len)
		if ((p == words || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
			return true;
	return false;
}

static void begin_shape(struct reading *r, char *line)
{
	struct shapes *shapes = r->shapes;
	line[strcspn(line, "]")] = '\0';
	r->wanted = r->only == NULL || has_word(r->only, line + 1);
	if (!r->wanted)
		return;
	shapes->items = talloc_realloc(shapes, shapes->items, struct shape, (unsigned)shapes->n + 1);
	shapes->items[shapes->n++] = (struct shape){.name = talloc_strdup(shapes, line + 1), .fold = "", .trim = ""};
}

static void add_key(struct shapes *shapes, struct shape *shape, char *value)
{
	const char **key = talloc_zero_array(shapes, const char *, 8);
	for (char *word; shape->n_key < 8 && (word = strsep(&value, " ")) != NULL;)
		key[shape->n_key++] = talloc_strdup(key, word);
	shape->key = key;
}

static void on_view_line(void *ctx, char *line)
{
	struct reading *r = ctx;
	if (line[0] == '[') {
		begin_shape(r, line);
		return;
	}
	char *value = strstr(line, " = ");
	if (value == NULL || (r->wanted && r->shapes->n == 0))
		die(r->path, line);
	if (!r->wanted)
		return;
	struct shape *shape = &r->shapes->items[r->shapes->n - 1];
	*value = '\0';
	value += 3;
	if (strcmp(line, "key") == 0)
		add_key(r->shapes, shape, value);
	else if (strcmp(line, "fold") == 0)
		shape->fold = talloc_strdup(r->shapes, value);
	else if (strcmp(line, "trim") == 0)
		shape->trim = talloc_strdup(r->shapes, value);
	else if (strcmp(line, "view") == 0)
		shape->definition = talloc_strdup(r->shapes, value);
	else
		die(r->path, line);
}

/* Shapes without a definition are not for this engine. */
static void drop_others(struct shapes *shapes)
{
	size_t n = 0;
	for (size_t i = 0; i < shapes->n; i++)
		if (shapes->items[i].definition != NULL)
			shapes->items[n++] = shapes->items[i];
	shapes->n = n;
}

struct shapes *shapes_read(void *mem, const char *path, const char *engine, const char *only)
{
	struct reading r = {.shapes = talloc_zero(mem, struct shapes), .path = path, .only = only};
	shapes_lines(mem, path, engine, on_view_line, &r);
	drop_others(r.shapes);
	if (r.shapes->n == 0)
		die(path, "there are no views for this engine");
	return r.shapes;
}

static bool mentions(const char *text, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = text; (p = strstr(p, name)) != NULL; p += len)
		if (!isalnum((unsigned char)p[len]) && p[len] != '_')
			return true;
	return false;
}

/* The wanted shapes, and those that they read. */
static struct shapes *with_read(void *mem, const struct shapes *all, bool *wanted)
{
	struct shapes *out = talloc_zero(mem, struct shapes);
	out->items = talloc_zero_array(out, struct shape, (unsigned)all->n);
	for (size_t i = all->n; i-- > 0;)
		for (size_t k = 0; wanted[i] && k < i; k++)
			wanted[k] |= mentions(all->items[i].definition, all->items[k].name);
	for (size_t i = 0; i < all->n; i++)
		if (wanted[i])
			out->items[out->n++] = all->items[i];
	talloc_free(wanted);
	return out;
}

struct shapes *shapes_of(void *mem, const struct shapes *all, const struct shape *shape)
{
	bool *wanted = talloc_zero_array(NULL, bool, (unsigned)all->n);
	for (size_t i = 0; i < all->n; i++)
		wanted[i] = strcmp(all->items[i].name, shape->name) == 0;
	return with_read(mem, all, wanted);
}

struct shapes *shapes_share(void *mem, const struct shapes *all, size_t share, uint64_t from)
{
	bool *wanted = talloc_zero_array(NULL, bool, (unsigned)all->n);
	for (size_t i = 0; i < all->n; i++)
		wanted[i] = (i + from) % share == 0;
	return with_read(mem, all, wanted);
}

/* ---- steps ---- */

struct step *steps_add(struct steps *steps, enum step_kind kind, int client, const char *text, size_t batch)
{
	if (steps->n % 256 == 0)
		steps->items = talloc_realloc(NULL, steps->items, struct step, (unsigned)steps->n + 256);
	steps->items[steps->n] = (struct step){.kind = kind, .client = client, .text = text, .batch = batch};
	return &steps->items[steps->n++];
}
