/* SPDX-License-Identifier: MIT
 *
 * Rules of the analysis (docs/adr/010-affected-keys.md): for each construct the chain that keeps it, or the refusal
 * and where it stands. Tables r1, r2, r3 have a primary key id and whole numbers that may be NULL; n1 and n2 have
 * columns without NULL.
 */
#include "support/harness.h"
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/analysis_support.h"
#include "unit/plugins/plugins_support.h"

#include <stdlib.h>
#include <talloc.h>

struct rule {
	const char *query;
	const char *line;
};

static void check(const struct syntax *syn, const struct rule *rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		CHECK_STR(analysis_line(harness_ctx(), syn, &rule_facts, rules[i].query), rules[i].line);
}

#define RULES(name, array) \
	static void name(void) \
	{ \
		check(&like_postgresql, array, ARRAY_LEN(array)); \
	}

/* Functions, aggregates and words whose results are not their arguments' alone. */
static const struct rule calls_rules[] = {
	{("select g,count(*) filter(where x>3) n,string_agg(x::text,',' order by x,id) s,array_agg(distinct a "
      "order by a) d from r1 group by g"),
     "part r1.g"},
	{"select g,string_agg(x::text,',') s from r1 group by g", "aggregate string_agg at 1:10"},
	{"select generate_series(1,x) k,id from r1", "function generate_series at 1:8"},
	{"select id, random() from r1", "function random at 1:12"},
	{"select id, now() from r1", "function now at 1:12"},
	{"select id, current_date from r1", "the clock or the user at 1:12"},
	{"select id, nextval('s') from r1", "function nextval at 1:12"},
	{"select id, mine(x) from r1", "aggregate mine at 1:12"},
	{"select id from generate_series(1,2) id", "a function in FROM at 1:16"},
	{"select id from nowhere", "table nowhere at 1:16"},
	{"select id from r1 where x::date = 'today'", "the word today at 1:35"},
	{"select id from r1 where id = $1", "a parameter or variable at 1:30"},
	{"select g from r1 where a = 'now'", "the word now at 1:28"},
	{"select id from r1 order by random()", "part r1.id"},
	{"select id, :p from r1", "a form that only the engine reads at 1:12"},
};
RULES(calls, calls_rules)

/* Relations whose changed rows nothing tells. */
static const struct rule tables_rules[] = {
	{"select id from r1 tablesample system(1)", "TABLESAMPLE at 1:16"},
	{"select id from r1 for update", "FOR UPDATE at 0:0"},
	{"select id from hidden", "relation hidden at 1:16"},
	{"select id from plain", "relation plain at 1:16"},
	{"select id from mat", "relation mat at 1:16"},
	{"select id from far", "relation far at 1:16"},
	{"select id from words", "relation words at 1:16"},
	{"select id from pg_class", "relation pg_class at 1:16"},
	{"select id from only r1", "ONLY at 1:21"},
	{"values (1)", "VALUES at 1:9"},
	{"select 1", "a query without FROM at 1:8"},
	{"select id from other.r1", "table r1 at 1:16"},
	{"select id,, g from r1", "a form that only the engine reads at 1:11"},
	{"select id from r1 where a = 1 and", "a form that only the engine reads at 1:34"},
	{"select id into t from r1", "SELECT INTO at 1:8"},
};
RULES(tables, tables_rules)

