/* SPDX-License-Identifier: MIT */
#include "common/incremental/roll.h"

#include "base/err.h"
#include "common/generate/columns.h"
#include "common/incremental/sums/added.h"
#include "common/sqltext/sqltext.h"
#include "common/state/stmt.h"
#include "common/text/number.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* "a AS g1, b AS g2, " before what follows, "" when there is none. */
static char *add_list(char *sql, const struct analysis_list *list, const char *prefix, const char *letter)
{
	for (size_t i = 0; i < list->n; i++)
		sql = sql_add(sql, "%s AS %s%s%zu, ", list->items[i], prefix, letter, i + 1);
	return sql;
}

/* " GROUP BY 1, 2": the first n columns after `before` other ones, which count too. */
static char *add_group_by(char *sql, size_t before, size_t n)
{
	for (size_t i = 0; i < before + n; i++)
		sql = sql_add(sql, "%s%zu", i > 0 ? ", " : " GROUP BY ", i + 1);
	return sql;
}

static char *add_terms(char *sql, const struct analysis_texts *texts, const char *prefix)
{
	for (size_t i = 0; i < texts->n_terms; i++) {
		const struct analysis_term *term = &texts->terms[i];
		if (term->arg == NULL)
			continue;
		if (term->summed)
			sql = sql_add(sql, "coalesce(sum(%s), 0) AS %ss%zu, ", term->arg, prefix, i + 1);
		sql = sql_add(sql, "count(%s) AS %sn%zu, ", term->arg, prefix, i + 1);
		if (term->longer != NULL)
			sql = sql_add(sql, "count(%s) AS %sm%zu, ", term->longer, prefix, i + 1);
	}
	sql = sql_add(sql, "count(*) AS %scnt", prefix);
	for (size_t i = 0; i < texts->n_terms; i++)
		if (texts->terms[i].extreme != NULL)
			sql = sql_add(sql, ", %s(%s) AS %se%zu", texts->terms[i].extreme, texts->terms[i].arg, prefix, i + 1);
	return sql;
}

size_t roll_sums(void *mem, const struct analysis_texts *texts, const char ***names_r)
{
	const char **names = talloc_array(mem, const char *, (unsigned)(3 * texts->n_terms + 1));
	assert(names != NULL);
	*names_r = names;
	size_t n = 0;
	for (size_t i = 0; i < texts->n_terms; i++) {
		if (texts->terms[i].arg != NULL && texts->terms[i].summed)
			names[n++] = talloc_asprintf(mem, "s%zu", i + 1);
		if (texts->terms[i].arg != NULL)
			names[n++] = talloc_asprintf(mem, "n%zu", i + 1);
		if (texts->terms[i].longer != NULL)
			names[n++] = talloc_asprintf(mem, "m%zu", i + 1);
	}
	names[n++] = "cnt";
	return n;
}

size_t roll_extremes(void *mem, const struct analysis_texts *texts, const char ***names_r)
{
	const char **names = talloc_array(mem, const char *, (unsigned)texts->n_terms + 1);
	size_t n = 0;
	assert(names != NULL);
	*names_r = names;
	for (size_t i = 0; i < texts->n_terms; i++)
		if (texts->terms[i].extreme != NULL)
			names[n++] = talloc_asprintf(mem, "e%zu", i + 1);
	return n;
}

static size_t count_groups(const struct roll *roll)
{
	return (roll->spelling != NULL ? 2 : 1) * roll->texts->groups.n;
}

size_t roll_columns(void *mem, const struct roll *roll, const char ***names_r)
{
	const char **sums, **extremes, **names;
	size_t n_groups = count_groups(roll), n_sums = roll_sums(mem, roll->texts, &sums),
		   n_extremes = roll_extremes(mem, roll->texts, &extremes);
	names = talloc_array(mem, const char *, (unsigned)(n_groups + n_sums + n_extremes));
	assert(names != NULL);
	for (size_t i = 0; i < n_groups; i++)
		names[i] = talloc_asprintf(mem, "g%zu", i + 1);
	memcpy(names + n_groups, sums, n_sums * sizeof *sums);
	memcpy(names + n_groups + n_sums, extremes, n_extremes * sizeof *extremes);
	*names_r = names;
	return n_groups + n_sums + n_extremes;
}

/* The groups as they are written, and their spellings. */
char *roll_groups(char *sql, const struct roll *roll, const char *prefix)
{
	const struct analysis_list *groups = &roll->texts->groups;
	sql = add_list(sql, groups, prefix, "g");
	for (size_t i = 0; i < groups->n && roll->spelling != NULL; i++)
		sql = sql_add(sql_template(sql, roll->spelling, groups->items[i]), " AS %sg%zu, ", prefix, groups->n + i + 1);
	return sql;
}

