/* SPDX-License-Identifier: MIT
 *
 * roll.c: the tables of inner nodes, and adding to sums. Rows reach them through a cursor, which reads what the
 * transaction's snapshot shows; what is read of these tables alone is read by the statement that writes. No unique
 * index takes NULL for equal to NULL, so groups are found by <=>, which uses an index as well.
 */
#include "mysql/incremental/log.h"

#include <string.h>

#include "common/incremental/roll.h"
#include "common/sqltext/sqltext.h"

static char *add_numbered(char *sql, const char *letter, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%s%s%zu", i > 0 ? ", " : "", letter, i + 1);
	return sql;
}

static char *add_index(char *sql, const char *letter, size_t n, bool *first)
{
	if (n == 0)
		return sql;
	sql = sql_add(sql, "%sINDEX viewd_%s (", *first ? " (" : ", ", letter);
	*first = false;
	return sql_add(add_numbered(sql, letter, n), ")");
}

/* One statement makes all of it: a table that is there has its indexes. */
bool my_make_node(struct db *db, const struct node_table *table, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	bool none;
	const char *key = db->row_key.table;
	char *sql = sql_add(sql_new(mem), "CREATE TABLE %s", relation_quoted(&my_syntax, mem, &table->rel));
	if (key != NULL)
		sql = sql_add(sql, " (%s", key);
	none = key == NULL;
	sql = add_index(sql, "f", table->n_key, &none);
	sql = add_index(sql, "g", table->n_unique, &none);
	sql = sql_add(sql, "%s ENGINE=InnoDB AS SELECT * FROM (\n%s\n) AS viewd_q LIMIT 0", none ? "" : ")", table->query);
	bool done = db_exec(db, sql, err);
	talloc_free(mem);
	return done;
}

/* names: of the query's columns, in its order, and of the table's. */
static char *named(void *mem, const char *query, const char *const *names, size_t n)
{
	return talloc_asprintf(mem, "WITH viewd_found (%s) AS (\n%s\n) SELECT * FROM viewd_found",
	                       sql_names(&my_syntax, sql_new(mem), NULL, names, n), query);
}

struct node_names {
	void *mem;
	const char **items;
	size_t n;
};

static bool take_name_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct node_names *list = ctx;
	list->items = talloc_realloc(list->mem, list->items, const char *, (unsigned)list->n + 1);
	list->items[list->n++] = talloc_strdup(list->mem, v[0]);
	return true;
}

static const struct db_reader take_name[] = {{take_name_fn, "t*", "the columns of a node"}};

bool my_fill_node(struct db *db, const struct node_table *table, const char *query, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *rel = relation_quoted(&my_syntax, mem, &table->rel);
	struct node_names names = {.mem = mem};
	bool done =
		my_query(db, talloc_asprintf(mem, "SHOW COLUMNS FROM %s WHERE Extra NOT LIKE '%%INVISIBLE%%'", rel), NULL, 0,
	             take_name, &names, err) &&
		db_exec(db,
	            talloc_asprintf(mem, "BEGIN NOT ATOMIC %s; END",
	                            fill_text(mem, rel, named(mem, query, names.items, names.n), names.items, names.n)),
	            err);
	talloc_free(mem);
	return done;
}

/* The values that a roll yields go into columns of the relation's types. So decimals of as many digits behind the point
 * are the same values, whatever their sum may grow to. The width for showing a whole number does not matter either. */
bool my_same_values(const char *type_a, const char *type_b)
{
	const char *a = strchr(type_a, ','), *b = strchr(type_b, ',');
	if (strncmp(type_a, "bigint(", 7) == 0)
		return strncmp(type_b, "bigint(", 7) == 0;
	return strncmp(type_a, "decimal(", 8) == 0 && strncmp(type_b, "decimal(", 8) == 0 && a != NULL && b != NULL &&
	       strcmp(a, b) == 0;
}

/* ---- adding ---- */

struct adding {
	const struct roll *roll;
	char *rel;          /* quoted */
	const char **names; /* of all columns */
	size_t n;
	char *sums;   /* "viewd_n.s1 = viewd_n.s1 + d.s1, .." */
	char *groups; /* "viewd_n.g1 <=> d.g1 AND .." */
};

