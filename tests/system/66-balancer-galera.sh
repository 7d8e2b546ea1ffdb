#!/bin/bash
# SPDX-License-Identifier: MIT
# Three nodes of a Galera cluster behind one address, which leads to the next one each time. Triggers are made under a lock that each
# node has for itself, so each session of a worker finds its way to the node by way of which viewd watches.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
command -v python3 >/dev/null || skip_all "no python3, in which the balancer is written"
for n in 1 2 3; do start_listening $n; done
sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1; GRANT PROCESS ON *.* TO viewd@127.0.0.1;
	CREATE TABLE source (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO source VALUES (1, 1)"
start_process "$T/balancer.log" python3 "$VIEWD_SRC/tests/support/balancer.py" "$T/port" "$(node_port 1)" "$(node_port 2)" "$(node_port 3)"
wait_until test -s "$T/port" || die "the balancer does not start"
views="v1 v2 v3 v4 v5 v6"
{
	cat <<-END
		[database shop]
		url = mariadb://viewd@127.0.0.1:$(cat "$T/port")/shop
		max_concurrent_refreshes = 4
	END
	for v in $views; do
		cat <<-END
			[view $v]
			database = shop
			method = table
			on_change = yes
			definition = SELECT @@wsrep_node_name AS node, sum(v) AS v FROM source
		END
	done
} | conf
start_viewd
for v in $views; do ok "$v is there" wait_until viewctl wait "$v" --timeout 30s; done
# The node by way of which viewd watches.
watched()
{
	local n
	for n in 1 2 3; do
		[ "$(sql_on $n "SELECT server = CONCAT_WS(' ', @@hostname, @@port, @@server_id, @@datadir) FROM viewd_daemon")" != 1 ] || echo node$n
	done
}
nodes()
{
	for v in $views; do sql_on "${at#node}" "SELECT node FROM $v"; done | sort -u | tr '\n' ' '
}
at=$(watched)
ok "all are computed where viewd watches" wait_until '[ "$(nodes)" = "$at " ]'
# sessions: of viewd, elsewhere.
sessions()
{
	local n
	for n in 1 2 3; do
		[ "node$n" = "$at" ] || sql_on $n "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'viewd'"
	done
}
is "no session stays elsewhere" "$(sessions)" ""
for i in 1 2 3; do
	sql_on 2 "UPDATE source SET v = v + 1"
	for v in $views; do ok "$v has change $i" viewctl wait "$v" --timeout 30s; done
done
is "nor is anything computed elsewhere later" "$(nodes)" "$at "
is "nothing was refused" "$(grep -c 'watched by way of another node' "$T/viewd.log")" 0
finish