char *roll_select(char *sql, const struct roll *roll, const char *prefix)
{
	return add_terms(roll_groups(sql, roll, prefix), roll->texts, prefix);
}

char *roll_group_by(char *sql, const struct roll *roll, size_t before)
{
	return add_group_by(sql, before, count_groups(roll));
}

static char *roll_query(void *mem, const struct roll *roll)
{
	char *sql = roll_select(sql_add(sql_new(mem), "SELECT "), roll, "");
	return roll_group_by(sql_add(sql, " %s", roll->texts->rows), roll, 0);
}

static char *part_query(void *mem, const struct roll *roll, const struct analysis_node *part)
{
	const struct analysis_texts *texts = roll->texts;
	char *sql = roll_select(add_list(sql_add(sql_new(mem), "SELECT "), &part->key_sql, "", "f"), roll, "");
	sql = sql_add(sql, " ");
	if (part->key_inside.n > 0)
		sql = sql_add(add_list(sql_add(sql, "%s ", texts->opening), &part->key_inside, "viewd_", "f"), "%s",
		              texts->inside);
	else
		sql = sql_add(sql, "%s", texts->rows);
	return roll_group_by(sql, roll, part->key_sql.n);
}

/* f1 .., and the roll's. */
static struct columns *part_columns(void *mem, const struct roll *roll, size_t n_key)
{
	struct columns *columns = talloc_zero(mem, struct columns);
	const char **names;
	assert(columns != NULL);
	size_t n = roll_columns(columns, roll, &names);
	columns->n = n_key + n;
	columns->names = talloc_zero_array(columns, const char *, (unsigned)columns->n);
	columns->inner = talloc_zero_array(columns, const char *, (unsigned)columns->n);
	columns->items = talloc_zero_array(columns, struct viewd_column, (unsigned)columns->n);
	assert(columns->names != NULL && columns->inner != NULL && columns->items != NULL);
	for (size_t i = 0; i < n_key; i++)
		columns->names[i] = talloc_asprintf(columns, "f%zu", i + 1);
	memcpy(columns->names + n_key, names, n * sizeof *names);
	for (size_t i = 0; i < columns->n; i++)
		columns->inner[i] = columns->items[i].name = columns->names[i];
	return columns;
}

static const size_t *first_positions(void *mem, size_t n)
{
	size_t *positions = talloc_array(mem, size_t, (unsigned)n + 1);
	assert(positions != NULL);
	for (size_t i = 0; i < n; i++)
		positions[i] = i;
	return positions;
}

/* "g1, g2, " */
static void order_below(void *mem, struct roll *roll)
{
	const char **names;
	char *behind = sql_new(mem);
	roll->below.n_ordered = roll_extremes(mem, roll->texts, &names);
	roll->below.ordered = names;
	for (size_t i = 0; i < count_groups(roll); i++)
		behind = sql_add(behind, "g%zu, ", i + 1);
	roll->below.behind = behind;
}

void roll_plan(void *mem, struct roll *roll, const struct analysis_node *part)
{
	roll->table.query = roll_query(mem, roll);
	roll->table.n_unique = count_groups(roll);
	if (roll->images)
		return;
	roll->below.query = part_query(mem, roll, part);
	roll->below.n_key = part->key_sql.n;
	order_below(mem, roll);
	roll->part.definition = roll->below.query;
	roll->part.columns = part_columns(mem, roll, part->key_sql.n);
	roll->part.n_key = part->key_sql.n;
	for (size_t i = 0; i < roll->part.n_key; i++)
		roll->part.key[i] = i;
	roll->part.n_row = part->key_sql.n + count_groups(roll);
	roll->part.row = first_positions(mem, roll->part.n_row);
}

/* The roll as its groups are told apart in the definition, "viewd_n". */
static char *table_of(struct db *db, void *mem, const struct roll *roll)
{
	char *sql = sql_new(mem);
	size_t n = roll->texts->groups.n;
	const char **sums;
	char *rel = relation_quoted(db->syntax, sql, &roll->table.rel);
	if (roll->spelling == NULL || n == 0)
		return sql_add(sql, "%s AS viewd_n", rel);
	sql = sql_add(sql, "(SELECT ");
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "g%zu, ", i + 1);
	size_t n_sums = roll_sums(sql, roll->texts, &sums);
	for (size_t i = 0; i < n_sums; i++) {
		char *sum = talloc_asprintf(sql, "sum(%s)", sums[i]);
		sql = sums[i][0] == 's' ? sql_add(sql, "%s", sum)
		                        : sql_template(sql, db->ops->incremental.roll.whole_number, sum);
		sql = sql_add(sql, " AS %s%s", sums[i], i + 1 < n_sums ? ", " : "");
	}
	return sql_add(add_group_by(sql_add(sql, " FROM %s WHERE cnt > 0", rel), 0, n), ") AS viewd_n");
}

