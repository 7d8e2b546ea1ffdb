#!/bin/bash
# SPDX-License-Identifier: MIT
# Tables that an earlier viewd has made without a primary key get one, and nothing is refreshed for that.
engine=mariadb
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost"
sql "CREATE TABLE t (id INT PRIMARY KEY, v INT); INSERT INTO t VALUES (1, 1), (2, 2)"
conf_database shop <<-END
	[view v]
	database = shop
	method = table
	definition = SELECT id, v FROM t
	unique_key = id
	on_change = yes

	[view sums]
	database = shop
	method = table
	definition = SELECT v, count(*) AS n FROM t GROUP BY v
	unique_key = v
	on_change = yes
	refresh_mode = $(is_mysql && echo auto || echo incremental)
END
keyless="SELECT t.TABLE_NAME FROM information_schema.TABLES t LEFT JOIN information_schema.TABLE_CONSTRAINTS k
	ON k.TABLE_SCHEMA = t.TABLE_SCHEMA AND k.TABLE_NAME = t.TABLE_NAME AND k.CONSTRAINT_TYPE = 'PRIMARY KEY'
	WHERE t.TABLE_SCHEMA = 'shop' AND t.TABLE_TYPE = 'BASE TABLE' AND k.CONSTRAINT_NAME IS NULL ORDER BY 1"
start_viewd
ok "the views become fresh" wait_until "is_fresh v && is_fresh sums"
is "every table has a primary key" "$(sql "$keyless")" ""
is "which readers do not see" "$(sql "SELECT * FROM v ORDER BY id")" "1|1
2|2"
stop_viewd

for table in v sums; do sql "ALTER TABLE $table DROP COLUMN viewd_pk"; done
sql "CREATE TABLE copy_of_v LIKE v; CREATE TABLE viewd_node_of_mine (a INT)"
is "as an earlier viewd has made them, beside tables of the application" "$(sql "$keyless")" "copy_of_v
sums
v
viewd_node_of_mine"
before=$(sql "SELECT count(*) FROM viewd_refresh_history")
start_viewd
ok "the views are there" wait_until "is_fresh v && is_fresh sums"
is "they have keys again, and no other table has got one" "$(sql "$keyless")" "copy_of_v
viewd_node_of_mine"
is "and were not refreshed" "$(sql "SELECT count(*) FROM viewd_refresh_history")" "$before"
sql "INSERT INTO t VALUES (3, 2)"
rows_become "changes still arrive" "SELECT * FROM sums ORDER BY v" "1|1
2|2"
ok "and all rows are right" viewctl verify v sums
finish
