/* SPDX-License-Identifier: MIT
 *
 * The 22 queries of TPC-H, with the parameters of its validation runs, and the chains that keep them.
 */
#include "support/harness.h"
#include "unit/plugins/analysis_facts.h"
#include "unit/plugins/analysis_support.h"
#include "unit/plugins/plugins_support.h"

#include <talloc.h>

#define REVENUE "l_extendedprice * (1 - l_discount)"
#define SUPPLIER_REVENUE \
	"SELECT l_suppkey AS supplier_no, sum(" REVENUE ") AS total_revenue FROM lineitem " \
	"WHERE l_shipdate >= DATE '1996-01-01' AND l_shipdate < DATE '1996-04-01' GROUP BY l_suppkey"
#define GERMAN \
	"FROM partsupp, supplier, nation " \
	"WHERE ps_suppkey = s_suppkey AND s_nationkey = n_nationkey AND n_name = 'GERMANY'"
#define CODES "substring(c_phone FROM 1 FOR 2) IN ('13', '31', '23', '29', '30', '18', '17')"

static const struct {
	const char *query;
	const char *chain;
} queries[] = {
	{("SELECT l_returnflag, l_linestatus, sum(l_quantity) AS sum_qty, sum(l_extendedprice) AS sum_base_price,\n"
      "       sum(" REVENUE ") AS sum_disc_price, sum(" REVENUE " * (1 + l_tax)) AS sum_charge,\n"
      "       avg(l_quantity) AS avg_qty, avg(l_extendedprice) AS avg_price, avg(l_discount) AS avg_disc, count(*) AS "
      "count_order\n"
      "FROM lineitem WHERE l_shipdate <= DATE '1998-09-02'\n"
      "GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus"),
     "roll of images by lineitem.l_returnflag, lineitem.l_linestatus"},
	{("SELECT s_acctbal, s_name, n_name, p_partkey, p_mfgr, s_address, s_phone, s_comment\n"
      "FROM part, supplier, partsupp, nation, region\n"
      "WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS'\n"
      "  AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'EUROPE'\n"
      "  AND ps_supplycost = (SELECT min(ps_supplycost) FROM partsupp, supplier, nation, region\n"
      "                       WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND s_nationkey = n_nationkey\n"
      "                         AND n_regionkey = r_regionkey AND r_name = 'EUROPE')\n"
      "ORDER BY s_acctbal DESC, n_name, s_name, p_partkey"),
     "part part.p_partkey"},
	{("SELECT l_orderkey, sum(" REVENUE ") AS revenue, o_orderdate, o_shippriority FROM customer, orders, lineitem\n"
      "WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey\n"
      "  AND o_orderdate < DATE '1995-03-15' AND l_shipdate > DATE '1995-03-15'\n"
      "GROUP BY l_orderkey, o_orderdate, o_shippriority ORDER BY revenue DESC, o_orderdate"),
     "part lineitem.l_orderkey"},
	{("SELECT o_orderpriority, count(*) AS order_count FROM orders\n"
      "WHERE o_orderdate >= DATE '1993-07-01' AND o_orderdate < DATE '1993-07-01' + INTERVAL '3' MONTH\n"
      "  AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate)\n"
      "GROUP BY o_orderpriority ORDER BY o_orderpriority"),
     "part orders.o_orderkey | roll of 1 by orders.o_orderpriority"},
	{("SELECT n_name, sum(" REVENUE ") AS revenue FROM customer, orders, lineitem, supplier, nation, region\n"
      "WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND l_suppkey = s_suppkey AND c_nationkey = "
      "s_nationkey\n"
      "  AND s_nationkey = n_nationkey AND n_regionkey = r_regionkey AND r_name = 'ASIA'\n"
      "  AND o_orderdate >= DATE '1994-01-01' AND o_orderdate < DATE '1995-01-01'\n"
      "GROUP BY n_name ORDER BY revenue DESC"),
     "part lineitem.l_orderkey | roll of 1 by nation.n_name"},
	{("SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem\n"
      "WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01' AND l_discount BETWEEN 0.05 AND 0.07\n"
      "  AND l_quantity < 24"),
     "roll of images"},
	{("SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue FROM (\n"
      "  SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year,\n"
      "         " REVENUE " AS volume\n"
      "  FROM supplier, lineitem, orders, customer, nation n1, nation n2\n"
      "  WHERE s_suppkey = l_suppkey AND o_orderkey = l_orderkey AND c_custkey = o_custkey AND s_nationkey = "
      "n1.n_nationkey\n"
      "    AND c_nationkey = n2.n_nationkey AND ((n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY')\n"
      "      OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE'))\n"
      "    AND l_shipdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31') AS shipping\n"
      "GROUP BY supp_nation, cust_nation, l_year ORDER BY supp_nation, cust_nation, l_year"),
     "part lineitem.l_orderkey | roll of 1 by n1.n_name, n2.n_name, extract('year', lineitem.l_shipdate)"},
	{("SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS mkt_share FROM (\n"
      "  SELECT extract(year FROM o_orderdate) AS o_year, " REVENUE " AS volume, n2.n_name AS nation\n"
      "  FROM part, supplier, lineitem, orders, customer, nation n1, nation n2, region\n"
      "  WHERE p_partkey = l_partkey AND s_suppkey = l_suppkey AND l_orderkey = o_orderkey AND o_custkey = c_custkey\n"
      "    AND c_nationkey = n1.n_nationkey AND n1.n_regionkey = r_regionkey AND r_name = 'AMERICA'\n"
      "    AND s_nationkey = n2.n_nationkey AND o_orderdate BETWEEN DATE '1995-01-01' AND DATE '1996-12-31'\n"
      "    AND p_type = 'ECONOMY ANODIZED STEEL') AS all_nations\n"
      "GROUP BY o_year ORDER BY o_year"),
     "part lineitem.l_orderkey | roll of 1 by extract('year', orders.o_orderdate)"},
	{("SELECT nation, o_year, sum(amount) AS sum_profit FROM (\n"
      "  SELECT n_name AS nation, extract(year FROM o_orderdate) AS o_year,\n"
      "         " REVENUE " - ps_supplycost * l_quantity AS amount\n"
      "  FROM part, supplier, lineitem, partsupp, orders, nation\n"
      "  WHERE s_suppkey = l_suppkey AND ps_suppkey = l_suppkey AND ps_partkey = l_partkey AND p_partkey = l_partkey\n"
      "    AND o_orderkey = l_orderkey AND s_nationkey = n_nationkey AND p_name LIKE '%green%') AS profit\n"
      "GROUP BY nation, o_year ORDER BY nation, o_year DESC"),
     "part lineitem.l_orderkey | roll of 1 by nation.n_name, extract('year', orders.o_orderdate)"},
	{("SELECT c_custkey, c_name, sum(" REVENUE ") AS revenue, c_acctbal, n_name, c_address, c_phone, c_comment\n"
      "FROM customer, orders, lineitem, nation\n"
      "WHERE c_custkey = o_custkey AND l_orderkey = o_orderkey AND o_orderdate >= DATE '1993-10-01'\n"
      "  AND o_orderdate < DATE '1994-01-01' AND l_returnflag = 'R' AND c_nationkey = n_nationkey\n"
      "GROUP BY c_custkey, c_name, c_acctbal, c_phone, n_name, c_address, c_comment ORDER BY revenue DESC"),
     "part customer.c_custkey"},
	{("SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS value " GERMAN "\n"
      "GROUP BY ps_partkey HAVING sum(ps_supplycost * ps_availqty) >\n"
      "  (SELECT sum(ps_supplycost * ps_availqty) * 0.0001 " GERMAN ") ORDER BY value DESC"),
     "part partsupp.ps_suppkey | roll of 1 | part partsupp.ps_partkey | top of 2, 3"},
	{("SELECT l_shipmode,\n"
      "  sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS "
      "high_line_count,\n"
      "  sum(CASE WHEN o_orderpriority <> '1-URGENT' AND o_orderpriority <> '2-HIGH' THEN 1 ELSE 0 END) AS "
      "low_line_count\n"
      "FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') AND l_commitdate < "
      "l_receiptdate\n"
      "  AND l_shipdate < l_commitdate AND l_receiptdate >= DATE '1994-01-01' AND l_receiptdate < DATE '1995-01-01'\n"
      "GROUP BY l_shipmode ORDER BY l_shipmode"),
     "part lineitem.l_orderkey | roll of 1 by lineitem.l_shipmode"},
	{("SELECT c_count, count(*) AS custdist FROM (\n"
      "  SELECT c_custkey, count(o_orderkey) FROM customer LEFT OUTER JOIN orders ON c_custkey = o_custkey\n"
      "    AND o_comment NOT LIKE '%special%requests%' GROUP BY c_custkey) AS c_orders (c_custkey, c_count)\n"
      "GROUP BY c_count ORDER BY custdist DESC, c_count DESC"),
     "part customer.c_custkey | roll of 1 by c_orders.c_count"},
	{("SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN " REVENUE " ELSE 0 END) / sum(" REVENUE
      ") AS promo_revenue\n"
      "FROM lineitem, part WHERE l_partkey = p_partkey AND l_shipdate >= DATE '1995-09-01' AND l_shipdate < DATE "
      "'1995-10-01'"),
     "part lineitem.l_orderkey | roll of 1"},
	{("WITH revenue AS (" SUPPLIER_REVENUE ")\n"
      "SELECT s_suppkey, s_name, s_address, s_phone, total_revenue FROM supplier, revenue\n"
      "WHERE s_suppkey = supplier_no AND total_revenue = (SELECT max(total_revenue) FROM revenue) ORDER BY s_suppkey"),
     "roll of images by lineitem.l_suppkey | top of 1, supplier"},
	{("SELECT p_brand, p_type, p_size, count(DISTINCT ps_suppkey) AS supplier_cnt FROM partsupp, part\n"
      "WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_type NOT LIKE 'MEDIUM POLISHED%'\n"
      "  AND p_size IN (49, 14, 23, 45, 19, 3, 36, 9)\n"
      "  AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Customer%Complaints%')\n"
      "GROUP BY p_brand, p_type, p_size ORDER BY supplier_cnt DESC, p_brand, p_type, p_size"),
     "part part.p_brand, part.p_type, part.p_size"},
	{("SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part\n"
      "WHERE p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container = 'MED BOX'\n"
      "  AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)"),
     "part part.p_partkey | roll of 1"},
	{("SELECT c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice, sum(l_quantity) FROM customer, orders, "
      "lineitem\n"
      "WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300)\n"
      "  AND c_custkey = o_custkey AND o_orderkey = l_orderkey\n"
      "GROUP BY c_name, c_custkey, o_orderkey, o_orderdate, o_totalprice ORDER BY o_totalprice DESC, o_orderdate"),
     "part orders.o_orderkey"},
	{("SELECT sum(" REVENUE ") AS revenue FROM lineitem, part\n"
      "WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND p_container IN ('SM CASE', 'SM BOX', 'SM PACK', 'SM "
      "PKG')\n"
      "    AND l_quantity >= 1 AND l_quantity <= 1 + 10 AND p_size BETWEEN 1 AND 5 AND l_shipmode IN ('AIR', 'AIR "
      "REG')\n"
      "    AND l_shipinstruct = 'DELIVER IN PERSON')\n"
      "  OR (p_partkey = l_partkey AND p_brand = 'Brand#23' AND p_container IN ('MED BAG', 'MED BOX', 'MED PKG', 'MED "
      "PACK')\n"
      "    AND l_quantity >= 10 AND l_quantity <= 10 + 10 AND p_size BETWEEN 1 AND 10 AND l_shipmode IN ('AIR', 'AIR "
      "REG')\n"
      "    AND l_shipinstruct = 'DELIVER IN PERSON')\n"
      "  OR (p_partkey = l_partkey AND p_brand = 'Brand#34' AND p_container IN ('LG CASE', 'LG BOX', 'LG PACK', 'LG "
      "PKG')\n"
      "    AND l_quantity >= 20 AND l_quantity <= 20 + 10 AND p_size BETWEEN 1 AND 15 AND l_shipmode IN ('AIR', 'AIR "
      "REG')\n"
      "    AND l_shipinstruct = 'DELIVER IN PERSON')"),
     "part lineitem.l_orderkey | roll of 1"},
	{("SELECT s_name, s_address FROM supplier, nation\n"
      "WHERE s_suppkey IN (SELECT ps_suppkey FROM partsupp\n"
      "    WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%')\n"
      "      AND ps_availqty > (SELECT 0.5 * sum(l_quantity) FROM lineitem WHERE l_partkey = ps_partkey\n"
      "        AND l_suppkey = ps_suppkey AND l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'))\n"
      "  AND s_nationkey = n_nationkey AND n_name = 'CANADA' ORDER BY s_name"),
     "part partsupp.ps_partkey | top of 1, supplier, nation"},
	{("SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders, nation\n"
      "WHERE s_suppkey = l1.l_suppkey AND o_orderkey = l1.l_orderkey AND o_orderstatus = 'F'\n"
      "  AND l1.l_receiptdate > l1.l_commitdate\n"
      "  AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey AND l2.l_suppkey <> l1.l_suppkey)\n"
      "  AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey AND l3.l_suppkey <> "
      "l1.l_suppkey\n"
      "    AND l3.l_receiptdate > l3.l_commitdate)\n"
      "  AND s_nationkey = n_nationkey AND n_name = 'SAUDI ARABIA'\n"
      "GROUP BY s_name ORDER BY numwait DESC, s_name"),
     "part l1.l_orderkey | roll of 1 by supplier.s_name"},
	{("SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal FROM (\n"
      "  SELECT substring(c_phone FROM 1 FOR 2) AS cntrycode, c_acctbal FROM customer WHERE " CODES "\n"
      "    AND c_acctbal > (SELECT avg(c_acctbal) FROM customer WHERE c_acctbal > 0.00 AND " CODES ")\n"
      "    AND NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)) AS custsale\n"
      "GROUP BY cntrycode ORDER BY cntrycode"),
     "roll of images | part customer.c_custkey | top of 1, 2"},
};

