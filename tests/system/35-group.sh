#!/bin/bash
# SPDX-License-Identifier: MIT
# Views of one refresh_group: a reader in a tight loop never sees two of them with rows of different moments, while somebody writes all the time; one
# failure leaves all; killed at any named place of a run, all are old or all are new.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
refreshes=${VIEWD_LONG:+200}
rows=40

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "CREATE TABLE extra (n integer NOT NULL, gen integer NOT NULL)"
sql "INSERT INTO src WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $rows) SELECT n, 0 FROM c"

# define [LINE]: the group, with a line more for each view.
define()
{
	conf_database shop <<-END_CONF
		[view-defaults]
		database = shop
		refresh_group = g
		max_retries = 1000
		retry_backoff = 100ms
		$1

		[view ga]
		method = materialized
		unique_key = n
		definition = SELECT n, gen FROM src

		[view gb]
		method = table
		unique_key = n
		definition = SELECT n, gen FROM src UNION ALL SELECT n, gen FROM extra

		[view gc]
		method = table
		definition = SELECT sum(gen) AS total, count(*) AS n FROM ga

		; two that keep readers out on PostgreSQL
		[view gd]
		method = materialized
		definition = SELECT n, gen FROM src

		[view ge]
		method = materialized
		definition = SELECT max(gen) AS gen FROM gd
	END_CONF
}

pair="SELECT CASE WHEN (SELECT max(gen) FROM ga) = (SELECT min(gen) FROM gb) AND (SELECT min(gen) FROM ga) = (SELECT max(gen) FROM gb)
	AND (SELECT total FROM gc) = $rows * (SELECT max(gen) FROM gb) AND (SELECT min(gen) FROM gd) = (SELECT gen FROM ge)
	AND (SELECT gen FROM ge) = (SELECT max(gen) FROM gb) THEN 'same' ELSE 'mixed' END"

writer()
{
	trap 'exit 0' TERM
	while :; do
		sql "UPDATE src SET gen = gen + 1"
	done
}

all_fresh()
{
	is_fresh ga && is_fresh gb && is_fresh gc && is_fresh gd && is_fresh ge
}

define ""
start_viewd
ok "all members are there" wait_until all_fresh
of_one_moment()
{
	[ "$(viewctl --json status | jq '[.[].data_timestamp] | unique | length')" = 1 ]
}
ok "... of one moment" wait_until of_one_moment
like "why tells the group" "$(viewctl why gb)" "refresh_group 'g': refreshed as one with 'ga', 'gc', 'gd', 'ge'"
is "... status too" "$(field gb refresh_group)" g

start_process "$T/reader.log" "$VIEWD_BUILD/tests/support/reader-$engine" \
	"$(pick "host=${pg_dir:-} user=viewd dbname=shop" "${mariadb_dir:-}/sock viewd shop" "$T/shop.db")" "$pair" same
reader_pid=$started
wait_until grep -q reading "$T/reader.log"
start_process "$T/writer.log" writer
writer_pid=$started

done_well=0
for ((i = 0; i < ${refreshes:-12}; i++)); do
	members=(ga gb gc)
	! viewctl refresh "${members[i % 3]}" --wait >"$T/refresh.out" 2>&1 || done_well=$((done_well + 1))
done
is "every refresh of a member refreshes all, beside a writer" "$done_well" "${refreshes:-12}" || comment "$(cat "$T/refresh.out")"
ok "... and they stay of one moment" of_one_moment

