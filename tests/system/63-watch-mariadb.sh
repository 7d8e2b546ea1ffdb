#!/bin/bash
# SPDX-License-Identifier: MIT
# Views on MariaDB follow their sources, by the binary log and by triggers: at once, without refreshing for ever, and with nothing
# lost when the server or viewd is killed right after a change.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

server_options=(--log-bin=binlog --binlog-format=ROW --log-bin-trust-function-creators=ON --innodb-flush-log-at-trx-commit=1
	--sync-binlog=1)

# follows VIEW: the view has what its source has.
follows()
{
	[ "$(sql_mariadb "SELECT total FROM $1" 2>/dev/null)" = "$(sql_mariadb 'SELECT sum(amount) FROM orders' 2>/dev/null)" ]
}

runs()
{
	sql_mariadb "SELECT count(*) FROM viewd_refresh_history WHERE view = '$1'"
}

is_settled()
{
	[ "$(field totals is_stale)$(field totals activity)" = falseIDLE ] && [ "$(field above is_stale)$(field above activity)" = falseIDLE ]
}

start_mariadb "${server_options[@]}"
sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, $binlog_monitor ON *.* TO viewd@localhost"
for mode in binlog trigger; do
	sql_mariadb "CREATE OR REPLACE DATABASE shop; USE shop;
		CREATE TABLE orders (id INT AUTO_INCREMENT PRIMARY KEY, amount INT); INSERT INTO orders (amount) VALUES (1), (2)"
	conf <<-END
		[database shop]
		url = $mariadb_url
		[view-defaults]
		database = shop
		method = table
		on_change = yes
		capture = $mode
		max_delay = 1s
		[view totals]
		definition = SELECT sum(amount) AS total FROM orders
		[view above]
		definition = SELECT total FROM totals
	END
	start_viewd
	ok "$mode: both views are there" wait_until "follows totals && follows above && is_settled"
	like "$mode: why says how changes are noticed" "$(viewctl why totals)" "$([ $mode = binlog ] && echo 'binary log' || echo trigger)"
	sql_mariadb "INSERT INTO orders (amount) VALUES (10)"
	ok "$mode: an insert arrives, one view further too" wait_until "follows totals && follows above"
	sql_mariadb "TRUNCATE orders"
	ok "$mode: so does an emptied table" wait_until "follows totals && follows above"
	sql_mariadb "INSERT INTO orders (amount) VALUES (5)"
	ok "$mode: and one that was filled again" wait_until "follows totals && follows above"

	ok "$mode: it comes to rest" wait_until is_settled
	before=$(runs totals)/$(runs above)
	sql_mariadb "CREATE TABLE unrelated (id INT); INSERT INTO unrelated VALUES (1); INSERT INTO viewd_requests (view) VALUES ('totals')"
	ok "$mode: a request in SQL is obeyed" wait_until "[ \$(runs totals) -gt ${before%/*} ]"
	ok "$mode: and it comes to rest" wait_until is_settled
	is "$mode: nothing else was refreshed" "$(($(runs totals) - ${before%/*}))" 1

	for n in 1 2 3; do
		sql_mariadb "INSERT INTO orders (amount) VALUES ($n)"
		kill_mariadb
		start_mariadb "${server_options[@]}"
		ok "$mode: nothing is lost when the server is killed after a change ($n)" wait_until "follows totals && follows above"
	done
	if [ $mode = binlog ]; then
		sql_mariadb "INSERT INTO orders (amount) VALUES (50); FLUSH BINARY LOGS; INSERT INTO orders (amount) VALUES (60)"
		ok "binlog: the next file is followed" wait_until "follows totals && follows above && is_settled"
		is "binlog: and remembered" "$(sql_mariadb "SELECT file_name FROM viewd_position")" \
			"$(sql_mariadb "SHOW MASTER STATUS" | cut -f1)"
	fi
	sql_mariadb "INSERT INTO orders (amount) VALUES (100)"
	kill_viewd
	sql_mariadb "INSERT INTO orders (amount) VALUES (200)"
	start_viewd
	ok "$mode: nor when viewd is killed" wait_until "follows totals && follows above"
	for id in $(sql_mariadb "SELECT ID FROM information_schema.PROCESSLIST WHERE USER = 'viewd'"); do
		sql_mariadb "KILL $id" 2>/dev/null # some are gone already
	done
	sql_mariadb "INSERT INTO orders (amount) VALUES (400)"
	ok "$mode: nor when the server ends all connections" wait_until "follows totals && follows above"
	[ $mode = trigger ] || unlike "$mode: no log was thought to be lost" "$(cat "$T/viewd.log")" 'purged|cannot be read'
	stop_viewd
	rm -rf "$T/state"
