/* SPDX-License-Identifier: MIT
 *
 * keys.c: sets of keys. Whole numbers come to the client and go back in each statement, a list of one column as such.
 * Others are kept in temporary tables, whose columns have the types that the query yields.
 */
#include "mysql/incremental/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/incremental/key_set.h"
#include "common/sqltext/sqltext.h"
#include "common/text/number.h"

static char *add_names(char *sql, const char *prefix, size_t width)
{
	for (size_t i = 0; i < width; i++)
		sql = sql_add(sql, "%s%sviewd_k%zu", i > 0 ? ", " : "", prefix, i + 1);
	return sql;
}

/* The first row gives the table its types: a variable of it has that of the column. */
static char *table_text(void *mem, const char *name, size_t width, const char *query)
{
	char *types = sql_new(mem), *none = sql_new(mem);
	for (size_t i = 0; i < width; i++) {
		types = sql_add(types, "%sviewd_row.viewd_k%zu AS viewd_k%zu", i > 0 ? ", " : "", i + 1, i + 1);
		none = sql_add(none, "%sviewd_k%zu INT", i > 0 ? ", " : "", i + 1);
	}
	return talloc_asprintf(
		mem,
		"BEGIN NOT ATOMIC DECLARE viewd_n INT DEFAULT 0; FOR viewd_row IN (WITH viewd_found (%s) AS "
		"(%s) SELECT * FROM viewd_found) DO IF viewd_n = 0 THEN CREATE OR REPLACE TEMPORARY TABLE %s "
		"ENGINE=InnoDB AS SELECT %s; SET viewd_n = 1; ELSE INSERT INTO %s VALUES (%s); END IF; END "
		"FOR; IF viewd_n = 0 THEN CREATE OR REPLACE TEMPORARY TABLE %s (%s) ENGINE=InnoDB; END IF; END",
		add_names(sql_new(mem), "", width), query, name, types, name, add_names(sql_new(mem), "viewd_row.", width),
		name, none);
}

struct counted {
	int64_t n, nulls;
};

static bool take_counted_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct counted *out = ctx;
	*out = (struct counted){number_or(v[0], 0), number_or(v[1], 0)};
	return false;
}

static const struct db_reader take_counted[] = {{take_counted_fn, "nN", "keys"}};

static bool count(struct db *db, void *mem, const char *name, size_t width, struct counted *out, struct viewd_err *err)
{
	char *sql = sql_add(sql_new(mem), "SELECT COUNT(*), SUM(");
	for (size_t i = 0; i < width; i++)
		sql = sql_add(sql, "%sviewd_k%zu IS NULL", i > 0 ? " OR " : "", i + 1);
	return my_query(db, sql_add(sql, ") FROM %s", name), NULL, 0, take_counted, out, err);
}

/* Both in one table, whose types hold the values of both. */
static bool unite(struct db *db, void *mem, const struct key_set *set, struct viewd_err *err)
{
	char *both = talloc_asprintf(mem,
	                             "CREATE OR REPLACE TEMPORARY TABLE " LOG_BOTH
	                             " ENGINE=InnoDB AS SELECT * FROM %s UNION SELECT * FROM " LOG_MORE,
	                             set->name);
	char *back = talloc_asprintf(mem, "CREATE OR REPLACE TEMPORARY TABLE %s ENGINE=InnoDB AS SELECT * FROM " LOG_BOTH,
	                             set->name);
	return db_exec(db, both, err) && db_exec(db, back, err) && my_drop_temporary(my_conn(db), LOG_BOTH, err) &&
	       my_drop_temporary(my_conn(db), LOG_MORE, err);
}

static bool add_to_table(struct db *db, void *mem, struct key_set *set, const char *query, struct viewd_err *err)
{
	const char *name = set->n > 0 ? LOG_MORE : set->name;
	struct counted counted = {0};
	if (!db_exec(db, table_text(mem, name, set->width, query), err) || !count(db, mem, name, set->width, &counted, err))
		return false;
	if (set->n > 0 && counted.n == 0)
		return true;
	if (set->n > 0 && (!unite(db, mem, set, err) || !count(db, mem, set->name, set->width, &counted, err)))
		return false;
	set->n = counted.n;
	set->nulls = counted.nulls > 0;
	return true;
}

/* ---- whole numbers ---- */

/* A list stands several times in each statement, for each table of a definition. A server takes no longer text than its
 * max_allowed_packet. */
#define LIST_MAX 3000
#define LIST_BYTES (32 << 10)

struct numbers {
	int64_t *values; /* row by row */
	size_t n, width; /* rows */
	bool odd;        /* some value is none that int64_t holds */
	char *list;      /* "1, 2"; NULL: it is to be made */
	size_t bytes;    /* at most so many of it */
};

