#!/bin/bash
# SPDX-License-Identifier: MIT
# A Galera cluster of three nodes under load, while nodes are killed, stopped and cut off, once without viewd and once with two
# of it, each of which knows all nodes. Writers have rows of their own, so none of them is aborted without viewd, and none may be
# with it. Readers never find half a view. In the end each view equals its definition on every node, and one viewd has led at a
# time, but for the lease. $SEED makes the same luck again; $SECONDS_TO_RUN says how long each of the two runs takes (default 60,
# or 600 with VIEWD_LONG); $CAPTURE how changes are noticed (trigger or binlog).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
SEED=${SEED:-$((${EPOCHREALTIME#*.} % 32768))}
CAPTURE=${CAPTURE:-trigger}
limit=${SECONDS_TO_RUN:-$([ -n "${VIEWD_LONG:-}" ] && echo 600 || echo 60)}
comment "seed $SEED, two runs of $limit seconds, capture $CAPTURE"
WAIT=180
expiry=20 # seconds: a lease, and the time until somebody looks
nodes="1 2 3"
views="listed doubled copied grouped"

# ---- the cluster ----

options=(--wsrep-log-conflicts=ON)
[ "$CAPTURE" != binlog ] || options+=(--log-bin=binlog --log-slave-updates=ON --sync-binlog=0)
start_one()
{
	start_listening "$1" "${options[@]}"
}
make_cluster()
{
	local n
	galera_pid=() galera_dir=()
	rm -rf "$T"/node?
	for n in $nodes; do start_one "$n"; done
	sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1;
		GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@127.0.0.1; CREATE USER app@localhost; GRANT ALL ON shop.* TO app@localhost;
		CREATE TABLE source (id INT PRIMARY KEY, grp INT NOT NULL, v INT NOT NULL); CREATE TABLE other (id INT PRIMARY KEY, v INT NOT NULL);
		INSERT INTO source SELECT seq, seq % 97, seq % 1000 FROM seq_0_to_49999; INSERT INTO other SELECT id, v FROM source"
}
stop_cluster()
{
	local n
	for n in $nodes; do stop_process "${galera_pid[n]}" KILL; done
}

definition_of()
{
	sed -n "/^\[view $1\]/,/^definition = /s/^definition = //p" "$T/viewd1.conf"
}

# configure NUMBER HOSTS: one of the two viewd, with the nodes in an order of its own.
configure()
{
	mkdir -p "$T/state$1"
	cat >"$T/viewd$1.conf" <<-END
		[viewd]
		control_socket = $T/control$1.sock
		plugin_dir = $VIEWD_BUILD/.libs
		state_dir = $T/state$1

		[database shop]
		url = mariadb://viewd@$2/shop

		[view-defaults]
		database = shop
		method = table
		on_change = yes
		capture = $CAPTURE
		at_most_every = 1s
		timeout = 30s
		retry_backoff = 200ms
		retry_max_backoff = 1s

		[view listed]
		unique_key = id
		definition = SELECT id, grp, v FROM source

		[view doubled]
		unique_key = id
		refresh_mode = incremental
		definition = SELECT id, v * 2 AS v FROM source

		[view copied]
		at_most_every = 5s
		definition = SELECT id, v FROM source

		[view grouped]
		definition = SELECT grp, count(*) AS n, sum(v) AS v FROM source GROUP BY grp
	END
}
for n in $nodes; do hosts[n]=127.0.0.1:$(node_port "$n"); done
configure 1 "${hosts[1]},${hosts[2]},${hosts[3]}"
configure 2 "${hosts[2]},${hosts[3]},${hosts[1]}"

ctl()
{
	local number=$1
	shift
	"$VIEWD_BUILD/viewctl" -s "$T/control$number.sock" "$@"
}

# ---- clients ----

# supervise NODE NAME SEED KIND NUMBER: a client whose connection is lost begins again.
supervise()
{
	local status=1
	RANDOM=$3
	trap 'kill -KILL $!; exit' TERM
	until [ $status -eq 0 ]; do
		"$VIEWD_BUILD/tests/model/galera-client" "${galera_dir[$1]}/sock app shop" "$run" "$2" $RANDOM "$4" "$5" 2>>"$run/$2.err" &
		wait $! 2>/dev/null
		status=$?
		[ $status -eq 0 ] || nap 0.3
	done
}
start_clients()
{
	local n i
	supervisors=()
	RANDOM=$SEED
	for n in $nodes; do
		i=0
		for kind in source source other other reader; do
			i=$((i + 1))
			supervise "$n" "$kind.$n$i" $RANDOM $kind $((n * 4 + i)) {tap_fd}>&- &
			supervisors+=($!) pids+=($!)
		done
	done
}

# ---- trouble ----

# set_isolated NODE 0|1: the node hears nobody and is heard by nobody.
set_isolated()
{
	mariadb_db='' sql_on "$1" "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=$2'"
}
is_whole()
{
	local n
	for n in $nodes; do
		[ "$(timeout 2 mariadb --no-defaults -NB --socket="${galera_dir[n]}/sock" -uroot -e "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_local_state')" 2>/dev/null |
			cut -f2 | tr '\n' ' ')" = "4 3 " ] || return 1
	done
}

# The same in both runs: each begins at a time of its own, unless the one before is not over.
plan_trouble()
{
	local at=8 kinds=(kill stop isolate)
	RANDOM=$SEED
	: >"$T/plan"
	while [ $at -lt $((limit - 5)) ]; do
		echo "$at ${kinds[RANDOM % 3]} $((1 + RANDOM % 3)) $((3 + RANDOM % 10)) $((RANDOM % 4))"
		at=$((at + 30 + RANDOM % 10))
	done >"$T/plan"
}

# trouble KIND NODE SECONDS
trouble()
{
	local end=$((SECONDS + $3)) began=$EPOCHSECONDS n
	case $1 in
	kill) stop_process "${galera_pid[$2]}" KILL ;;
	stop) kill -STOP "${galera_pid[$2]}" ;;
	isolate) set_isolated "$2" 1 ;;
	esac
	while [ $SECONDS -lt $end ]; do watch_leaders; done
	case $1 in
	kill) start_one "$2" >>"$run/starts.log" 2>&1 ;;
	stop) kill -CONT "${galera_pid[$2]}" ;;
	isolate) set_isolated "$2" 0 ;;
	esac
	until is_whole; do
		# A node that would need the contents of another one while it runs ends itself.
		for n in $nodes; do is_running "${galera_pid[n]}" || start_one "$n" >>"$run/starts.log" 2>&1; done
		watch_leaders
	done
	echo "$began $EPOCHSECONDS" >>"$run/intervals"
}

