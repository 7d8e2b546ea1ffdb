/* SPDX-License-Identifier: MIT
 *
 * Definitions that are split into pieces and a small query over them (common/analysis/split/split.h): the text of the
 * query, and those of the pieces.
 */
#include "common/analysis/analysis.h"
#include "support/harness.h"
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/plugins_support.h"

#include <talloc.h>

/* As an engine that moves sums. */
static bool runs(void *ctx UNUSED, const struct analysis *analysis, bool piece UNUSED)
{
	const struct analysis_node *last = &analysis->nodes[analysis->n_nodes - 1];
	return last->kind == ANALYSIS_PART || last->texts != NULL;
}

/* "top # piece # =1", where =1 has the roll of the first piece. */
static const char *split_line_by(const struct syntax *syn, const char *text, const struct facts *facts)
{
	const struct analysis *analysis = analysis_keep(harness_ctx(), syn, text, facts, runs, NULL);
	if (!analysis->possible)
		return analysis->refusal.construct;
	if (analysis->top == NULL)
		return "no top";
	char *line = talloc_strdup(harness_ctx(), analysis->top->text);
	for (size_t i = 0; i < analysis->top->n_pieces; i++) {
		const struct analysis_piece *piece = &analysis->top->pieces[i];
		line = piece->same != 0 ? talloc_asprintf_append(line, " # =%zu", piece->same)
		                        : talloc_asprintf_append(line, " # %s", piece->text);
	}
	return line;
}

static const char *split_line(const struct syntax *syn, const char *text)
{
	return split_line_by(syn, text, &rule_facts);
}

struct split_row {
	const char *query, *line;
};

static void check(const struct syntax *syn, const struct split_row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_STR(split_line(syn, rows[i].query), rows[i].line);
}

static void subqueries(void)
{
	static const struct split_row rows[] = {
		{"select id, h from r3 where h < (select count(*) from r1) and id > 3",
	     ("SELECT viewd_p.viewd_v2 AS \"id\", viewd_p.viewd_v1 AS \"h\" FROM (SELECT viewd_n.\"viewd_v1\", "
	      "viewd_n.\"viewd_v2\" FROM viewd_piece_2 AS viewd_n) AS viewd_p WHERE (viewd_p.viewd_v1 < (SELECT "
	      "viewd_n.\"viewd_c1\" FROM viewd_piece_1 AS viewd_n)) # select count(*) AS viewd_c1 from r1 # SELECT "
	      "h AS viewd_v1, id AS viewd_v2 from r3 where 1 = 1 and id > 3")},
		{("select q.g, q.s * 100 / t.s as share from (select g, sum(x) as s from r1 group by g) q, (select "
	      "sum(x) s from r1) t"),
	     ("select q.g, q.s * 100 / t.s as share from (SELECT viewd_n.\"g\", viewd_n.\"s\" FROM viewd_piece_1 "
	      "AS viewd_n) q, (SELECT viewd_n.\"s\" FROM viewd_piece_2 AS viewd_n) t # select g, sum(x) as s from "
	      "r1 group by g # select sum(x) s from r1")},
		{"with q (k, s) as (select g, sum(x) from r1 group by g) select k from q, r3 where s = r3.h",
	     ("with q (k, s) as (SELECT viewd_n.\"g\", viewd_n.\"viewd_c2\" FROM viewd_piece_1 AS viewd_n) select "
	      "k from q, r3 where s = r3.h # select g, sum(x) AS viewd_c2 from r1 group by g")},
		{"with q as (select g, sum(x) s from r1 group by g) select q.g from q where s = (select max(s) from q)",
	     ("with q as (SELECT viewd_n.\"g\", viewd_n.\"s\" FROM viewd_piece_1 AS viewd_n) select q.g from q "
	      "where s = (select max(s) from q) # select g, sum(x) s from r1 group by g")},
		{("select m.g from (select g, sum(x) s from r1 group by g) m where m.s = (select max(s) from (select "
	      "sum(x) s from r1   group by g) n)"),
	     ("select m.g from (SELECT viewd_n.\"g\", viewd_n.\"s\" FROM viewd_piece_1 AS viewd_n) m where m.s = "
	      "(select max(s) from (SELECT viewd_n.\"s\" FROM viewd_piece_2 AS viewd_n) n) # select g, sum(x) s "
	      "from r1 group by g # =1")},
		{"select id from r1 where x in (select count(*) from r2 group by a)",
	     ("SELECT viewd_p.viewd_v2 AS \"id\" FROM (SELECT viewd_n.\"viewd_v1\", viewd_n.\"viewd_v2\" FROM "
	      "viewd_piece_2 AS viewd_n) AS viewd_p WHERE (viewd_p.viewd_v1 in (SELECT viewd_n.\"viewd_c1\" FROM "
	      "viewd_piece_1 AS viewd_n)) # select count(*) AS viewd_c1, a AS viewd_k1 from r2 group by a # SELECT "
	      "x AS viewd_v1, id AS viewd_v2 from r1 where 1 = 1")},
		{"select id, (select r2.b from r2 where r2.id = r1.a) v from r1 where x > (select avg(b) from r2)",
	     ("select id, (select r2.b from r2 where r2.id = r1.a) v from r1 where x > (SELECT "
	      "viewd_n.\"viewd_c1\" FROM viewd_piece_1 AS viewd_n) # select avg(b) AS viewd_c1 from r2")},
		{("with r2 as (select id, b from r3) select n from (select b, count(*) n from r2 group by b) q, n1 "
	      "where n1.a = q.n"),
	     "the list of columns"},
		{("with r2 as (select b, count(*) n from r3 group by b) select q.n, r2.n from (select n from r2 group "
	      "by n) q, r2 where r2.b = q.n"),
	     ("with r2 as (SELECT viewd_n.\"b\", viewd_n.\"n\" FROM viewd_piece_1 AS viewd_n) select q.n, r2.n "
	      "from (select n from r2 group by n) q, r2 where r2.b = q.n # select b, count(*) n from r3 group by b")},
		{"select x from (select count(*) c from r1 group by g) q, r2 viewd_piece_1", "column x"},
		{"select id from r1 where x > (select avg(b) from r2 where r2.a > r1.a)", "a subquery tied by no equality"},
		{"select id from n1 where a not in (select b from r2)", "NOT IN over columns that may be NULL"},
	};
	check(&like_postgresql, rows, ARRAY_LEN(rows));
}