/* Rows that depend on other rows: LIMIT, DISTINCT ON, windows, grouping sets, recursion. */
static const struct rule limits_rules[] = {
	{("select r1.g g,r1.x x,l.b b from r1 cross join lateral(select b from r2 where r2.a=r1.a order by b,id limit 2) "
      "l"),
     "the list of columns at 1:8"},
	{("select r1.id,r1.g g,r1.x x,l.b b from r1 cross join lateral(select b from r2 where r2.a=r1.a order by b,id "
      "limit 2) l"),
     "part r1.id"},
	{("select r1.id, r1.x x,l.b b from r1 left join lateral(select b from r2 where r2.a=r1.a order by b,id limit 1) l "
      "on true"),
     "part r1.id"},
	{("select g,x from (select g,x,row_number() over(partition by g order by x,id) rn from r1) q where rn<=2"),
     "part q.g"},
	{("select id,x from (select id,x,row_number() over(partition by g order by x,id) rn from r1) q where rn<=2"),
     "the definition at 1:8"},
	{"select distinct on (g) g,x,a from r1 order by g,x,id", "part r1.g"},
	{"select distinct on (id) id,g,x from r1 order by id,a", "part r1.id"},
	{"select g,x,count(*) n,grouping(g,x) gr from r1 group by grouping sets((g),(x),())", "GROUPING() at 1:23"},
	{"select g,x,count(*) n from r1 group by rollup(g,x)", "grouping sets, ROLLUP or CUBE at 1:40"},
	{("with recursive t(s,d) as (select a,b from r2 union select t.s,r2.b from t join r2 on r2.a=t.d) select s,d from "
      "t"),
     "WITH RECURSIVE at 1:1"},
	{("select g,id,sum(x) over(partition by g order by id rows between 1 preceding and 1 following) s from r1"),
     "part r1.g"},
	{"select g,id,sum(x) over(partition by id order by g) s from r1", "part r1.id"},
	{("select g,id,row_number() over(partition by g order by id) p,row_number() over(partition by a order by id) q "
      "from r1"),
     "the list of columns at 1:8"},
	{"select g,id,row_number() over(order by id) p from r1", "a window function at 1:13"},
	{"select g,x,count(*) n,rank() over(partition by g order by count(*),x) r from r1 group by g,x", "part r1.g"},
	{"select g,x from r1 order by x,id limit 2", "LIMIT or OFFSET at 1:40"},
	{"select id,g from r1 where x in (select b from r2 limit 2)", "LIMIT or OFFSET at 1:56"},
	{"select id, lag(x) over w from r1 window w as (partition by id order by x)", "part r1.id"},
	{"select id from (select * from r1 limit 3) q", "LIMIT or OFFSET at 1:40"},
};
RULES(limits, limits_rules)

/* Set operations, and joins that lose rows on both sides. */
static const struct rule sets_rules[] = {
	{"select a,count(r1.x) n,sum(r2.b) s from r1 full join r2 using(a) group by a", "FULL JOIN at 1:41"},
	{"select g k,x v from r1 union select a,b from r2", "UNION, EXCEPT or INTERSECT at 1:37"},
	{"select g k,x v from r1 except all select a,b from r2", "UNION, EXCEPT or INTERSECT at 1:42"},
	{"select id from r1 natural join r2", "NATURAL JOIN at 1:16"},
};
RULES(sets, sets_rules)

