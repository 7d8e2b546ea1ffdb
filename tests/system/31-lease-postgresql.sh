#!/bin/bash
# SPDX-License-Identifier: MIT
# Two viewd behind pgbouncer in transaction mode, where no lock of a session holds: one leads at a time. The other one takes over when it is
# killed, stopped for a while or ends, nothing is refreshed because of that, and nobody takes the place of one who answers.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"
. "$VIEWD_SRC/tests/system/lib-pooler.sh"

need_pooler
start_pg
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd; CREATE TABLE public.sale (id int PRIMARY KEY, amount int NOT NULL)"
start_pooler transaction "$pg_dir"

# configure NAME URL
configure()
{
	cat >"$T/$1.conf" <<-END
		[viewd]
		control_socket = $T/$1.sock
		plugin_dir = $VIEWD_BUILD/.libs
		state_dir = $T/$1.state
		[database shop]
		url = $2
		[view-defaults]
		database = shop
		on_change = yes
		[view totals]
		method = materialized
		unique_key = one
		definition = SELECT 1 AS one, count(*) AS n FROM sale
		[view amounts]
		method = table
		definition = SELECT sum(amount) AS n FROM sale
	END
	mkdir -p "$T/$1.state"
}
pool_url="postgresql://viewd@/shop?host=$T/pooler&port=6432"
configure a "$pool_url"
configure b "$pool_url"
configure direct "postgresql://viewd@/shop?host=$pg_dir"
declare -A pid

start()
{
	start_process "$T/viewd.log" "$VIEWD_BUILD/viewd" -c "$T/$1.conf"
	pid[$1]=$started
}
ctl()
{
	timeout 10 "$VIEWD_BUILD/viewctl" -s "$T/$1.sock" "${@:2}"
}
state()
{
	ctl "$1" --json status totals 2>/dev/null | member state
}
leads()
{
	[ "$(state "$1")" = ACTIVE ] && ctl "$1" --json status | jq -e 'all(.[]; .freshness == "FRESH" and .activity == "IDLE")' >"$T/jq.log"
}
stands_by()
{
	[ "$(state "$1")" = STANDBY ]
}
epoch()
{
	sql_pg 'SELECT epoch FROM viewd.daemon'
}
runs()
{
	sql_pg 'SELECT count(*) FROM viewd.refresh_history'
}
rows=0
write()
{
	rows=$((rows + 1))
	sql_pg "INSERT INTO public.sale VALUES ($rows, 1)"
}
shown()
{
	[ "$(sql_pg 'SELECT n FROM public.totals') $(sql_pg 'SELECT n FROM public.amounts')" = "$rows $rows" ]
}
# asked_times N: somebody has asked who leads at least N times, and was answered each time. The history of the row is in its versions.
asked_times()
{
	local now
	now=$(sql_pg "SELECT asked <> '' FROM viewd.daemon")
	[ "$now" = "${asked_was:-f}" ] || [ "$now" = t ] || answered=$((${answered:-0} + 1))
	asked_was=$now
	[ "${answered:-0}" -ge "$1" ]
}

start a
ok "the first one leads" wait_until leads a
start b
ok "the second one stands by" wait_until stands_by b
like "... and says why" "$(ctl b why totals)" "asked whether it still does"
ok "... the first one answers it, twice" wait_until asked_times 2
is "... and goes on to lead" "$(state a) $(state b) $(epoch)" "ACTIVE STANDBY 1"
write
ok "a change is followed" wait_until shown
wait_until leads a

before=$(runs) begun=$SECONDS
stop_process "${pid[a]}" KILL
ok "the first one is killed: the second one takes over" wait_until leads b
took=$((SECONDS - begun))
comment "after kill -9 it took $took s"
ok "... within the time to answer, and to look twice" test $took -le 30
is "... and refreshes nothing for that" "$(runs)" "$before"
is "... as the second leader" "$(epoch)" 2
write
ok "... and follows" wait_until shown
is "... with one refresh a view" "$(runs)" $((before + 2))

start a
ok "the first one comes back and stands by" wait_until stands_by a
answered=0
wait_until asked_times 2
is "... and the leader stays" "$(state a) $(state b) $(epoch)" "STANDBY ACTIVE 2"

pause_process "${pid[b]}"
ok "the leader is stopped: the other one takes over" wait_until leads a
write
ok "... and follows" wait_until shown
before=$(runs)
kill -CONT "${pid[b]}"
ok "the one that was stopped finds itself standing by" wait_until stands_by b
is "... has refreshed nothing, and leads no more" "$(runs) $(epoch)" "$before 3"

begun=$SECONDS
stop_process "${pid[a]}"
ok "the leader ends: the other one need not wait" wait_until leads b
took=$((SECONDS - begun))
comment "after a stop it took $took s"
ok "... for an answer" test $took -le 10
is "... and refreshes nothing for that" "$(runs)" "$before"

# One that talks to the server itself has the lock, and finds that somebody leads without it.
start direct
ok "one with a session of its own stands by as well" wait_until stands_by direct
stop_process "${pid[b]}"
ok "... takes over" wait_until leads direct
start b
ok "... and keeps the one behind the pooler out" wait_until stands_by b
stop_process "${pid[direct]}" KILL
ok "killed, it is followed at once, since its lock is gone" wait_until leads b
write
ok "... and changes are followed" wait_until shown
is "nothing was refreshed but what changed" "$(runs)" $((before + 2))
finish
