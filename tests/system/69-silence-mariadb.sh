#!/bin/bash
# SPDX-License-Identifier: MIT
# A URL with two servers: one that is silent, and takes no new connection for a moment, is asked twice before its answer is given up.
engine=mariadb
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/support/proxy.sh"

start_engine
start_proxy
sql "CREATE TABLE src (n INT PRIMARY KEY); INSERT INTO src VALUES (1)"
conf <<-END
	[database shop]
	url = mariadb://viewd@127.0.0.1:$(net port),127.0.0.1:$(net port)/shop
	connect_timeout = 2s
	[view slow]
	database = shop
	method = table
	definition = SELECT n FROM src WHERE SLEEP(IF(n = 1, 0, 13)) = 0
END
start_viewd
ok "the view is there" wait_until is_fresh slow
sql "UPDATE src SET n = 2"
start_process "$T/refresh.log" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" refresh slow --wait
refresh=$started
is_slow()
{
	[ "$(sql "SELECT count(*) FROM information_schema.PROCESSLIST WHERE USER = 'viewd' AND STATE = 'User sleep'")" = 1 ]
}
ok "a refresh takes its time" wait_until is_slow
net refuse
ok "the server takes no new connection" wait_until log_has "a statement waits and the server takes no new connection"
net pass
ok "the refresh ends" wait_until "! is_running $refresh"
is "with what there is" "$(sql "SELECT n FROM slow")" 2
unlike "nothing was given up" "$(cat "$T/viewd.log")" "it is given up"
finish
