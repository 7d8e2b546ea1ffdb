#!/bin/bash
# SPDX-License-Identifier: MIT
# max_staleness of a view that is kept incrementally: a write that nothing hears is in no change log, so all rows are computed when it
# has passed, however many refreshes by keys there were meanwhile, and whichever life of viewd computed them last.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"

start_engine
case $engine in
postgresql)
	sql_pg "CREATE TABLE sale (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL);
		GRANT SELECT, INSERT, TRIGGER ON sale TO viewd"
	;;
mariadb) sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost" ;; # to see TRUNCATE
esac
[ $engine = postgresql ] || sql "CREATE TABLE sale (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL)"
# Many groups, so that no audit comes upon the one that is changed unheard.
sql "INSERT INTO sale WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 70)
	SELECT a.n * 70 + b.n - 70, a.n * 70 + b.n - 70, 5 FROM c a, c b"

# unheard SQL: run so that no trigger tells of it. Where all writes run triggers, somebody takes it out of the change log.
unheard()
{
	case $engine in
	postgresql) sql_pg "SET session_replication_role = replica; $1" ;;
	mariadb)
		pause_viewd
		log=$(sql "SELECT log FROM viewd_change_logs WHERE source LIKE '%sale%'")
		sql "$1; DELETE FROM viewd_change_$log WHERE viewd_sign <> 0"
		kill -CONT "$viewd_pid"
		;;
	sqlite) sqlite3 "$T/shop.db" ".dbconfig enable_trigger off" "$1" >"$T/dbconfig.out" ;;
	esac
}

define()
{
	conf_database shop <<-END
		[view-defaults]
		database = shop
		method = table
		on_change = yes
		capture = trigger
		max_staleness = $1

		[view totals]
		refresh_mode = incremental
		definition = SELECT customer, count(*) AS sales, sum(amount) AS amount FROM sale GROUP BY customer

		[view above]
		refresh_mode = incremental
		definition = SELECT amount, count(*) AS customers FROM totals GROUP BY amount
	END
}

# Changes that are heard go on all the time, each by keys.
sell()
{
	sql "INSERT INTO sale SELECT max(id) + 1, 3, 7 FROM sale"
}
by_keys()
{
	sell
	wait_until is_fresh totals && field_is totals action INCREMENTAL
}
holds()
{
	sell
	[ "$(sql "SELECT amount FROM totals WHERE customer = 1")" = "$1" ] &&
		[ "$(sql "SELECT customers FROM above WHERE amount = $1")" = 1 ]
}

define 4s
start_viewd
ok "kept by keys" wait_until by_keys
unheard "UPDATE sale SET amount = 1000000 WHERE id = 1"
healed=$(sql "SELECT sum(amount) FROM sale WHERE customer = 1")
ok "a write that nothing heard comes in, though keys are refreshed all the time" wait_until "holds $healed"
ok "... after which keys suffice again" wait_until by_keys

define 1h
ok "the period is an hour" viewctl reload
unheard "UPDATE sale SET amount = 2000000 WHERE id = 1"
ok "so keys suffice" wait_until by_keys
ok "... and the write stays out" test "$(sql "SELECT amount FROM totals WHERE customer = 1")" = "$healed"
stop_viewd
healed=$(sql "SELECT sum(amount) FROM sale WHERE customer = 1")
state=$(pick viewd.view_state viewd_view_state viewd_view_state)
sql "UPDATE $state SET all_rows_time = $(pick "all_rows_time - interval '1 hour'" 'all_rows_time - INTERVAL 1 HOUR' "strftime('%Y-%m-%dT%H:%M:%fZ', all_rows_time, '-1 hour')")"
start_viewd
ok "what an earlier life computed an hour ago is computed again" wait_until "holds $healed"
like "... and history tells of all rows" "$(viewctl history totals)" "SUCCEEDED *(FULL|DIFF)"
finish