char *roll_result(void *mem, const struct roll *roll, const char *rows)
{
	const struct analysis_texts *texts = roll->texts;
	char *sql = sql_add(sql_new(mem), "SELECT %s FROM %s", texts->list, rows);
	sql = sql_add(sql, " WHERE %s", texts->groups.n > 0 ? "viewd_n.cnt > 0" : "1 = 1");
	return texts->having != NULL ? sql_add(sql, " AND (%s)", texts->having) : sql;
}

void roll_bind(struct db *db, void *mem, struct roll *roll)
{
	roll->result.definition = roll_result(mem, roll, table_of(db, mem, roll));
	roll->part.rel = roll->below.rel;
}

/* ---- sums that cannot be moved ---- */

static bool take_count_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(v[0], 0);
	return false;
}

static const struct db_reader take_count[] = {{take_count_fn, "n", "sums that cannot be moved"}};

const char *roll_stuck(struct db *db, void *mem, const struct roll *roll)
{
	char *sql = sql_add(sql_new(mem), "(1 = 0"), name[32], count[32];
	bool summed = false;
	for (size_t i = 0; i < roll->texts->n_terms; i++)
		summed |= roll->texts->terms[i].summed || roll->texts->terms[i].extreme != NULL;
	if (db->ops->incremental.stuck == NULL || !summed)
		return NULL;
	for (size_t i = 0; i < roll->texts->n_terms; i++) {
		snprintf(name, sizeof name, "viewd_s.s%zu", i + 1);
		if (roll->texts->terms[i].arg != NULL && roll->texts->terms[i].summed)
			sql = sql_template(sql_add(sql, " OR "), db->ops->incremental.stuck, name);
		if (roll->texts->terms[i].extreme != NULL) {
			snprintf(name, sizeof name, "viewd_s.e%zu", i + 1);
			sql = sql_add(sql, " OR viewd_s.m%zu > 0 OR (%s IS NOT NULL AND ", i + 1, name);
			sql = sql_add(sql_template(sql, db->ops->incremental.stuck, name), ")");
		} else if (roll->texts->terms[i].none_longer) {
			snprintf(name, sizeof name, "viewd_s.m%zu", i + 1);
			snprintf(count, sizeof count, "viewd_s.n%zu", i + 1);
			sql = sql_template2(sql_add(sql, " OR "), db->ops->incremental.average_stuck, name, count);
		}
	}
	return sql_add(sql, ")");
}

/* From now on, a sum would be what it is whatever comes and goes. */
static bool stuck(struct roll *roll, struct viewd_err *err)
{
	roll->stuck = true;
	return err_set(err, VIEWD_ERR_QUERY,
	               "a sum cannot be moved: it is NaN, not of whole numbers, or too large for its average");
}

/* Among these groups; NULL: all. */
static bool none_stuck(struct db *db, void *mem, struct roll *roll, const struct key_set *groups, struct viewd_err *err)
{
	int64_t n = 0;
	const char *columns[KEY_WIDTH_MAX], *condition = roll_stuck(db, mem, roll);
	if (condition == NULL)
		return true;
	char *sql = sql_add(sql_new(mem), "SELECT count(*) FROM %s AS viewd_s WHERE %s",
	                    relation_quoted(db->syntax, mem, &roll->table.rel), condition);
	for (size_t i = 0; groups != NULL && i < groups->width; i++)
		columns[i] = talloc_asprintf(mem, "viewd_s.g%zu", i + 1);
	if (groups != NULL)
		sql = sql_add(sql, " AND %s", db->ops->incremental.has_key(mem, groups, columns, true));
	bool params = groups != NULL && groups->arrays[0] != NULL;
	if (!db->ops->query(db, sql, params ? (const char *const *)groups->arrays : NULL, params ? groups->width : 0,
	                    take_count, &n, err))
		return false;
	roll->stuck = false;
	return n == 0 || stuck(roll, err);
}

/* ---- everything ---- */

