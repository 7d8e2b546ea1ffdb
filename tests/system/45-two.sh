#!/bin/bash
# SPDX-License-Identifier: MIT
# Two viewd keep one database: exactly one does anything, the other stands by. The active one ends, is killed, is stopped for a while, or
# loses its place to the other while it is stopped, also in the middle of a refresh: whatever asks for a refresh gets exactly one that counts.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY)"
sql "CREATE TABLE effect (of integer NOT NULL)"
history=$(pick viewd.refresh_history viewd_refresh_history viewd_refresh_history)

# configure NAME: the same for both, but for where they listen and keep what is theirs.
configure()
{
	conf_database shop "$T/$1.conf" <<-END_CONF
		[view mirror]
		database = shop
		method = table
		on_change = yes
		retry_backoff = 100ms
		max_retries = 50
		definition = SELECT count(*) AS n FROM src
		post_hook = INSERT INTO effect SELECT n FROM mirror

		[view clock]
		database = shop
		method = table
		every = 1s
		definition = SELECT 1 AS n
	END_CONF
	sed -i "s|^control_socket = .*|control_socket = $T/$1.sock|; s|^state_dir = .*|state_dir = $T/$1.state|" "$T/$1.conf"
}
configure a
configure b
declare -A pid

# start NAME [ENVIRONMENT]: without waiting.
start()
{
	start_process "$T/viewd.log" env "${@:2}" "$VIEWD_BUILD/viewd" -c "$T/$1.conf"
	pid[$1]=$started
}

ctl()
{
	timeout 10 "$VIEWD_BUILD/viewctl" -s "$T/$1.sock" "${@:2}"
}

# state NAME: of the view mirror, as that viewd tells it.
state()
{
	ctl "$1" --json status mirror 2>/dev/null | member state
}

is_active()
{
	local json
	json=$(ctl "$1" --json status mirror 2>/dev/null)
	[ "$(member state <<<"$json") $(member activity <<<"$json") $(member is_stale <<<"$json")" = "ACTIVE IDLE false" ]
}

stands_by()
{
	[ "$(state "$1")" = STANDBY ]
}

# One of them keeps the database, the other one waits for it. $active and $other say which.
one_keeps_it()
{
	if is_active a && stands_by b; then
		active=a other=b
	elif is_active b && stands_by a; then
		active=b other=a
	else
		return 1
	fi
}

effects()
{
	sql "SELECT count(*) FROM effect WHERE of = $1"
}

# A change, which asks for one refresh; $n is what the view then holds.
n=0
change()
{
	n=$((n + 1))
	sql "INSERT INTO src VALUES ($n)"
}

shows()
{
	[ "$(sql 'SELECT n FROM mirror')" = "$1" ]
}

take_its_place()
{
	end_leading_session "$(ctl b --json status mirror)"
}

# ---- at most one ----

start a
ok "the first one keeps the database" wait_until is_active a
start b
ok "the second one stands by" wait_until stands_by b
like "... and says why" "$(ctl b status mirror; ctl b why mirror)" "another viewd"
fails "... and refreshes nothing by hand" ctl b refresh mirror --wait

before=$SECONDS
stop_process "${pid[a]}"
ok "the first one ends: the second one takes over" wait_until is_active b
comment "after a stop it took $((SECONDS - before)) s"
start a
wait_until stands_by a
before=$SECONDS
stop_process "${pid[b]}" KILL
ok "the second one is killed: the first one takes over" wait_until is_active a
comment "after kill -9 it took $((SECONDS - before)) s"
stop_process "${pid[a]}"

one=0
rounds=$([ -n "${VIEWD_LONG:-}" ] && echo 20 || echo 4)
for _ in $(seq $rounds); do
	start a
	start b
	wait_until one_keeps_it && one=$((one + 1))
	stop_process "${pid[a]}"
	stop_process "${pid[b]}"
done
is "started at the same moment, exactly one of both keeps it" $one $rounds

# ---- stopped for a while ----

start a
wait_until is_active a
start b
wait_until stands_by b
change
wait_until shows $n
clock_rows=$(sql "SELECT count(*) FROM $history WHERE view = 'clock'")
clock_start=$SECONDS
pause_viewd "${pid[a]}"
change
wait_until stands_by b
kill -CONT "${pid[a]}"
ok "stopped while nothing runs, it catches up when it goes on" wait_until shows $n
is "... with one refresh for the one change" "$(effects $n)" 1
ok "... and the other one still stands by" stands_by b