/* Subqueries: tied by equality, or split, or refused. */
static const struct rule subqueries_rules[] = {
	{("select g,count(*) n from r1 where exists(select 1 from r1 i where i.x=r1.a and i.id<>r1.id) group by g"),
     "part r1.id | roll of 1 by r1.g"},
	{"select g,count(*) n from r1 where exists(select 1 from r2 where r2.a=r1.a and r2.b>r1.x) group by g",
     "part r1.id | roll of 1 by r1.g"},
	{"select g,count(*) n from r1 where exists(select 1 from r2 where r2.b>r1.x) group by g",
     "a subquery tied by no equality at 1:35"},
	{"select g,count(*) n from r1 where a not in (select a from r2) group by g",
     "NOT IN over columns that may be NULL at 1:35"},
	{"select g,count(*) n from n1 where a not in (select a from n2) group by g", "part n1.id | roll of 1 by n1.g"},
	{"select g,count(*) n from r1 where a in (select a from r2 group by a having count(*)>1) group by g",
     "part r1.id | roll of 1 by r1.g"},
	{"select g,count(*) n from r1 where not (a in (select a from r2)) group by g",
     "NOT IN over columns that may be NULL at 1:40"},
	{"select g,count(*) n from r1 where (a in (select a from r2)) is null group by g",
     "a subquery that does not follow from the row at 1:36"},
	{"select g,count(*) n from r1 where x>(select avg(b) from r2) group by g",
     "roll of images | part r1.id | top of 1, 2"},
	{"select g,count(*) n from r1 where exists (select 1 from r2) group by g",
     "a subquery that does not follow from the row at 1:35"},
	{"select id,(select count(*) from r2 where r2.a=r1.a) from r1", "part r1.id"},
	{"select id,(select count(*) from r2 where r2.a operator(pg_catalog.=) r1.a) from r1", "part r1.id"},
	{"select id,(select count(*) from r2 where r2.a operator(mine.=) r1.a) from r1",
     "a subquery tied by no equality at 1:11"},
	{"select id from r1 where a operator(pg_catalog.=) any (select b from r2)", "part r1.id"},
	{"select id from r1 where a operator(mine.=) any (select b from r2)",
     "a subquery that does not follow from the row at 1:25"},
	{"select id,(select count(*) from r2) from r1", "roll of images | part r1.id | top of 1, 2"},
	{"select id from big where a = (select max(x) from r1)", "a subquery that does not follow from the row at 1:30"},
	{"select id from big where a in (select a from r1 where x > (select avg(b) from r2 where r2.a=r1.a))",
     "part big.id"},
	{"select id from r1 where x > all (select b from r2)", "a subquery that does not follow from the row at 1:25"},
	{"select g from r1 group by g having count(*) > (select count(*) from r2 where r2.a = g)", "part r1.g"},
	{("select g, count(*) from r1 where not exists (select 1 from r2 where r2.a = r1.a and r2.b = 3) group by g"),
     "part r1.id | roll of 1 by r1.g"},
	{("select r1.id, q.n from r1, (select a, count(*) n from r2 where b in (select b from r3) group by a) q where q.a "
      "= r1.a"),
     "part r1.id"},
	{("select r1.id from r1 where exists (select 1 from r2 where r2.a = r1.a and exists (select 1 from r3 where r3.b = "
      "r2.b))"),
     "part r1.id"},
	{("select r1.id from r1 where exists (select 1 from r2 where r2.a = r1.a and r2.a = r1.x) and exists "
      "(select 1 from r3 where r3.b = r1.x)"),
     "part r1.id"},
	{("select r1.id, r2.id from r1, r2, r3 where exists (select 1 from n1 where n1.a = r1.a and n1.a = r2.a) and r3.b "
      "= r2.b"),
     "table r2 at 1:30"},
	{"select id, g from r1 where g = any (array[1,2])", "part r1.id"},
	{"select id from r1 where (a, g) in (select a, b from r2)", "part r1.id"},
	{"select id from r1 where x = (select max(b) from r2 where r2.a = r1.a)", "part r1.id"},
	{("select m.g, m.s from (select g, sum(x) s from r1 group by g) m where m.s = (select max(s) from "
      "(select g, sum(x) s from r1 group by g) n)"),
     "roll of images by r1.g | top of 1"},
	{"select g, count(*) from r1 group by g having g in (select b from r2)",
     "a subquery that does not follow from the row at 1:46"},
	{"select g, count(*) from n1 group by g having g not in (select a from n2)", "part n1.g"},
};
RULES(subqueries, subqueries_rules)

/* Derived tables. */
static const struct rule derived_rules[] = {
	{("select r1.g g,count(*) n from r1 join (select a,count(*) c from r2 group by a) q on r1.x=q.c group by r1.g"),
     "roll of images by r2.a | top of 1, r1"},
	{("select r1.g g,count(*) n from r1 join (select a,count(*) c from r2 group by a) q on r1.x=q.a group by r1.g"),
     "part r1.id | roll of 1 by r1.g"},
	{"select c,count(*) n from (select a,count(*) c from r2 group by a) iv group by c",
     "roll of images by r2.a | top of 1"},
	{"select r1.id, b.b from r1 left join (select a, max(b) b from r2 group by a) b on b.a=r1.a", "part r1.id"},
	{"with q as (select g, sum(x) s from r1 group by g) select g, s from q where s > 3", "part q.g"},
	{"with q as (select g, sum(x) s from r1 group by g) select q.g, q.s, r2.b from q join r2 on r2.a=q.g", "part q.g"},
	{"with q as (select id, x from r1) select a.id, b.x from q a join q b on a.id=b.x", "the list of columns at 1:41"},
	{"select id from (select * from r1) q", "part r1.id"},
	{"select r1.id from r1, lateral (select max(b) b from r2 where r2.a = r1.a) m where m.b > 3", "part r1.id"},
};
RULES(derived, derived_rules)

