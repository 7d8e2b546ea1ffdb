#!/bin/bash
# SPDX-License-Identifier: MIT
# Random writers, cut connections, killed servers and a killed viewd: after each quiet second every view equals its definition, or its
# status says that it does not. $SEED makes a run again, as far as timing allows; $SECONDS_TO_RUN says how long (default 15, or 300 with
# VIEWD_LONG). Cuts and server kills come with VIEWD_LONG only; SQLite has neither. $CAPTURE asks for one way of noticing changes.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh"
: "${CAPTURE:=auto}"

SEED=${SEED:-$((${EPOCHREALTIME#*.} % 32768))}
limit=${SECONDS_TO_RUN:-$([ -n "${VIEWD_LONG:-}" ] && echo 300 || echo 15)}
RANDOM=$SEED
comment "seed $SEED, $limit seconds, capture $CAPTURE"

server_options=()
[ "$engine" != mariadb ] || server_options=(--sync-binlog=1 --innodb-flush-log-at-trx-commit=1)
[ "$engine/$CAPTURE" != mariadb/binlog ] || server_options+=(--log-bin=binlog --binlog-format=ROW)
start_engine "${server_options[@]}"
[ "$engine/$CAPTURE" != mariadb/binlog ] || sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost"
sql "CREATE TABLE customers (id integer PRIMARY KEY, name varchar(20) NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL);
CREATE TABLE rates (region integer PRIMARY KEY, factor integer NOT NULL);
INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
INSERT INTO rates VALUES (0, 2), (1, 3)"
views="agg joined chain1 chain2 chain3 left_arm right_arm top over_plain whole native native_keyed late"
conf_database shop <<-END
	[view-defaults]
	database = shop
	method = table
	on_change = yes
	capture = $CAPTURE
	retry_backoff = 200ms
	retry_max_backoff = 1s

	[view agg]
	unique_key = customer
	definition = SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer

	[view joined]
	unique_key = id
	definition = SELECT o.id, c.name, o.amount * r.factor AS price FROM orders o JOIN customers c ON c.id = o.customer JOIN rates r ON r.region = o.customer % 2

	[view chain1]
	unique_key = id
	definition = SELECT id, amount + 1 AS amount FROM orders

	[view chain2]
	unique_key = id
	definition = SELECT id, amount + 1 AS amount FROM chain1

	[view chain3]
	definition = SELECT count(*) AS n, sum(amount) AS total FROM chain2

	[view left_arm]
	unique_key = customer
	definition = SELECT customer, total * 2 AS doubled FROM agg

	[view right_arm]
	unique_key = customer
	definition = SELECT a.customer, a.n, c.name FROM agg a JOIN customers c ON c.id = a.customer

	[view top]
	unique_key = customer
	definition = SELECT l.customer, l.doubled, r.name FROM left_arm l JOIN right_arm r ON r.customer = l.customer

	[view plain]
	method = simple
	on_change = no
	definition = SELECT customer, total FROM agg WHERE total > 50

	[view over_plain]
	unique_key = customer
	definition = SELECT p.customer, p.total, c.name FROM plain p JOIN customers c ON c.id = p.customer

	[view whole]
	definition = SELECT name FROM customers

	[view native]
	method = materialized
	refresh_group = natives
	definition = SELECT customer, max(amount) AS most FROM orders GROUP BY customer

	[view native_keyed]
	method = materialized
	refresh_group = natives
	unique_key = id
	index_amount = (amount)
	definition = SELECT id, amount FROM orders WHERE amount > 20

	[view late]
	debounce = 50ms
	max_delay = 300ms
	at_most_every = 400ms
	definition = SELECT sum(most) AS total FROM native
END

[ -z "${DEBUG:-}" ] || sed -i 's/^\[viewd\]/&\nlog_level = debug/' "$T/viewd.conf"

# ---- writers ----

truncate_orders=$(pick "TRUNCATE orders" "DELETE FROM orders" "DELETE FROM orders")
[ "$CAPTURE" != binlog ] || truncate_orders="TRUNCATE orders" # no trigger of MariaDB tells of it
statement()
{
	local id=$((RANDOM % 60)) c=$((RANDOM % 6)) amount=$((RANDOM % 100))
	case $((RANDOM % 14)) in
	0 | 1 | 2 | 3) printf '%s;' "DELETE FROM orders WHERE id = $id; INSERT INTO orders VALUES ($id, $c, $amount)" ;;
	4 | 5) printf '%s;' "UPDATE orders SET amount = $amount WHERE id = $id" ;;
	6) printf '%s;' "UPDATE orders SET customer = $c WHERE id > $id" ;;
	7 | 8) printf '%s;' "DELETE FROM orders WHERE id = $id" ;;
	9) printf '%s;' "DELETE FROM customers WHERE id = $c; INSERT INTO customers VALUES ($c, 'n$amount')" ;;
	10) printf '%s;' "DELETE FROM customers WHERE id = $c" ;;
	11) printf '%s;' "UPDATE rates SET factor = $amount WHERE region = $((c % 2))" ;;
	12) printf '%s;' "UPDATE orders SET amount = amount WHERE id = $id" ;;
	13) [ $((RANDOM % 8)) -ne 0 ] || printf '%s;' "$truncate_orders" ;;
	esac
}

