#!/bin/bash
# SPDX-License-Identifier: MIT
# Random writers, redefinitions of what views read (ddl.sh), cut connections, killed servers and a killed viewd: after each quiet second every view
# equals its definition, or its status says that it does not; where something was redefined, after a wait. No writer's statement fails because of
# viewd, also while viewd leaves the database. $SEED makes a run again, as far as timing allows; $SECONDS_TO_RUN says how long (default 15, or 300
# with VIEWD_LONG). Cuts and server kills come with VIEWD_LONG only; SQLite has neither. $CAPTURE asks for one way of noticing changes, $MODE how three of the
# views are refreshed.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
: "${CAPTURE:=auto}" "${MODE:=incremental}"
. "$VIEWD_SRC/tests/model/ddl.sh"
. "$VIEWD_SRC/tests/model/writers.sh"

SEED=${SEED:-$((${EPOCHREALTIME#*.} % 32768))}
limit=${SECONDS_TO_RUN:-$([ -n "${VIEWD_LONG:-}" ] && echo 300 || echo 15)}
RANDOM=$SEED
comment "seed $SEED, $limit seconds, capture $CAPTURE, refresh_mode $MODE"

server_options=()
[ "$engine" != mariadb ] || server_options=(--sync-binlog=1 --innodb-flush-log-at-trx-commit=1)
[ "$engine/$CAPTURE" != mariadb/binlog ] || server_options+=(--log-bin=binlog --binlog-format=ROW --log-bin-trust-function-creators=ON)
start_engine "${server_options[@]}"
[ "$engine" != mariadb ] || sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, $binlog_monitor ON *.* TO viewd@localhost" # PROCESS: it sees TRUNCATE
sql "CREATE TABLE customers (id integer PRIMARY KEY, name varchar(20) NOT NULL);
CREATE TABLE orders (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL);
CREATE TABLE rates (region integer PRIMARY KEY, factor integer NOT NULL);
INSERT INTO customers VALUES (1, 'a'), (2, 'b'), (3, 'c');
INSERT INTO orders VALUES (1, 1, 10), (2, 2, 20);
INSERT INTO rates VALUES (0, 2), (1, 3)"
ddl_schema
views="agg named joined chain1 chain2 chain3 left_arm right_arm top over_plain whole native native_keyed late"
model_conf()
{
	cat <<-END
	[view-defaults]
	database = shop
	method = table
	on_change = yes
	capture = $CAPTURE
	retry_backoff = 200ms
	retry_max_backoff = 1s

	[view agg]
	refresh_mode = $MODE
	unique_key = customer
	definition = SELECT customer, count(*) AS n, sum(amount) AS total FROM orders GROUP BY customer

	[view named]
	refresh_mode = $MODE
	unique_key = id
	definition = SELECT o.id, c.name, o.amount FROM orders o JOIN customers c ON c.id = o.customer

	[view joined]
	unique_key = id
	definition = SELECT o.id, c.name, o.amount * r.factor AS price FROM orders o JOIN customers c ON c.id = o.customer JOIN rates r ON r.region = o.customer % 2

	[view chain1]
	refresh_mode = $MODE
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
	ddl_conf
}
model_conf | conf_database shop

[ -z "${DEBUG:-}" ] || sed -i 's/^\[viewd\]/&\nlog_level = debug/' "$T/viewd.conf"

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
[ "$engine" != sqlite ] || mean=([viewd]=$((mean[viewd] / 2)) [restore]=$((mean[viewd] + 2)))

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

# Everything is as it was, under everybody.
restore_file()
{
	comment "$SECONDS: an older copy of the file takes its place"
	replace_file
	redefined=yes
}

# ---- the check ----

definition_of()
{
	sed -n "/^\[view $1\]/,/^definition = /s/^definition = //p" "$T/viewd.conf"
}

# How many rows differ, in one statement. An error counts as a difference: what cannot be computed is in no view.
difference()
{
	local view=$1 of columns
	of=$(definition_of "$view")
	if [ "$engine" = sqlite ]; then
		columns=$(sql "SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('$view')")
		sql "WITH d AS ($of), a AS (SELECT $columns, count(*) FROM d GROUP BY $columns), b AS (SELECT $columns, count(*) FROM \"$view\" GROUP BY $columns)
			SELECT (SELECT count(*) FROM (SELECT * FROM a EXCEPT SELECT * FROM b)) + (SELECT count(*) FROM (SELECT * FROM b EXCEPT SELECT * FROM a))"
	else
		sql "SELECT count(*) FROM ((SELECT * FROM $view EXCEPT ALL SELECT * FROM ($of) AS d) UNION ALL
			(SELECT * FROM ($of) AS e EXCEPT ALL SELECT * FROM $view)) AS x"
	fi
}

is_equal()
{
	difference "$1" >"$T/difference.log" 2>&1
	[ "$(cat "$T/difference.log")" = 0 ]
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

# ask_all: all views are waited for at the same time; which waits have succeeded is in $T/waited. Nobody writes then, so what they answer for stays.
ask_all()
{
	local v asked=()
	: >"$T/waited"
	for v in $views $ddl_views; do
		(viewctl wait "$v" --timeout 15s >"$T/wait.$v.log" 2>&1 && echo "$v" >>"$T/waited") &
		asked+=($!)
	done
	wait "${asked[@]}"
}

# After a redefinition: what a wait answers for is true.
true_after_wait()
{
	if grep -qx "$1" "$T/waited"; then
		is_equal "$1"
	else
		is_equal "$1" || admits "$1" || is_equal "$1" || admits "$1"
	fi
}

all_equal()
{
	viewctl verify --all
}

# Prints the facts that are wanted after a failure.
tell_all()
{
	local v
	comment "differs: $(cat "$T/difference.log")"
	comment "wait: $(grep -x "$1" "$T/waited" && echo succeeded; cat "$T/wait.$1.log")"
	comment "redefined: $(tail -n 5 "$T/redefined.log")"
	[ ! -s "$T/mend.log" ] || comment "mended: $(cat "$T/mend.log")"
	comment "$(viewctl --json status "$1")"
	comment "$(viewctl why "$1")"
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
	local v way=honest
	if WAIT=$quiet wait_until all_equal; then
		[ -n "$redefined" ] || return
	fi
	ask_all
	[ -z "$redefined" ] || way=true_after_wait
	for v in $views $ddl_views; do
		[[ " $ddl_views " != *" $v "* ]] || way=true_after_wait
		"$way" "$v" && continue
		report 1 "round $round (seed $SEED): $v differs from its definition and its status does not say so"
		tell_all "$v"
		finish
	done
}

start_viewd
ok "all views are there" wait_until all_equal
app "INSERT INTO $(pick viewd.nothing viewd_nothing viewd_nothing) VALUES (1)" >"$T/writer.0.log" 2>&1
put_down $? "$T/writer.0.log"
like "what viewd's absence does to a writer is seen" "$(cat "$T/hurt.log")" nothing
: >"$T/hurt.log"
ok "a dump is made" take_dump # what it restores has viewd's objects in it
end=$((SECONDS + limit))
for ((round = 1; SECONDS < end; round++)); do
	redefined=
	start_writers
	start_redefining
	trouble
	wait_writers
	! is_time_for restore || restore_file
	start_writers
	wait_writers
	check_round
done
ok "$((round - 1)) rounds, none with a view that was wrong without saying so (seed $SEED)" test $round -gt 3
mend_definitions
comment "$(sql "SELECT action, count(*) FROM $(pick viewd. viewd_ viewd_)refresh_history GROUP BY action")"
ok "in the end all are equal" wait_until all_equal
for v in $views $ddl_views; do
	is_equal "$v" && continue
	report 1 "in the end $v differs (seed $SEED)"
	tell_all "$v"
done

# ---- viewd leaves, beside writers ----
start_writers
ok "it leaves" viewctl uninstall shop
start_writers
wait_writers
is "no statement failed because of viewd" "$(cat "$T/hurt.log")" ""
comment "$(wc -l <"$T/own.log") transactions failed because of what the writers themselves did: $(sort "$T/own.log" | uniq -c | sort -rn | head -n 6)"
finish