# ---- looking ----

# Counters of a node begin anew with it.
declare -A last=() total=()
count_aborts()
{
	local n name value
	for n in $nodes; do
		while read -r name value; do
			[ "${last[$n$name]:-0}" -le "$value" ] || last[$n$name]=0
			total[$name]=$((${total[$name]:-0} + value - ${last[$n$name]:-0}))
			last[$n$name]=$value
		done < <(timeout 1 mariadb --no-defaults -NB --socket="${galera_dir[n]}/sock" -uroot -e "SHOW STATUS WHERE Variable_name IN ('wsrep_local_bf_aborts', 'wsrep_local_cert_failures')" 2>/dev/null)
	done
}

state_of()
{
	timeout 2 "$VIEWD_BUILD/viewctl" -s "$T/control$1.sock" --json status listed 2>/dev/null | jq -r '.[0].state' 2>/dev/null
}

# A line: the time, who leads, the row of the lease as the first node knows it that answers.
watch_leaders()
{
	local n row=""
	count_aborts
	if [ $with = yes ]; then
		for n in $nodes; do
			row=$(timeout 1 mariadb --no-defaults -NB --socket="${galera_dir[n]}/sock" -uroot -e "SELECT epoch, holder FROM shop.viewd_daemon" 2>/dev/null | tr '\t' ' ')
			[ -z "$row" ] || break
		done
		echo "$SECONDS $(state_of 1) $(state_of 2) ${row:-unknown}" >>"$run/leaders.log"
	fi
	nap 0.5
}

# longest WHICH: of how many seconds is the longest stretch in which both lead, or none?
longest()
{
	awk -v which="$1" '{ n = ($2 == "ACTIVE") + ($3 == "ACTIVE"); hit = which == "both" ? n == 2 : n == 0 }
		hit { if (!inside) { inside = 1; begin = $1 } if ($1 - begin > most) most = $1 - begin }
		!hit { inside = 0 }
		END { print most + 0 }' "$T/with/leaders.log"
}

# ---- a run ----

restart_viewd()
{
	[ -z "${viewd_pids[$1]:-}" ] || stop_process "${viewd_pids[$1]}" KILL
	start_process "$T/viewd$1.log" "$VIEWD_BUILD/viewd" -c "$T/viewd$1.conf"
	viewd_pids[$1]=$started
}
viewd_pids=()

leads()
{
	[ "$(state_of 1)" = ACTIVE ] && leader=1 && return
	[ "$(state_of 2)" = ACTIVE ] && leader=2
}
all_fresh()
{
	local v
	leads || return
	for v in $views; do ctl $leader wait "$v" --timeout 30s || return; done
}

# Triggers and change logs come once, with the first refreshes.
is_settled()
{
	sql_on 2 "UPDATE source SET v = v + 1 WHERE id = 1" && all_fresh && ctl $leader why doubled | grep -q "the last refresh was INCREMENTAL"
}