/* The roll of the part's rows, all of them or (found) some: sign 1 adds them, -1 takes them away. */
static char *over_part(struct db *db, void *mem, const struct roll *roll, int sign, const char *found)
{
	const char **names;
	size_t n = roll_sums(mem, roll->texts, &names), n_groups = count_groups(roll);
	char *sql = sql_add(sql_new(mem), "SELECT ");
	for (size_t i = 0; i < n_groups; i++)
		sql = sql_add(sql, "viewd_p.g%zu, ", i + 1);
	for (size_t i = 0; i < n; i++)
		sql = sql_add(sql, "%scoalesce(sum(viewd_p.%s), 0)%s", i > 0 ? ", " : "", names[i], sign < 0 ? " * -1" : "");
	for (size_t i = 0; i < roll->texts->n_terms; i++)
		if (roll->texts->terms[i].extreme != NULL)
			sql = sql_add(sql, ", %s(viewd_p.e%zu)", roll->texts->terms[i].extreme, i + 1);
	sql = sql_add(sql, " FROM %s AS viewd_p", relation_quoted(db->syntax, mem, &roll->below.rel));
	if (found != NULL)
		sql = sql_add(sql, " WHERE %s", found);
	return add_group_by(sql, 0, n_groups);
}

bool roll_fill(struct db *db, void *mem, struct roll *roll, struct viewd_err *err)
{
	if (!roll->images && !node_table_fill(db, mem, &roll->below, roll->below.query, err))
		return false;
	return node_table_fill(db, mem, &roll->table, roll->images ? roll->table.query : over_part(db, mem, roll, 1, NULL),
	                       err) &&
	       none_stuck(db, mem, roll, NULL, err);
}

/* ---- what has changed ---- */

char *roll_difference(char *sql, const char *aggregate, const char *arg, const char *alias)
{
	sql = sql_add(sql, "coalesce(%s(CASE WHEN %s.viewd_sign > 0 THEN %s END), 0) - ", aggregate, alias, arg);
	return sql_add(sql, "coalesce(%s(CASE WHEN %s.viewd_sign < 0 THEN %s END), 0)", aggregate, alias, arg);
}

static bool add_touched(struct db *db, struct key_set *groups, const char *query, const struct key_set *with,
                        struct viewd_err *err)
{
	return groups->width == 0 || db->ops->incremental.add_keys(db, groups, query, with, err);
}

static void drop_groups(struct db *db, struct key_set *groups)
{
	if (db->ops->incremental.drop_keys != NULL && groups->width > 0)
		db->ops->incremental.drop_keys(db, groups);
}

/* The groups whose rows are written. A roll that is read by a top has no relation. */
static struct key_set groups_of(struct db *db, void *mem, const struct roll *roll)
{
	bool asked = !roll->few && (roll->result.columns != NULL || db->ops->incremental.stuck != NULL);
	return (struct key_set){.mem = mem, .width = asked ? roll->texts->groups.n : 0, .name = "viewd_groups"};
}

static bool delete_empty(struct db *db, const struct roll *roll, struct viewd_err *err)
{
	struct stmt st = stmt_new(db);
	char *rel = relation_quoted(db->syntax, st.sql, &roll->table.rel);
	st.sql = sql_add(st.sql, "DELETE FROM %s WHERE cnt = 0", rel);
	return stmt_run_later(&st, err);
}

/* Groups without rows go when the relation has lost theirs. */
static bool write_result(struct db *db, void *mem, struct roll *roll, const struct key_set *groups,
                         struct part_written *out, struct viewd_err *err)
{
	if (groups->width > 0 && groups->n == 0)
		return true;
	if (!none_stuck(db, mem, roll, groups->width > 0 ? groups : NULL, err))
		return false;
	if (roll->result.columns != NULL &&
	    !db->ops->incremental.apply_part(db, &roll->result, groups->width > 0 ? groups : NULL, out, err))
		return false;
	return roll->texts->groups.n == 0 || delete_empty(db, roll, err);
}

/* All of it, and the part below, by one statement where the engine can. */
static bool move_at_once(struct db *db, struct roll *roll, const char *images, const struct key_set *keys,
                         struct part_written *out, struct viewd_err *err)
{
	bool is_stuck = false;
	if (!db->ops->incremental.roll.move_all(db, roll, images, keys, out, &is_stuck, err))
		return false;
	roll->stuck = false;
	return !is_stuck || stuck(roll, err);
}

bool roll_images_apply(struct db *db, void *mem, const char *view, struct roll *roll, const struct part_source *source,
                       struct part_written *out, struct viewd_err *err)
{
	struct key_set groups = groups_of(db, mem, roll);
	if (db->ops->incremental.roll.move_all != NULL)
		return move_at_once(db, roll, added_query(db, mem, view, roll, source), NULL, out, err);
	bool done = add_touched(db, &groups, added_touched(db, mem, view, roll, source), NULL, err) &&
	            db->ops->incremental.add_to_roll(db, roll, added_query(db, mem, view, roll, source), NULL, err) &&
	            write_result(db, mem, roll, &groups, out, err);
	drop_groups(db, &groups);
	return done;
}