static bool take_numbers_fn(void *ctx, const char *const *v, size_t n)
{
	struct numbers *all = ctx;
	if ((all->n & (all->n - 1)) == 0)
		all->values = talloc_realloc(all, all->values, int64_t, (unsigned)((all->n > 0 ? all->n * 2 : 1) * all->width));
	assert(all->values != NULL);
	for (size_t i = 0; i < n && i < all->width; i++)
		all->odd |= v[i] == NULL || !number_parse(v[i], &all->values[all->n * all->width + i]);
	all->n++;
	return !all->odd;
}

static const struct db_reader take_numbers[] = {{take_numbers_fn, "*", "keys"}};

static int compare_rows(const void *a, const void *b, void *width)
{
	const int64_t *x = a, *y = b;
	for (size_t i = 0; i < *(size_t *)width; i++)
		if (x[i] != y[i])
			return x[i] < y[i] ? -1 : 1;
	return 0;
}

/* With what stands before the next one. */
static size_t digits(int64_t value)
{
	size_t n = value < 0 ? 4 : 3;
	for (; value > 9 || value < -9; value /= 10)
		n++;
	return n;
}

static void count_bytes(struct numbers *all)
{
	all->bytes = 0;
	for (size_t i = 0; i < all->n * all->width; i++)
		all->bytes += digits(all->values[i]);
}

/* Sorts, and leaves each row once. */
static void settle(struct numbers *all)
{
	size_t bytes = all->width * sizeof *all->values, kept = 0;
	if (all->n > 1)
		qsort_r(all->values, all->n, bytes, compare_rows, &all->width);
	for (size_t i = 0; i < all->n; i++)
		if (kept == 0 ||
		    compare_rows(&all->values[(kept - 1) * all->width], &all->values[i * all->width], &all->width) != 0)
			memmove(&all->values[kept++ * all->width], &all->values[i * all->width], bytes);
	all->n = kept;
	count_bytes(all);
}

static struct numbers *numbers_new(void *mem, size_t width)
{
	struct numbers *all = talloc_zero(mem, struct numbers);
	assert(all != NULL);
	all->width = width;
	return all;
}

static void unite_numbers(struct numbers *all, const struct numbers *more)
{
	size_t n = all->n + more->n;
	all->values = talloc_realloc(all, all->values, int64_t, (unsigned)(n * all->width + 1));
	assert(all->values != NULL);
	if (more->n > 0)
		memcpy(all->values + all->n * all->width, more->values, more->n * all->width * sizeof *all->values);
	all->n = n;
	settle(all);
	TALLOC_FREE(all->list);
}

#define DIGITS_MAX 22 /* of a number, with what stands between two */

static char *add_row(char *at, const struct numbers *all, size_t row)
{
	for (size_t i = 0; i < all->width; i++)
		at += snprintf(at, DIGITS_MAX + 1, "%s%" PRId64, i > 0 ? ", " : "", all->values[row * all->width + i]);
	return at;
}

/* Each row between the two, and commas. */
static char *rows_text(void *mem, const struct numbers *all, const char *before, const char *after)
{
	char *text = talloc_array(mem, char, (unsigned)(all->n * (all->width * DIGITS_MAX + 4) + 1)), *at = text;
	assert(text != NULL);
	for (size_t i = 0; i < all->n; i++) {
		at = stpcpy(stpcpy(at, i > 0 ? ", " : ""), before);
		at = stpcpy(add_row(at, all, i), after);
	}
	*at = '\0';
	return text;
}

static bool is_list(const struct key_set *set)
{
	const struct numbers *all = set->own;
	return all != NULL && set->width == 1 && set->n <= LIST_MAX && all->bytes <= LIST_BYTES;
}

bool keys_are_list(const struct key_set *set)
{
	return is_list(set);
}

bool keys_set(struct key_set *set, const char *const *texts, size_t n)
{
	struct numbers *all = numbers_new(set->mem, 1);
	bool good = true;
	all->values = talloc_array(all, int64_t, (unsigned)n + 1);
	assert(all->values != NULL);
	for (size_t i = 0; i < n && good; i++)
		good = texts[i] != NULL && number_parse(texts[i], &all->values[i]);
	all->n = n;
	settle(all);
	if (!good)
		return false;
	set->own = all;
	set->n = (int64_t)all->n;
	return true;
}

/* "WITH viewd_v (viewd_k1) AS (VALUES (1), (2)) SELECT * FROM viewd_v" */
static char *values_query(void *mem, const struct key_set *set)
{
	const struct numbers *all = set->own;
	char *sql = add_names(sql_add(sql_new(mem), "WITH viewd_v ("), "", set->width);
	return sql_add(sql, ") AS (VALUES %s) SELECT * FROM viewd_v", rows_text(mem, all, "(", ")"));
}