static void groups_and_limits(void)
{
	static const struct split_row rows[] = {
		{"select g, sum(x) as s from r1 group by g having sum(x) > (select sum(x) from r1) * 2 and g > 1",
	     ("SELECT viewd_p.viewd_g1 AS \"g\", viewd_p.viewd_a1 as s FROM (SELECT viewd_n.\"viewd_g1\", "
	      "viewd_n.\"viewd_a1\" FROM viewd_piece_2 AS viewd_n) AS viewd_p WHERE viewd_p.viewd_a1 > (SELECT "
	      "viewd_n.\"viewd_c1\" FROM viewd_piece_1 AS viewd_n) * 2 and viewd_p.viewd_g1 > 1 # select sum(x) AS "
	      "viewd_c1 from r1 # SELECT g AS viewd_g1, sum(x) AS viewd_a1 from r1 GROUP BY g")},
		{"select g % 2 as k, count(*) n from r1 group by g % 2 having count(*) > (select count(*) from r2)",
	     ("select g % 2 as k, count(*) n from r1 group by g % 2 having count(*) > (SELECT viewd_n.\"viewd_c1\" "
	      "FROM viewd_piece_1 AS viewd_n) # select count(*) AS viewd_c1 from r2")},
		{"select count(*) n from r1 having count(*) > (select count(*) from r2)",
	     ("SELECT viewd_p.viewd_a1 n FROM (SELECT viewd_n.\"viewd_a1\" FROM viewd_piece_2 AS viewd_n) AS "
	      "viewd_p WHERE viewd_p.viewd_a1 > (SELECT viewd_n.\"viewd_c1\" FROM viewd_piece_1 AS viewd_n) # "
	      "select count(*) AS viewd_c1 from r2 # SELECT count(*) AS viewd_a1 from r1")},
		{"select r1.g, sum(r2.b) s from r1 join r2 on r2.a = r1.a group by r1.g order by s, g limit 3",
	     ("SELECT viewd_p.* FROM (SELECT viewd_n.\"g\", viewd_n.\"s\" FROM viewd_piece_1 AS viewd_n) AS "
	      "viewd_p order by s, g limit 3 # select r1.g, sum(r2.b) s from r1 join r2 on r2.a = r1.a group by "
	      "r1.g")},
		{"select g, count(*) n from r1 group by g order by n limit 3", "LIMIT or OFFSET"},
		{"select id, x from r1 order by x, id limit 3", "LIMIT or OFFSET"},
		{"select r1.id, r2.b from r1 join r2 on r2.id = r1.a order by r1.id, r2.id limit 3", "LIMIT or OFFSET"},
		{"select count(*) n, sum(x) s from r1 where a > (select avg(b) from r2) group by g % 2",
	     ("SELECT count(*) n, sum(viewd_p.viewd_v2) s FROM (SELECT viewd_n.\"viewd_v1\", viewd_n.\"viewd_v2\", "
	      "viewd_n.\"viewd_v3\" FROM viewd_piece_2 AS viewd_n) AS viewd_p WHERE (viewd_p.viewd_v1 > (SELECT "
	      "viewd_n.\"viewd_c1\" FROM viewd_piece_1 AS viewd_n)) group by viewd_p.viewd_v3 % 2 # select avg(b) "
	      "AS viewd_c1 from r2 # SELECT a AS viewd_v1, x AS viewd_v2, g AS viewd_v3, \"r1\".\"id\" AS viewd_k1 "
	      "from r1 where 1 = 1")},
	};
	check(&like_postgresql, rows, ARRAY_LEN(rows));
}

