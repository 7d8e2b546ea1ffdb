/* SPDX-License-Identifier: MIT
 *
 * move.c: sums of groups moved, and all that follows, in one statement: turns to the server, and the beginning of each
 * statement there, take longer than most of what is computed.
 *
 *     part: rows before and now --what differs--> m: sums of the groups --added--> r: the groups as they are now
 *                                 query of images --^                                        |
 *                                            relation <--what differs-- result of these groups
 */
#include "postgresql/incremental/part_diff.h"

#include <talloc.h>

#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"
#include "postgresql/incremental/log_objects.h"

struct moving {
	void *mem;
	const struct roll *roll;
	const char **names; /* of the roll's columns, the groups first */
	size_t n, n_groups;
	char *rel;
	struct pg_difference part, result;
	struct part relation; /* what the result writes */
};

static char *add_names(char *sql, const struct moving *m, const char *prefix)
{
	for (size_t i = 0; i < m->n; i++)
		sql = sql_add(sql, "%s%s%s", i > 0 ? ", " : "", prefix, m->names[i]);
	return sql;
}

/* "true", or that two rows are of one group. */
static char *add_same_group(char *sql, const struct moving *m, const char *a, const char *b)
{
	for (size_t i = 0; i < m->n_groups; i++)
		sql = sql_add(sql, "%s%s.%s IS NOT DISTINCT FROM %s.%s", i > 0 ? " AND " : "", a, m->names[i], b, m->names[i]);
	return m->n_groups > 0 ? sql : sql_add(sql, "true");
}

/* "s1 = n.s1 + d.s1, .." */
static char *add_sums(char *sql, const struct moving *m, const char *other)
{
	for (size_t i = m->n_groups; i < m->n; i++)
		sql = sql_add(sql, "%s%s = n.%s + %s.%s", i > m->n_groups ? ", " : "", m->names[i], m->names[i], other,
		              m->names[i]);
	return sql;
}

/* Arguments are never negated: the least number has no opposite. Without groups there is one row, or none when nothing
 * differs. */
static char *add_differing(const struct moving *m, char *sql)
{
	size_t first = m->roll->part.n_key;
	const char *j = m->part.prefix;
	sql = sql_add(sql, "SELECT ");
	for (size_t i = 0; i < m->n; i++) {
		size_t c = first + i + 1;
		sql = i < m->n_groups ? sql_add(sql, "%sx.c%zu", i > 0 ? ", " : "", c)
		                      : sql_add(sql,
		                                "%scoalesce(pg_catalog.sum(x.c%zu) FILTER (WHERE x.came), 0) - "
		                                "coalesce(pg_catalog.sum(x.c%zu) FILTER (WHERE NOT x.came), 0)",
		                                i > 0 ? ", " : "", c, c);
		sql = sql_add(sql, " AS %s", m->names[i]);
	}
	sql = sql_add(sql, " FROM (SELECT true AS came");
	for (size_t i = 0; i < m->n; i++)
		sql = sql_add(sql, ", c%zu", first + i + 1);
	sql = sql_add(sql, " FROM %sj WHERE NOT gone UNION ALL SELECT false", j);
	for (size_t i = 0; i < m->n; i++)
		sql = sql_add(sql, ", b%zu", first + i + 1);
	sql = sql_add(sql, " FROM %sj WHERE tid IS NOT NULL) AS x", j);
	for (size_t i = 0; i < m->n_groups; i++)
		sql = sql_add(sql, "%s%zu", i > 0 ? ", " : " GROUP BY ", i + 1);
	return sql_add(sql, " HAVING pg_catalog.count(*) > 0");
}

