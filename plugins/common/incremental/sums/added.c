/* SPDX-License-Identifier: MIT */
#include "common/incremental/sums/added.h"

#include "common/incremental/part.h"
#include "common/incremental/roll.h"
#include "common/incremental/sums/sums.h"
#include "common/sqltext/sqltext.h"

static char *add_images(struct db *db, void *mem, char *sql, const char *view, const struct part_source *source)
{
	char *images = db->ops->incremental.unread(db, mem, view, source->log);
	sql = ident_append(db->syntax, sql_add(sql, " FROM %s AS ", images), source->said->alias);
	for (size_t i = 0; i < source->said->filters.n; i++)
		sql = sql_add(sql, "%s(%s)", i > 0 ? " AND " : " WHERE ", source->said->filters.items[i]);
	return sql;
}

char *added_query(struct db *db, void *mem, const char *view, const struct roll *roll, const struct part_source *source)
{
	const struct analysis_texts *texts = roll->texts;
	const char *alias = ident_append(db->syntax, sql_new(mem), source->said->alias);
	if (source->log->sums != NULL)
		return sums_query(db, mem, view, roll, source->log);
	char *sql = roll_groups(sql_add(sql_new(mem), "SELECT "), roll, "");
	for (size_t i = 0; i < texts->n_terms; i++) {
		const struct analysis_term *term = &texts->terms[i];
		if (term->arg == NULL)
			continue;
		if (term->summed)
			sql = sql_add(roll_difference(sql, "sum", term->arg, alias), " AS s%zu, ", i + 1);
		sql = sql_add(roll_difference(sql, "count", term->arg, alias), " AS n%zu, ", i + 1);
		if (term->longer != NULL)
			sql = sql_add(roll_difference(sql, "count", term->longer, alias), " AS m%zu, ", i + 1);
	}
	sql = sql_add(roll_difference(sql, "count", "1", alias), " AS cnt");
	sql = add_images(db, mem, sql, view, source);
	return roll_group_by(sql, roll, 0);
}

char *added_touched(struct db *db, void *mem, const char *view, const struct roll *roll,
                    const struct part_source *source)
{
	if (source->log->sums != NULL)
		return sums_touched(db, mem, view, roll, source->log);
	char *sql = sql_add(sql_new(mem), "SELECT DISTINCT ");
	for (size_t i = 0; i < roll->texts->groups.n; i++)
		sql = sql_add(sql, "%s%s AS g%zu", i > 0 ? ", " : "", roll->texts->groups.items[i], i + 1);
	return add_images(db, mem, sql, view, source);
}