/* A branch is a piece as it stands. The first one's names are those of all. */
static void branches(void)
{
	static const struct split_row rows[] = {
		{"select g as k, sum(x) as v from r1 group by g union all select a, count(*) from r2 group by a order by 1",
	     ("SELECT viewd_n.\"k\", viewd_n.\"v\" FROM viewd_piece_1 AS viewd_n union all SELECT viewd_n.\"a\", "
	      "viewd_n.\"viewd_c2\" FROM viewd_piece_2 AS viewd_n order by 1 # select g as k, sum(x) as v from r1 group by "
	      "g "
	      "# select a, count(*) AS viewd_c2 from r2 group by a")},
		{("select k, max(v) m from (select g k, sum(x) v from r1 group by g except select a, b from r2 intersect "
	      "(select "
	      "a, count(*) from r2 group by a)) u group by k"),
	     ("select k, max(v) m from (SELECT viewd_n.\"k\", viewd_n.\"v\" FROM viewd_piece_1 AS viewd_n except SELECT "
	      "viewd_n.\"a\", viewd_n.\"b\" FROM viewd_piece_2 AS viewd_n intersect (SELECT viewd_n.\"a\", "
	      "viewd_n.\"viewd_c2\" FROM viewd_piece_3 AS viewd_n)) u group by k # select g k, sum(x) v from r1 group by g "
	      "# "
	      "select a, b, \"r2\".\"id\" AS viewd_k1 from r2 # select a, count(*) AS viewd_c2 from r2 group by a")},
		{("with q as (select g, sum(x) s from r1 group by g) select g from q union select g from q where s > 3"),
	     ("with q as (SELECT viewd_n.\"g\", viewd_n.\"s\" FROM viewd_piece_1 AS viewd_n) select g from q union select "
	      "g "
	      "from q where s > 3 # select g, sum(x) s from r1 group by g")},
		{"select g, count(*) from r1 group by g union select a, b from r2", "UNION, EXCEPT or INTERSECT"},
		{"select g k, x v from r1 union select a, b from r2", "UNION, EXCEPT or INTERSECT"},
		{"select g k, sum(x) v from r1 group by g union all select a, b from r2 order by k limit 3", "LIMIT or OFFSET"},
		{"select g k, sum(x) v from r1 group by g union all select a from r2", "UNION, EXCEPT or INTERSECT"},
	};
	check(&like_postgresql, rows, ARRAY_LEN(rows));
}