# differences NODE VIEW: rows that only one of the two has, the view and its definition.
differences()
{
	local columns definition
	definition=$(definition_of "$2")
	columns=$(sql_on "$1" "SELECT GROUP_CONCAT(column_name ORDER BY ordinal_position) FROM information_schema.columns
		WHERE table_schema = 'shop' AND table_name = '$2' AND column_name <> 'viewd_pk'")
	sql_on "$1" "SET SESSION wsrep_sync_wait = 1; SELECT (SELECT count(*) FROM (SELECT $columns FROM $2 EXCEPT ALL $definition) a) +
		(SELECT count(*) FROM ($definition EXCEPT ALL SELECT $columns FROM $2) b)"
}

# go YES|NO: one run, with viewd or without.
go()
{
	local begin at kind node seconds which v
	with=$1
	run=$T/$([ "$1" = yes ] && echo with || echo without)
	mkdir -p "$run"
	make_cluster
	last=() total=()
	if [ "$1" = yes ]; then
		restart_viewd 1
		wait_until leads || die "no viewd leads"
		restart_viewd 2
		ok "all views are there" wait_until all_fresh
		ok "and settled, with triggers and change logs" wait_until is_settled
	else
		for v in $views; do sql_on 1 "CREATE TABLE $v ENGINE=InnoDB $(definition_of "$v"); ALTER TABLE $v ADD viewd_pk SERIAL PRIMARY KEY"; done
	fi
	count_aborts
	total=()
	begin=$SECONDS
	start_clients
	while read -r at kind node seconds which; do
		while [ $SECONDS -lt $((begin + at)) ]; do watch_leaders; done
		[ $SECONDS -lt $((begin + limit)) ] || break
		echo "$((SECONDS - begin)) $kind node $node for $seconds s" >>"$run/trouble.log"
		[ "$with" = no ] || [ "$which" -lt 1 ] || [ "$which" -gt 2 ] || restart_viewd "$which"
		trouble "$kind" "$node" "$seconds"
	done <"$T/plan"
	while [ $SECONDS -lt $((begin + limit)) ]; do watch_leaders; done
	: >"$run/stop"
	wait "${supervisors[@]}"
	count_aborts
	for v in wsrep_local_bf_aborts wsrep_local_cert_failures; do echo "$v ${total[$v]:-0}"; done >"$run/aborts"
}

# ---- figures ----

# percentile RUN KIND PERCENT: in ms.
percentile()
{
	cat "$T/$1/$2".*.log | sed -n 's/^done	//p' | sort -n | awk -v p="$3" '{ a[NR] = $1 } END { i = int(NR * p / 100); if (i < 1) i = 1; printf "%.1f", a[i] / 1000 }'
}
# in_calm RUN KINDS: failures while the cluster was whole, and had been for a while: what, how often.
in_calm()
{
	cat "$T/$1"/$2.*.log | awk -F '\t' -v file="$T/$1/intervals" 'BEGIN { while ((getline line < file) > 0) { split(line, w, " "); n++; from[n] = w[1] - 1; to[n] = w[2] + 5 } }
		$1 == "failed" { for (i = 1; i <= n; i++) if ($3 >= from[i] && $3 <= to[i]) next; sub(/[0-9]+.*/, "", $4); print $2 ": " $4 ": " $5 }' | sort | uniq -c | sort -rn | head -n 5
}
# failures RUN KINDS WHY
failures()
{
	cat "$T/$1"/$2.*.log | grep -c "^failed	$3	"
}
row()
{
	comment "$(printf '%-44s %12s %12s' "$1" "$2" "$3")"
}
table()
{
	local kind why
	row "" without with
	for kind in source other reader; do
		row "transactions, $kind" "$(cat "$T/without/$kind".*.log | grep -c '^done')" "$(cat "$T/with/$kind".*.log | grep -c '^done')"
		row "  median, p99 (ms)" "$(percentile without $kind 50) $(percentile without $kind 99)" "$(percentile with $kind 50) $(percentile with $kind 99)"
	done
	for why in aborted waited redefined missing half other lost not-ready; do
		row "failures, writers: $why" "$(failures without '[so]*' $why)" "$(failures with '[so]*' $why)"
		row "failures, readers: $why" "$(failures without reader $why)" "$(failures with reader $why)"
	done
	while read -r why kind; do
		row "$why" "$kind" "$(sed -n "s/^$why //p" "$T/with/aborts")"
	done <"$T/without/aborts"
	row "troubles" "$(wc -l <"$T/without/trouble.log")" "$(wc -l <"$T/with/trouble.log")"
	comment "$(sed 's/^/with: /' "$T/with/trouble.log")"
}

plan_trouble
go no
stop_cluster
go yes
ok "in the end all views are waited for" wait_until all_fresh
for v in $views; do
	for n in $nodes; do
		is "on node $n $v is equal to its definition" "$(differences "$n" "$v")" 0
	done
done
runs=$(sql_on 1 "SELECT GROUP_CONCAT(CONCAT(action, ' ', n) SEPARATOR ', ') FROM (SELECT action, count(*) AS n FROM viewd_refresh_history GROUP BY action) h")
table
comment "the last refreshes: $runs"
comment "leaders: $(wc -l <"$T/with/leaders.log") looks, both at once for at most $(longest both) s, none for at most $(longest none) s"
both=$(longest both)
ok "one leads at a time, but for the lease" test "$both" -le $expiry
is "no writer fails while the cluster is whole" "$(in_calm with '[so]*')" ""
is "nor without viewd" "$(in_calm without '[so]*')" ""
is "no reader fails while the cluster is whole" "$(in_calm with reader)" ""
is "no reader ever finds half a view" "$(failures with reader half)" 0
finish
