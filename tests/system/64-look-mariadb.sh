#!/bin/bash
# SPDX-License-Identifier: MIT
# The binary log reaches viewd a little after the commit. Until all of it has come that was there when viewd looked, nothing counts as looked at:
# neither for viewctl wait nor, after a reconnect, for the status.
engine=mariadb
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/support/proxy.sh"

start_engine --log-bin=binlog --binlog-format=ROW
sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, $binlog_monitor ON *.* TO viewd@localhost"
sql "CREATE TABLE src (n integer PRIMARY KEY)"
start_proxy
conf <<-END_CONF
	[database shop]
	url = $proxy_url

	[view counted]
	database = shop
	method = table
	on_change = yes
	capture = binlog
	definition = SELECT count(*) AS n FROM src
END_CONF

# holds N: the view has N rows counted.
holds()
{
	[ "$(sql "SELECT n FROM counted")" = "$1" ]
}

start_viewd
ok "the view is there" wait_until "is_fresh counted"

good=0
for n in {1..20}; do
	sql "INSERT INTO src VALUES ($n)"
	viewctl wait counted --timeout 30s >"$T/wait.out" 2>&1 && holds "$n" && good=$((good + 1))
done
is "after a wait the view holds what was committed before" $good 20

# The first connection that asks for the log is the watch's.
net on hold binlog. master_heartbeat_period
net cut
sql "INSERT INTO src VALUES (21)"
ok "after a reconnect the log does not come" wait_until "net_struck 1"
ok "... all else is done" wait_until '[ "$(viewctl --json status counted | jq -r ".[0] | .state, .activity, .error" | xargs)" = "ACTIVE IDLE null" ]'
is "... so the view is not called fresh" "$(field counted freshness)" UNKNOWN
like "... and why says what for" "$(viewctl why counted)" "still being looked at"
exits "... and a wait goes on" 4 viewctl wait counted --timeout 500ms
ok "... and the change is not there" "holds 20"
net pass
exits "when the log comes the wait ends" 0 viewctl wait counted --timeout 30s
ok "... with the change in the view" "holds 21"
ok "... which is fresh" wait_until "is_fresh counted"
finish
