#!/bin/bash
# SPDX-License-Identifier: MIT
# A server that is too old is refused with one error that says so. MariaDB can be told to pretend.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_mariadb --version=5.7.29-log
is "the server pretends" "$(sql_mariadb 'SELECT version()')" 5.7.29-log
sql_mariadb "CREATE TABLE src (n int PRIMARY KEY)"
conf <<-END
	[database shop]
	url = mysql://viewd@/shop?unix_socket=$mariadb_dir/sock
	[view v]
	database = shop
	method = table
	definition = SELECT n FROM src
END
told()
{
	viewctl --json status v | jq -r '.[0].error | "\(.class) \(.message)"' | grep -qF "$1"
}
start_viewd
ok "MySQL 5.7: told so" wait_until told "config server is too old (version 5.7.29-log)"
fails "MySQL 5.7: a refresh by hand is told" viewctl refresh v --wait
ok "MySQL 5.7: the log tells it" wait_until log_has "too old"
is "MySQL 5.7: ... in not many words" "$(grep -c 'too old' "$T/viewd.log")" 1
is "MySQL 5.7: nothing is made" "$(sql_mariadb 'SHOW TABLES')" src
stop_viewd
stop_mariadb
start_mariadb --version=10.5.20-MariaDB
start_viewd
ok "MariaDB 10.5: told so" wait_until told "config server is too old (version 10.5.20-MariaDB)"
finish