# Something asks in SQL, which is one more refresh of what is there.
pause_viewd "${pid[a]}"
sql "$(pick "SELECT viewd.request_refresh('mirror')" "INSERT INTO viewd_requests (view) VALUES ('mirror')" "INSERT INTO viewd_requests (view) VALUES ('mirror')")" >/dev/null
kill -CONT "${pid[a]}"
ok "asked in SQL meanwhile, it refreshes" wait_until '[ "$(effects $n)" = 2 ]'
wait_until is_active a
is "... once" "$(effects $n)" 2
# The time that passes is counted after the rows: a slow machine only makes the bound wider.
clock_rows=$(($(sql "SELECT count(*) FROM $history WHERE view = 'clock'") - clock_rows))
ok "a schedule of one second runs at most once a second" test $clock_rows -le $((SECONDS - clock_start + 2))

# ---- stopped for a while, and its place is taken ----

if [ $engine = sqlite ]; then
	pause_viewd "${pid[a]}"
	change
	stop_process "${pid[a]}" KILL
	ok "stopped and then killed: the other one takes over" wait_until "shows $n && is_active b"
	is "... with one refresh for the one change" "$(effects $n)" 1
else
	pause_viewd "${pid[a]}"
	take_its_place
	ok "its session is gone while it is stopped: the other one takes over" wait_until is_active b
	change
	ok "... and refreshes what changes" wait_until shows $n
	kill -CONT "${pid[a]}"
	ok "the first one goes on and finds itself standing by" wait_until stands_by a
	is "... one refresh for the one change" "$(effects $n)" 1
	stop_process "${pid[b]}"
	ok "... and takes over again when the other one ends" wait_until is_active a
fi
stop_process "${pid[a]}"
stop_process "${pid[b]}"

# ---- in the middle of a refresh ----

grep -q VIEWD_FAILPOINT "$VIEWD_BUILD/viewd" || finish
for who in a b; do
	sed -i '/^\[view clock\]/,$d' "$T/$who.conf"
	echo 'refresh_mode = auto' >>"$T/$who.conf"
done

# The places of a refresh that this engine may come to. Without much time: those around what is committed.
some=$([ -n "${VIEWD_LONG:-}" ] || echo 'refresh:(begin|filled|recorded|committed)|mysql:(checked|renamed)')
places()
{
	grep -rhoE "failpoint\([^)]*\"(refresh|mysql):[a-z]+\"" "$VIEWD_SRC/plugins/common" "$VIEWD_SRC/plugins/$dialect" |
		grep -oE "[a-z]+:[a-z]+" | grep -E "^($some)" | sort -u
}

succeeded()
{
	sql "SELECT count(*) FROM $history WHERE view = 'mirror' AND result = 'SUCCEEDED'"
}

n_places=0
for place in $(places); do
	# MariaDB: a table of this size is else filled in place.
	sed -i "s/^refresh_mode = .*/refresh_mode = $([[ $place == mysql:* ]] && echo swap || echo auto)/" "$T/a.conf" "$T/b.conf"
	rm -f "$T/a.sock" "$T/b.sock"
	start a VIEWD_FAILPOINT="$place:stop"
	wait_until "is_paused ${pid[a]} || is_active a"
	start b
	wait_until "is_paused ${pid[a]} || stands_by b"
	if ! is_paused "${pid[a]}"; then
		change
		wait_until "is_paused ${pid[a]} || { shows $n && is_active a; }"
	fi
	if ! is_paused "${pid[a]}"; then
		stop_process "${pid[b]}"
		stop_process "${pid[a]}"
		continue
	fi
	n_places=$((n_places + 1))
	before=$(effects $n)
	[ $engine = sqlite ] || take_its_place
	[ $engine = sqlite ] || wait_until "! stands_by b"
	kill -CONT "${pid[a]}"
	# Where the other one could not take over because of what is held open, the first one may take its place back.
	ok "stopped at $place, it goes on: one of both keeps the database" wait_until one_keeps_it
	ok "... the change is shown" wait_until shows $n
	is "... with one refresh" "$(effects $n)" 1
	stop_process "${pid[a]}"
	stop_process "${pid[b]}"
done
ok "places were reached" test $n_places -ge 4
finish
