/* SPDX-License-Identifier: MIT
 *
 * Pieces of SQL that the analysis cuts out of a definition (common/analysis/texts.h, and the filters of a source): each
 * means alone what it means in its place, or there is none.
 */
#include "common/analysis/analysis.h"
#include "common/analysis/texts.h"
#include "support/harness.h"
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/plugins_support.h"

#include <talloc.h>

static char *join(const struct analysis_list *list)
{
	char *out = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i < list->n; i++)
		out = talloc_asprintf_append(out, "%s%s", i > 0 ? " | " : "", list->items[i]);
	return out;
}

/* ---- filters ---- */

struct filter_row {
	const char *where; /* of a table r1 */
	const char *filters;
};

static const struct filter_row filter_rows[] = {
	{"x > 3 and a < 2", "x > 3 | a < 2"},
	{"(x > 5 and a > 1) is not true and g = 1", "(x > 5 and a > 1) is not true | g = 1"},
	{"(x > 5 or a > 1) = false and g = 1", "(x > 5 or a > 1) = false | g = 1"},
	{"not (x > 5) and g = 1", "not (x > 5) | g = 1"},
	{"x between 1 and 2 and (a = 1)", "x between 1 and 2 | (a = 1)"},
	{"not ((x > 5 or a = 1)) and ((g = 1) or not (a = 2 and x = 3))",
     "not ((x > 5 or a = 1)) | ((g = 1) or not (a = 2 and x = 3))"},
	{"x > 5 or a = 1 and g = 1", ""},
	{"x between 1 and case when a between 3 and 4 then 5 else 6 end and g = 1",
     "x between 1 and case when a between 3 and 4 then 5 else 6 end | g = 1"},
	{"cast(x as int4) = 3 and a = 1", "cast(x as int4) = 3 | a = 1"},
	{"array[x, a] = array[1, 2] and g = 1", "array[x, a] = array[1, 2] | g = 1"},
	{"x is not null and a is distinct from g", "x is not null | a is distinct from g"},
	{"x >= 3 and x <> 4 and x::int8 != 5", "x >= 3 | x <> 4 | x::int8 != 5"},
	{"r1.x in (1, 2) and (a, g) = (1, 2)", "r1.x in (1, 2) | (a, g) = (1, 2)"},
	{"substring('abc', x) = 'a' and a /* and */ = 1 -- and\n", "substring('abc', x) = 'a' | a /* and */ = 1"},
};

static void filters(void)
{
	for (size_t i = 0; i < ARRAY_LEN(filter_rows); i++) {
		const struct filter_row *row = &filter_rows[i];
		const char *text = talloc_asprintf(harness_ctx(), "select id from r1 where %s", row->where);
		struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, text, &rule_facts, 0);
		if (!CHECK(analysis->possible)) {
			fprintf(stderr, "# %s: %s\n", text, analysis->refusal.construct);
			continue;
		}
		CHECK_STR(join(&analysis->nodes[0].sources[0].filters), row->filters);
	}
}

/* Conditions on one table in all branches of an OR: a row of the table must meet those of one branch. */
struct either_row {
	const char *on; /* r1 and r2 */
	const char *first, *second;
};