done

# ---- what a restart of the server forgets ----
# restarted_after SQL
restarted_after()
{
	sql_mariadb "$1"
	stop_mariadb
	start_mariadb "${server_options[@]}"
}

in_memory()
{
	[ "$(sql_mariadb "SELECT n FROM kept" 2>/dev/null)" = "$(sql_mariadb 'SELECT count(*) FROM volatile' 2>/dev/null)" ]
}

sql_mariadb "CREATE TABLE volatile (id INT PRIMARY KEY) ENGINE=MEMORY; INSERT INTO volatile VALUES (1), (2);
	CREATE TABLE stays (id INT PRIMARY KEY); CREATE TABLE goes (id INT PRIMARY KEY); INSERT INTO goes VALUES (1)"
conf <<-END
	[database shop]
	url = $mariadb_url
	[view-defaults]
	database = shop
	method = table
	on_change = yes
	[view totals]
	capture = poll
	definition = SELECT sum(amount) AS total FROM orders
	[view kept]
	capture = trigger
	definition = SELECT count(*) AS n FROM volatile
	[view same]
	capture = trigger
	definition = SELECT count(*) AS n FROM stays
	[view emptied]
	capture = trigger
	definition = SELECT count(*) AS n FROM goes
END
# looked: the watch has seen this server. A server is known by the second in which it was started, and so may the next one be.
looked()
{
	sql_mariadb "SELECT t.fingerprint $1 FROM viewd_tables t, information_schema.GLOBAL_STATUS s WHERE t.source = 'server' AND
		s.VARIABLE_NAME = 'Uptime'" | grep -qx 1
}

restarted_after "DO 1"
start_viewd
wait_until looked "LIKE CONCAT(CAST(UNIX_TIMESTAMP() - s.VARIABLE_VALUE AS SIGNED), '%')"
ok "poll: a server of which another one may take the place unseen is not believed" looked "LIKE '% young' OR s.VARIABLE_VALUE >= 2"
ok "poll: the view is there" wait_until "follows totals && [ \$(field totals freshness) = FRESH ]"
for n in 1 2; do
	restarted_after "INSERT INTO orders (amount) VALUES (1000)"
	ok "poll: a change right before a restart is not lost ($n)" wait_until "follows totals && [ \$(field totals freshness) = FRESH ]"
done
sql_mariadb "INSERT INTO volatile VALUES (3), (4), (5)"
ok "trigger: a table in memory is followed" wait_until in_memory
restarted_after "DO 1"
ok "trigger: a table in memory that a restart has emptied is noticed" wait_until in_memory

wait_until "viewctl wait same" && wait_until "viewctl wait emptied"
stop_viewd
before=$(runs same)
sql_mariadb "ALTER TABLE viewd_tables DROP PRIMARY KEY, DROP COLUMN server, ADD PRIMARY KEY (source); TRUNCATE goes"
start_viewd
ok "trigger: by numbers that an older version has written, a table that was emptied is noticed" wait_until '[ "$(sql_mariadb "SELECT n FROM emptied")" = 0 ]'
ok "trigger: and another one is followed" wait_until "viewctl wait same"
is "trigger: without a refresh" "$(runs same)" "$before"
stop_viewd
sql_mariadb "INSERT INTO viewd_tables SELECT source, file_name, fingerprint, 'gone' FROM viewd_tables"
start_viewd
ok "a server of before is forgotten" wait_until '[ "$(sql_mariadb "SELECT count(DISTINCT server), max(server) = '"'gone'"' FROM viewd_tables" | tr "\t" " ")" = "1 0" ]'
finish