static void each_query_has_its_chain(void)
{
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		CHECK_STR(analysis_line(harness_ctx(), &like_postgresql, &tpch_facts, queries[i].query), queries[i].chain);
	CHECK_INT(ARRAY_LEN(queries), 22);
}

/* Where other engines read the same text they get the same chains. Digits of sums are their own affair. */
static void other_engines_agree(void)
{
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		CHECK_STR(analysis_line(harness_ctx(), &like_mysql, &tpch_facts, queries[i].query), queries[i].chain);
		CHECK_STR(analysis_line(harness_ctx(), &like_sqlite, &tpch_facts, queries[i].query), queries[i].chain);
	}
}

static const struct analysis_source *source_of(const struct analysis_node *node, const char *alias)
{
	for (size_t i = 0; i < node->n_sources; i++)
		if (strcmp(node->sources[i].alias, alias) == 0)
			return &node->sources[i];
	return NULL;
}

static char *joined(const struct analysis_list *list)
{
	char *text = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i < list->n; i++)
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? ", " : "", list->items[i]);
	return text;
}

/* The part of the fifth query: what each table contributes. */
static void sources_are_told(void)
{
	const struct analysis *five = analysis_run(harness_ctx(), &like_postgresql, queries[4].query, &tpch_facts, 0);
	CHECK_INT(five->nodes[0].n_sources, 6);
	const struct analysis_source *orders = source_of(&five->nodes[0], "orders"),
								 *customer = source_of(&five->nodes[0], "customer");
	CHECK(orders->tied && orders->all_tied && !customer->tied);
	CHECK_STR(orders->way, "orders.o_orderkey = lineitem.l_orderkey");
	CHECK_STR(customer->way, "customer.c_custkey = orders.o_custkey");
	CHECK_CONTAINS(joined(&orders->conditions), "orders.o_orderdate < '1995-01-01'::date");
	CHECK_STR(joined(&orders->logged), "o_orderdate, o_orderkey, o_custkey");
	CHECK_STR(joined(&customer->read), "c_custkey, c_nationkey");
	CHECK_STR(joined(&source_of(&five->nodes[0], "region")->conditions), "(region.r_name = 'ASIA')");
}

