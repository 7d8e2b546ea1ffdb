/* SPDX-License-Identifier: MIT
 *
 * roll.c: the tables of inner nodes, and adding to sums. No unique index takes NULL for equal to NULL, so groups are
 * found by IS, which uses an index as well.
 */
#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "sqlite/incremental/apply.h"
#include "sqlite/incremental/incremental.h"
#include "sqlite/incremental/scratch.h"

#include <talloc.h>

static char *add_numbered(char *sql, const char *letter, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%s%zu", i > 0 ? ", " : "", letter, i + 1);
	return sql;
}

/* Finds the next least or greatest value of a group when one is gone. */
static bool make_ordered(struct db *db, void *mem, const struct node_table *table, struct viewd_err *err)
{
	char *rel = relation_quoted(db->syntax, mem, &table->rel);
	for (size_t i = 0; i < table->n_ordered; i++)
		if (!db_exec(db,
		             sql_add(sql_new(mem), "CREATE INDEX main.%s_%s ON %s (%s%s)", table->rel.name, table->ordered[i],
		                     rel, table->behind, table->ordered[i]),
		             err))
			return false;
	return true;
}

static bool make_index(struct db *db, void *mem, const struct node_table *table, const char *letter, size_t n,
                       struct viewd_err *err)
{
	char *rel = relation_quoted(db->syntax, mem, &table->rel);
	char *sql = sql_add(sql_new(mem), "CREATE INDEX main.%s_%s ON %s (", table->rel.name, letter, rel);
	return n == 0 || db_exec(db, sql_add(add_numbered(sql, letter, n), ")"), err);
}

bool sqlite_op_make_node(struct db *db, const struct node_table *table, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *sql = sql_add(sql_new(mem), "CREATE TABLE main.%s AS SELECT * FROM (%s) LIMIT 0",
	                    relation_quoted(db->syntax, mem, &table->rel), table->query);
	bool done = db_exec(db, sql, err) && make_index(db, mem, table, "f", table->n_key, err) &&
	            make_index(db, mem, table, "g", table->n_unique, err) && make_ordered(db, mem, table, err);
	talloc_free(mem);
	return done;
}

struct adding {
	struct db *db;
	void *mem;
	const struct roll *roll;
	const char **names; /* of the columns of its table: groups, then those that are added up, then extremes */
	size_t n_groups, n_sums, n;
	char *rel;     /* quoted */
	char *scratch; /* what is added */
	char *all;     /* "g1, s1, .." */
};

static char *add_names(const struct adding *a, char *sql, const char *between)
{
	for (size_t i = 0; i < a->n; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? between : "", a->names[i]);
	return sql;
}

static void name_columns(struct adding *a)
{
	const char **sums;
	a->rel = relation_quoted(a->db->syntax, a->mem, &a->roll->table.rel);
	a->n_groups = a->roll->table.n_unique;
	a->n = roll_columns(a->mem, a->roll, &a->names);
	a->n_sums = a->n_groups + roll_sums(a->mem, a->roll->texts, &sums);
	a->scratch = add_names(a, sql_add(sql_new(a->mem), "viewd_roll_"), "_");
	a->all = add_names(a, sql_new(a->mem), ", ");
}

/* "c2, c3, ..": the part's columns that are the roll's. */
static char *add_positions(const struct adding *a, char *sql, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		sql = sql_add(sql, "%sc%zu", i > from ? ", " : "", a->roll->part.n_key + i);
	return sql;
}

/* "min" or "max", of the column of that name: e and the number of its term. */
static const char *extreme_of(const struct adding *a, size_t column)
{
	return a->roll->texts->terms[number_or(a->names[column] + 1, 1) - 1].extreme;
}

/* A difference beyond 64 bits is a real here, where the sum of negated values would be an error. */
static char *add_moved(const struct adding *a, char *sql, size_t column)
{
	size_t position = a->roll->part.n_key + column;
	return sql_add(sql,
	               "coalesce(sum(CASE WHEN viewd_w > 0 THEN c%zu END), 0) - "
	               "coalesce(sum(CASE WHEN viewd_w < 0 THEN c%zu END), 0)",
	               position, position);
}

/* A sum that is no whole number is handed on, whatever it is, for the roll to find out that it cannot be moved. */
static char *add_having(const struct adding *a, char *sql)
{
	for (size_t i = a->n_groups; i < a->n_sums; i++) {
		char *sum = add_moved(a, sql_new(a->mem), i);
		sql = sql_add(sql, "%s%s IS NOT 0 OR typeof(%s) <> 'integer'", i > a->n_groups ? " OR " : " HAVING ", sum, sum);
	}
	for (size_t i = a->n_sums; i < a->n; i++) {
		const char *extreme = extreme_of(a, i);
		size_t position = a->roll->part.n_key + i;
		sql = sql_add(sql, " OR %s(CASE WHEN viewd_w > 0 THEN c%zu END) IS NOT %s(CASE WHEN viewd_w < 0 THEN c%zu END)",
		              extreme, position, extreme, position);
	}
	return sql;
}