static bool make_table(struct db *db, void *mem, const struct key_set *set, struct viewd_err *err)
{
	return my_make_temporary(my_conn(db), set->name,
	                         talloc_asprintf(mem, "ENGINE=InnoDB AS %s", values_query(mem, set)), err);
}

static bool add_numbers(struct db *db, void *mem, struct key_set *set, const struct numbers *more,
                        struct viewd_err *err)
{
	if (set->own == NULL)
		set->own = numbers_new(set->mem, set->width);
	unite_numbers(set->own, more);
	set->n = (int64_t)((struct numbers *)set->own)->n;
	return is_list(set) || set->n == 0 || make_table(db, mem, set, err);
}

/* The query has not come as numbers, or the set holds something else. */
static bool add_others(struct db *db, void *mem, struct key_set *set, const char *query, struct viewd_err *err)
{
	if (set->own != NULL && is_list(set) && set->n > 0 && !make_table(db, mem, set, err))
		return false;
	set->own = NULL;
	return add_to_table(db, mem, set, query, err);
}

/* ---- the hooks ---- */

struct answer {
	struct numbers *more;
	bool whole; /* all columns are whole numbers */
};

static bool take_answer(struct db *db, void *mem, const struct key_question *asked, const struct answer *answer,
                        struct viewd_err *err)
{
	struct key_set *set = asked->set;
	bool numbers = answer->whole && !answer->more->odd && (set->n == 0 || set->own != NULL);
	return numbers ? add_numbers(db, mem, set, answer->more, err) : add_others(db, mem, set, asked->query, err);
}

bool my_add_keys_each(struct db *db, const struct key_question *questions, size_t n, struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	struct my_questions list = {.mem = mem};
	struct answer *answers = talloc_zero_array(mem, struct answer, (unsigned)n + 1);
	assert(answers != NULL);
	for (size_t i = 0; i < n; i++) {
		answers[i].more = numbers_new(mem, questions[i].set->width);
		my_ask_later(&list, talloc_strdup(mem, questions[i].query), take_numbers, answers[i].more);
		list.items[i].numbers_r = &answers[i].whole;
	}
	bool done = my_ask_now(my_conn(db), &list, err);
	for (size_t i = 0; i < n && done; i++)
		done = take_answer(db, mem, &questions[i], &answers[i], err);
	talloc_free(mem);
	return done;
}

bool my_add_keys(struct db *db, struct key_set *set, const char *query, const struct key_set *with,
                 struct viewd_err *err)
{
	const struct key_question one = {set, query, with};
	return my_add_keys_each(db, &one, 1, err);
}

char *keys_table(void *mem, const struct key_set *set)
{
	return is_list(set) ? talloc_asprintf(mem, "(%s)", values_query(mem, set)) : talloc_strdup(mem, set->name);
}

static char *list_condition(void *mem, const struct key_set *set, const char *column)
{
	struct numbers *all = set->own;
	if (all->list == NULL)
		all->list = rows_text(all, all, "", "");
	return talloc_asprintf(mem, "(%s IN (%s))", column, all->list);
}

/* "a IN (SELECT k1 FROM t)" becomes a join. */
char *my_has_key(void *mem_ctx, const struct key_set *set, const char *const *columns, bool null_safe)
{
	if (set->own != NULL && set->n == 0)
		return talloc_strdup(mem_ctx, "(1 = 0)");
	if (is_list(set))
		return list_condition(mem_ctx, set, columns[0]);
	char *sql = sql_add(sql_new(mem_ctx), "((");
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", columns[i]);
	sql = sql_add(add_names(sql_add(sql, ") IN (SELECT "), "", set->width), " FROM %s)", set->name);
	if (!null_safe || !set->nulls)
		return sql_add(sql, ")");
	sql = sql_add(sql, " OR EXISTS (SELECT 1 FROM %s WHERE ", set->name);
	for (size_t i = 0; i < set->width; i++)
		sql = sql_add(sql, "%sviewd_k%zu <=> %s", i > 0 ? " AND " : "", i + 1, columns[i]);
	return sql_add(sql, "))");
}

void my_drop_keys(struct db *db, struct key_set *set)
{
	struct viewd_err failure = {0};
	bool table = !is_list(set) && set->n > 0;
	if (table && !my_conn(db)->lost && !my_drop_temporary(my_conn(db), set->name, &failure))
		db_log(db, VIEWD_LOG_DEBUG, "keys of a refresh stay for now (%s)", failure.msg);
	set->own = NULL;
}