/* Aliases of the tables whose conditions say that a key has no rows. */
static void check_narrowing(const char *query, const char *aliases)
{
	const struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, query, &tpch_facts, 0);
	char *text = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; analysis->possible && i < analysis->nodes[0].n_sources; i++)
		if (analysis->nodes[0].sources[i].narrows)
			text = talloc_asprintf_append(text, "%s ", analysis->nodes[0].sources[i].alias);
	CHECK_STR(analysis->possible ? text : analysis->refusal.construct, aliases);
}

static void conditions_on_one_table_narrow_the_keys(void)
{
	check_narrowing(queries[4].query, "orders ");
	check_narrowing(queries[16].query, "part ");
	check_narrowing("SELECT ps_partkey, ps_suppkey FROM partsupp WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE "
	                "p_size = 3) AND ps_availqty > (SELECT sum(l_quantity) FROM lineitem WHERE l_partkey = ps_partkey)",
	                "part ");
	check_narrowing("SELECT l_orderkey, count(*) AS n FROM lineitem JOIN orders o ON o.o_orderkey = l_orderkey AND "
	                "o.o_custkey = 1 GROUP BY l_orderkey",
	                "o ");
	check_narrowing("SELECT l_orderkey, count(*) AS n FROM lineitem WHERE EXISTS (SELECT 1 FROM orders o WHERE "
	                "o.o_orderkey = l_orderkey AND o.o_custkey = 1) GROUP BY l_orderkey",
	                "o ");
}