/* Sums that can be moved by differences, and others. */
static const struct rule sums_rules[] = {
	{"select g,sum(f) from n1 group by g", "part n1.g"},
	{"select g,sum(free) from n1 group by g", "part n1.g"},
	{"select g,sum(money*2) from n1 group by g", "roll of images by n1.g"},
	{"select g,sum(money/2) from n1 group by g", "part n1.g"},
	{"select g,min(x),max(x) from r1 group by g", "roll of images by r1.g"},
	{"select g,min(t) from n1 group by g", "part n1.g"},
	{"select distinct g from r1", "roll of images by r1.g"},
	{"select g, count(distinct x) from r1 join r2 on r2.id=r1.a group by g", "part r1.g"},
	{"select count(distinct x) from r1", "aggregate count at 1:8"},
	{"select g, sum(x) as x from r1 group by g having sum(x) > 3", "roll of images by r1.g"},
	{"select g, avg(x), sum(x)/count(*), 100*sum(x)/sum(a) from r1 group by g having avg(x) > 2",
     "roll of images by r1.g"},
	{"select g, bool_and(x > 1) from r1 group by g", "part r1.g"},
	{"select distinct count(*) from r1 group by g", "DISTINCT beside GROUP BY at 1:17"},
	{"select sum(f) from n1 group by g", "the list of columns at 1:8"},
	{"select distinct g, x from r1 join r2 on r2.id = r1.a", "part r1.id | roll of 1 by r1.g, r1.x"},
};
RULES(sums, sums_rules)

/* Joins: every place where a table stands has a way to the key, or there is none. */
static const struct rule joins_rules[] = {
	{"select t1.g g,count(*) n,sum(t2.x) s from r1 t1 join r1 t2 on t1.a=t2.x group by t1.g",
     "part t1.id | roll of 1 by t1.g"},
	{"select r1.g g,r2.b b,count(*) n from r1 left join r2 on r1.a=r2.a group by r1.g,r2.b",
     "part r1.id | roll of 1 by r1.g, r2.b"},
	{"select r1.g g,count(*) n,count(r2.b) m from r1 left join r2 on r1.a=r2.a and r1.x>3 group by r1.g",
     "part r1.id | roll of 1 by r1.g"},
	{"select r1.g g,count(*) n from r1 left join r2 on r1.a=r2.a where r2.id is null group by r1.g",
     "part r1.id | roll of 1 by r1.g"},
	{"select r1.g g,count(*) n from r1 right join r2 on r1.a=r2.a group by r1.g", "part r2.id | roll of 1 by r1.g"},
	{"select g,count(*) n from r1 join r2 on r1.x<r2.b group by g", "table r2 at 1:34"},
	{"select g,count(*) n,sum(r2.b) s from r1 cross join r2 group by g", "table r2 at 1:52"},
	{"select r1.g g,r3.h h,count(*) n from r1 join r2 on r1.a=r2.a join r3 on r2.b=r3.b group by 1,2",
     "part r1.id | roll of 1 by r1.g, r3.h"},
	{"select r1.g g,count(*) n from r1 join r2 on r1.a is not distinct from r2.a group by r1.g",
     "part r1.id | roll of 1 by r1.g"},
	{"select r1.g g,count(*) n from r1 join r2 on r1.a=r2.a+1 group by r1.g", "table r2 at 1:39"},
	{"select r1.g g,count(*) n from r1 join r2 on r1.a=r2.a or r1.x=r2.b group by r1.g", "table r2 at 1:39"},
	{("select r1.g g,count(*) n from r1 join r2 on (r1.a=r2.a and r1.x=1) or (r1.a=r2.a and r2.b=2) group by r1.g"),
     "part r1.id | roll of 1 by r1.g"},
	{"select r1.*, r2.b from r1 join r2 on r2.id=r1.a", "part r1.id"},
	{"select n1.id from n1 join n2 on n1.t=n2.t", "part n1.id"},
	{"select n1.id from n1 join n2 on n1.c=n2.t", "table n2 at 1:27"},
	{"select a.id, c.h from r1 a left join r2 b on b.id=a.a left join r3 c on c.id=b.b", "part a.id"},
	{"select r1.id from r1, r2 q(z) where z = r1.id", "columns renamed at a table at 1:23"},
	{"select n1.id from n1 join n2 on n1.t = n2.t collate \"C\"", "table n2 at 1:27"},
	{"select r1.id, r1.a from r1 join r2 on r1.a=r2.a left join r3 on r3.b=r2.b and r1.x=r1.g", "part r1.id"},
	{"select r1.id from r1 left join (r2 join r3 on r2.b=r3.b) on r1.a=r2.a", "part r1.id"},
	{"select r1.id from r1 left join r2 on r1.a = r1.x and r2.b = 1", "table r2 at 1:32"},
	{"select g, count(*) from r1 left join r2 using (a) group by g", "part r1.id | roll of 1 by r1.g"},
	{"select a, count(*) from r1 join r2 using (a) group by a", "part r1.id | roll of 1 by r1.a"},
	{"select sum(x) from r1 join r2 on r1.a = r2.a", "part r1.id | roll of 1"},
	{"select t1.id, t2.x from r1 t1 join r1 t2 on t2.id = t1.a", "part t1.id"},
	{"select count(*) from r1 join r2 on r1.a = r2.a group by r1.g", "GROUP BY r1.g at 1:57"},
};
RULES(joins, joins_rules)

