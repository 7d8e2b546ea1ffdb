CREATE INDEX orders_customer ON orders (o_custkey);
CREATE INDEX lineitem_part ON lineitem (l_partkey, l_suppkey);
CREATE INDEX lineitem_supplier ON lineitem (l_suppkey);
CREATE INDEX partsupp_supplier ON partsupp (ps_suppkey);
CREATE INDEX part_kind ON part (p_brand, p_type, p_size);
