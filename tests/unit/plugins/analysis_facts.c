/* SPDX-License-Identifier: MIT */
#include "unit/plugins/analysis_facts.h"

#include "base/macros.h"

static const struct fact_column region_columns[] = {
	{"r_regionkey", FACT_INTEGER, 0, "integer", false, 5, false},
	{"r_name", FACT_OTHER, 0, "text", false, 5, false},
	{"r_comment", FACT_OTHER, 0, "text", true, 5, false},
};
static const size_t region_key[] = {0};
static const struct fact_key region_keys[] = {{region_key, ARRAY_LEN(region_key)}};

static const struct fact_column nation_columns[] = {
	{"n_nationkey", FACT_INTEGER, 0, "integer", false, 25, false},
	{"n_name", FACT_OTHER, 0, "text", false, 25, false},
	{"n_regionkey", FACT_INTEGER, 0, "integer", false, 5, false},
	{"n_comment", FACT_OTHER, 0, "text", true, 25, false},
};
static const size_t nation_key[] = {0};
static const struct fact_key nation_keys[] = {{nation_key, ARRAY_LEN(nation_key)}};

static const struct fact_column supplier_columns[] = {
	{"s_suppkey", FACT_INTEGER, 0, "integer", false, 1000, false},
	{"s_name", FACT_OTHER, 0, "text", false, 1000, false},
	{"s_address", FACT_OTHER, 0, "text", false, 1000, false},
	{"s_nationkey", FACT_INTEGER, 0, "integer", false, 25, false},
	{"s_phone", FACT_OTHER, 0, "text", false, 1000, false},
	{"s_acctbal", FACT_DECIMAL, 2, "numeric(15,2)", false, 1000, false},
	{"s_comment", FACT_OTHER, 0, "text", false, 1000, false},
};
static const size_t supplier_key[] = {0};
static const struct fact_key supplier_keys[] = {{supplier_key, ARRAY_LEN(supplier_key)}};

static const struct fact_column customer_columns[] = {
	{"c_custkey", FACT_INTEGER, 0, "integer", false, 15000, false},
	{"c_name", FACT_OTHER, 0, "text", false, 15000, false},
	{"c_address", FACT_OTHER, 0, "text", false, 15000, false},
	{"c_nationkey", FACT_INTEGER, 0, "integer", false, 25, false},
	{"c_phone", FACT_OTHER, 0, "text", false, 15000, false},
	{"c_acctbal", FACT_DECIMAL, 2, "numeric(15,2)", false, 14000, false},
	{"c_mktsegment", FACT_OTHER, 0, "text", false, 5, false},
	{"c_comment", FACT_OTHER, 0, "text", false, 15000, false},
};
static const size_t customer_key[] = {0};
static const struct fact_key customer_keys[] = {{customer_key, ARRAY_LEN(customer_key)}};

static const struct fact_column part_columns[] = {
	{"p_partkey", FACT_INTEGER, 0, "integer", false, 20000, false},
	{"p_name", FACT_OTHER, 0, "text", false, 20000, false},
	{"p_mfgr", FACT_OTHER, 0, "text", false, 5, false},
	{"p_brand", FACT_OTHER, 0, "text", false, 25, false},
	{"p_type", FACT_OTHER, 0, "text", false, 150, false},
	{"p_size", FACT_INTEGER, 0, "integer", false, 50, false},
	{"p_container", FACT_OTHER, 0, "text", false, 40, false},
	{"p_retailprice", FACT_DECIMAL, 2, "numeric(15,2)", false, 2000, false},
	{"p_comment", FACT_OTHER, 0, "text", false, 15000, false},
};
static const size_t part_key[] = {0};
static const struct fact_key part_keys[] = {{part_key, ARRAY_LEN(part_key)}};

static const struct fact_column partsupp_columns[] = {
	{"ps_partkey", FACT_INTEGER, 0, "integer", false, 20000, false},
	{"ps_suppkey", FACT_INTEGER, 0, "integer", false, 1000, false},
	{"ps_availqty", FACT_INTEGER, 0, "integer", false, 10000, false},
	{"ps_supplycost", FACT_DECIMAL, 2, "numeric(15,2)", false, 50000, false},
	{"ps_comment", FACT_OTHER, 0, "text", false, 80000, false},
};
static const size_t partsupp_key[] = {0, 1};
static const struct fact_key partsupp_keys[] = {{partsupp_key, ARRAY_LEN(partsupp_key)}};

static const struct fact_column orders_columns[] = {
	{"o_orderkey", FACT_INTEGER, 0, "integer", false, 150000, false},
	{"o_custkey", FACT_INTEGER, 0, "integer", false, 10000, false},
	{"o_orderstatus", FACT_OTHER, 0, "text", false, 3, false},
	{"o_totalprice", FACT_DECIMAL, 2, "numeric(15,2)", false, 150000, false},
	{"o_orderdate", FACT_OTHER, 0, "date", false, 2406, false},
	{"o_orderpriority", FACT_OTHER, 0, "text", false, 5, false},
	{"o_clerk", FACT_OTHER, 0, "text", false, 1000, false},
	{"o_shippriority", FACT_INTEGER, 0, "integer", false, 1, false},
	{"o_comment", FACT_OTHER, 0, "text", false, 150000, false},
};
static const size_t orders_key[] = {0};
static const struct fact_key orders_keys[] = {{orders_key, ARRAY_LEN(orders_key)}};

