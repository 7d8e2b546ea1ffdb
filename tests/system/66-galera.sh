#!/bin/bash
# SPDX-License-Identifier: MIT
# Two nodes of a Galera cluster, a viewd on each: one leads, nobody's transaction is ended, and the other one takes over.
. "${VIEWD_SRC:-.}/tests/system/lib.sh"
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
start_node 1
start_node 2
sql_on 1 "GRANT PROCESS ON *.* TO viewd@localhost; CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, k INT, v INT);
	SET SESSION max_recursive_iterations = 10000;
	INSERT INTO t (k, v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, i FROM n"

# configure NODE: the same views by way of that node.
configure()
{
	mkdir -p "$T/state$1"
	cat >"$T/viewd$1.conf" <<-END
		[viewd]
		control_socket = $T/control$1.sock
		plugin_dir = $VIEWD_BUILD/.libs
		state_dir = $T/state$1

		[database shop]
		url = $(node_url "$1")

		[view large]
		database = shop
		method = table
		definition = SELECT k, sum(v) AS total FROM t GROUP BY k
		unique_key = k
		on_change = yes

		[view asked]
		database = shop
		method = table
		definition = SELECT k, sum(v) AS total FROM t GROUP BY k
		refresh_mode = swap

		[view one]
		database = shop
		method = table
		definition = SELECT k, sum(v) AS total FROM t GROUP BY k
		refresh_group = pair

		[view two]
		database = shop
		method = table
		definition = SELECT sum(total) AS total FROM one
		refresh_group = pair
	END
}

# ctl NODE ARGUMENTS...: viewctl of the viewd on that node.
ctl()
{
	local node=$1
	shift
	"$VIEWD_BUILD/viewctl" -s "$T/control$node.sock" "$@"
}

# state_is NODE VIEW STATE
state_is()
{
	[ "$(ctl "$1" --json status "$2" | jq -r '.[0].state')" = "$3" ]
}

fresh_on()
{
	[ "$(ctl "$1" --json status large | jq -r '.[0] | "\(.state) \(.freshness)"')" = "ACTIVE FRESH" ]
}

configure 1
configure 2
start_viewd "$T/viewd1.conf"
first=$viewd_pid
ok "a viewd on one node fills its views" wait_until fresh_on 1
spawn_viewd -c "$T/viewd2.conf"
second=$viewd_pid
ok "a viewd on another node stands by" wait_until state_is 2 large STANDBY
for node in 1 2; do
	ok "all views are on node $node" wait_until '[ "$(sql_on $node "SELECT count(*) FROM one JOIN large USING (k) WHERE EXISTS (SELECT 1 FROM two)")" = 3000 ]'
done

# A reader on each node keeps a transaction open while all is refreshed.
for node in 1 2; do
	mkfifo "$T/reader$node"
	exec {fd}<>"$T/reader$node"
	to[node]=$fd
	# In the background there is no standard input, unless it is named.
	start_process "$T/reader$node.log" bash -c "exec mariadb --no-defaults -NBn --socket=${galera_dir[node]}/sock -uroot shop <$T/reader$node"
done
for fd in "${to[@]}"; do echo "START TRANSACTION; SELECT count(*) FROM large; SELECT count(*) FROM one;" >&"$fd"; done
ok "readers have begun" wait_until "[ \$(cat $T/reader?.log | grep -c 3000) = 4 ]"
sql_on 2 "UPDATE t SET v = v + 1"
ok "a change on the other node is noticed" wait_until '[ "$(sql_on 1 "SELECT total FROM large WHERE k = 1")" = 2 ]'
ok "all rows are written anew when asked" ctl 1 refresh large --full --wait
ok "a group is refreshed" ctl 1 refresh one two --wait
# A node is behind by what it has received and not applied, unless it is asked to wait for that.
now_on_2="SET SESSION wsrep_sync_wait = 1"
is "as one" "$(sql_on 2 "$now_on_2; SELECT sum(total) FROM one") $(sql_on 2 "$now_on_2; SELECT total FROM two")" \
	"$(sql_on 1 "SELECT sum(v), sum(v) FROM t" | tr '\t' ' ')"
for fd in "${to[@]}"; do echo "SELECT 'still', count(*) FROM large; SELECT count(*) FROM one; SELECT count(*) FROM two; COMMIT; SELECT 'done';" >&"$fd"; done
ok "the readers come to their end" wait_until "[ \$(cat $T/reader?.log | grep -c done) = 2 ]"
is "and none was ended" "$(cat "$T"/reader?.log | grep -c ERROR)" 0
like "why says how rows get there" "$(ctl 1 why large)" "an exchange of names gets in the way of transactions"
ok "swap is done when asked for" ctl 1 refresh asked --wait
ok "with a warning" log_has "warning: view 'asked', refresh_mode = swap: an exchange of names"
is "rows are the same on the other node" "$(sql_on 2 "SELECT count(*), sum(total) FROM large")" "$(sql_on 1 "SELECT count(*), sum(v) FROM t")"

# A node that has not carried out what was committed by way of the other one: nothing is fresh by way of it.
mkfifo "$T/holder"
exec {holder}<>"$T/holder"
start_process "$T/holder.log" bash -c "exec mariadb --no-defaults -NBn --socket=${galera_dir[1]}/sock -uroot shop <$T/holder"
ok "all is fresh" ctl 1 wait large --timeout 30s
mariadb_db='' sql_on 1 "SET GLOBAL wsrep_desync = ON"
echo "FLUSH TABLES WITH READ LOCK; SELECT 'held';" >&"$holder"
ok "a node stops carrying out" wait_until "grep -q held $T/holder.log"
sql_on 2 "UPDATE t SET v = v + 1 WHERE k = 8"
exits "waiting for a view does not end before it goes on" 4 ctl 1 wait large --timeout 2s
echo "UNLOCK TABLES; SELECT 'released';" >&"$holder"
ok "it goes on" wait_until "grep -q released $T/holder.log"
mariadb_db='' sql_on 1 "SET GLOBAL wsrep_desync = OFF"
ok "and then it ends" ctl 1 wait large --timeout 30s
is "with the change" "$(sql_on 1 "SELECT total FROM large WHERE k = 8")" 10
wait_until fresh_on 1
runs=$(sql_on 1 "SELECT count(*) FROM viewd_refresh_history")
stop_process "$first" KILL
ok "the other one takes over when the lease has expired" wait_until state_is 2 large ACTIVE
ok "and has nothing to do" wait_until fresh_on 2
is "no view was refreshed for that" "$(sql_on 1 "SELECT count(*) FROM viewd_refresh_history")" "$runs"
sql_on 1 "UPDATE t SET v = v + 1 WHERE k = 7"
ok "and goes on" wait_until '[ "$(sql_on 1 "SELECT total FROM large WHERE k = 7")" = 9 ]'
is "one of them has led at a time" "$(sql_on 1 "SELECT epoch FROM viewd_daemon")" 2
stop_process "$second"
finish
