#!/bin/bash
# SPDX-License-Identifier: MIT
# Two nodes of a Galera cluster. The one by way of which viewd watches takes no more connections. Workers wait for it, and go nowhere
# else, since the locks of those who make triggers are its own.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
for n in 1 2; do start_listening $n; done
sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1; GRANT PROCESS ON *.* TO viewd@127.0.0.1;
	CREATE USER app@localhost; CREATE TABLE source (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO source VALUES (1, 1)"
conf <<-END
	[database shop]
	url = mariadb://viewd@127.0.0.1:$(node_port 1),127.0.0.1:$(node_port 2)/shop
	[view of_node]
	database = shop
	method = table
	on_change = no
	retry_backoff = 100ms
	retry_max_backoff = 200ms
	max_retries = 3
	definition = SELECT @@wsrep_node_name AS name, v FROM source
END
start_viewd
ok "the view is there" wait_until viewctl refresh of_node --wait
is "it is computed by the first node" "$(sql_on 1 "SELECT name, v FROM of_node" | tr '\t' ' ')" "node1 1"

# sessions CONDITION: of viewd, on the first node.
sessions()
{
	sql_on 1 "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'viewd' AND $1"
}
# The watch is never idle for so long.
workers_end()
{
	local id
	for id in $(sessions "COMMAND = 'Sleep' AND TIME > 6"); do sql_on 1 "KILL $id"; done
	[ "$(sessions TRUE | wc -l)" = 1 ]
}
ok "idle sessions end" wait_until workers_end
watch=$(sessions TRUE)

# ---- the node is full ----
sql_on 1 "SET GLOBAL max_connections = 10"
is_full()
{
	mariadb --no-defaults --socket="${galera_dir[1]}/sock" -uapp -e "DO 1" 2>&1 | grep -q "1040" && return
	start_process "$T/crowd.log" mariadb --no-defaults --socket="${galera_dir[1]}/sock" -uapp -e "DO SLEEP(1000)"
	return 1
}
ok "others take all connections of the node" wait_until is_full
sql_on 2 "UPDATE source SET v = 2"
fails "a refresh finds no place there" viewctl refresh of_node --wait
is "and takes none on the other node" "$(sql_on 2 "SET SESSION wsrep_sync_wait = 1; SELECT name, v FROM of_node" | tr '\t' ' ')" "node1 1"
like "it says why" "$(viewctl status of_node)" "Too many connections"
is "the watch stays" "$(sessions TRUE)" "$watch"

# ---- there is room again ----
for id in $(sql_on 1 "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'app'"); do sql_on 1 "KILL $id"; done
is_refreshed()
{
	viewctl refresh of_node --wait && [ "$(sql_on 2 "SELECT name, v FROM of_node" | tr '\t' ' ')" = "node1 2" ]
}
ok "once there is room, it is refreshed by that node" wait_until is_refreshed
is "by way of which viewd still watches" "$(sessions "ID = $watch")" "$watch"
finish
