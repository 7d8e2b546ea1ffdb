#!/bin/bash
# SPDX-License-Identifier: MIT
# The servers that the other tests use start, answer, survive a kill, and the helpers notice a failure.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg
is "PostgreSQL answers" "$(sql_pg 'SELECT 1 + 1')" 2
is "role viewd owns database shop" "$(pg_user=viewd sql_pg 'CREATE TABLE t AS SELECT 7 AS id' && sql_pg 'TABLE t')" 7
kill_pg
fails "PostgreSQL is gone" sql_pg 'SELECT 1'
start_pg
is "and comes back with its data" "$(sql_pg 'TABLE t')" 7

start_mariadb
is "MariaDB answers" "$(sql_mariadb 'SELECT 1 + 1')" 2
is "user viewd may create in database shop" \
	"$(mariadb_user=viewd sql_mariadb 'CREATE TABLE t AS SELECT 7 AS id; SELECT * FROM t')" 7
is "no binary log unless asked" "$(sql_mariadb 'SELECT @@log_bin')" 0
kill_mariadb
fails "MariaDB is gone" sql_mariadb 'SELECT 1'
start_mariadb --log-bin=binlog
is "and comes back with its data and a binary log" "$(sql_mariadb 'SELECT id + @@log_bin FROM t')" 8

is "SQLite answers" "$(sql_sqlite "$T/s.db" 'SELECT 1 + 1')" 2

# The helpers themselves: what they report for a failure, run aside so that it does not count here.
like "ok reports a failure" "$(ok 'name' false)" '^not ok .* - name'
like "is shows both values" "$(is 'name' a b)" 'expected: b'
like "fails reports a success" "$(fails 'name' true)" '^not ok'
is "a test that ends early fails" \
	"$(VIEWD_SRC=$VIEWD_SRC bash -c '. "$VIEWD_SRC/tests/system/lib.sh"; exit 0' | grep -c '^not ok 1')" 1
# A number that somebody else's process has by now.
stranger=$(tail -f /dev/null >/dev/null 2>&1 & echo $!)
stop_process "$stranger"
ok "a process of somebody else is left alone" is_running "$stranger"
kill "$stranger"
is "what ends by itself is not stopped again" \
	"$(VIEWD_SRC=$VIEWD_SRC bash -c '. "$VIEWD_SRC/tests/system/lib.sh"; tail -f /dev/null & pids+=($!); WAIT=1 finish' 2>&1 | grep -c kill:)" 0
# shellcheck disable=SC2016 # expanded in there
VIEWD_BUILD=$T/other VIEWD_SRC=$VIEWD_SRC leftover=$T/leftover bash -c '. "$VIEWD_SRC/tests/system/lib.sh"
	make() { start_process "$T/log" tail -f /dev/null; echo "$started" >"$leftover"; return 1; }
	template broken make' >/dev/null 2>&1
ok "a template that cannot be made has begun" test -s "$T/leftover"
fails "... and leaves no process" is_running "$(cat "$T/leftover")"
fails "wait_until gives up" WAIT=0 wait_until false
finish