/* Columns, keys and groups. */
static const struct rule rest_rules[] = {
	{"select g%2 k,count(*) n from r1 group by 1", "roll of images by (r1.g % 2)"},
	{"select count(*) n,sum(x) s from r1", "roll of images"},
	{"select g,x from r1", "the list of columns at 1:8"},
	{"select id,x from r1 where x>3", "part r1.id"},
	{"select a,g from heap", "the definition at 1:8"},
	{"select g,x,count(*) from r1 group by g", "column x at 1:10"},
	{"select id,x,count(*) from r1 group by id", "roll of images by r1.id"},
	{"select * from r1", "part r1.id"},
	{"select x+1 as g, count(*) from r1 group by g", "GROUP BY g at 1:44"},
	{"select id from r1 where g is null or a is not null and x between 1 and 2", "part r1.id"},
	{"select count(*) from r1 where a in (1, 2) and x like '%3' and not (g between 1 and 3)", "roll of images"},
	{"select id from public.r1", "part r1.id"},
	{"select id from r1 group by id", "roll of images by r1.id"},
	{"select count(*) from r1 group by g", "GROUP BY r1.g at 1:34"},
};
RULES(rest, rest_rules)

/* Rows that are picked or counted need an order that leaves no two of them equal. */
static const struct rule orders_rules[] = {
	{"select id, row_number() over (partition by g order by x) p, g from r1", "window function row_number at 1:12"},
	{"select id, row_number() over (partition by g order by x, id) p, g from r1", "part r1.g"},
	{"select id, row_number() over (partition by id order by x) p from r1", "part r1.id"},
	{"select g, rank() over (partition by g order by x) p from r1", "part r1.g"},
	{"select g, sum(x) over (partition by g order by x rows 1 preceding) p from r1", "window function sum at 1:11"},
	{"select g, x, lag(x) over w from r1 window w as (partition by g order by x)", "window function lag at 1:14"},
	{"select g, x, lag(x) over w from r1 window w as (partition by g order by x, id)", "part r1.g"},
	{"select distinct on (g) g, x from r1 order by g, x", "DISTINCT ON at 1:21"},
	{"select r1.id, l.b from r1, lateral (select b from r2 where r2.a = r1.a order by random() limit 1) l",
     "function random at 1:81"},
	{"select r1.id, l.b from r1, lateral (select b from r2 where r2.a = r1.a order by b limit 1) l",
     "LIMIT or OFFSET at 1:89"},
	{"select r1.id, l.b from r1, lateral (select b from r2 where r2.a = r1.a order by b, r2.id limit 1) l",
     "part r1.id"},
	{"select id, (select b from r2 where r2.a = r1.a limit 1) from r1", "LIMIT or OFFSET at 1:54"},
	{"select id from r1 where exists (select 1 from r2 where r2.a = r1.a order by id limit (select 1))",
     "a computed LIMIT or OFFSET at 1:86"},
	{"select nullif(a, g), count(*) from r1 group by a = g", "column a at 1:15"},
};
RULES(orders, orders_rules)