/* r: the groups of m, after m was added. */
static char *add_by_conflict(const struct moving *m, char *sql)
{
	sql = add_names(sql_add(sql, ", viewd_r AS (INSERT INTO %s AS n (", m->rel), m, "");
	sql = add_names(sql_add(sql, ") SELECT "), m, "m.");
	sql = sql_add(sql, " FROM viewd_m AS m ON CONFLICT (");
	for (size_t i = 0; i < m->n_groups; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", m->names[i]);
	sql = add_sums(sql_add(sql, ") DO UPDATE SET "), m, "excluded");
	return sql_add(add_names(sql_add(sql, " RETURNING "), m, "n."), ")");
}

static char *add_by_comparing(const struct moving *m, char *sql)
{
	sql = add_sums(sql_add(sql, ", viewd_u AS (UPDATE %s AS n SET ", m->rel), m, "m");
	sql = add_same_group(sql_add(sql, " FROM viewd_m AS m WHERE "), m, "n", "m");
	sql = add_names(sql_add(sql, " RETURNING "), m, "n.");
	sql = add_names(sql_add(sql, "), viewd_i AS (INSERT INTO %s AS n (", m->rel), m, "");
	sql = add_names(sql_add(sql, ") SELECT "), m, "m.");
	sql = sql_add(sql, " FROM viewd_m AS m WHERE NOT EXISTS (SELECT 1 FROM viewd_u AS u WHERE ");
	sql = add_names(sql_add(add_same_group(sql, m, "u", "m"), ") RETURNING "), m, "n.");
	sql = add_names(sql_add(sql, "), viewd_r AS (SELECT "), m, "");
	sql = add_names(sql_add(sql, " FROM viewd_u UNION ALL SELECT "), m, "");
	return sql_add(sql, " FROM viewd_i)");
}

/* g: the groups as keys of the relation. An empty branch of the relation takes away a collation that is not its own:
 * how its rows are compared its columns decide. */
static char *add_groups(const struct moving *m, char *sql)
{
	const struct part *relation = &m->relation;
	if (m->n_groups == 0)
		return sql_add(sql, ", viewd_g AS (SELECT 1 FROM viewd_r)");
	sql = sql_add(sql, ", viewd_g (");
	for (size_t i = 0; i < m->n_groups; i++)
		sql = sql_add(sql, "%sk%zu", i > 0 ? ", " : "", i + 1);
	sql = sql_add(sql, ") AS MATERIALIZED (SELECT ");
	for (size_t i = 0; i < m->n_groups; i++)
		sql = ident_append(&pg_syntax, sql_add(sql, i > 0 ? ", t." : "t."), relation->columns->names[relation->key[i]]);
	sql = sql_add(sql, " FROM %s AS t WHERE false UNION ALL SELECT ",
	              relation_quoted(&pg_syntax, m->mem, &relation->rel));
	for (size_t i = 0; i < m->n_groups; i++)
		sql = sql_add(sql, "%sr.%s", i > 0 ? ", " : "", m->names[i]);
	return sql_add(sql, " FROM viewd_r AS r)");
}

/* Nothing is computed from what cannot be moved: that may fail in another way. */
static const char *rows_of_result(struct db *db, const struct moving *m)
{
	const char *stuck = roll_stuck(db, m->mem, m->roll);
	return stuck == NULL ? "viewd_r AS viewd_n"
	                     : sql_add(sql_new(m->mem),
	                               "(SELECT * FROM viewd_r AS viewd_s WHERE (%s) IS NOT TRUE) AS viewd_n", stuck);
}

static bool writes_relation(const struct moving *m)
{
	return m->roll->result.columns != NULL;
}

static char *statement(struct db *db, const struct moving *m, const char *images)
{
	char *sql = sql_add(sql_new(m->mem), "WITH ");
	bool conflict = m->n_groups > 0 && pg_nulls_equal(pg_of(db));
	if (images == NULL)
		sql = sql_add(pg_difference_add(&m->part, sql), ", ");
	sql = sql_add(sql, "viewd_m AS MATERIALIZED (");
	sql = images != NULL ? sql_add(sql, "%s", images) : add_differing(m, sql);
	sql = sql_add(sql, ")");
	sql = conflict ? add_by_conflict(m, sql) : add_by_comparing(m, sql);
	if (writes_relation(m))
		sql = pg_difference_add(&m->result, sql_add(add_groups(m, sql), ", "));
	sql = sql_add(sql, " SELECT (SELECT pg_catalog.bool_or(cnt = 0) FROM viewd_r), ");
	const char *stuck = roll_stuck(db, m->mem, m->roll);
	sql = stuck != NULL ? sql_add(sql, "(SELECT pg_catalog.bool_or(%s) FROM viewd_r AS viewd_s)", stuck)
	                    : sql_add(sql, "false");
	return writes_relation(m) ? pg_difference_counts(&m->result, sql_add(sql, ", ")) : sql_add(sql, ", 0, 0, 0");
}

static bool is_true(const char *value)
{
	return value != NULL && value[0] == 't';
}

struct moved {
	bool emptied; /* a group that has no rows any more is still there */
	bool stuck;
	struct part_written *written;
};

static bool take_moved_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct moved *out = ctx;
	out->emptied = is_true(v[0]);
	out->stuck = is_true(v[1]);
	pg_difference_read(v + 2, out->written);
	return false;
}

static const struct db_reader take_moved[] = {{take_moved_fn, "TTnnn", "what was moved"}};

static struct moving moving_of(struct db *db, void *mem, const struct roll *roll, const struct key_set *keys)
{
	struct moving m = {.mem = mem, .roll = roll, .n_groups = roll->texts->groups.n};
	m.n = roll_columns(mem, roll, &m.names);
	m.rel = relation_quoted(&pg_syntax, mem, &roll->table.rel);
	m.relation = roll->result;
	m.relation.definition = roll_result(mem, roll, rows_of_result(db, &m));
	m.part =
		(struct pg_difference){.mem = mem, .part = &roll->part, .keys = keys, .prefix = "viewd_p", .with_old = true};
	m.result = (struct pg_difference){.mem = mem, .among = "viewd_g", .prefix = "viewd_t"};
	return m;
}

bool pg_op_move_roll(struct db *db, const struct roll *roll, const char *images, const struct key_set *keys,
                     struct part_written *out, bool *stuck_r, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct moving m = moving_of(db, mem, roll, keys);
	struct moved moved = {.written = out};
	const char *params[KEY_WIDTH_MAX];
	size_t n = images == NULL ? keys->width : 0;
	m.result.part = &m.relation;
	for (size_t i = 0; i < n; i++)
		params[i] = keys->arrays[i];
	const struct relation *written = writes_relation(&m) ? &m.relation.rel : &roll->table.rel;
	bool done = pg_query_writing(pg_of(db), written, statement(db, &m, images), params, n, take_moved, &moved, err);
	if (done && moved.emptied && m.n_groups > 0)
		done = pg_op_exec_later(db, sql_add(sql_new(mem), "DELETE FROM %s WHERE cnt = 0", m.rel), NULL, 0, err);
	*stuck_r = moved.stuck;
	talloc_free(mem);
	return done;
}
