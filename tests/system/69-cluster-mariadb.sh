#!/bin/bash
# SPDX-License-Identifier: MIT
# A cluster of two nodes and one viewd that knows both. Writers of the node by way of which viewd does not watch are heard, however
# much they write, and none of them is ended because of viewd. A node that leaves is left.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

[ -n "${VIEWD_LONG:-}" ] || skip_all "it takes minutes; VIEWD_LONG=1 runs it"
need_galera
for n in 1 2; do start_listening $n; done
sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1; GRANT PROCESS ON *.* TO viewd@127.0.0.1;
	CREATE TABLE much (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO much SELECT seq, 0 FROM seq_1_to_20000;
	CREATE TABLE last (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO last VALUES (1, 0);
	CREATE TABLE logged (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO logged SELECT seq, 0 FROM seq_1_to_4000;
	CREATE TABLE beside (v INT PRIMARY KEY); INSERT INTO beside VALUES (0)"

conf <<-END
	[database shop]
	url = mariadb://viewd@127.0.0.1:$(node_port 1),127.0.0.1:$(node_port 2)/shop
	[view-defaults]
	database = shop
	method = table
	on_change = yes
	capture = trigger
	retry_backoff = 100ms
	[view of_much]
	definition = SELECT sum(v) AS v FROM much
	[view of_last]
	definition = SELECT v FROM last
	[view of_logged]
	unique_key = id
	refresh_mode = incremental
	definition = SELECT id, v FROM logged
	[view of_node]
	on_change = no
	definition = SELECT @@wsrep_node_name AS name
END

# view_is VIEW VALUE [NODE]: the sum of its column v, on node 2.
view_is()
{
	[ "$(sql_on "${3:-2}" "SELECT sum(v) FROM $1")" = "$2" ]
}
# watches_at NODE: viewd leads by way of it.
watches_at()
{
	[ "$(sql_on "$1" "SELECT server = CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir) FROM viewd_daemon")" = 1 ]
}
# A trigger that is made ends whoever uses its table, on each node.
triggers_are_there()
{
	[ "$(sql_on 2 "SELECT count(*) FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_TABLE IN ('much', 'last') AND
		TRIGGER_NAME LIKE 'viewd%'")" = 6 ]
}
is_heard()
{
	[ "$(sql_on 2 "SELECT count(*) FROM viewd_slots WHERE id = 64")" = 1 ]
}

# session NODE: a client that stays, in the background; say TEXT goes there, its answers are in $T/session.log.
session()
{
	mkfifo "$T/session"
	exec {session_fd}<>"$T/session"
	: >"$T/session.log"
	# In the background there is no standard input, unless it is named.
	start_process "$T/session.log" bash -c "exec mariadb --no-defaults -NBnf --socket=${galera_dir[$1]}/sock -uroot shop <$T/session"
}
say()
{
	echo "$1" >&$session_fd
}
answered()
{
	grep -qx "$1" "$T/session.log"
}

start_viewd
for view in of_much of_last of_logged; do ok "$view is there" wait_until viewctl wait $view --timeout 30s; done
ok "so are the triggers of both nodes" wait_until triggers_are_there
ok "and the row that says that they are heard" wait_until is_heard
ok "viewd watches by way of the first node" wait_until watches_at 1

# ---- writers of the other node ----
ok "a transaction by way of the other node commits" sql_on 2 "START TRANSACTION; UPDATE much SET v = 1; UPDATE last SET v = 1; COMMIT"
ok "a change of many rows on the other node is noticed" wait_until view_is of_much 20000
ok "and one behind it in the same transaction" wait_until view_is of_last 1

base()
{
	sql_on "$1" "SELECT MIN(base) FROM viewd_slots WHERE id < 64"
}
log_base()
{
	sql_on "$1" "SELECT MAX(viewd_base) FROM viewd_change_1 WHERE viewd_id <= 16"
}
session 2
for isolation in "REPEATABLE READ" "SERIALIZABLE"; do
	before=$(base 2) log_before=$(log_base 2)
	say "SET SESSION TRANSACTION ISOLATION LEVEL $isolation; SET @viewd_from = NULL; START TRANSACTION; UPDATE last SET v = v + 1;"
	say "UPDATE logged SET v = v + 1 WHERE id > 3900; SELECT 'written $isolation';"
	ok "a writer of the other node is at work ($isolation)" wait_until answered "written $isolation"
	ok "others write by way of the first one" sql_on 1 "UPDATE much SET v = v + 1; UPDATE logged SET v = v + 1 WHERE id <= 3900"
	ok "the bound of the log moves" wait_until "[ \"\$(base 2)\" -gt $before ]"
	ok "so does that of the change log" wait_until "[ \"\$(log_base 2)\" -gt $log_before ]"
	ok "another one writes beside it" sql_on 2 "UPDATE beside SET v = v + 1"
	say "SELECT 'sees', '$isolation', v FROM beside;"
	say "COMMIT; SELECT 'ended $isolation';"
	ok "the writer comes to its end" wait_until answered "ended $isolation"
done
is "what others commit before a writer's first SELECT is seen by it" "$(grep sees "$T/session.log" | cut -f3 | tr '\n' ' ')" "1 2 "
is "no writer was ended" "$(grep ERROR "$T/session.log")" ""
ok "what it wrote is heard" wait_until view_is of_last 3
ok "and read from the change log" wait_until view_is of_logged 8000

# ---- leaving ----
# desync NODE ON|OFF
desync()
{
	mariadb_db='' sql_on "$1" "SET GLOBAL wsrep_desync = $2"
}
ok "the first node falls behind" desync 1 ON
ok "it is left" wait_until watches_at 2
ok "it catches up" desync 1 OFF
ok "a change by way of it commits" sql_on 1 "UPDATE last SET v = 10"
ok "and is noticed by way of the other one" wait_until view_is of_last 10
# sessions CONDITION: of viewd, on the second node.
sessions()
{
	sql_on 2 "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'viewd' AND $1"
}
# Sessions are ended that are idle for longer than viewd trusts them, which the watch never is. One may have ended by itself.
workers_end()
{
	local id
	for id in $(sessions "COMMAND = 'Sleep' AND TIME > 6"); do sql_on 2 "KILL $id"; done
	[ "$(sessions TRUE | wc -l)" = 1 ]
}
ok "idle sessions end" wait_until workers_end
ok "a refresh opens one" viewctl refresh of_node --wait
is "where viewd watches, not by the order of the url" "$(sql_on 2 "SET SESSION wsrep_sync_wait = 1; SELECT name FROM of_node")" node2
ok "the other node falls behind" desync 2 ON
ok "it is left as well" wait_until watches_at 1
ok "it catches up" desync 2 OFF
# One of two nodes is no majority: an administrator says that it goes on.
# goes_on NODE VALUE
goes_on()
{
	mariadb_db='' sql_on "$1" "SET GLOBAL wsrep_provider_options = 'pc.bootstrap=1'"
	sql_on "$1" "UPDATE last SET v = $2"
}
# isolate 0|1: the first node, which is reached by clients all the same.
isolate()
{
	mariadb_db='' sql_on 1 "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=$1'"
}
ok "the first node is cut off" isolate 1
# Waiting asks for a look, for which the node would have to know what was committed elsewhere.
ok "so nobody is told that a view is fresh" wait_until "! viewctl wait of_last --timeout 2s"
ok "the other one goes on" wait_until goes_on 2 11
ok "so does viewd by way of it" wait_until "viewctl wait of_last --timeout 2s; view_is of_last 11"
ok "the first node comes back" isolate 0
ok "with all that it has missed" wait_until view_is of_last 11 1
ok "it is synced" wait_until synced 1
kill -STOP "${galera_pid[2]}"
ok "a node that stops is left behind" wait_until goes_on 1 12
ok "viewd goes on by way of the other one" wait_until view_is of_last 12 1
ok "all of it" viewctl verify of_much of_last
kill -CONT "${galera_pid[2]}"
finish
