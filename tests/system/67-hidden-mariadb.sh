#!/bin/bash
# SPDX-License-Identifier: MIT
# Invisible columns of the application: a definition that names one reads it, and * does not mean it.
engine=mariadb
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
! is_mysql || skip_all "incremental refreshes need MariaDB"
sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost"
sql "CREATE TABLE t (id INT INVISIBLE DEFAULT 0 PRIMARY KEY, g INT NOT NULL, w INT INVISIBLE DEFAULT 7)"
sql "INSERT INTO t (id, g, w) VALUES (1, 1, 5), (2, 1, 6)"
sql "CREATE TABLE s (id INT PRIMARY KEY, w INT INVISIBLE DEFAULT 7); INSERT INTO s (id, w) VALUES (1, 5), (2, 6)"
sql "CREATE TABLE around (id INT PRIMARY KEY, w INT); INSERT INTO around VALUES (1, 100), (2, 1)"
conf_database shop <<-END
	[view-defaults]
	database = shop
	method = table
	refresh_mode = incremental
	on_change = yes

	[view named]
	definition = SELECT id, g, w FROM t
	unique_key = id

	[view summed]
	definition = SELECT g, sum(w) AS s, count(*) AS n FROM t GROUP BY g
	unique_key = g

	[view starred]
	definition = SELECT * FROM s WHERE w > 5
	unique_key = id

	[view inside]
	definition = SELECT o.id, o.w FROM around o WHERE EXISTS (SELECT 1 FROM t WHERE t.g = o.id AND t.w > 5)
	unique_key = id

	[view ambiguous]
	refresh_mode = auto
	definition = SELECT o.id, o.w FROM around o WHERE EXISTS (SELECT 1 FROM t WHERE t.g = o.id AND w > 5)
	unique_key = id
END
start_viewd
for view in named summed starred inside; do
	ok "$view: filled" wait_until is_fresh "$view"
done
sql "UPDATE t SET w = w - 1; UPDATE s SET w = w + 1; INSERT INTO t (id, g, w) VALUES (3, 2, 70)"
rows_become "a change of an invisible column arrives" "SELECT * FROM named ORDER BY id" "1|1|4
2|1|5
3|2|70"
rows_become "... in a sum" "SELECT * FROM summed ORDER BY g" "1|9|2
2|70|1"
rows_become "... in rows of *, which has no such column" "SELECT * FROM starred ORDER BY id" "1
2"
rows_become "... where a table around has a column of that name" "SELECT * FROM inside" "2|1"
rows_become "... and where the definition does not say whose it is" "SELECT * FROM ambiguous" "2|1"
like "... which is asked for" "$(viewctl explain ambiguous)" 'what is around it has that name'
# Views that share a source have its log made anew in turn, at first: all rows are computed then.
by_keys()
{
	sql "UPDATE t SET w = 73 - w WHERE id = 3; UPDATE s SET w = 9 - w WHERE id = 1"
	wait_until is_fresh "$1" && field_is "$1" action INCREMENTAL
}
for view in named summed starred inside; do
	ok "$view: kept incrementally" wait_until "by_keys $view"
	ok "... and its rows are right" viewctl verify "$view"
done
ok "the other one is right as well" viewctl verify ambiguous
unlike "no check has found another row" "$(cat "$T/viewd.log")" 'not as their definition'
finish
