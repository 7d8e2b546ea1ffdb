-- The tables of TPC-H. {TEXT n}, {MONEY}, {DATETYPE} and {INT} are written as the engine wants them (tpch.sh).
CREATE TABLE region (r_regionkey {INT} PRIMARY KEY, r_name {TEXT 25} NOT NULL, r_comment {TEXT 152});
CREATE TABLE nation (n_nationkey {INT} PRIMARY KEY, n_name {TEXT 25} NOT NULL, n_regionkey {INT} NOT NULL,
	n_comment {TEXT 152});
CREATE TABLE supplier (s_suppkey {INT} PRIMARY KEY, s_name {TEXT 25} NOT NULL, s_address {TEXT 40} NOT NULL,
	s_nationkey {INT} NOT NULL, s_phone {TEXT 15} NOT NULL, s_acctbal {MONEY} NOT NULL,
	s_comment {TEXT 101} NOT NULL);
CREATE TABLE part (p_partkey {INT} PRIMARY KEY, p_name {TEXT 55} NOT NULL, p_mfgr {TEXT 25} NOT NULL,
	p_brand {TEXT 10} NOT NULL, p_type {TEXT 25} NOT NULL, p_size {INT} NOT NULL, p_container {TEXT 10} NOT NULL,
	p_retailprice {MONEY} NOT NULL, p_comment {TEXT 23} NOT NULL);
CREATE TABLE partsupp (ps_partkey {INT} NOT NULL, ps_suppkey {INT} NOT NULL, ps_availqty {INT} NOT NULL,
	ps_supplycost {MONEY} NOT NULL, ps_comment {TEXT 199} NOT NULL, PRIMARY KEY (ps_partkey, ps_suppkey));
CREATE TABLE customer (c_custkey {INT} PRIMARY KEY, c_name {TEXT 25} NOT NULL, c_address {TEXT 40} NOT NULL,
	c_nationkey {INT} NOT NULL, c_phone {TEXT 15} NOT NULL, c_acctbal {MONEY} NOT NULL,
	c_mktsegment {TEXT 10} NOT NULL, c_comment {TEXT 117} NOT NULL);
CREATE TABLE orders (o_orderkey {INT} PRIMARY KEY, o_custkey {INT} NOT NULL, o_orderstatus {TEXT 1} NOT NULL,
	o_totalprice {MONEY} NOT NULL, o_orderdate {DATETYPE} NOT NULL, o_orderpriority {TEXT 15} NOT NULL,
	o_clerk {TEXT 15} NOT NULL, o_shippriority {INT} NOT NULL, o_comment {TEXT 79} NOT NULL);
CREATE TABLE lineitem (l_orderkey {INT} NOT NULL, l_partkey {INT} NOT NULL, l_suppkey {INT} NOT NULL,
	l_linenumber {INT} NOT NULL, l_quantity {INT} NOT NULL, l_extendedprice {MONEY} NOT NULL,
	l_discount {MONEY} NOT NULL, l_tax {MONEY} NOT NULL, l_returnflag {TEXT 1} NOT NULL,
	l_linestatus {TEXT 1} NOT NULL, l_shipdate {DATETYPE} NOT NULL, l_commitdate {DATETYPE} NOT NULL,
	l_receiptdate {DATETYPE} NOT NULL, l_shipinstruct {TEXT 25} NOT NULL, l_shipmode {TEXT 10} NOT NULL,
	l_comment {TEXT 44} NOT NULL, PRIMARY KEY (l_orderkey, l_linenumber));
CREATE TABLE numbers (n bigint PRIMARY KEY);