/* Another engine's quotes, comments and strings are read in their places. */
static void other_spellings(void)
{
	static const struct rule mysql[] = {
		{"select `r1`.`id`, `g` from `r1` -- rows\n where `a` = \"x'y\" and x = 'it\\'s'", "part r1.id"},
		{"select id /* ; */ from r1 # end", "part r1.id"},
		{"select ID, G from R1", "part r1.id"},
		{"select id from r1 where a <=> g", "part r1.id"},
		{"select r1.id from r1 join r2 on r1.a <=> r2.a", "part r1.id"},
		{"select `id`,\n `a``b` from r1", "a name with quotes in it at 2:2"},
		{"select id from r1 where a = @x", "a parameter or variable at 1:29"},
		{"select g, count(*) from r1 group by g with rollup", "a form that only the engine reads at 1:39"},
		{"select id from r1 partition (p0)", "columns renamed at a table at 1:16"},
		{"select straight_join id from r1", "column straight_join at 1:8"},
		{"select g, x, count(*) from r1 group by g", "column x at 1:11"},
	};
	static const struct rule sqlite[] = {
		{"select [id], \"g\" from r1 where a == 1", "part r1.id"},
		{"select r1.id from r1 join r2 on r1.a == r2.a", "part r1.id"},
		{"select rowid from r1", "column rowid at 1:8"},
		{"select id from r1 where g = \"text\"", "column text at 1:29"},
		{"select id from r1 where a is g", "a form that only the engine reads at 1:30"},
		{"select id from r1 where max(a, g) > 3", "part r1.id"},
		{"select id from r1 where a > substring(g, 'localtime')", "the word localtime at 1:42"},
		{"select g, x, max(a) from r1 group by g", "column x at 1:11"},
	};
	check(&like_mysql, mysql, ARRAY_LEN(mysql));
	check(&like_sqlite, sqlite, ARRAY_LEN(sqlite));
}

/* Positions count lines and characters, not bytes. */
static void positions(void)
{
	CHECK_STR(
		analysis_line(harness_ctx(), &like_postgresql, &rule_facts, "select id,\n  '\u00e4\u00f6', random()\nfrom r1"),
		"function random at 2:9");
	CHECK_STR(analysis_line(harness_ctx(), &like_postgresql, &rule_facts, "select '\u00e4',, id from r1"),
	          "a form that only the engine reads at 1:12");
}

/* A text of many operators, parentheses or tables is refused before it costs much. */
static void bounds(void)
{
	static const struct {
		const char *before, *again, *after;
		int times;
	} rows[] = {
		{"select id from r1 where x = 1", " + 1", "", 1900},
		{"select id from r1 where x = ", "(", "1", 1900},
		{"select id from r1 where x in (0", ", 1", ")", 1900},
		{"select id from r1 where x in (0", ", 1", ")", 50000},
		{"select r1.id from r1", " join r2 using (a)", "", 300},
		{"with a as (select * from r1)", ", a as (select q.* from a q, a w)", " select * from a", 40},
	};
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *text = talloc_strdup(harness_ctx(), rows[i].before);
		for (int k = 0; k < rows[i].times; k++)
			text = talloc_strdup_append_buffer(text, rows[i].again);
		text = talloc_strdup_append_buffer(text, rows[i].after);
		const struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, text, &rule_facts, 0);
		CHECK(analysis->possible || analysis->refusal.why[0] != '\0');
	}
}

static const struct harness_test tests[] = {
	{"calls", calls},
	{"tables", tables},
	{"limits", limits},
	{"sets", sets},
	{"subqueries", subqueries},
	{"derived", derived},
	{"sums", sums},
	{"joins", joins},
	{"rest", rest},
	{"orders", orders},
	{"other spellings", other_spellings},
	{"positions", positions},
	{"bounds", bounds},
};
HARNESS_MAIN(SUITE("analysis", tests))
