/* SPDX-License-Identifier: MIT */
#include "common/incremental/search/queries.h"

#include "common/sqltext/sqltext.h"

#include <talloc.h>

bool search_has_news(const struct search *search, const struct part_source *source)
{
	return (search->early ? source->before[0] : source->log->unread) > 0;
}

static const struct syntax *syntax_of(const struct search *search)
{
	return search->db->syntax;
}

/* SQL: the images of a log that are unread. There may be any number by now, so a guess reads no more than it may. Where
 * there are no more it is the same text, whose plan is kept. */
static const char *images_of(const struct search *search, const struct part_source *source)
{
	struct db *db = search->db;
	char *images = db->ops->incremental.unread(db, search->mem, search->view, source->log);
	bool guessed = search->db->ops->incremental.turns.search_keys != NULL;
	if (!guessed || (!search->early && source->log->unread > SEARCH_EARLY_MAX))
		return images;
	return sql_add(sql_new(search->mem), "(SELECT * FROM %s AS viewd_e LIMIT %d)", images, SEARCH_EARLY_MAX);
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

/* SQL: the named columns of the source are among the values. */
static char *add_found(const struct search *search, char *sql, const struct part_source *source,
                       const char *const *names, size_t n, const struct key_set *values, bool null_safe)
{
	const char *columns[KEY_WIDTH_MAX];
	for (size_t i = 0; i < n; i++)
		columns[i] = column_of(search, source, names[i]);
	return sql_add(sql, "%s", search->db->ops->incremental.has_key(search->mem, values, columns, null_safe));
}

/* met: of the values that the source's partner has; NULL: it is not asked. */
char *search_images_query(const struct search *search, const struct part_source *source, const struct key_set *met)
{
	const char *names[KEY_WIDTH_MAX];
	char *sql = add_from_columns(search, sql_add(sql_new(search->mem), "SELECT DISTINCT "), source);
	sql = add_known(search, add_rows(search, sql, source, images_of(search, source)), source);
	if (met == NULL)
		return sql_add(sql, "1 = 1");
	for (size_t i = 0; i < met->width; i++)
		names[i] = source->said->partner_pairs[i].from;
	return add_found(search, sql, source, names, met->width, met, false);
}

/* The wanted columns of `next`, of its current rows and of its images in which the named ones are among the values;
 * NULL: those that lead on. */
static char *rows_query(const struct search *search, const struct part_source *next, const char *wanted,
                        const char *const *names, size_t n, const struct key_set *values, bool null_safe)
{
	struct relation table = next->log->source;
	const char *relations[] = {relation_quoted(syntax_of(search), search->mem, &table), images_of(search, next)};
	char *sql = sql_new(search->mem);
	for (size_t i = 0; i < (search_has_news(search, next) ? 2 : 1); i++) {
		sql = sql_add(sql, "%s%s", i > 0 ? " UNION SELECT " : "SELECT DISTINCT ", wanted != NULL ? wanted : "");
		sql = wanted == NULL ? add_from_columns(search, sql, next) : sql;
		sql = add_rows(search, sql, next, relations[i]);
		sql = wanted == NULL ? add_known(search, sql, next) : sql;
		sql = add_found(search, sql, next, names, n, values, null_safe);
	}
	return sql;
}

/* The values are those that the way of `from` has led to. */
char *search_step_query(const struct search *search, const struct part_source *from, const struct part_source *next,
                        const struct key_set *values)
{
	const char *names[KEY_WIDTH_MAX];
	bool null_safe = false;
	for (size_t i = 0; i < from->said->n_pairs; i++) {
		names[i] = from->said->pairs[i].to;
		null_safe |= from->said->pairs[i].null_safe;
	}
	return rows_query(search, next, NULL, names, from->said->n_pairs, values, null_safe);
}

/* The values are keys, of which those stay that the source has. */
char *search_keys_query(const struct search *search, const struct part_source *source, const struct key_set *values)
{
	const char *names[KEY_WIDTH_MAX];
	for (size_t i = 0; i < source->said->n_pairs; i++)
		names[i] = source->said->pairs[i].from;
	return rows_query(search, source, NULL, names, source->said->n_pairs, values, false);
}

/* ---- partners ---- */

#define MEET_MIN 30 /* images: of fewer each may lead to a key */

bool search_has_partner(const struct search *search, const struct part_source *source)
{
	int64_t images = search->early ? source->before[0] : source->log->unread;
	return source->said->partner != 0 && source->said->n_partner_pairs <= KEY_WIDTH_MAX &&
	       (source->said->next != 0 || images >= MEET_MIN);
}

/* Values that images ask their partner for. */
char *search_asked_query(const struct search *search, const struct part_source *source)
{
	char *sql = sql_add(sql_new(search->mem), "SELECT DISTINCT ");
	for (size_t i = 0; i < source->said->n_partner_pairs; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", column_of(search, source, source->said->partner_pairs[i].from));
	return sql_add(add_rows(search, sql, source, images_of(search, source)), "1 = 1");
}

/* Which of the values it has, in rows that meet its filters. */
char *search_met_query(const struct search *search, const struct part_source *source, const struct key_set *asked)
{
	const struct part_source *partner = &search->part->sources[source->said->partner - 1];
	const char *names[KEY_WIDTH_MAX];
	char *wanted = sql_new(search->mem);
	for (size_t i = 0; i < source->said->n_partner_pairs; i++) {
		names[i] = source->said->partner_pairs[i].to;
		wanted = sql_add(wanted, "%s%s", i > 0 ? ", " : "", column_of(search, partner, names[i]));
	}
	return rows_query(search, partner, wanted, names, source->said->n_partner_pairs, asked, false);
}
