#!/bin/bash
# SPDX-License-Identifier: MIT
# The cost of noticing changes for those who make them, on MariaDB: single-row inserts by 8 clients into a table without capture, into one that is
# followed in the binary log, and into one with viewd's triggers. The binary log is on for all three (ROW). viewd runs while its
# two are measured, and not while the first is. The three alternate; the medians of ROUNDS count. The refreshes themselves
# are left out (at_most_every): they cost what they cost however they are started. Arguments go to the server.
engine=mariadb
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
: "${ROUNDS:=5}" "${SECONDS_EACH:=3}" "${CLIENTS:=8}"
[ -x "$VIEWD_BUILD/bench/inserts-mariadb" ] || skip_all "the dialect is not built"

start_bench_engine --innodb-buffer-pool-size=128M --innodb-log-file-size=64M "$@"
for t in none binlog trigger; do
	sql "CREATE TABLE sale_$t (id BIGINT AUTO_INCREMENT PRIMARY KEY, product INT, amount INT)"
	conf_database shop "$T/$t.conf" <<-CONF
		[view by_$t]
		database = shop
		method = table
		on_change = yes
		capture = $t
		at_most_every = 1h
		definition = SELECT count(*) AS n FROM sale_$t
	CONF
done

# per_second TABLE: inserts of one run; the table is emptied first, so that all runs are alike.
per_second()
{
	sql "TRUNCATE sale_$1"
	if [ "$1" != none ]; then
		start_viewd "$T/$1.conf"
		wait_until settled "by_$1" || die "the view over sale_$1 does not become fresh"
	fi
	"$VIEWD_BUILD/bench/inserts-mariadb" "$(target)" "$CLIENTS" "$SECONDS_EACH" "INSERT INTO sale_$1 (product, amount) VALUES (1, 2)" ||
		die "the inserts fail"
	[ "$1" = none ] || stop_viewd
}

for ((round = 0; round < ROUNDS; round++)); do
	for t in none binlog trigger; do
		per_second $t >>"$T/$t.rate"
	done
done
none=$(median "$T/none.rate") binlog=$(median "$T/binlog.rate") trigger=$(median "$T/trigger.rate")
table "writers, MariaDB: single-row inserts by $CLIENTS clients, log_bin = on, binlog_format = ROW"
row "no capture" "$none" /s
row "capture = binlog" "$binlog" /s
row "capture = binlog, part of no capture" "$(sum "$binlog / $none")" "" '>= 0.95'
row "capture = trigger" "$trigger" /s
row "capture = trigger, part of no capture" "$(sum "$trigger / $none")" "" '>= 0.95'
finish >/dev/null
