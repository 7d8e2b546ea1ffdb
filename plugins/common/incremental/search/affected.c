/* SPDX-License-Identifier: MIT
 *
 * affected.c: finds the keys that the images of changed rows touch, one step on the way after the other
 * (docs/adr/010-affected-keys.md). A step looks at the current rows of a table and at its images: a batch may have
 * changed both ends.
 */
#include "common/incremental/search/queries.h"

#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* ---- step by step ---- */

/* The way of one table: from its images to the key. */
struct walk {
	size_t number; /* of the table */
	const struct part_source *from;
	struct key_set values[2];  /* of the last step, and of the one before */
	struct key_set asked, met; /* by the images, and of that by their partner; width 0: it is not asked */
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
	const struct key_set *met = walk->met.width > 0 ? &walk->met : NULL;
	open_values(search, walk, values_of(walk, 0));
	return question_of(search, walk, search_images_query(search, walk->from, met), met);
}

static struct key_question next_step(const struct search *search, struct walk *walk)
{
	const struct part_source *from = walk->from, *next = &search->part->sources[from->said->next - 1];
	const struct key_set *now = values_of(walk, walk->step);
	walk->step++;
	walk->from = next;
	open_values(search, walk, values_of(walk, walk->step));
	return question_of(search, walk, search_step_query(search, from, next, now), now);
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

static void open_partner_set(const struct search *search, const struct walk *walk, const char *name,
                             struct key_set *out)
{
	*out = (struct key_set){.mem = search->mem, .width = walk->from->said->n_partner_pairs};
	snprintf(out->name, sizeof out->name, "viewd_%s_%zu", name, walk->number);
}

#define MEET_EVERY 16 /* searches, where the partner has left most images */

/* All images that have a partner ask it. */
static bool ask_partners(const struct search *search, struct walk *walks, size_t n, struct viewd_err *err)
{
	struct key_question *questions = talloc_array(search->mem, struct key_question, (unsigned)n + 1);
	size_t asked = 0, met = 0;
	assert(questions != NULL);
	for (size_t i = 0; i < n; i++) {
		if (!search_has_partner(search, walks[i].from) || walks[i].from->meet_after > 0)
			continue;
		open_partner_set(search, &walks[i], "asked", &walks[i].asked);
		questions[asked++] = (struct key_question){&walks[i].asked, search_asked_query(search, walks[i].from), NULL};
	}
	if (!ask(search, questions, asked, err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (walks[i].asked.width == 0 || walks[i].asked.n > search->limit)
			continue;
		open_partner_set(search, &walks[i], "met", &walks[i].met);
		if (walks[i].asked.n > 0)
			questions[met++] = (struct key_question){
				&walks[i].met, search_met_query(search, walks[i].from, &walks[i].asked), &walks[i].asked};
	}
	return ask(search, questions, met, err);
}

/* Images of which none has met its partner lead to no key. */
static size_t begin_walks(const struct search *search, struct walk *walks, size_t n, struct key_question *questions)
{
	size_t begun = 0;
	for (size_t i = 0; i < n; i++) {
		struct walk *walk = &walks[i];
		unsigned *after = &search->part->sources[walk->number].meet_after;
		if (*after > 0)
			(*after)--;
		else if (walk->met.width > 0 && walk->met.n > walk->asked.n / 4 * 3)
			*after = MEET_EVERY;
		if (walk->met.width == 0 || walk->met.n > 0)
			questions[begun++] = begin_walk(search, walk);
	}
	return begun;
}

static bool walk_all(const struct search *search, struct walk *walks, size_t n, bool *all_r, struct viewd_err *err)
{
	struct key_question *questions = talloc_array(search->mem, struct key_question, (unsigned)n + 1);
	assert(questions != NULL);
	bool done =
		ask_partners(search, walks, n, err) && ask(search, questions, begin_walks(search, walks, n, questions), err);
	*all_r = done && has_too_many(search, walks, n);
	for (size_t asked = n; done && !*all_r && asked > 0;) {
		done = step_all(search, walks, n, &asked, err);
		*all_r = done && has_too_many(search, walks, n);
	}
	for (size_t i = 0; i < n; i++) {
		close_values(search, &walks[i].values[0]);
		close_values(search, &walks[i].values[1]);
		close_values(search, &walks[i].asked);
		close_values(search, &walks[i].met);
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
		others |= i != at && search_has_news(search, &part->sources[i]);
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
	if (!search->db->ops->incremental.add_keys(search->db, &less, search_keys_query(search, source, keys), keys, err))
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

/* A table that a definition names twice leads to the same question twice. */
static const struct key_set *add_step(const struct search *search, struct key_search *all, size_t width, char *query)
{
	for (size_t i = 0; i < all->n_steps; i++)
		if (all->steps[i].values.width == width && strcmp(all->steps[i].query, query) == 0)
			return &all->steps[i].values;
	all->steps = talloc_realloc(search->mem, all->steps, struct key_step, (unsigned)all->n_steps + 1);
	assert(all->steps != NULL);
	struct key_step *step = &all->steps[all->n_steps++];
	*step = (struct key_step){.values = {.width = width, .mem = search->mem}, .query = query};
	snprintf(step->values.name, sizeof step->values.name, "viewd_v%zu", all->n_steps);
	return &step->values;
}

struct ways {
	char **queries; /* none of them twice */
	size_t n;
};

static void add_query(struct ways *ways, char *query)
{
	for (size_t i = 0; i < ways->n; i++)
		if (strcmp(ways->queries[i], query) == 0)
			return;
	ways->queries[ways->n++] = query;
}

static void add_way(const struct search *search, struct key_search *all, struct ways *ways,
                    const struct part_source *from)
{
	const struct key_set *met = NULL;
	size_t width = from->said->n_partner_pairs;
	if (search_has_partner(search, from)) {
		met = add_step(search, all, width, search_asked_query(search, from));
		met = add_step(search, all, width, search_met_query(search, from, met));
	}
	char *query = search_images_query(search, from, met);
	while (from->said->next != 0) {
		const struct part_source *next = &search->part->sources[from->said->next - 1];
		query = search_step_query(search, from, next, add_step(search, all, from->said->n_pairs, query));
		from = next;
	}
	add_query(ways, query);
	search->keys->width = from->said->n_pairs;
}

static char *all_ways(const struct ways *ways)
{
	char *query = ways->n > 0 ? ways->queries[0] : NULL;
	for (size_t i = 1; i < ways->n; i++)
		query = sql_add(query, " UNION %s", ways->queries[i]);
	return query;
}

static void add_narrowing(const struct search *search, struct key_search *all)
{
	const struct part *part = search->part;
	for (size_t i = 0; i < part->n_sources; i++)
		if (may_narrow(search, i))
			all->query =
				search_keys_query(search, &part->sources[i], add_step(search, all, search->keys->width, all->query));
}

/* *can_r false: nothing was done, since some way has to be gone step by step. */
static bool search_once(const struct search *search, bool *can_r, struct viewd_err *err)
{
	struct key_search all = {0};
	struct ways ways = {.queries = talloc_array(search->mem, char *, (unsigned)search->part->n_sources + 1)};
	assert(ways.queries != NULL);
	*can_r = search->db->ops->incremental.turns.search_keys != NULL;
	for (size_t i = 0; i < search->part->n_sources && *can_r; i++) {
		const struct part_source *source = &search->part->sources[i];
		*can_r = !search_has_news(search, source) || is_plain(search, source);
		if (*can_r && search_has_news(search, source))
			add_way(search, &all, &ways, source);
	}
	all.query = all_ways(&ways);
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
		if ((before[0] > 0) != (before[1] > 0) || before[0] > SEARCH_EARLY_MAX || part->sources[i].log->careful)
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
		if ((unread > 0) != (part->sources[i].before[0] > 0) || unread > SEARCH_EARLY_MAX)
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