/* Rows of the part that came, less those that went. */
static bool collect(const struct adding *a, const struct applying *part, struct viewd_err *err)
{
	char *columns = add_positions(a, sql_new(a->mem), 0, a->n);
	char *groups = add_positions(a, sql_new(a->mem), 0, a->n_groups);
	char *sql = sql_add(sql_new(a->mem), "INSERT INTO temp.%s SELECT %s", a->scratch, groups);
	for (size_t i = a->n_groups; i < a->n; i++)
		sql = i < a->n_sums ? add_moved(a, sql_add(sql, "%s", i > 0 ? ", " : ""), i) : sql_add(sql, ", NULL");
	sql = sql_add(sql, " FROM (SELECT %s, 1 AS viewd_w FROM temp.%s UNION ALL SELECT %s, -1 FROM temp.%s)", columns,
	              part->now, columns, part->had);
	if (a->n_groups > 0)
		sql = add_having(a, sql_add(sql, " GROUP BY %s", groups));
	return scratch_open(a->db, a->scratch, a->all, NULL, err) && db_exec(a->db, sql, err);
}

/* "viewd_n.g1 IS d.g1 AND .." */
static char *add_same_group(const struct adding *a, char *sql)
{
	for (size_t i = 0; i < a->n_groups; i++)
		sql = sql_add(sql, "%sviewd_n.%s IS d.%s", i > 0 ? " AND " : "", a->names[i], a->names[i]);
	return sql_add(sql, "%s", a->n_groups > 0 ? "" : "1");
}

static bool add_to_groups(const struct adding *a, struct viewd_err *err)
{
	char *update = sql_add(sql_new(a->mem), "UPDATE main.%s AS viewd_n SET ", a->rel);
	for (size_t i = a->n_groups; i < a->n_sums; i++)
		update = sql_add(update, "%s%s = viewd_n.%s + d.%s", i > a->n_groups ? ", " : "", a->names[i], a->names[i],
		                 a->names[i]);
	update = add_same_group(a, sql_add(update, " FROM temp.%s AS d WHERE ", a->scratch));
	char *insert =
		sql_add(sql_new(a->mem),
	            "INSERT INTO main.%s (%s) SELECT %s FROM temp.%s AS d WHERE NOT EXISTS (SELECT 1 FROM main.%s "
	            "AS viewd_n WHERE ",
	            a->rel, a->all, a->all, a->scratch, a->rel);
	return db_exec(a->db, update, err) && db_exec(a->db, sql_add(add_same_group(a, insert), ")"), err);
}

/* After the part was written: of each touched group, by the index that was made for it. */
static bool find_extremes(const struct adding *a, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(a->mem), "UPDATE main.%s AS viewd_n SET ", a->rel);
	char *below = relation_quoted(a->db->syntax, a->mem, &a->roll->below.rel);
	for (size_t i = a->n_sums; i < a->n; i++) {
		sql = sql_add(sql, "%s%s = (SELECT %s(viewd_b.%s) FROM main.%s AS viewd_b WHERE 1", i > a->n_sums ? ", " : "",
		              a->names[i], extreme_of(a, i), a->names[i], below);
		for (size_t k = 0; k < a->n_groups; k++)
			sql = sql_add(sql, " AND viewd_b.%s IS viewd_n.%s", a->names[k], a->names[k]);
		sql = sql_add(sql, ")");
	}
	sql = add_same_group(a, sql_add(sql, " FROM temp.%s AS d WHERE ", a->scratch));
	return a->n_sums == a->n || db_exec(a->db, sql, err);
}

static bool touch_groups(const struct adding *a, struct key_set *groups, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(a->mem), "SELECT ");
	for (size_t i = 0; i < a->n_groups; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", a->names[i]);
	return groups->width == 0 ||
	       sqlite_op_add_keys(a->db, groups, sql_add(sql, " FROM temp.%s", a->scratch), NULL, err);
}

static bool move(struct adding *a, struct applying *part, struct key_set *groups, struct viewd_err *err)
{
	struct part_written inside = {0};
	name_columns(a);
	return applying_begin(part, err) && collect(a, part, err) && applying_write(part, &inside, err) &&
	       applying_end(part, err) && touch_groups(a, groups, err) && add_to_groups(a, err) && find_extremes(a, err) &&
	       scratch_empty(a->db, a->scratch, err);
}

bool sqlite_op_move_roll(struct db *db, const struct roll *roll, const struct key_set *keys, struct key_set *groups,
                         struct viewd_err *err)
{
	struct adding adding = {.db = db, .mem = talloc_new(NULL), .roll = roll};
	struct applying part = {.db = db, .mem = adding.mem, .part = &roll->part, .keys = keys};
	bool done = move(&adding, &part, groups, err);
	talloc_free(adding.mem);
	return done;
}