static const struct either_row either_rows[] = {
	{"join r2 on r2.id = r1.a where (r1.x = 1 and r2.b = 2) or (r1.x = 3 and r1.g = 4 and r2.b > 5)",
     "(r1.x = 1) OR (r1.x = 3) AND (r1.g = 4)", "(r2.b = 2) OR (r2.b > 5)"},
	{"join r2 on r2.id = r1.a where r1.x = 1 and r2.b = 2 or r1.x = 3 and r2.b > 5 or r2.b = 0 and r1.g in (1, 2)",
     "(r1.x = 1) OR (r1.x = 3) OR (r1.g in (1, 2))", "(r2.b = 2) OR (r2.b > 5) OR (r2.b = 0)"},
	{"join r2 on r2.id = r1.a where (r1.x = 1 and r2.b = 2) or r2.b = 3", "", "(r2.b = 2) OR (r2.b = 3)"},
	{"join r2 on r2.id = r1.a where (r1.x = r2.b and r1.g = 1) or (r1.x between 2 and r2.b and r1.g = 2)",
     "(r1.g = 1) OR (r1.g = 2)", ""},
	{"join r2 on (r2.id = r1.a and (r1.x = 1 or r1.g = 1)) or (r2.id = r1.a and r1.x = 7)",
     "((r1.x = 1 or r1.g = 1)) OR (r1.x = 7)", ""},
	{"join r2 on r2.id = r1.a where not ((r1.x = 1 and r2.b = 2) or (r1.x = 3 and r2.b = 5))", "", ""},
	{"left join r2 on r2.id = r1.a and ((r1.x = 1 and r2.b = 2) or (r1.x = 3 and r2.b = 5))", "",
     "(r2.b = 2) OR (r2.b = 5)"},
	{"left join r2 on r2.id = r1.a where (r1.x = 1 and r2.b is null) or (r1.x = 3 and r2.b = 5)",
     "(r1.x = 1) OR (r1.x = 3)", ""},
	{"join r2 on r2.id = r1.a where (r1.x = 1 and exists (select 1 from r3 where r3.id = r1.a and r3.b = 1)) or "
     "(r1.x = 2 and r2.b = 1)",
     "(r1.x = 1) OR (r1.x = 2)", ""},
};

static void either(void)
{
	for (size_t i = 0; i < ARRAY_LEN(either_rows); i++) {
		const struct either_row *row = &either_rows[i];
		const char *text = talloc_asprintf(harness_ctx(), "select r1.id, r2.b from r1 %s", row->on);
		struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, text, &rule_facts, 0);
		if (!CHECK(analysis->possible)) {
			fprintf(stderr, "# %s: %s\n", text, analysis->refusal.construct);
			continue;
		}
		CHECK_STR(join(&analysis->nodes[0].sources[0].filters), row->first);
		CHECK_STR(join(&analysis->nodes[0].sources[1].filters), row->second);
		CHECK(!analysis->nodes[0].sources[0].complete);
	}
}

/* ---- rolls ---- */

#define S(i) "(CASE WHEN viewd_n.n" #i " > 0 THEN viewd_n.s" #i " END)"

struct roll_row {
	const char *query;
	const char *list; /* NULL: it is not taken apart */
	const char *terms;
	const char *rest; /* groups, rows, having */
};

