#!/bin/bash
# SPDX-License-Identifier: MIT
# The control side holds whatever the databases do: quick status, exit codes, pause, cancel, timeout, one instance, orderly ends.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg
pg_user=viewd sql_pg 'CREATE TABLE src AS SELECT g AS n, 0 AS gen FROM generate_series(1, 10) g'
configure()
{
	conf <<-END_CONF
		[database shop]
		url = $pg_url

		[view quick]
		database = shop
		definition = SELECT n, gen FROM src

		[view slow]
		database = shop
		method = table
		definition = SELECT n, gen, (SELECT count(*) FROM (SELECT pg_sleep(gen * 60)) AS pause) AS c FROM src WHERE n = 1
		max_retries = 0
		$1
	END_CONF
}
configure ''

# ---- viewctl without a daemon ----
exits "no daemon: exit status 3" 3 viewctl status
exits "an unknown command: exit status 2" 2 viewctl nonsense
exits "an unknown option: exit status 2" 2 viewctl status --nonsense

start_viewd
ok "the views are there" wait_until "is_fresh quick && is_fresh slow"
exits "done: exit status 0" 0 viewctl refresh quick --wait
exits "an unknown view: exit status 1" 1 viewctl refresh nothing --wait
like "... and the nearest name" "$(viewctl refresh quik --wait 2>&1)" "quick"
is "the socket speaks HTTP and JSON" \
	"$(curl -s --unix-socket "$T/control.sock" http://x/v1/status | jq -r 'map(.name) | join(" ")')" "quick slow"

# ---- one instance ----
exits "a second instance is refused" 1 "$VIEWD_BUILD/viewd" -c "$T/viewd.conf"
ok "... and the first one goes on answering" viewctl status

# ---- cancel and timeout ----
sql_pg 'UPDATE src SET gen = 1'
start_process "$T/slow.out" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" refresh slow --wait
slow=$started
ok "a long refresh runs" wait_until field_is slow activity REFRESHING
exits "waiting with a limit: exit status 4" 4 viewctl refresh slow --wait --timeout 200ms
ok "others refresh beside it" viewctl refresh quick --wait
ok "cancel is accepted" viewctl cancel slow
ok "... the refresh ends as CANCELLED" wait_until field_is slow result CANCELLED
wait "$slow"
is "... and whoever waited learns of it" $? 1
is "... the old contents are there" "$(sql_pg 'SELECT n, gen FROM slow')" "1|0"

configure 'timeout = 300ms'
ok "a limit of its own is put in force" viewctl reload
exits "a refresh over its time limit fails" 1 viewctl refresh slow --wait
is "... with class timeout" "$(field slow error.class)" timeout
is "... and the old contents are there" "$(sql_pg 'SELECT n, gen FROM slow')" "1|0"

# ---- pause ----
ok "pause is accepted" viewctl pause quick
is "... and shown" "$(field quick state)" PAUSED
stop_viewd
is "viewd stops in order" $? 0
start_viewd
is "the pause has survived" "$(field quick state)" PAUSED
ok "a paused view can be refreshed by hand" viewctl refresh quick --wait
ok "resume is accepted" viewctl resume quick
ok "... and shown" wait_until field_is quick state ACTIVE

# ---- a database that hangs ----
kill -STOP $(pgrep -P "$pg_pid") "$pg_pid"
start_process "$T/hang.out" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" refresh quick --wait
ok "a refresh hangs with its server" wait_until "field quick activity | grep -q -v IDLE"
for ((i = 0; i < 21; i++)); do
	curl -s -o "$T/status.out" -w "%{time_total}\n" --unix-socket "$T/control.sock" http://x/v1/status
done | sort -n >"$T/times"
comment "21 status requests: median $(sed -n 11p "$T/times") s, longest $(tail -n 1 "$T/times") s"
ok "status answers in under 100 ms meanwhile" test "$(sed -n 11p "$T/times" | tr -d . | cut -c1-5)" -lt 01000
kill -CONT $(pgrep -P "$pg_pid") "$pg_pid"
ok "the server goes on and so does the refresh" wait_until is_fresh quick

# ---- stopping under a refresh ----
configure ''
ok "the time limit is taken back" viewctl reload
start_process "$T/slow.out" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" refresh slow --wait
ok "a long refresh runs again" wait_until field_is slow activity REFRESHING
from=$SECONDS
stop_viewd
is "SIGTERM ends viewd in order" $? 0
ok "... within seconds" test $((SECONDS - from)) -lt 10
ok "... and the service manager was told" notified STOPPING=1
ok "... and no statement is left running" wait_until \
	"[ \"\$(sql_pg \"SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND usename = 'viewd'\")\" = 0 ]"
is "... the old contents are there" "$(sql_pg 'SELECT n, gen FROM slow')" "1|0"

# ---- after kill -9 ----
sql_pg 'UPDATE src SET gen = 0'
start_viewd
kill_viewd
ok "kill -9 leaves the socket behind" test -S "$T/control.sock"
start_viewd
ok "the next start takes it over" wait_until is_fresh quick
finish