/* A key may have rows without the one that the condition is about. */
static void other_conditions_do_not_narrow(void)
{
	static const char *const tables[] = {
		"FROM lineitem LEFT JOIN orders o ON o.o_orderkey = l_orderkey AND o.o_custkey = 1 GROUP BY l_orderkey",
		"FROM lineitem WHERE NOT EXISTS (SELECT 1 FROM orders o WHERE o.o_orderkey = l_orderkey AND o.o_custkey = 1) "
		"GROUP BY l_orderkey",
		"FROM lineitem WHERE l_tax > 1 OR l_orderkey IN (SELECT o.o_orderkey FROM orders o WHERE o.o_custkey = 1) "
		"GROUP BY l_orderkey",
		"FROM lineitem WHERE EXISTS (SELECT count(*) FROM orders o WHERE o.o_orderkey = l_orderkey AND o.o_custkey = "
		"1) GROUP BY l_orderkey",
		"FROM lineitem, LATERAL (SELECT count(*) AS c FROM orders o WHERE o.o_orderkey = l_orderkey AND o.o_custkey = "
		"1) x GROUP BY l_orderkey",
		"FROM lineitem, orders o WHERE o.o_orderkey = l_orderkey AND o.o_custkey = l_suppkey GROUP BY l_orderkey",
	};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		check_narrowing(talloc_asprintf(harness_ctx(), "SELECT l_orderkey, count(*) AS n %s", tables[i]), "");
}

