#!/bin/bash
# SPDX-License-Identifier: MIT
# The binary logs of two nodes: for each node it is remembered how far its log was read. So a node that is left and found again is read
# on from there, and no view is refreshed because of the way alone.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
for n in 1 2; do start_listening $n --log-bin=binlog --log-slave-updates=ON; done
sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1; GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@127.0.0.1"
for t in a b c; do sql_on 1 "CREATE TABLE t$t (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO t$t VALUES (1, 1)"; done
conf <<-END
	[database shop]
	url = mariadb://viewd@127.0.0.1:$(node_port 1),127.0.0.1:$(node_port 2)/shop
	[view-defaults]
	database = shop
	method = table
	on_change = yes
	capture = binlog
	retry_backoff = 100ms
	[view a]
	definition = SELECT v FROM ta
	[view b]
	definition = SELECT v FROM tb
	[view c]
	definition = SELECT v FROM tc
END

# Whom the server sends its binary log to.
reads_from()
{
	[ "$(sql_on "$1" "SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = 'viewd' AND COMMAND = 'Binlog Dump'")" -gt 0 ]
}
all_waited()
{
	local v
	for v in a b c; do viewctl wait $v --timeout 20s || return; done
}
# move FROM TO: the watch leaves a node that falls behind.
move()
{
	mariadb_db='' sql_on "$1" "SET GLOBAL wsrep_desync = ON"
	wait_until reads_from "$2" && wait_until all_waited || return
	mariadb_db='' sql_on "$1" "SET GLOBAL wsrep_desync = OFF"
	wait_until synced "$1"
}
runs()
{
	sql_on 2 "SET SESSION wsrep_sync_wait = 1; SELECT count(*) FROM viewd_refresh_history${1:+ WHERE view = '$1'}"
}
shows()
{
	[ "$(sql_on 2 "SELECT v FROM $1")" = "$2" ]
}

start_viewd
ok "the views are there" wait_until all_waited
ok "and the first node's log is read" wait_until reads_from 1
ok "the watch moves to the other node, whose log nobody has read" move 1 2
first=$(runs)
ok "and back" move 2 1
is "a known log, without a change: no view was refreshed" "$(runs)" "$first"
ok "and there again" move 1 2
is "nor here" "$(runs)" "$first"

others="$(runs b) $(runs c)"
sql_on 1 "UPDATE ta SET v = 2"
ok "a change of the other node is read from this one's log" wait_until shows a 2
ok "all is fresh" all_waited
is "one view was refreshed" "$(runs)" "$((first + 1))"
ok "the watch goes back" move 2 1
is "views without a change were not refreshed" "$(runs b) $(runs c)" "$others"
ok "the one with a change once more, by what the log has of it" test "$(runs)" -le $((first + 2))
sql_on 2 "UPDATE tb SET v = 3"
ok "changes go on to be noticed" wait_until shows b 3

stop_viewd
sql_on 2 "UPDATE tc SET v = 4"
start_viewd
ok "also those of the time in between" wait_until shows c 4
finish
