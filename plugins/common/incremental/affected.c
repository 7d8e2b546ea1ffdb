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
	bool early; /* what logs hold is not known: as at the last refresh */
};

static bool has_news(const struct search *search, const struct part_source *source)
{
	return (search->early ? source->before[0] : source->log->unread) > 0;
}

static const struct syntax *syntax_of(const struct search *search)
{
	return search->db->syntax;
}

#define EARLY_MAX 5000 /* images: a search in vain is to take next to no time */

/* SQL: the images of a log that are unread. There may be any number by now, so a guess reads no more than it may. Where
 * there are no more it is the same text, whose plan is kept. */
static const char *images_of(const struct search *search, const struct part_source *source)
{
	struct db *db = search->db;
	char *images = db->ops->incremental.unread(db, search->mem, search->view, source->log);
	bool guessed = search->db->ops->incremental.turns.search_keys != NULL;
	if (!guessed || (!search->early && source->log->unread > EARLY_MAX))
		return images;
	return sql_add(sql_new(search->mem), "(SELECT * FROM %s AS viewd_e LIMIT %d)", images, EARLY_MAX);
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
	char *sql = add_from_columns(search, sql_add(sql_new(search->mem), "SELECT DISTINCT "), source);
	return sql_add(add_known(search, add_rows(search, sql, source, images_of(search, source)), source), "1 = 1");
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
	struct relation table = next->log->source;
	const char *relations[] = {relation_quoted(syntax_of(search), search->mem, &table), images_of(search, next)};
	char *sql = sql_new(search->mem);
	for (size_t i = 0; i < (has_news(search, next) ? 2 : 1); i++) {
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

/* ---- step by step ---- */

/* The way of one table: from its images to the key. */
struct walk {
	size_t number; /* of the table */
	const struct part_source *from;
	struct key_set values[2]; /* of the last step, and of the one before */
	size_t step;
};

static struct key_set *values_of(struct walk *walk, size_t step)
{
	return &walk->values[step % 2];
}

static void open_values(const struct search *search, const struct walk *walk, struct key_set *out)
{
	*out = (struct key_set){.mem = search->mem};
	snprintf(out->name, sizeof out->name, "viewd_values_%zu_%zu", walk->number, walk->step % 2);
}

static void close_values(const struct search *search, struct key_set *values)
{
	if (search->db->ops->incremental.drop_keys != NULL && values->width > 0)
		search->db->ops->incremental.drop_keys(search->db, values);
	values->width = 0;
}

/* Where the way ends, its rows are keys; else they are values for the next step. */
static struct key_question question_of(const struct search *search, struct walk *walk, const char *query,
                                       const struct key_set *with)
{
	struct key_set *set = walk->from->said->next == 0 ? search->keys : values_of(walk, walk->step);
	set->width = walk->from->said->n_pairs;
	return (struct key_question){set, query, with};
}

static bool goes_on(const struct search *search, struct walk *walk)
{
	const struct key_set *values = values_of(walk, walk->step);
	return walk->from->said->next != 0 && values->n > 0 && values->n <= search->limit;
}

static struct key_question begin_walk(const struct search *search, struct walk *walk)
{
	open_values(search, walk, values_of(walk, 0));
	return question_of(search, walk, images_query(search, walk->from), NULL);
}

static struct key_question next_step(const struct search *search, struct walk *walk)
{
	const struct part_source *from = walk->from, *next = &search->part->sources[from->said->next - 1];
	const struct key_set *now = values_of(walk, walk->step);
	walk->step++;
	walk->from = next;
	open_values(search, walk, values_of(walk, walk->step));
	return question_of(search, walk, step_query(search, from, next, now), now);
}

static bool ask(const struct search *search, const struct key_question *questions, size_t n, struct viewd_err *err)
{
	const struct db_incremental_ops *ops = &search->db->ops->incremental;
	bool done = true;
	if (ops->turns.add_keys_each != NULL)
		return n == 0 || ops->turns.add_keys_each(search->db, questions, n, err);
	for (size_t i = 0; i < n && done; i++)
		done = ops->add_keys(search->db, questions[i].set, questions[i].query, questions[i].with, err);
	return done;
}

/* All walks go one step. *n_r: so many of them. */
static bool step_all(const struct search *search, struct walk *walks, size_t n, size_t *n_r, struct viewd_err *err)
{
	struct key_question *questions = talloc_array(search->mem, struct key_question, (unsigned)n + 1);
	size_t asked = 0;
	assert(questions != NULL);
	for (size_t i = 0; i < n; i++)
		if (goes_on(search, &walks[i]))
			questions[asked++] = next_step(search, &walks[i]);
	*n_r = asked;
	if (!ask(search, questions, asked, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (walks[i].step > 0)
			close_values(search, values_of(&walks[i], walks[i].step - 1));
	return true;
}

static bool has_too_many(const struct search *search, struct walk *walks, size_t n)
{
	bool many = search->keys->n > search->limit;
	for (size_t i = 0; i < n; i++)
		many |= walks[i].from->said->next != 0 && values_of(&walks[i], walks[i].step)->n > search->limit;
	return many;
}

static bool walk_all(const struct search *search, struct walk *walks, size_t n, bool *all_r, struct viewd_err *err)
{
	struct key_question *questions = talloc_array(search->mem, struct key_question, (unsigned)n + 1);
	assert(questions != NULL);
	for (size_t i = 0; i < n; i++)
		questions[i] = begin_walk(search, &walks[i]);
	bool done = ask(search, questions, n, err);
	*all_r = done && has_too_many(search, walks, n);
	for (size_t asked = n; done && !*all_r && asked > 0;) {
		done = step_all(search, walks, n, &asked, err);
		*all_r = done && has_too_many(search, walks, n);
	}
	for (size_t i = 0; i < n; i++) {
		close_values(search, &walks[i].values[0]);
		close_values(search, &walks[i].values[1]);
	}
	return done;
}

/* The ways do not meet, so all of them go each step in the same turn. */
static bool search_steps(const struct search *search, bool *all_r, struct viewd_err *err)
{
	const struct part *part = search->part;
	struct walk *walks = talloc_zero_array(search->mem, struct walk, (unsigned)part->n_sources + 1);
	size_t n = 0;
	assert(walks != NULL);
	for (size_t i = 0; i < part->n_sources; i++)
		if (part->sources[i].log->unread > 0)
			walks[n++] = (struct walk){.number = i, .from = &part->sources[i]};
	return walk_all(search, walks, n, all_r, err);
}

/* ---- keys without rows ---- */

/* Keys that have no rows, before or now, since conditions on one table say so. Those that only that table's own images
 * have led to have been looked at already. */
static bool may_narrow(const struct search *search, size_t at)
{
	const struct part *part = search->part;
	bool others = false;
	for (size_t i = 0; i < part->n_sources; i++)
		others |= i != at && has_news(search, &part->sources[i]);
	return part->sources[at].said->narrows && others;
}

#define NARROW_EVERY 16 /* searches, where a table has left most keys */

/* *name: of the set without the ending that it gets here. */
static bool narrow_by(const struct search *search, struct part_source *source, size_t number, const char *name,
                      struct viewd_err *err)
{
	struct key_set *keys = search->keys, less = {.mem = keys->mem, .width = keys->width};
	snprintf(less.name, sizeof less.name, "%.30s_%zu", name, number % 100);
	if (source->narrow_after > 0) {
		source->narrow_after--;
		return true;
	}
	if (!search->db->ops->incremental.add_keys(search->db, &less, keys_query(search, source, keys), keys, err))
		return false;
	if (less.n > keys->n / 4 * 3)
		source->narrow_after = NARROW_EVERY;
	size_t width = keys->width;
	close_values(search, keys);
	*keys = less;
	keys->width = width;
	return true;
}

static bool narrow(const struct search *search, struct viewd_err *err)
{
	const struct part *part = search->part;
	const char *name = talloc_strdup(search->mem, search->keys->name);
	for (size_t i = 0; i < part->n_sources && search->keys->n > 0; i++)
		if (may_narrow(search, i) && !narrow_by(search, &part->sources[i], i, name, err))
			return false;
	return true;
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

static void add_narrowing(const struct search *search, struct key_search *all)
{
	const struct part *part = search->part;
	for (size_t i = 0; i < part->n_sources; i++)
		if (may_narrow(search, i))
			all->query = keys_query(search, &part->sources[i], add_step(search, all, search->keys->width, all->query));
}

/* *can_r false: nothing was done, since some way has to be gone step by step. */
static bool search_once(const struct search *search, bool *can_r, struct viewd_err *err)
{
	struct key_search all = {0};
	*can_r = search->db->ops->incremental.turns.search_keys != NULL;
	for (size_t i = 0; i < search->part->n_sources && *can_r; i++) {
		const struct part_source *source = &search->part->sources[i];
		*can_r = !has_news(search, source) || is_plain(search, source);
		if (*can_r && has_news(search, source))
			add_way(search, &all, source);
	}
	if (*can_r && all.query != NULL)
		add_narrowing(search, &all);
	return !*can_r || all.query == NULL ||
	       search->db->ops->incremental.turns.search_keys(search->db, search->keys, &all, search->limit, search->early,
	                                                      err);
}

/* ---- before it is known what logs hold ---- */

/* Have the last two refreshes found the same? */
static bool is_steady(const struct part *part)
{
	bool any = false;
	for (size_t i = 0; i < part->n_sources; i++) {
		const int64_t *before = part->sources[i].before;
		any |= before[0] > 0;
		if ((before[0] > 0) != (before[1] > 0) || before[0] > EARLY_MAX || part->sources[i].log->careful)
			return false;
	}
	return any;
}

bool part_ask(struct db *db, void *mem, const char *view, struct part *part, int64_t limit, const struct key_set *keys,
              struct viewd_err *err)
{
	part->early = NULL;
	if (db->ops->incremental.turns.search_keys == NULL || !is_steady(part))
		return true;
	struct key_set *early = talloc(mem, struct key_set);
	assert(early != NULL);
	*early = *keys;
	early->n = -1;
	void *own = talloc_new(mem);
	struct search search = {db, own, view, part, limit, early, .early = true};
	bool once;
	bool done = search_once(&search, &once, err);
	talloc_free(own);
	part->early = early;
	return done;
}

static void remember_news(const struct part *part)
{
	for (size_t i = 0; i < part->n_sources; i++) {
		struct part_source *source = &part->sources[i];
		source->before[1] = source->before[0];
		source->before[0] = source->log->unread;
	}
}

/* Takes over the early answer where it is that to the question which would be asked now. */
static bool was_found(const struct part *part, struct key_set *keys)
{
	if (part->early == NULL || part->early->n < 0)
		return false;
	for (size_t i = 0; i < part->n_sources; i++) {
		int64_t unread = part->sources[i].log->unread;
		if ((unread > 0) != (part->sources[i].before[0] > 0) || unread > EARLY_MAX)
			return false;
	}
	*keys = *part->early;
	return true;
}

bool part_affected(struct db *db, const char *view, const struct part *part, int64_t limit, struct key_set *keys,
                   bool *all_r, struct viewd_err *err)
{
	void *mem = talloc_new(keys->mem);
	struct search search = {db, mem, view, part, limit, keys, .early = false};
	bool once = true;
	bool done = was_found(part, keys) || search_once(&search, &once, err);
	remember_news(part);
	*all_r = done && keys->n > limit;
	if (done && !once)
		done = search_steps(&search, all_r, err) && (*all_r || narrow(&search, err));
	talloc_free(mem);
	return done;
}
