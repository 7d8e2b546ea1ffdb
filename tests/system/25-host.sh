#!/bin/bash
# SPDX-License-Identifier: MIT
# The machine: viewd is stopped for a while, replaced while it is, or short of descriptors, threads and memory. It makes up once for what
# it missed, writes nothing that is not its own any more, never spins, and is as before when the shortage is over.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"

start_engine
make_source
define()
{
	conf_database shop "$@" <<-END_CONF
		[view-defaults]
		database = shop
		method = table
		unique_key = n
		retry_backoff = 100ms
		retry_max_backoff = 500ms

		[view ticking]
		every = 1s
		definition = SELECT n, gen FROM src

		[view followed]
		on_change = yes
		capture = trigger
		definition = SELECT n, gen FROM src

		[view by_hand]
		definition = SELECT n, gen FROM src
	END_CONF
}
define
as_before()
{
	again "$1" by_hand
	ok "$1: ... on schedule" wait_until "holds ticking"
}
# passes SECONDS: for wait_until; since is when it began (milliseconds).
passes()
{
	[ $(($(date +%s%3N) - since)) -ge "$1" ]
}
start_viewd
ok "all views are there" wait_until "is_fresh ticking && is_fresh followed && is_fresh by_hand"

# ---- stopped for a while ----
pause_viewd
since=$(date +%s%3N)
change
wait_until passes 5000
since=$(date +%s%3N)
kill -CONT "$viewd_pid"
ok "continued: changes of the meantime are in the view" wait_until "holds followed && holds ticking"
wait_until passes 950
runs_between()
{
	viewctl --json history ticking | jq --argjson from "$1" --argjson to "$2" '[.. | .started? // empty
		| (.[0:19] + "Z" | fromdateiso8601) * 1000 + (.[20:23] | rtrimstr("Z") | tonumber? // 0) | select(. >= $from and . < $to)] | length'
}
n=$(runs_between "$since" $((since + 900)))
ok "... and what was missed is made up for once" test "$n" -ge 1 -a "$n" -le 2
is "... nothing was reported to the service manager meanwhile but life" "$(grep -c '^STOPPING' "$T/notify.log")" 0

# ---- replaced while it is stopped ----
if [ $engine != sqlite ]; then
	second=$T/second
	mkdir -p "$second"
	define "$T/second.conf"
	sed -i "s|^control_socket = .*|control_socket = $second/control.sock|; s|^state_dir = .*|state_dir = $second|" "$T/second.conf"
	start_process "$T/second.log" "$VIEWD_BUILD/viewd" -c "$T/second.conf"
	second_pid=$started
	second_status()
	{
		"$VIEWD_BUILD/viewctl" -s "$second/control.sock" --json status followed
	}
	second_is()
	{
		[ "$(second_status | jq -r '.[0].state')" = "$1" ]
	}
	ok "another daemon stands by" wait_until "second_is STANDBY"
	pause_viewd
	end_leading_session "$(second_status)"
	ok "it takes over while the first is stopped" wait_until "second_is ACTIVE"
	change
	kill -CONT "$viewd_pid"
	ok "the first gives way when it continues" wait_until "[ \"\$(field followed state)\" = STANDBY ]"
	fails "... and refreshes nothing" viewctl refresh by_hand --wait
	ok "... while the other one follows" wait_until "[ \"\$(sql 'SELECT max(gen) FROM followed')\" = $gen ]"
	stop_process "$second_pid"
	as_before "alone again"
fi

# ---- descriptors ----
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$viewd_pid/stat"
}
limit_viewd()
{
	prlimit --pid "$viewd_pid" "$1"
}
enough=$(awk '/open files/ { print $4 }' "/proc/$viewd_pid/limits")
limit_viewd "--nofile=$(find "/proc/$viewd_pid/fd" | wc -l):"
[ $engine = sqlite ] || case $engine in
postgresql) sql_pg "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'viewd' AND pid <> pg_backend_pid()" ;;
mariadb) for id in $(sql_mariadb "SELECT id FROM information_schema.processlist WHERE user = 'viewd'"); do sql_mariadb "KILL $id"; done ;;
esac >"$T/end.out" 2>&1
clients=()
for ((i = 0; i < 20; i++)); do
	start_process "$T/clients.log" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" wait by_hand --newer-than 2100-01-01T00:00:00Z
	clients+=("$started")
done
change
before=$(ticks)
since=$(date +%s%3N)
wait_until passes 2000
ok "no descriptors: no spinning" test $((($(ticks) - before) * 100)) -lt $((2000 * $(getconf CLK_TCK) / 20))
ok "no descriptors: alive" is_running "$viewd_pid"
limit_viewd "--nofile=$enough:"
as_before "descriptors enough"
for pid in "${clients[@]}"; do stop_process "$pid"; done
stop_viewd

# ---- threads ----
# The limit counts a user's processes, and root has none: as nobody, whom the files must belong to.
nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
if [ "$(id -u)" -eq 0 ] && [ $engine = sqlite ] && $nobody test -x "$VIEWD_BUILD/.libs/viewd_sqlite.so"; then
	chmod 777 "$T" && chown -R 65534:65534 "$T/state" "$T"/shop.db* && rm -f "$T"/control.sock*; chmod 777 "$T/notify.sock"
	for n in 1 2 3; do
		VIEWD_WRAP="$nobody prlimit --nproc=$n:1000" spawn_viewd -c "$T/viewd.conf"
		ok "$n threads: starts or says why not" wait_until "viewd_is_up"
		if is_running "$viewd_pid"; then
			$nobody prlimit --pid "$viewd_pid" --nproc=1000:
			as_before "$n threads, then enough"
			stop_viewd
		fi
	done
	chown -R 0:0 "$T/state" "$T"/shop.db* && rm -f "$T"/control.sock*
fi

# ---- memory ----
for mb in $([ -n "${VIEWD_LONG:-}" ] && echo 8 20 28 40 || echo 20); do
	VIEWD_WRAP="prlimit --as=$((mb * 1024 * 1024))" spawn_viewd -c "$T/viewd.conf"
	wait_until viewd_is_up
	is_running "$viewd_pid" && viewctl refresh --all --wait --timeout 3s >"$T/memory.out" 2>&1
	stop_viewd
	status=$?
	ok "$mb MiB: an end that tells (status $status)" test $status -ne 139 -a $status -ne 137
done
start_viewd
as_before "memory enough"
ok "in the end all are equal" viewctl verify --all
finish