static const struct fact_column lineitem_columns[] = {
	{"l_orderkey", FACT_INTEGER, 0, "integer", false, 150000, false},
	{"l_partkey", FACT_INTEGER, 0, "integer", false, 20000, false},
	{"l_suppkey", FACT_INTEGER, 0, "integer", false, 1000, false},
	{"l_linenumber", FACT_INTEGER, 0, "integer", false, 7, false},
	{"l_quantity", FACT_DECIMAL, 2, "numeric(15,2)", false, 50, false},
	{"l_extendedprice", FACT_DECIMAL, 2, "numeric(15,2)", false, 130000, false},
	{"l_discount", FACT_DECIMAL, 2, "numeric(15,2)", false, 11, false},
	{"l_tax", FACT_DECIMAL, 2, "numeric(15,2)", false, 9, false},
	{"l_returnflag", FACT_OTHER, 0, "text", false, 3, false},
	{"l_linestatus", FACT_OTHER, 0, "text", false, 2, false},
	{"l_shipdate", FACT_OTHER, 0, "date", false, 2526, false},
	{"l_commitdate", FACT_OTHER, 0, "date", false, 2466, false},
	{"l_receiptdate", FACT_OTHER, 0, "date", false, 2555, false},
	{"l_shipinstruct", FACT_OTHER, 0, "text", false, 4, false},
	{"l_shipmode", FACT_OTHER, 0, "text", false, 7, false},
	{"l_comment", FACT_OTHER, 0, "text", false, 450000, false},
};
static const size_t lineitem_key[] = {0, 3};
static const struct fact_key lineitem_keys[] = {{lineitem_key, ARRAY_LEN(lineitem_key)}};

static const struct fact_relation tpch_relations[] = {
	{"public", "region", VIEWD_DEPENDS_TABLE, region_columns, ARRAY_LEN(region_columns), region_keys, 1, 5, NULL, NULL,
     0},
	{"public", "nation", VIEWD_DEPENDS_TABLE, nation_columns, ARRAY_LEN(nation_columns), nation_keys, 1, 25, NULL, NULL,
     0},
	{"public", "supplier", VIEWD_DEPENDS_TABLE, supplier_columns, ARRAY_LEN(supplier_columns), supplier_keys, 1, 1000,
     NULL, NULL, 0},
	{"public", "customer", VIEWD_DEPENDS_TABLE, customer_columns, ARRAY_LEN(customer_columns), customer_keys, 1, 15000,
     NULL, NULL, 0},
	{"public", "part", VIEWD_DEPENDS_TABLE, part_columns, ARRAY_LEN(part_columns), part_keys, 1, 20000, NULL, NULL, 0},
	{"public", "partsupp", VIEWD_DEPENDS_TABLE, partsupp_columns, ARRAY_LEN(partsupp_columns), partsupp_keys, 1, 80000,
     NULL, NULL, 0},
	{"public", "orders", VIEWD_DEPENDS_TABLE, orders_columns, ARRAY_LEN(orders_columns), orders_keys, 1, 150000, NULL,
     NULL, 0},
	{"public", "lineitem", VIEWD_DEPENDS_TABLE, lineitem_columns, ARRAY_LEN(lineitem_columns), lineitem_keys, 1, 600572,
     NULL, NULL, 0},
};

static const struct fact_column r1_columns[] = {
	{"id", FACT_INTEGER, 0, "integer", false, 0, false},
	{"a", FACT_INTEGER, 0, "integer", true, 0, false},
	{"g", FACT_INTEGER, 0, "integer", true, 0, false},
	{"x", FACT_INTEGER, 0, "integer", true, 0, false},
};
static const size_t r1_key[] = {0};
static const struct fact_key r1_keys[] = {{r1_key, ARRAY_LEN(r1_key)}};

static const struct fact_column r2_columns[] = {
	{"id", FACT_INTEGER, 0, "integer", false, 0, false},
	{"a", FACT_INTEGER, 0, "integer", true, 0, false},
	{"b", FACT_INTEGER, 0, "integer", true, 0, false},
};
static const size_t r2_key[] = {0};
static const struct fact_key r2_keys[] = {{r2_key, ARRAY_LEN(r2_key)}};

static const struct fact_column r3_columns[] = {
	{"id", FACT_INTEGER, 0, "integer", false, 0, false},
	{"b", FACT_INTEGER, 0, "integer", true, 0, false},
	{"h", FACT_INTEGER, 0, "integer", true, 0, false},
};
static const size_t r3_key[] = {0};
static const struct fact_key r3_keys[] = {{r3_key, ARRAY_LEN(r3_key)}};

