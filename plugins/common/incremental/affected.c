/* SPDX-License-Identifier: MIT
 *
 * affected.c: finds the keys that the images of changed rows touch, one step on the way after the other
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

/* SQL: the named columns of the source are among the values. */
static char *add_found(const struct search *search, char *sql, const struct part_source *source,
                       const char *const *names, size_t n, const struct key_set *values, bool null_safe)
{
	const char *columns[KEY_WIDTH_MAX];
	for (size_t i = 0; i < n; i++)
		columns[i] = column_of(search, source, names[i]);
	return sql_add(sql, "%s", search->db->ops->incremental.has_key(search->mem, values, columns, null_safe));
}

/* The columns of `next` that lead on, of its current rows and of its images in which the named ones are among the
 * values. */
static char *rows_query(const struct search *search, const struct part_source *next, const char *const *names, size_t n,
                        const struct key_set *values, bool null_safe)
{
	struct db *db = search->db;
	struct relation table = next->log->source;
	const char *relations[] = {relation_quoted(syntax_of(search), search->mem, &table),
	                           db->ops->incremental.unread(db, search->mem, search->view, next->log)};
	char *sql = sql_new(search->mem);
	for (size_t i = 0; i < (next->log->unread > 0 ? 2 : 1); i++) {
		sql = add_from_columns(search, sql_add(sql, i > 0 ? " UNION SELECT " : "SELECT DISTINCT "), next);
		sql = add_known(search, add_rows(search, sql, next, relations[i]), next);
		sql = add_found(search, sql, next, names, n, values, null_safe);
	}
	return sql;
}

/* The values are those that the way of `from` has led to. */
static char *step_query(const struct search *search, const struct part_source *from, const struct part_source *next,
                        const struct key_set *values)
{
	const char *names[KEY_WIDTH_MAX];
	bool null_safe = false;
	for (size_t i = 0; i < from->said->n_pairs; i++) {
		names[i] = from->said->pairs[i].to;
		null_safe |= from->said->pairs[i].null_safe;
	}
	return rows_query(search, next, names, from->said->n_pairs, values, null_safe);
}

/* The values are keys, of which those stay that the source has. */
static char *keys_query(const struct search *search, const struct part_source *source, const struct key_set *values)
{
	const char *names[KEY_WIDTH_MAX];
	for (size_t i = 0; i < source->said->n_pairs; i++)
		names[i] = source->said->pairs[i].from;
	return rows_query(search, source, names, source->said->n_pairs, values, false);
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

/* ---- all of it in one statement ---- */

/* Whether a step's values have NULL is not known before they are there. */
static bool is_plain(const struct search *search, const struct part_source *from)
{
	for (; from->said->next != 0; from = &search->part->sources[from->said->next - 1])
		for (size_t i = 0; i < from->said->n_pairs; i++)
			if (from->said->pairs[i].null_safe)
				return false;
	return true;
}

static const struct key_set *add_step(const struct search *search, struct key_search *all, size_t width, char *query)
{
	all->steps = talloc_realloc(search->mem, all->steps, struct key_step, (unsigned)all->n_steps + 1);
	assert(all->steps != NULL);
	struct key_step *step = &all->steps[all->n_steps++];
	*step = (struct key_step){.values = {.width = width, .mem = search->mem}, .query = query};
	snprintf(step->values.name, sizeof step->values.name, "viewd_v%zu", all->n_steps);
	return &step->values;
}

static void add_way(const struct search *search, struct key_search *all, const struct part_source *from)
{
	char *query = images_query(search, from);
	while (from->said->next != 0) {
		const struct part_source *next = &search->part->sources[from->said->next - 1];
		query = step_query(search, from, next, add_step(search, all, from->said->n_pairs, query));
		from = next;
	}
	all->query = all->query == NULL ? query : sql_add(all->query, " UNION %s", query);
	search->keys->width = from->said->n_pairs;
}

/* Keys that have no rows, before or now, since conditions on one table say so. Those that only that table's own images
 * have led to have been looked at already. */
static void add_narrowing(const struct search *search, struct key_search *all)
{
	const struct part *part = search->part;
	for (size_t i = 0; i < part->n_sources; i++) {
		const struct part_source *source = &part->sources[i];
		bool others = false;
		for (size_t k = 0; k < part->n_sources; k++)
			others |= k != i && part->sources[k].log->unread > 0;
		if (source->said->narrows && others)
			all->query = keys_query(search, source, add_step(search, all, search->keys->width, all->query));
	}
}

/* *can_r false: nothing was done, since some way has to be gone step by step. */
static bool search_once(const struct search *search, bool *can_r, struct viewd_err *err)
{
	struct key_search all = {0};
	*can_r = search->db->ops->incremental.turns.search_keys != NULL;
	for (size_t i = 0; i < search->part->n_sources && *can_r; i++) {
		const struct part_source *source = &search->part->sources[i];
		*can_r = source->log->unread == 0 || is_plain(search, source);
		if (*can_r && source->log->unread > 0)
			add_way(search, &all, source);
	}
	if (*can_r && all.query != NULL)
		add_narrowing(search, &all);
	return !*can_r || all.query == NULL ||
	       search->db->ops->incremental.turns.search_keys(search->db, search->keys, &all, search->limit, err);
}

bool part_affected(struct db *db, const char *view, const struct part *part, int64_t limit, struct key_set *keys,
                   bool *all_r, struct viewd_err *err)
{
	void *mem = talloc_new(keys->mem);
	struct search search = {db, mem, view, part, limit, keys};
	bool once;
	bool done = search_once(&search, &once, err);
	*all_r = done && keys->n > limit;
	for (size_t i = 0; i < part->n_sources && done && !once && !*all_r; i++) {
		if (part->sources[i].log->unread == 0)
			continue;
		done = follow(&search, &part->sources[i], all_r, err);
		*all_r |= keys->n > limit;
	}
	talloc_free(mem);
	return done;
}