# Following changes, under constant writing.
define "on_change = yes"
ok "on_change for all" viewctl reload
successes()
{
	sql "SELECT count(*) FROM $(pick viewd.refresh_history viewd_refresh_history viewd_refresh_history) WHERE result = 'SUCCEEDED' AND view = '$1' AND $(pick '"trigger"' '`trigger`' '"trigger"') = 'CHANGE'"
}
many()
{
	[ "$(successes gb)" -ge 5 ]
}
ok "changes start runs although more of them come all the time" wait_until many
stop_process "$writer_pid"
gen_is_new()
{
	[ "$(sql "SELECT max(gen) FROM ga")" = "$(sql "SELECT max(gen) FROM src")" ] && all_fresh
}
ok "... and the last one is seen" wait_until gen_is_new
stop_process "$reader_pid"
is "a reader saw rows of one moment only" "$?" 0 || comment "$(cat "$T/reader.log")"
comment "$(tail -n 1 "$T/reader.log")"
ok "... and it read often" test "$(sed -n 's/ reads.*//p' "$T/reader.log")" -gt 50

# One failure.
define ""
ok "by hand again" viewctl reload
sql "INSERT INTO extra VALUES (1, 0)"
before=$(sql "SELECT max(gen) FROM ga")
sql "UPDATE src SET gen = gen + 1"
exits "a member that fails fails the request" 1 viewctl refresh ga --wait
is "... the one" "$(field gb result)" FAILED
is "... and the others" "$(field ga result) $(field gc result)" "UPSTREAM_FAILED UPSTREAM_FAILED"
like "... which name it" "$(field gc error.message)" "refresh_group 'g' was left as it is: view 'gb' failed"
is "... with their last good contents" "$(sql "SELECT max(gen) FROM ga") $(sql "$pair")" "$before same"
like "... in the history as well" "$(viewctl history ga | sed -n 2p)" "UPSTREAM_FAILED"
sql "DELETE FROM extra"
ok "mended: all are refreshed" viewctl refresh gc --wait
is "... to the same" "$(sql "SELECT max(gen) FROM ga") $(sql "$pair")" "$((before + 1)) same"
ok "the stored rows equal the definitions" viewctl verify --all

# A paused member.
ok "one is paused" viewctl pause gb
like "... the group rests" "$(viewctl why ga)" "its group rests: view 'gb' is paused"
ok "... and by hand all are refreshed" viewctl refresh ga --wait
ok "resumed" viewctl resume gb
stop_viewd

# A start finds them of one moment, and leaves them alone.
runs()
{
	sql "SELECT count(*) FROM $(pick viewd.refresh_history viewd_refresh_history viewd_refresh_history)"
}
before=$(runs)
start_viewd
ok "started again: all are fresh" wait_until all_fresh
is "... without a run" "$(runs)" "$before"
stop_viewd

# Kills.
grep -q VIEWD_FAILPOINT "$VIEWD_BUILD/viewd" || finish
sql_tables()
{
	sql "$(pick \
		"SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_(toast|catalog|temp)' AND n.nspname <> 'information_schema' ORDER BY 1, 2" \
		"SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1" \
		"SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")"
}
clean=$(sql_tables)
n_places=0
for place in $(grep -rhoE "db_failpoint\([^)]*\"(group|refresh|mysql):[a-z]+\"" "$VIEWD_SRC/plugins/common" "$VIEWD_SRC/plugins/$dialect" |
	grep -oE "[a-z]+:[a-z]+" | sort -u); do
	before=$(sql "SELECT max(gen) FROM ga")
	sql "UPDATE src SET gen = gen + 1"
	viewd_env=("VIEWD_FAILPOINT=$place:kill")
	spawn_viewd -c "$T/viewd.conf"
	viewd_env=()
	wait_until viewd_is_up
	viewctl refresh ga --wait >/dev/null 2>&1
	stop_viewd
	[ $? -eq 137 ] || continue
	n_places=$((n_places + 1))
	like "killed at $place: old or new for all" "$(sql "SELECT max(gen) FROM ga") $(sql "$pair")" "^($before|$((before + 1))) same$"
	start_viewd
	ok "... and equal again after a start" eval "viewctl refresh gb --wait && viewctl verify --all"
	is "... all of them" "$(sql "SELECT max(gen) FROM gb") $(sql "$pair")" "$((before + 1)) same"
	is "... with nothing left over" "$(sql_tables)" "$clean"
	stop_viewd
done
ok "the failpoints were reached" test $n_places -ge 6
finish
