#!/bin/bash
# SPDX-License-Identifier: MIT
# What noticing changes costs those who make them, on PostgreSQL: single-row inserts by 8 clients into a table without capture, with
# viewd's triggers and the watcher at work, and with a NOTIFY in every transaction. The three alternate; the medians of ROUNDS count.
# Once with fsync, as servers are run, and once without, which shows the cost in processor time. Processor time an insert (all
# processes of the server) varies less than the rate on a machine that does other things too.
# The refreshes themselves are left out (at_most_every): they cost what they cost however they are started.
: "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
. "$VIEWD_SRC/tests/system/lib.sh"
: "${ROUNDS:=5}" "${SECONDS_EACH:=4}" "${CLIENTS:=8}" "${MODE:=simple}" "${FSYNC:=on off}"

start_pg "$@" >/dev/null
[ -x "$pg_client/pgbench" ] || skip_all "pgbench is not installed"
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
for t in none viewd notify; do
	echo "INSERT INTO sale_$t (product, amount) VALUES (1, 2)" >"$T/$t.sql"
done

# Clock ticks used by the server and all sessions that have ended.
ticks()
{
	sed 's/.*) //' "/proc/$pg_pid/stat" | awk '{ print $12 + $13 + $14 + $15 }'
}

# run_once FSYNC TABLE: one run, appended to FSYNC.TABLE.tps and .us; the table is emptied first, so that all runs are alike.
run_once()
{
	local before
	sql_pg "TRUNCATE sale_$2; CHECKPOINT"
	before=$(ticks)
	"$pg_client/pgbench" -n -h "$pg_dir" -U postgres -M "$MODE" -c "$CLIENTS" -j 2 -T "$SECONDS_EACH" -f "$T/$2.sql" shop >"$T/out" 2>/dev/null
	wait_until "[ \"\$(sql_pg \"SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgbench'\")\" = 0 ]"
	sed -n 's/^tps = \([0-9]*\).*/\1/p' "$T/out" >>"$T/$1.$2.tps"
	awk -v ticks="$(($(ticks) - before))" -v hz="$(getconf CLK_TCK)" '/^number of transactions actually/ { printf "%.1f\n", ticks * 1e6 / hz / $NF }' \
		"$T/out" >>"$T/$1.$2.us"
}

# median FSYNC TABLE tps|us
median()
{
	sort -n "$T/$1.$2.$3" | sed -n "$(($(wc -l <"$T/$1.$2.$3") / 2 + 1))p"
}

for fsync in $FSYNC; do
	stop_pg
	start_pg "$@" -c fsync="$fsync" >/dev/null
	start_viewd
	wait_until is_fresh totals
	for _ in $(seq "$ROUNDS"); do
		for t in none viewd notify; do
			run_once "$fsync" "$t"
		done
	done
	stop_viewd
	for t in none viewd notify; do
		echo "$fsync $t $(median "$fsync" "$t" tps) $(median "$fsync" "$t" us)" >>"$T/medians"
	done
done
awk '{ tps[$1, $2] = $3; us[$1, $2] = $4 }
$2 == "notify" {
	printf "single-row inserts, fsync=%s: no capture %d/s, viewd %d/s (ratio %.3f, goal 0.95), NOTIFY in each %d/s (ratio %.3f);", $1, tps[$1, "none"],
		tps[$1, "viewd"], tps[$1, "viewd"] / tps[$1, "none"], $3, $3 / tps[$1, "none"]
	printf " server time an insert %.1f us, %.1f us, %.1f us\n", us[$1, "none"], us[$1, "viewd"], $4
}' "$T/medians"
finish >/dev/null