static void plan(void *mem, struct adding *a)
{
	size_t n_groups = a->roll->table.n_unique;
	a->n = roll_columns(mem, a->roll, &a->names);
	a->sums = sql_new(mem);
	a->groups = sql_add(sql_new(mem), "%s", n_groups > 0 ? "" : "1 = 1");
	for (size_t i = 0; i < n_groups; i++)
		a->groups = sql_add(a->groups, "%sviewd_n.%s <=> d.%s", i > 0 ? " AND " : "", a->names[i], a->names[i]);
	for (size_t i = n_groups; i < a->n; i++)
		a->sums = sql_add(a->sums, "%sviewd_n.%s = viewd_n.%s + d.%s", i > n_groups ? ", " : "", a->names[i],
		                  a->names[i], a->names[i]);
}

/* One row of the sums, as a variable. */
static char *add_row_text(void *mem, const struct adding *a)
{
	size_t n_groups = a->roll->table.n_unique;
	char *where = sql_add(sql_new(mem), "%s", n_groups > 0 ? "" : "1 = 1"), *sums = sql_new(mem);
	for (size_t i = 0; i < n_groups; i++)
		where = sql_add(where, "%sviewd_n.%s <=> viewd_row.%s", i > 0 ? " AND " : "", a->names[i], a->names[i]);
	for (size_t i = n_groups; i < a->n; i++)
		sums = sql_add(sums, "%sviewd_n.%s = viewd_n.%s + viewd_row.%s", i > n_groups ? ", " : "", a->names[i],
		               a->names[i], a->names[i]);
	return talloc_asprintf(
		mem,
		"IF EXISTS (SELECT 1 FROM %s AS viewd_n WHERE %s) THEN UPDATE %s AS viewd_n SET %s WHERE %s; "
		"ELSE INSERT INTO %s (%s) VALUES (%s); END IF",
		a->rel, where, a->rel, sums, where, a->rel, sql_names(&my_syntax, sql_new(mem), NULL, a->names, a->n),
		sql_names(&my_syntax, sql_new(mem), "viewd_row.", a->names, a->n));
}

/* The sums come from logs and sources, so a cursor brings them. */
bool my_add_to_roll(struct db *db, const struct roll *roll, const char *query, const struct key_set *with UNUSED,
                    struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct adding a = {.roll = roll, .rel = relation_quoted(&my_syntax, mem, &roll->table.rel)};
	plan(mem, &a);
	bool done = db_exec(db,
	                    talloc_asprintf(mem, "BEGIN NOT ATOMIC FOR viewd_row IN (%s) DO %s; END FOR; END",
	                                    named(mem, query, a.names, a.n), add_row_text(mem, &a)),
	                    err);
	talloc_free(mem);
	return done;
}

/* ---- over a part ---- */

/* Sums are added by a query over nodes alone, whose columns are named as the roll's. */
static char *move_sums(void *mem, const struct adding *a, const char *query)
{
	return talloc_asprintf(mem, "UPDATE (%s) AS d STRAIGHT_JOIN %s AS viewd_n ON %s SET %s",
	                       named(mem, query, a->names, a->n), a->rel, a->groups, a->sums);
}

/* Groups that are not there come with sums of nothing. */
static char *add_groups(void *mem, const struct adding *a, const char *query)
{
	char *list = sql_names(&my_syntax, sql_new(mem), NULL, a->names, a->n), *values = sql_new(mem);
	size_t n_groups = a->roll->table.n_unique;
	for (size_t i = 0; i < a->n; i++)
		values = sql_add(values, "%sd.%s%s", i > 0 ? ", " : "", a->names[i], i < n_groups ? "" : " * 0");
	return talloc_asprintf(
		mem, "INSERT INTO %s (%s) SELECT %s FROM (%s) AS d WHERE NOT EXISTS (SELECT 1 FROM %s AS viewd_n WHERE %s)",
		a->rel, list, values, named(mem, query, a->names, a->n), a->rel, a->groups);
}

/* The rows of the keys, whether they will be there again or not: nobody else reads them. */
static char *delete_rows(void *mem, const struct roll *roll, const struct key_set *keys)
{
	const char *columns[KEY_WIDTH_MAX];
	for (size_t i = 0; i < keys->width; i++)
		columns[i] = talloc_asprintf(mem, "t.f%zu", i + 1);
	return talloc_asprintf(mem, "DELETE t FROM %s AS t WHERE %s", relation_quoted(&my_syntax, mem, &roll->below.rel),
	                       my_has_key(mem, keys, columns, true));
}

/* How rows go and come. */
struct moving {
	const struct key_set *keys;
	const char *gone, *come;
	const char *rows; /* that come, as compared_keys tells them; NULL: they are computed */
};