static char *touched_query(struct db *db, void *mem, const struct roll *roll, const char *found)
{
	char *sql = sql_add(sql_new(mem), "SELECT DISTINCT ");
	for (size_t i = 0; i < roll->texts->groups.n; i++)
		sql = sql_add(sql, "%sviewd_p.g%zu", i > 0 ? ", " : "", i + 1);
	return sql_add(sql, " FROM %s AS viewd_p WHERE %s", relation_quoted(db->syntax, mem, &roll->below.rel), found);
}

/* The part's rows of the keys leave the roll, are computed anew, and enter it again. */
static bool move_rows(struct db *db, void *mem, const struct roll *roll, const struct key_set *keys, const char *found,
                      const char *rows, struct viewd_err *err)
{
	const struct db_incremental_ops *ops = &db->ops->incremental;
	const char *gone = over_part(db, mem, roll, -1, found), *come = over_part(db, mem, roll, 1, found);
	struct part_written inside = {0};
	if (ops->roll.exchange != NULL)
		return ops->roll.exchange(db, roll, keys, gone, come, rows, err);
	return ops->add_to_roll(db, roll, gone, keys, err) && ops->apply_part(db, &roll->part, keys, &inside, err) &&
	       ops->add_to_roll(db, roll, come, keys, err);
}

static bool move_keys(struct db *db, void *mem, const struct roll *roll, const struct key_set *keys, const char *rows,
                      struct key_set *groups, struct viewd_err *err)
{
	const char *columns[KEY_WIDTH_MAX];
	for (size_t i = 0; i < keys->width; i++)
		columns[i] = talloc_asprintf(mem, "viewd_p.f%zu", i + 1);
	char *found = db->ops->incremental.has_key(mem, keys, columns, true),
		 *touched = touched_query(db, mem, roll, found);
	return add_touched(db, groups, touched, keys, err) && move_rows(db, mem, roll, keys, found, rows, err) &&
	       add_touched(db, groups, touched, keys, err);
}

/* *moved_r false: nothing of the part differs. */
static bool move_roll(struct db *db, void *mem, const struct roll *roll, const struct key_set *keys,
                      struct key_set *groups, bool *moved_r, struct viewd_err *err)
{
	const struct db_roll_ops *ops = &db->ops->incremental.roll;
	struct key_set differing = *keys;
	const char *rows = NULL;
	*moved_r = true;
	if (ops->move != NULL)
		return ops->move(db, roll, keys, groups, err);
	if (ops->find_differing != NULL && !ops->find_differing(db, mem, roll, &differing, &rows, err))
		return false;
	*moved_r = differing.n > 0;
	return !*moved_r || move_keys(db, mem, roll, &differing, rows, groups, err);
}

/* Types of the part's columns, as its table has them. They stay what they are as long as its query does. */
static bool know_types(struct db *db, struct roll *roll, struct viewd_err *err)
{
	const struct columns *named = roll->part.columns;
	if (db->ops->incremental.roll.find_differing == NULL || named->items[0].type != NULL)
		return true;
	struct columns *has = columns_of(db, talloc_parent(named), &roll->below.rel, err);
	bool same = has != NULL && has->n == named->n;
	for (size_t i = 0; same && i < has->n; i++)
		same = strcmp(has->names[i], named->names[i]) == 0;
	if (same)
		roll->part.columns = has;
	return has != NULL;
}

bool roll_keys_apply(struct db *db, void *mem, struct roll *roll, const struct key_set *keys, struct part_written *out,
                     struct viewd_err *err)
{
	struct key_set groups = groups_of(db, mem, roll);
	bool moved = true;
	if (db->ops->incremental.roll.move_all != NULL)
		return move_at_once(db, roll, NULL, keys, out, err);
	bool done = know_types(db, roll, err) && move_roll(db, mem, roll, keys, &groups, &moved, err) &&
	            (!moved || write_result(db, mem, roll, &groups, out, err));
	drop_groups(db, &groups);
	return done;
}

/* ---- checking ---- */

bool roll_check(struct db *db, void *mem, const char *view, const struct roll *roll, const struct part_source *source,
                const char *definition, struct viewd_err *err)
{
	return node_same_types(db, mem, view, definition, roll->result.definition, err) &&
	       (!roll->images || columns_of_query(db, mem, added_query(db, mem, view, roll, source), err) != NULL);
}
