/* SPDX-License-Identifier: MIT */
#include "common/incremental/sums/sums.h"

#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"

#include <stdio.h>
#include <talloc.h>

#define DENSITY_ROWS 100000 /* of a log of images, that are looked at */

static char *add_filters(char *sql, const struct analysis_source *said)
{
	for (size_t i = 0; i < said->filters.n; i++)
		sql = sql_add(sql, "%s(%s)", i > 0 ? " AND " : " WHERE ", said->filters.items[i]);
	return sql;
}

/* Without groups there is a row also when there are none to add up. */
static const char *text_after(void *mem, const struct syntax *syn, const struct roll *roll,
                              const struct analysis_source *said)
{
	char *sql = add_filters(ident_append(syn, sql_add(sql_new(mem), " AS "), said->alias), said);
	sql = roll_group_by(sql, roll, 0);
	return roll->table.n_unique > 0 ? sql : sql_add(sql, " HAVING count(*) > 0");
}

const struct log_sums *sums_of_roll(void *mem, const struct syntax *syn, const struct roll *roll,
                                    const struct analysis_source *said)
{
	struct log_sums *sums = talloc_zero(mem, struct log_sums);
	assert(sums != NULL);
	sums->before = sql_add(roll_select(sql_add(sql_new(sums), "SELECT "), roll, LOG_SUMS_PREFIX), " FROM ");
	sums->after = text_after(sums, syn, roll, said);
	sums->n_names = roll_columns(sums, roll, &sums->names);
	for (size_t i = 0; i < sums->n_names; i++)
		sums->names[i] = talloc_asprintf(sums, LOG_SUMS_PREFIX "%s", sums->names[i]);
	digest_text(talloc_asprintf(sums, "%s{}%s", sums->before, sums->after), sums->digest);
	return sums;
}

static char *add_unread(struct db *db, void *mem, char *sql, const char *view, const struct change_log *log)
{
	return sql_add(sql, " FROM %s AS viewd_l", db->ops->incremental.unread(db, mem, view, log));
}

char *sums_query(struct db *db, void *mem, const char *view, const struct roll *roll, const struct change_log *log)
{
	const char **names;
	char *sql = sql_add(sql_new(mem), "SELECT "), column[64];
	size_t n = roll_columns(mem, roll, &names);
	for (size_t i = 0; i < n; i++) {
		snprintf(column, sizeof column, "viewd_l." LOG_SUMS_PREFIX "%s", names[i]);
		sql = i < roll->table.n_unique ? sql_add(sql, "%s", column) : roll_difference(sql, "sum", column, "viewd_l");
		sql = sql_add(sql, " AS %s%s", names[i], i + 1 < n ? ", " : "");
	}
	return roll_group_by(add_unread(db, mem, sql, view, log), roll, 0);
}

char *sums_touched(struct db *db, void *mem, const char *view, const struct roll *roll, const struct change_log *log)
{
	char *sql = sql_add(sql_new(mem), "SELECT DISTINCT ");
	for (size_t i = 0; i < roll->texts->groups.n; i++)
		sql = sql_add(sql, "%sviewd_l." LOG_SUMS_PREFIX "g%zu AS g%zu", i > 0 ? ", " : "", i + 1, i + 1);
	return add_unread(db, mem, sql, view, log);
}

char *sums_density(struct db *db, void *mem, const struct roll *roll, const struct analysis_source *said,
                   const struct change_log *log)
{
	const char *table = change_log_table(db, mem, log->number);
	char *sql = sql_new(mem);
	if (log->sums != NULL)
		return sql_add(sql,
		               "SELECT coalesce(sum(" LOG_SUMS_PREFIX "cnt), 0), count(*) FROM %s WHERE viewd_sign IN (-1, 1)",
		               table);
	sql = sql_add(sql, "SELECT coalesce(sum(viewd_d.viewd_rows), 0), count(*) FROM (SELECT %s, viewd_sign, ",
	              db->ops->incremental.roll.transaction);
	sql =
		sql_add(roll_groups(sql, roll, LOG_SUMS_PREFIX), "count(*) AS viewd_rows FROM (SELECT * FROM %s WHERE ", table);
	sql = sql_add(sql, "viewd_sign IN (-1, 1) LIMIT %d) AS ", DENSITY_ROWS);
	sql = add_filters(ident_append(db->syntax, sql, said->alias), said);
	return sql_add(roll_group_by(sql, roll, 2), ") AS viewd_d");
}
