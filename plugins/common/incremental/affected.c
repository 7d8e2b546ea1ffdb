/* SPDX-License-Identifier: MIT
 *
 * affected.c: from the images of changed rows to the keys that they touch, one step on the way after the other
 * (docs/adr/010-affected-keys.md). A step looks at the current rows of a table and at its images: a batch may have
 * changed both ends.
 */
#include "common/incremental/part.h"

#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <talloc.h>

struct search {
	struct db *db;
	void *mem;
	const char *view;
	const struct part *part;
	int64_t limit;
	struct key_set *keys;
};

static const struct syntax *syntax_of(const struct search *search)
{
	return search->db->syntax;
}

static char *column_of(const struct search *search, const struct part_source *source, const char *name)
{
	char *sql = ident_append(syntax_of(search), sql_new(search->mem), source->said->alias);
	return ident_append(syntax_of(search), sql_add(sql, "."), name);
}

/* "alias.a, alias.b": the columns of the source that lead on. */
static char *add_from_columns(const struct search *search, char *sql, const struct part_source *source)
{
	for (size_t i = 0; i < source->said->n_pairs; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", column_of(search, source, source->said->pairs[i].from));
	return sql;
}

/* " FROM relation AS alias WHERE " and the conditions on this table alone; what stands before is a row of columns. */
static char *add_rows(const struct search *search, char *sql, const struct part_source *source, const char *relation)
{
	sql = sql_add(sql, " FROM %s AS ", relation);
	sql = sql_add(ident_append(syntax_of(search), sql, source->said->alias), " WHERE ");
	for (size_t i = 0; i < source->said->filters.n; i++)
		sql = sql_add(sql, "(%s) AND ", source->said->filters.items[i]);
	return sql;
}

/* NULL leads nowhere but to a key, or through a null-safe comparison. */
static char *add_known(const struct search *search, char *sql, const struct part_source *source)
{
	for (size_t i = 0; i < source->said->n_pairs; i++)
		if (source->said->next != 0 && !source->said->pairs[i].null_safe)
			sql = sql_add(sql, "%s IS NOT NULL AND ", column_of(search, source, source->said->pairs[i].from));
	return sql;
}

static char *images_query(const struct search *search, const struct part_source *source)
{
	struct db *db = search->db;
	char *images = db->ops->incremental.unread(db, search->mem, search->view, source->log);
	char *sql = add_from_columns(search, sql_add(sql_new(search->mem), "SELECT DISTINCT "), source);
	return sql_add(add_known(search, add_rows(search, sql, source, images), source), "1 = 1");
}

/* Columns of `next` that the pairs of `from` lead to are among the values found so far. */
static char *add_found(const struct search *search, char *sql, const struct part_source *from,
                       const struct part_source *next, const struct key_set *values)
{
	const char *columns[KEY_WIDTH_MAX];
	bool null_safe = false;
	for (size_t i = 0; i < from->said->n_pairs; i++) {
		columns[i] = column_of(search, next, from->said->pairs[i].to);
		null_safe |= from->said->pairs[i].null_safe;
	}
	return sql_add(sql, "%s", search->db->ops->incremental.has_key(search->mem, values, columns, null_safe));
}

static char *step_query(const struct search *search, const struct part_source *from, const struct part_source *next,
                        const struct key_set *values)
{
	struct db *db = search->db;
	struct relation table = next->log->source;
	const char *relations[] = {relation_quoted(syntax_of(search), search->mem, &table),
	                           db->ops->incremental.unread(db, search->mem, search->view, next->log)};
	char *sql = sql_new(search->mem);
	for (size_t i = 0; i < (next->log->unread > 0 ? 2 : 1); i++) {
		sql = add_from_columns(search, sql_add(sql, i > 0 ? " UNION SELECT " : "SELECT DISTINCT "), next);
		sql = add_known(search, add_rows(search, sql, next, relations[i]), next);
		sql = add_found(search, sql, from, next, values);
	}
	return sql;
}

/* The name need only differ from those of other sets in use. */
static void open_values(const struct search *search, size_t number, struct key_set *out)
{
	*out = (struct key_set){.mem = search->mem};
	snprintf(out->name, sizeof out->name, "viewd_values_%zu", number % 2);
}

static void close_values(const struct search *search, struct key_set *values)
{
	if (search->db->ops->incremental.drop_keys != NULL && values->width > 0)
		search->db->ops->incremental.drop_keys(search->db, values);
	values->width = 0;
}

/* Where the way of `from` ends, its rows are keys; else they are values for the next step. */
static bool add(const struct search *search, const struct part_source *from, const char *query,
                const struct key_set *with, struct key_set *values, struct viewd_err *err)
{
	struct key_set *set = from->said->next == 0 ? search->keys : values;
	set->width = from->said->n_pairs;
	return search->db->ops->incremental.add_keys(search->db, set, query, with, err);
}

static bool follow(const struct search *search, const struct part_source *from, bool *all_r, struct viewd_err *err)
{
	struct key_set values[2] = {{0}, {0}};
	size_t step = 0;
	open_values(search, 0, &values[0]);
	bool done = add(search, from, images_query(search, from), NULL, &values[0], err);
	while (done && from->said->next != 0 && values[step % 2].n > 0 && values[step % 2].n <= search->limit) {
		const struct part_source *next = &search->part->sources[from->said->next - 1];
		struct key_set *now = &values[step % 2], *then = &values[(step + 1) % 2];
		open_values(search, step + 1, then);
		done = add(search, next, step_query(search, from, next, now), now, then, err);
		close_values(search, now);
		from = next;
		step++;
	}
	*all_r |= done && from->said->next != 0 && values[step % 2].n > search->limit;
	close_values(search, &values[0]);
	close_values(search, &values[1]);
	return done;
}

bool part_affected(struct db *db, const char *view, const struct part *part, int64_t limit, struct key_set *keys,
                   bool *all_r, struct viewd_err *err)
{
	void *mem = talloc_new(keys->mem);
	struct search search = {db, mem, view, part, limit, keys};
	bool done = true;
	*all_r = false;
	for (size_t i = 0; i < part->n_sources && done && !*all_r; i++) {
		if (part->sources[i].log->unread == 0)
			continue;
		done = follow(&search, &part->sources[i], all_r, err);
		*all_r |= keys->n > limit;
	}
	talloc_free(mem);
	return done;
}
