#!/bin/bash
# SPDX-License-Identifier: MIT
# The cost of noticing changes for those who make them, on PostgreSQL: single-row inserts by 8 clients into a table without capture, with
# viewd's triggers and the watcher at work, with the change log of a view that is kept incrementally besides, and with a NOTIFY in every
# transaction. The four alternate; the medians of ROUNDS count. Then bulk updates of BULK rows.
# Once with fsync, as servers are run, and once without, which shows the cost in processor time. Processor time an insert (all
# processes of the server) varies less than the rate on a machine that does other things too.
# The refreshes themselves are left out (at_most_every): they cost what they cost however they are started.
: "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
. "$VIEWD_SRC/tests/system/lib.sh"
: "${ROUNDS:=5}" "${SECONDS_EACH:=4}" "${CLIENTS:=8}" "${MODE:=simple}" "${FSYNC:=on off}" "${BULK:=50000}"
kinds='none viewd log notify'

start_pg "$@" >/dev/null
[ -x "$pg_client/pgbench" ] || skip_all "pgbench is not installed"
for t in $kinds; do
	sql_pg "CREATE TABLE sale_$t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, product int, amount int)"
done
for t in viewd log; do
	sql_pg "CREATE TABLE bulk_$t (id integer PRIMARY KEY, product integer NOT NULL, amount integer NOT NULL)"
	sql_pg "GRANT SELECT, TRIGGER ON sale_$t, bulk_$t TO viewd"
done
sql_pg 'CREATE TABLE bulk_none (LIKE bulk_log INCLUDING ALL); GRANT CREATE ON SCHEMA public TO viewd; GRANT TEMPORARY ON DATABASE shop TO viewd'
sql_pg "CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''other'', ''''); RETURN NULL; END'"
sql_pg 'CREATE TRIGGER tell AFTER INSERT ON sale_notify FOR EACH STATEMENT EXECUTE FUNCTION tell()'
# view NAME METHOD MODE DEFINITION
view()
{
	printf '[view %s]\ndatabase = shop\nmethod = %s\nrefresh_mode = %s\non_change = yes\ncapture = trigger\nat_most_every = 1h\ndefinition = %s\n' "$@"
}
{
	printf '[viewd]\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\n[database shop]\nurl = %s\n' "$T/control.sock" "$VIEWD_BUILD/.libs" \
		"$T/state" "$pg_url"
	for t in sale bulk; do
		view "${t}_totals" materialized full "SELECT count(*) AS n FROM ${t}_viewd"
		view "${t}_sums" table incremental "SELECT product, count(*) AS n, sum(amount) AS amount FROM ${t}_log GROUP BY product"
	done
} >"$T/viewd.conf"
mkdir -p "$T/state"
for t in $kinds; do
	echo "INSERT INTO sale_$t (product, amount) VALUES (1, 2)" >"$T/$t.sql"
done

# Clock ticks used by the server and all sessions that have ended.
ticks()
{
	sed 's/.*) //' "/proc/$pg_pid/stat" | awk '{ print $12 + $13 + $14 + $15 }'
}

# all_fresh: what was logged has been read, so that no log comes to its end.
all_fresh()
{
	viewctl refresh --wait sale_sums bulk_sums >/dev/null || die "the views cannot be refreshed"
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

# bulk_once FSYNC TABLE: milliseconds of one UPDATE, appended to FSYNC.TABLE.ms; the table is as it was when it was new.
bulk_once()
{
	sql_pg "TRUNCATE bulk_$2; INSERT INTO bulk_$2 SELECT n, n % 100, 1 FROM generate_series(1, $BULK) n; ANALYZE bulk_$2; CHECKPOINT"
	printf '\\timing on\nUPDATE bulk_%s SET amount = amount + 1\n' "$2" | sql_pg | sed -n 's/^Time: \([0-9.]*\).*/\1/p' | tail -n 1 >>"$T/$1.$2.ms"
}

# median FSYNC TABLE tps|us|ms
median()
{
	sort -n "$T/$1.$2.$3" | sed -n "$(($(wc -l <"$T/$1.$2.$3") / 2 + 1))p"
}

for fsync in $FSYNC; do
	stop_pg
	start_pg "$@" -c fsync="$fsync" >/dev/null
	start_viewd
	for t in sale_totals sale_sums bulk_totals bulk_sums; do
		wait_until is_fresh "$t"
	done
	for _ in $(seq "$ROUNDS"); do
		for t in $kinds; do
			run_once "$fsync" "$t"
		done
		all_fresh
	done
	for _ in $(seq $((2 * ROUNDS))); do
		for t in none viewd log; do
			bulk_once "$fsync" "$t"
		done
		all_fresh
	done
	stop_viewd
	for t in $kinds; do
		echo "$fsync $t $(median "$fsync" "$t" tps) $(median "$fsync" "$t" us)" >>"$T/medians"
	done
done
awk '{ tps[$1, $2] = $3; us[$1, $2] = $4 }
$2 == "notify" {
	printf "single-row inserts, fsync=%s: no capture %d/s, viewd %d/s (ratio %.3f, goal 0.95), with a change log %d/s (ratio %.3f, goal 0.85), NOTIFY in each %d/s (ratio %.3f);",
		$1, tps[$1, "none"], tps[$1, "viewd"], tps[$1, "viewd"] / tps[$1, "none"], tps[$1, "log"], tps[$1, "log"] / tps[$1, "none"], $3, $3 / tps[$1, "none"]
	printf " server time an insert %.1f us, %.1f us, %.1f us, %.1f us\n", us[$1, "none"], us[$1, "viewd"], us[$1, "log"], $4
}' "$T/medians"
for fsync in $FSYNC; do
	echo "$fsync $(median "$fsync" none ms) $(median "$fsync" viewd ms) $(median "$fsync" log ms)"
done | awk -v rows="$BULK" '{
	printf "update of %d rows, fsync=%s: no capture %.1f ms, viewd %.1f ms (ratio %.3f), with a change log %.1f ms (ratio %.3f, goal 1.10)\n", rows, $1, $2, $3, $3 / $2, $4, $4 / $2
}'
finish >/dev/null
