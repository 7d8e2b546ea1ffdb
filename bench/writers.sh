#!/bin/bash
# SPDX-License-Identifier: MIT
# What noticing changes costs those who make them, on PostgreSQL: single-row inserts by 8 clients into a table without capture, with
# viewd's triggers and the watcher at work, and with a NOTIFY in every transaction. The three alternate; the medians of ROUNDS count.
# The refreshes themselves are left out (at_most_every): they cost what they cost however they are started.
: "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
. "$VIEWD_SRC/tests/system/lib.sh"
: "${ROUNDS:=5}" "${SECONDS_EACH:=4}" "${CLIENTS:=8}" "${MODE:=simple}"

start_pg "$@" >/dev/null
[ -x "$pg_bin/pgbench" ] || skip_all "pgbench is not installed"
for t in none viewd notify; do
	sql_pg "CREATE TABLE sale_$t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product int, amount int)"
done
sql_pg 'GRANT SELECT, TRIGGER ON sale_viewd TO viewd; GRANT CREATE ON SCHEMA public TO viewd'
sql_pg "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''other'', ''''); RETURN NULL; END'"
sql_pg 'CREATE TRIGGER tell AFTER INSERT ON sale_notify FOR EACH STATEMENT EXECUTE FUNCTION tell()'
printf '[viewd]\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\n[database shop]\nurl = %s\n[view totals]\ndatabase = shop\n%s\n' \
	"$T/control.sock" "$VIEWD_BUILD/.libs" "$T/state" "$pg_url" 'method = materialized
on_change = yes
capture = trigger
at_most_every = 1h
definition = SELECT count(*) AS n FROM sale_viewd' >"$T/viewd.conf"
mkdir -p "$T/state"
start_viewd
for t in none viewd notify; do
	echo "INSERT INTO sale_$t (product, amount) VALUES (1, 2)" >"$T/$t.sql"
done

# tps TABLE: of one run; the table is emptied first, so that all runs are alike.
tps()
{
	sql_pg "TRUNCATE sale_$1; CHECKPOINT"
	"$pg_bin/pgbench" -n -h "$pg_dir" -U postgres -M "$MODE" -c "$CLIENTS" -j 2 -T "$SECONDS_EACH" -f "$T/$1.sql" shop 2>/dev/null |
		sed -n 's/^tps = \([0-9]*\).*/\1/p'
}
for _ in $(seq "$ROUNDS"); do
	for t in none viewd notify; do
		tps "$t" >>"$T/$t.tps"
	done
done
median()
{
	sort -n "$1" | sed -n "$(($(wc -l <"$1") / 2 + 1))p"
}
none=$(median "$T/none.tps") with=$(median "$T/viewd.tps") notify=$(median "$T/notify.tps")
awk -v n="$none" -v v="$with" -v y="$notify" 'BEGIN {
	printf "single-row inserts, 8 clients: no capture %d/s, viewd %d/s (ratio %.3f, goal 0.95), NOTIFY in each %d/s (ratio %.3f)\n", n, v, v / n, y, y / n
}'
finish >/dev/null
