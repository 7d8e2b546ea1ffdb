#!/bin/bash
# SPDX-License-Identifier: MIT
# A transaction that was prepared (XA) before the server was started, and is committed long after: MySQL does not show it to viewd's
# account, and nothing of it is counted. Run by tools/other-mysql.sh.
. "${VIEWD_SRC:-.}/tests/system/lib.sh"
is_mysql || skip_all "MariaDB shows to everybody what is prepared"

start_mariadb
sql_mariadb "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, v INT); GRANT PROCESS ON *.* TO viewd@localhost"
conf <<-CONF
	[database shop]
	url = $mariadb_url
	[view total]
	database = shop
	method = table
	on_change = yes
	capture = trigger
	definition = SELECT sum(v) AS v FROM t
CONF
start_viewd
ok "a view is there" wait_until is_fresh total
stop_viewd
sql_mariadb "SET SESSION cte_max_recursion_depth = 100000;
	INSERT INTO t (v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT 1 FROM n"
sql_mariadb "XA START 'a'; INSERT INTO t (v) VALUES (1000); XA END 'a'; XA PREPARE 'a'"
kill_mariadb
start_mariadb
start_viewd
ok "it is fresh after the restart of both" wait_until is_fresh total
is "... without what is prepared" "$(sql_mariadb "SELECT v FROM total")" 12000
sql_mariadb "XA COMMIT 'a'"
ok "what is committed comes in" wait_until '[ "$(sql_mariadb "SELECT v FROM total")" = 13000 ]'
finish