# One transaction of some statements, now and then a long one; some are rolled back. A server that is away refuses it, which is no change either.
ends=(COMMIT COMMIT COMMIT ROLLBACK)
write_some()
{
	local text="" i seed
	for ((i = RANDOM % 4; i >= 0; i--)); do
		seed=$RANDOM
		text+=$(RANDOM=$seed && statement) # a subshell would make up a seed of its own
	done
	[ $((RANDOM % 6)) -ne 0 ] || text+=$(pick "SELECT pg_sleep(0.2);" "SELECT SLEEP(0.2);" "")
	sql "BEGIN; $text ${ends[RANDOM % 4]}" >"$T/writer.$1.log" 2>&1
}

# Several at a time, each with a seed of its own.
start_writers()
{
	local w n seed
	for w in 1 2 3; do
		n=$((RANDOM % 8)) seed=$RANDOM
		(RANDOM=$seed && while [ $((n--)) -gt 0 ]; do write_some "$w"; done) &
		writers+=($!)
	done
}

wait_writers()
{
	wait "${writers[@]}"
	writers=()
}

# ---- trouble ----

cut_connections()
{
	case $engine in
	postgresql) sql_pg "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'viewd%'" ;;
	mariadb)
		sql_mariadb "SELECT id FROM information_schema.processlist WHERE user = 'viewd' ORDER BY rand() LIMIT 2" |
			while read -r id; do sql_mariadb "KILL $id"; done
		;;
	sqlite) ;;
	esac >"$T/cut.log" 2>&1
}

# Each kind comes at random times, on average once in so many seconds.
declare -A mean=([viewd]=4) next
[ -z "${VIEWD_LONG:-}" ] || mean=([viewd]=30 [connections]=30 [server]=30)
[ "$engine" != sqlite ] || mean=([viewd]=$((mean[viewd] / 2)))

is_time_for()
{
	[ -n "${mean[$1]:-}" ] || return 1
	: "${next[$1]:=$((RANDOM % (2 * mean[$1])))}"
	[ $SECONDS -ge "${next[$1]}" ] || return 1
	next[$1]=$((SECONDS + 1 + RANDOM % (2 * mean[$1])))
}

trouble()
{
	if is_time_for connections; then
		comment "$SECONDS: connections are cut"
		cut_connections
	fi
	if is_time_for server; then
		comment "$SECONDS: the server is killed"
		kill_engine
		start_engine "${server_options[@]}"
	fi
	if is_time_for viewd; then
		comment "$SECONDS: viewd is killed"
		kill_viewd
		write_some 0
		start_viewd
	fi
}

# ---- the check ----

is_equal()
{
	viewctl verify "$1" >"$T/verify.log" 2>&1
}

# Not equal is allowed if the status says so. What it says may be news: then it is equal by now.
admits()
{
	[ "$(viewctl --json status "$1" | jq -r '.[0] | .state != "ACTIVE" or .freshness != "FRESH" or .activity != "IDLE"')" = true ]
}

honest()
{
	is_equal "$1" || admits "$1" || is_equal "$1" || admits "$1"
}

all_equal()
{
	viewctl verify --all
}

# What is asked after a failure.
tell_history()
{
	local v
	for v in $(viewctl --json status "$1" | jq -r '.[0].upstream[]') "$1"; do
		comment "$v: $(viewctl history "$v" | head -n 12)"
	done
	comment "$(sql "SELECT * FROM $(pick viewd.captures viewd_captures viewd_captures)")"
}

# A poll looks every second at what the server tells a second late.
quiet=$([ "$CAPTURE" = poll ] && echo 4 || echo 1)

# The quiet second ends early when all is well; what is still wrong after it must be admitted.
check_round()
{
	local v
	WAIT=$quiet wait_until all_equal && return
	for v in $views; do
		honest "$v" && continue
		report 1 "round $round (seed $SEED): $v differs from its definition and its status does not say so"
		comment "$(cat "$T/verify.log")"
		comment "$(viewctl --json status "$v")"
		comment "$(viewctl why "$v")"
		tell_history "$v"
		finish
	done
}

start_viewd
ok "all views are there" wait_until all_equal
end=$((SECONDS + limit))
for ((round = 1; SECONDS < end; round++)); do
	start_writers
	trouble
	wait_writers
	start_writers
	wait_writers
	check_round
done
ok "$((round - 1)) rounds, none with a view that was wrong without saying so (seed $SEED)" test $round -gt 3
ok "in the end all are equal" wait_until all_equal || for v in $views; do
	is_equal "$v" && continue
	comment "$(cat "$T/verify.log")"
	comment "$(viewctl --json status "$v")"
	comment "$(viewctl why "$v")"
	tell_history "$v"
done
finish