/* "table>partner" of each table whose images count only with a row of another one. */
static void check_partners(const char *query, const char *partners)
{
	const struct analysis *analysis = analysis_run(harness_ctx(), &like_postgresql, query, &tpch_facts, 0);
	const struct analysis_node *node = &analysis->nodes[0];
	char *text = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; analysis->possible && i < node->n_sources; i++)
		if (node->sources[i].partner != 0)
			text = talloc_asprintf_append(text, "%s>%s ", node->sources[i].alias,
			                              node->sources[node->sources[i].partner - 1].alias);
	CHECK_STR(analysis->possible ? text : analysis->refusal.construct, partners);
}

static void images_count_with_their_partners(void)
{
	check_partners(queries[8].query, "lineitem>part partsupp>part ");
	check_partners(
		"SELECT ps_partkey, sum(ps_availqty) AS n FROM partsupp, supplier, nation WHERE ps_suppkey = s_suppkey "
		"AND s_nationkey = n_nationkey AND n_name = 'GERMANY' GROUP BY ps_partkey",
		"supplier>nation ");
	check_partners(
		"SELECT l_orderkey, count(*) AS n FROM lineitem, part p WHERE p.p_partkey = l_partkey AND p.p_size = 3 "
		"GROUP BY l_orderkey",
		"lineitem>p ");
}

