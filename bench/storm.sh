#!/bin/bash
# SPDX-License-Identifier: MIT
# A storm of changes on one source of one view: how often it is refreshed, how soon the control socket answers meanwhile, and what it
# leaves in memory. The scripted dialect tells of each change; real servers commit them one by one. engine= for one of fake,
# postgresql, mariadb, sqlite. CHANGES: how many; EVERY: at_most_every, seconds; CLIENTS: of the servers.
database=${engine:-}
[ "$database" != fake ] || engine=sqlite # whatever lib-engine.sh knows: none is started
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
[ -n "$database" ] || {
	table "storm: ${CHANGES:=100000} changes of one source, at_most_every = ${EVERY:=1}s"
	engine=fake CHANGES=$CHANGES EVERY=$EVERY "$0" "$@" && CHANGES=$CHANGES EVERY=$EVERY each_engine "$0" "$@" || exit
	finished=yes
	exit
}
: "${CHANGES:=100000}" "${EVERY:=1}" "${CLIENTS:=8}"

number() { viewctl --json info | jq "$1"; }
memory() { awk -v key="$1:" '$1 == key { print $2 }' "/proc/$viewd_pid/status"; }

# changes N: commits them.
changes()
{
	case $database in
	fake) echo "storm t_sale $1" >>"$T/control" ;;
	postgresql)
		"$pg_client/pgbench" -n -h "$pg_dir" -U viewd -M prepared -c "$CLIENTS" -j 2 -t "$(($1 / CLIENTS))" -f "$T/insert.sql" shop >"$T/pgbench" 2>&1
		;;
	mariadb) "$VIEWD_BUILD/bench/inserts-mariadb" "$(target)" "$CLIENTS" "$1x" "$insert" >"$T/inserts" ;;
	sqlite) "$VIEWD_BUILD/bench/inserts-sqlite" "$(target)" 1 "$1x" "$insert" "PRAGMA synchronous = off" >"$T/inserts" ;;
	esac || die "$database: the changes fail"
}

# followed N: the view knows all of the changes so far.
followed()
{
	case $database in
	fake) settled totals && [ "$(number .runs)" -gt "$1" ] ;;
	*) [ "$(sql "SELECT n FROM totals")" = "$1" ] && settled totals ;;
	esac
}

insert='INSERT INTO sale (amount) VALUES (1)'
if [ "$database" = fake ]; then
	mkdir "$T/plugins"
	install -m 755 "$VIEWD_BUILD/tests/plugins/.libs/viewd_fake.so" "$T/plugins/"
	: >"$T/control"
	db_url="\"fake://d?control=$T/control\""
else
	start_bench_engine "$@"
	sql "CREATE TABLE sale (id $(pick 'bigint GENERATED ALWAYS AS IDENTITY' 'integer AUTO_INCREMENT' integer) PRIMARY KEY, amount integer NOT NULL)"
	echo "SET search_path = public; $insert" >"$T/insert.sql"
	[ "$engine" != postgresql ] || pg_url="$pg_url&options=-c%20search_path%3Dpublic"
fi
conf_database shop <<CONF
[view totals]
database = shop
method = table
on_change = yes
at_most_every = ${EVERY}s
definition = SELECT count(*) AS n FROM $([ "$database" = fake ] && echo t_sale || echo sale)
CONF
[ "$database" != fake ] || sed -i "s|^plugin_dir.*|plugin_dir = $T/plugins|" "$T/viewd.conf"
start_viewd
wait_until settled totals || die "the view does not become fresh"
warm=$((CHANGES / 20 / CLIENTS * CLIENTS))
changes $warm
WAIT=60 wait_until followed $([ "$database" = fake ] && number .runs || echo $warm) || die "$database: the view does not follow"
runs=$(number .runs) rss=$(memory VmRSS) peak=$(memory VmHWM)
[ -x "$VIEWD_BUILD/bench/probe" ] || die "make bench builds what is needed; bench/probe is missing"
start_process "$T/probe" "$VIEWD_BUILD/bench/probe" "$T/control.sock" 5
from=${EPOCHREALTIME/./}
changes $((CHANGES / CLIENTS * CLIENTS))
committed=${EPOCHREALTIME/./}
WAIT=100 wait_until followed $([ "$database" = fake ] && echo "$runs" || echo $((warm + CHANGES / CLIENTS * CLIENTS))) ||
	die "$database: the view does not follow"
over=${EPOCHREALTIME/./}
stop_process "$started"
read -r asked _ p99 longest <"$T/probe" || die "$database: nothing was asked"
runs=$(($(number .runs) - runs))
[ "$database" = fake ] || row "$database: committed in" "$(sum "($committed - $from) / 1e6")" s
row "$database: refreshes until all was followed, $(sum "($over - $from) / 1e6") s" "$runs" "" "<= $((2 + (over - from) / (EVERY * 1000000)))"
row "$database: status of $asked requests, 99th percentile" "$p99" ms
row "$database: status, longest" "$longest" ms '<= 100'
row "$database: resident memory grown by" "$(($(memory VmRSS) - rss))" KiB '<= 2048'
row "$database: peak of resident memory grown by" "$(($(memory VmHWM) - peak))" KiB '<= 2048'
finish >/dev/null