static const struct roll_row roll_rows[] = {
	{"select g, sum(x) s from r1 where x>=3 group by g", "viewd_n.g1 AS \"g\", " S(1) " s", "x",
     "g, from r1 where x>=3"},
	{"select g, sum(x)>=3 as big, sum(x)::int8 || '' as t from r1 group by g",
     "viewd_n.g1 AS \"g\", " S(1) ">=3 as big, " S(1) "::int8 || '' as t", "x", "g, from r1"},
	{"select g, sum(cast(x as int4)) s, count(*) n from r1 group by g having sum(cast(x as int4)) > 1 and count(*)<>2",
     "viewd_n.g1 AS \"g\", " S(1) " s, viewd_n.cnt n", "cast(x as int4)",
     "g, from r1, " S(1) " > 1 and viewd_n.cnt<>2"},
	{"select g, sum(case when a = 1 and g is null then true::int4 end) s from r1 group by g",
     "viewd_n.g1 AS \"g\", " S(1) " s", "case when a = 1 and g is null then true::int4 end", "g, from r1"},
	{"select g, count(x is not null) n, count(true) t, count(false) f, count(null) z from r1 group by g",
     "viewd_n.g1 AS \"g\", viewd_n.n1 n, viewd_n.n2 t, viewd_n.n3 f, viewd_n.n4 z",
     "x is not null | true | false | null", "g, from r1"},
	{"select g, count(array[x, a]) n, count((select 1)) z from r1 group by g", NULL, NULL, NULL},
	{"select g, sum(x + a) s, sum(x  +  a) t from r1 group by g", "viewd_n.g1 AS \"g\", " S(1) " s, " S(2) " t",
     "x + a | x  +  a", "g, from r1"},
	{"select g as \"order\", sum(x) as \"from\" from r1 group by g", "viewd_n.g1 as \"order\", " S(1) " as \"from\"",
     "x", "g, from r1"},
	{"select k, sum(y) s from (select a k, x + 1 y from r1 where g = 1) as q where y > 2 group by q.k",
     "viewd_n.g1 AS \"k\", " S(1) " s", "y", "q.k, from (select a k, x + 1 y from r1 where g = 1) as q where y > 2"},
	{"select n, count(*) m, sum(n) s from (select r1.id, count(r2.b) from r1 left join r2 on r2.a = r1.id group by "
     "r1.id) as q (k, n) group by n",
     "viewd_n.g1 AS \"n\", viewd_n.cnt m, " S(2) " s", "n",
     "n, from (select r1.id, count(r2.b) from r1 left join r2 on r2.a = r1.id group by r1.id) as q (k, n)"},
	{"select g, sum(case when a > 1 then money else 0 end) s from n1 group by g",
     "viewd_n.g1 AS \"g\", (CASE WHEN viewd_n.n1 > 0 THEN (CASE WHEN viewd_n.m1 > 0 THEN viewd_n.s1 ELSE "
     "round(viewd_n.s1, 0) END) END) s",
     "case when a > 1 then money else 0 end", "g, from n1"},
	{"select g, sum(case when a > 1 then money when a > 2 then 0.5 else 0 end) s from n1 group by g", NULL, NULL, NULL},
	{"select r1.g, count(*) n from r1 where (x > 1 and a > 2) is not false group by r1.g",
     "viewd_n.g1 AS \"g\", viewd_n.cnt n", "", "r1.g, from r1 where (x > 1 and a > 2) is not false"},
};

static char *terms_of(const struct analysis_texts *texts)
{
	char *out = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i < texts->n_terms; i++)
		if (texts->terms[i].arg != NULL)
			out = talloc_asprintf_append(out, "%s%s", out[0] != '\0' ? " | " : "", texts->terms[i].arg);
	return out;
}

static void check_roll(const struct roll_row *row)
{
	struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, row->query, &rule_facts, 0);
	const struct analysis_texts *texts = analysis->possible ? analysis->nodes[analysis->n_nodes - 1].texts : NULL;
	if (!CHECK((texts != NULL) == (row->list != NULL)))
		fprintf(stderr, "# %s\n", row->query);
	if (texts == NULL || row->list == NULL)
		return;
	CHECK_STR(texts->list, row->list);
	CHECK_STR(terms_of(texts), row->terms);
	CHECK_STR(talloc_asprintf(harness_ctx(), "%s, %s%s%s", join(&texts->groups), texts->rows,
	                          texts->having != NULL ? ", " : "", texts->having != NULL ? texts->having : ""),
	          row->rest);
}

static void rolls(void)
{
	for (size_t i = 0; i < ARRAY_LEN(roll_rows); i++)
		check_roll(&roll_rows[i]);
}

/* ---- columns that are printed alike ---- */

/* Two derived tables give columns of one name: a group is the one that it is, not the one of that name. */
static void columns_of_one_name(void)
{
	static const char query[] = "select p.k pk, p.k again, sum(p.x) a, sum(q.x) b from (select id, g k, x from r1) p, "
								"(select id, b k, a x from r2) q where p.id = q.id group by p.k, q.k";
	struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, query, &rule_facts, 0);
	if (analysis->possible)
		CHECK_INT(analysis->nodes[analysis->n_nodes - 1].row_columns.n, 0);
	for (size_t i = 0; analysis->possible && i < analysis->n_nodes; i++)
		CHECK(analysis->nodes[i].texts == NULL);
}

static const struct harness_test tests[] = {
	{"filters", filters},
	{"either", either},
	{"rolls", rolls},
	{"columns of one name", columns_of_one_name},
};

HARNESS_MAIN(SUITE("analysis texts", tests))