static void others_are_no_partners(void)
{
	static const char *const tables[] = {
		"FROM lineitem LEFT JOIN part p ON p.p_partkey = l_partkey AND p.p_size = 3 GROUP BY l_orderkey",
		"FROM lineitem WHERE NOT EXISTS (SELECT 1 FROM part p WHERE p.p_partkey = l_partkey AND p.p_size = 3) GROUP BY "
		"l_orderkey",
		"FROM lineitem, part p WHERE p.p_partkey = l_partkey AND p.p_size = l_suppkey GROUP BY l_orderkey",
		"FROM lineitem, part p WHERE p.p_partkey = l_partkey AND (p.p_size = 3 OR l_tax > 1) GROUP BY l_orderkey",
		"FROM lineitem, partsupp p WHERE p.ps_partkey = l_partkey AND p.ps_availqty = 3 GROUP BY l_orderkey",
		"FROM lineitem, part p, orders o WHERE p.p_partkey = l_partkey AND p.p_size = 3 AND o.o_orderkey = l_orderkey "
		"AND "
		"o.o_custkey = 1 GROUP BY l_orderkey",
	};
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		check_partners(talloc_asprintf(harness_ctx(), "SELECT l_orderkey, count(*) AS n %s", tables[i]), "");
}

/* The first query: what the log of the images needs. */
static void images_are_told(void)
{
	const struct analysis *one = analysis_run(harness_ctx(), &like_postgresql, queries[0].query, &tpch_facts, 0);
	const struct analysis_source *images = source_of(&one->nodes[0], "lineitem");
	CHECK(images->images);
	CHECK_STR(joined(&images->conditions), "(lineitem.l_shipdate <= '1998-09-02'::date)");
	CHECK_STR(joined(&images->logged),
	          "l_shipdate, l_returnflag, l_linestatus, l_quantity, l_extendedprice, l_discount, l_tax");
}

/* On PostgreSQL a sum has the digits of its longest term, so terms of different lengths are counted. */
static void terms_of_different_scale_are_counted(void)
{
	const struct analysis *fourteen = analysis_run(harness_ctx(), &like_postgresql, queries[13].query, &tpch_facts, 0);
	CHECK_INT(fourteen->nodes[1].notes.n, 1);
	CHECK_CONTAINS(fourteen->nodes[1].notes.items[0], "0 to 4 digits");
}

static const struct harness_test tests[] = {
	{"each query has its chain", each_query_has_its_chain},
	{"other engines agree", other_engines_agree},
	{"sources are told", sources_are_told},
	{"conditions on one table narrow the keys", conditions_on_one_table_narrow_the_keys},
	{"other conditions do not narrow", other_conditions_do_not_narrow},
	{"images count with their partners", images_count_with_their_partners},
	{"others are no partners", others_are_no_partners},
	{"images are told", images_are_told},
	{"terms of different scale are counted", terms_of_different_scale_are_counted},
};
HARNESS_MAIN(SUITE("analysis of TPC-H", tests))