/* *shadowed_r: as part_keyed_query says. */
static void add_moves(struct my_questions *list, struct viewd_conn *conn, const struct adding *a,
                      const struct moving *how, bool joined, bool *shadowed_r)
{
	void *mem = list->mem;
	const struct roll *roll = a->roll;
	const struct columns *columns = roll->part.columns;
	char *below = relation_quoted(&my_syntax, mem, &roll->below.rel);
	my_ask_later(list, move_sums(mem, a, how->gone), NULL, NULL);
	my_ask_later(list, delete_rows(mem, roll, how->keys), NULL, NULL);
	if (how->rows != NULL && how->rows[0] == '\0')
		return;
	if (how->rows != NULL)
		my_ask_later(list, talloc_strdup(mem, how->rows), NULL, NULL);
	else
		my_ask_later(list,
		             fill_text(mem, below, part_keyed_query(conn, mem, &roll->part, how->keys, joined, shadowed_r),
		                       columns->names, columns->n),
		             NULL, NULL);
	if (roll->table.n_unique > 0)
		my_ask_later(list, add_groups(mem, a, how->come), NULL, NULL);
	my_ask_later(list, move_sums(mem, a, how->come), NULL, NULL);
}

static bool move(struct db *db, void *mem, const struct adding *a, const struct moving *how, bool joined,
                 bool *shadowed_r, struct viewd_err *err)
{
	struct my_questions list = {.mem = mem};
	my_ask_later(&list, talloc_strdup(mem, "SAVEPOINT viewd_move"), NULL, NULL);
	add_moves(&list, my_conn(db), a, how, joined, shadowed_r);
	return my_ask_now(my_conn(db), &list, err);
}

/* Rows that are known, or whose shadow has worked before, need not be waited for: all of it goes with the question for
 * the result. */
static bool move_later(struct db *db, void *mem, const struct adding *a, const struct moving *how,
                       struct viewd_err *err)
{
	struct my_questions list = {.mem = mem};
	bool shadowed = false, done = true;
	add_moves(&list, my_conn(db), a, how, false, &shadowed);
	for (size_t i = 0; i < list.n && done; i++)
		done = my_exec_later(db, list.items[i].sql, NULL, 0, err);
	return done;
}

bool my_exchange_rows(struct db *db, const struct roll *roll, const struct key_set *keys, const char *gone,
                      const char *come, const char *new_rows, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct viewd_err failure = {0};
	struct adding a = {.roll = roll, .rel = relation_quoted(&my_syntax, mem, &roll->table.rel)};
	const struct moving how = {keys, gone, come, new_rows};
	bool shadowed = false, *proven = &roll->part.sources[0].proven[roll->part.form];
	plan(mem, &a);
	bool done = *proven || new_rows != NULL ? move_later(db, mem, &a, &how, &failure)
	                                        : move(db, mem, &a, &how, false, &shadowed, &failure);
	*proven |= done && new_rows == NULL;
	if (!done && shadowed && failure.cls == VIEWD_ERR_QUERY)
		done = db_exec(db, "ROLLBACK TO SAVEPOINT viewd_move", &failure) &&
		       move(db, mem, &a, &how, true, &shadowed, &failure);
	if (!done && err != NULL)
		*err = failure;
	talloc_free(mem);
	return done;
}

/* A shadow that does not work is left to the exchange. */
bool my_find_differing(struct db *db, void *mem_ctx, const struct roll *roll, struct key_set *keys, const char **rows_r,
                       struct viewd_err *err)
{
	struct viewd_err failure = {0};
	const struct part *part = &roll->part;
	bool shadowed = false;
	struct difference d = {.conn = my_conn(db),
	                       .mem = mem_ctx,
	                       .rel = &roll->below.rel,
	                       .columns = part->columns,
	                       .row = part->row,
	                       .n_row = part->n_row,
	                       .binary = true};
	const char *key[] = {"t.f1"};
	*rows_r = NULL;
	if (!keys_are_list(keys) || !compared_may(&d))
		return true;
	d.filter = my_has_key(mem_ctx, keys, key, true);
	if (compared_keys(&d, part_keyed_query(d.conn, mem_ctx, part, keys, false, &shadowed), keys, rows_r, &failure) ||
	    (shadowed && failure.cls == VIEWD_ERR_QUERY))
		return true;
	if (err != NULL)
		*err = failure;
	return false;
}