static const struct fact_column n1_columns[] = {
	{"id", FACT_INTEGER, 0, "integer", false, 0, false},
	{"a", FACT_INTEGER, 0, "integer", false, 0, false},
	{"g", FACT_INTEGER, 0, "integer", false, 0, false},
	{"f", FACT_FLOAT, 0, "double precision", true, 0, false},
	{"free", FACT_DECIMAL, FACT_NO_SCALE, "numeric", true, 0, false},
	{"money", FACT_DECIMAL, 2, "numeric(15,2)", true, 0, false},
	{"t", FACT_OTHER, 0, "text", false, 0, false},
	{"c", FACT_OTHER, 0, "text COLLATE other", false, 0, false},
};
static const size_t n1_key[] = {0};
static const struct fact_key n1_keys[] = {{n1_key, ARRAY_LEN(n1_key)}};

static const struct fact_column n2_columns[] = {
	{"id", FACT_INTEGER, 0, "integer", false, 0, false},
	{"a", FACT_INTEGER, 0, "integer", false, 0, false},
	{"t", FACT_OTHER, 0, "text", false, 0, false},
};
static const size_t n2_key[] = {0};
static const struct fact_key n2_keys[] = {{n2_key, ARRAY_LEN(n2_key)}};

static const struct fact_column heap_columns[] = {
	{"a", FACT_INTEGER, 0, "integer", true, 0, false},
	{"g", FACT_INTEGER, 0, "integer", true, 0, false},
};

static const struct fact_column big_columns[] = {
	{"id", FACT_INTEGER, 0, "integer", false, 10000000, false},
	{"a", FACT_INTEGER, 0, "integer", false, 10000000, false},
};
static const size_t big_key[] = {0};
static const struct fact_key big_keys[] = {{big_key, ARRAY_LEN(big_key)}};

static const struct fact_relation rule_relations[] = {
	{"public", "r1", VIEWD_DEPENDS_TABLE, r1_columns, ARRAY_LEN(r1_columns), r1_keys, 1, 0, NULL, NULL, 0},
	{"public", "r2", VIEWD_DEPENDS_TABLE, r2_columns, ARRAY_LEN(r2_columns), r2_keys, 1, 0, NULL, NULL, 0},
	{"public", "r3", VIEWD_DEPENDS_TABLE, r3_columns, ARRAY_LEN(r3_columns), r3_keys, 1, 0, NULL, NULL, 0},
	{"public", "n1", VIEWD_DEPENDS_TABLE, n1_columns, ARRAY_LEN(n1_columns), n1_keys, 1, 0, NULL, NULL, 0},
	{"public", "n2", VIEWD_DEPENDS_TABLE, n2_columns, ARRAY_LEN(n2_columns), n2_keys, 1, 0, NULL, NULL, 0},
	{"public", "heap", VIEWD_DEPENDS_TABLE, heap_columns, ARRAY_LEN(heap_columns), NULL, 0, 0, NULL, NULL, 0},
	{"public", "big", VIEWD_DEPENDS_TABLE, big_columns, ARRAY_LEN(big_columns), big_keys, 1, 10000000, NULL, NULL, 0},
	{"public", "hidden", VIEWD_DEPENDS_TABLE, r1_columns, ARRAY_LEN(r1_columns), r1_keys, 1, 0, "others see other rows",
     NULL, 0},
	{"public", "plain", VIEWD_DEPENDS_VIEW, r1_columns, ARRAY_LEN(r1_columns), NULL, 0, 0, NULL, NULL, 0},
	{"public", "mat", VIEWD_DEPENDS_MATVIEW, r1_columns, ARRAY_LEN(r1_columns), NULL, 0, 0, NULL, NULL, 0},
	{"public", "far", VIEWD_DEPENDS_FOREIGN, r1_columns, ARRAY_LEN(r1_columns), NULL, 0, 0, NULL, NULL, 0},
	{"public", "words", VIEWD_DEPENDS_VIRTUAL, r1_columns, ARRAY_LEN(r1_columns), NULL, 0, 0, NULL, NULL, 0},
	{"public", "pg_class", VIEWD_DEPENDS_CATALOGUE, r1_columns, ARRAY_LEN(r1_columns), NULL, 0, 0, NULL, NULL, 0},
};

static const struct fact_function functions[] = {
	{"extract", FACT_STABLE, false, false},
	{"substring", FACT_IMMUTABLE, false, false},
	{"to_char", FACT_STABLE, false, false},
	{"random", FACT_VOLATILE, false, false},
	{"now", FACT_VOLATILE, false, false},
	{"nextval", FACT_VOLATILE, false, false},
	{"generate_series", FACT_IMMUTABLE, false, true},
	{"mine", FACT_VOLATILE, true, false},
};

const struct facts tpch_facts = {
	.relations = tpch_relations,
	.n_relations = ARRAY_LEN(tpch_relations),
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.average = "{a} / {b}",
	.sums_keep_scale = true,
	.digits = "scale({})",
	.shorter = "round({a}, {b})",
};

const struct facts rule_facts = {
	.relations = rule_relations,
	.n_relations = ARRAY_LEN(rule_relations),
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.average = "{a} / {b}",
	.sums_keep_scale = true,
	.digits = "scale({})",
	.shorter = "round({a}, {b})",
};