static void full_joins(void)
{
	static const struct split_row rows[] = {
		{("select q.g, p.n from (select g, sum(x) s from r1 group by g) q full join (select a, count(*) n from r2 "
	      "group "
	      "by a) p on p.a = q.g"),
	     ("select q.g, p.n from (SELECT viewd_n.\"g\", viewd_n.\"s\" FROM viewd_piece_1 AS viewd_n) q full join "
	      "(SELECT "
	      "viewd_n.\"a\", viewd_n.\"n\" FROM viewd_piece_2 AS viewd_n) p on p.a = q.g # select g, sum(x) s from r1 "
	      "group "
	      "by g # select a, count(*) n from r2 group by a")},
		{"select a, r1.x from r1 full join r2 using (a) where r1.x > (select avg(b) from r2)",
	     ("select a, r1.x from r1 full join r2 using (a) where r1.x > (SELECT viewd_n.\"viewd_c1\" FROM viewd_piece_1 "
	      "AS "
	      "viewd_n) # select avg(b) AS viewd_c1 from r2")},
	};
	check(&like_postgresql, rows, ARRAY_LEN(rows));
}

/* Sums over customers, of which there are many, by nation, of which there are few. */
static void sums_below_a_join(void)
{
	static const char *const small[] = {"integer", NULL};
	static const struct split_row rows[] = {
		{("select n.n_name, count(*) as n, sum(c.c_acctbal) as s, sum(c_custkey) as k from customer c join nation as n "
	      "on "
	      "c.c_nationkey = n.n_nationkey where c_acctbal > 0 and n.n_regionkey < 3 group by n.n_name"),
	     ("select n.n_name, (sum(\"c\".viewd_e1))::int8 as n, sum(\"c\".viewd_e2) as s, (sum(\"c\".viewd_e3))::int8 as "
	      "k "
	      "from (SELECT viewd_n.\"c_nationkey\", viewd_n.\"viewd_e1\", viewd_n.\"viewd_e2\", viewd_n.\"viewd_e3\" FROM "
	      "viewd_piece_1 AS viewd_n) AS \"c\" join nation as n on c.c_nationkey = n.n_nationkey where 1 = 1 and "
	      "n.n_regionkey < 3 group by n.n_name # SELECT \"c\".\"c_nationkey\", count(*) AS viewd_e1, sum(c.c_acctbal) "
	      "AS "
	      "viewd_e2, sum(c_custkey) AS viewd_e3 FROM customer c WHERE (c_acctbal > 0) GROUP BY \"c\".\"c_nationkey\"")},
		{"select n_name, avg(c_acctbal) as s from customer, nation where c_nationkey = n_nationkey group by n_name",
	     "no top"},
		{"select n_name, sum(c_custkey + 1) as s from customer, nation where c_nationkey = n_nationkey group by n_name",
	     "no top"},
		{"select n_name, sum(c_custkey) as s from customer left join nation on c_nationkey = n_nationkey group by "
	     "n_name",
	     "no top"},
		{"select c_name, count(*) as n from customer, nation where c_nationkey = n_nationkey group by c_name",
	     "no top"},
		{"select n_name, count(*) as n from customer, nation where c_mktsegment = n_name group by n_name", "no top"},
		{"select c_nationkey, count(*) as n from customer, orders where c_custkey = o_custkey group by c_nationkey",
	     "no top"},
	};
	struct facts facts = tpch_facts;
	facts.sum_of_counts = facts.sum_of_small = "(sum({}))::int8";
	facts.small_types = small;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		CHECK_STR(split_line_by(&like_postgresql, rows[i].query, &facts), rows[i].line);
}

/* Names are quoted by the engine's rule. */
static void other_engines(void)
{
	static const struct split_row mysql[] = {
		{"select `g`, count(*) n from `r1` group by `g` having count(*) > (select count(*) from r2)",
	     ("SELECT viewd_p.viewd_g1 AS `g`, viewd_p.viewd_a1 n FROM (SELECT viewd_n.`viewd_g1`, viewd_n.`viewd_a1` FROM "
	      "viewd_piece_2 AS viewd_n) AS viewd_p WHERE viewd_p.viewd_a1 > (SELECT viewd_n.`viewd_c1` FROM viewd_piece_1 "
	      "AS "
	      "viewd_n) # select count(*) AS viewd_c1 from r2 # SELECT `g` AS viewd_g1, count(*) AS viewd_a1 from `r1` "
	      "GROUP BY "
	      "`g`")},
	};
	check(&like_mysql, mysql, ARRAY_LEN(mysql));
}

static const struct harness_test tests[] = {
	{"sums below a join", sums_below_a_join},
	{"subqueries", subqueries},
	{"groups and limits", groups_and_limits},
	{"branches", branches},
	{"full joins", full_joins},
	{"other engines", other_engines},
};

HARNESS_MAIN(SUITE("analysis, splitting", tests))
