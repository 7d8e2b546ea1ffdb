#!/bin/bash
# SPDX-License-Identifier: MIT
# Incremental views lose nothing under fire. Eight writers (writer.c, fire.writes) in transactions long and short, with
# savepoints and in two phases, while viewd and the server are killed (SQLite: viewd and writers). Now and then writers
# are stopped for a moment: after a refresh each view equals its definition byte by byte. So it is in the end, after a
# wait. No writer's statement fails because of viewd, and none waits for it longer than its lock_timeout. $SEED makes the
# writers' luck again; $SECONDS_TO_RUN says how long (default 20, or 300 with VIEWD_LONG).
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

fire=$VIEWD_SRC/tests/model/fire
SEED=${SEED:-$((${EPOCHREALTIME#*.} % 32768))}
limit=${SECONDS_TO_RUN:-$([ -n "${VIEWD_LONG:-}" ] && echo 300 || echo 20)}
RANDOM=$SEED
comment "seed $SEED, $limit seconds"

# Time limits in ms: what viewd is told, and what a loaded machine may add before somebody looks.
lock_timeout=1000
grace=1000
n_writers=8
options=()
[ "$engine" != postgresql ] || options=(-c max_prepared_transactions=20 -c deadlock_timeout=100ms)

# of_engine FILE: its lines for this engine.
of_engine()
{
	sed -nE "/^#/d; /^$/d; s/^@([a-z]*,)*$engine(,[a-z]*)* //; /^@/d; p" "$1"
}

# ---- the world ----
start_engine "${options[@]}"
case $engine in
postgresql)
	pg_db=postgres sql_pg "CREATE ROLE writer LOGIN"
	sql "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO writer"
	target="host=$pg_dir user=writer dbname=shop options='-c search_path=public'"
	looker="host=$pg_dir user=postgres dbname=shop"
	;;
mariadb)
	sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, $binlog_monitor ON *.* TO viewd@localhost; CREATE USER writer@localhost;
		GRANT SELECT, INSERT, UPDATE, DELETE ON shop.* TO writer@localhost"
	target="$mariadb_dir/sock writer shop"
	looker="$mariadb_dir/sock root shop"
	;;
sqlite) target=$T/shop.db looker=$T/shop.db ;;
esac
of_engine "$fire/fire.tables" >"$T/tables.sql"
of_engine "$fire/fire.writes" >"$T/writes"
sql <"$T/tables.sql" || die "no tables"

views="all_rows roll joined joined_roll outer_rows existing pairs words above"
conf_database shop <<-END
	[view-defaults]
	database = shop
	method = table
	refresh_mode = incremental
	on_change = yes
	lock_timeout = ${lock_timeout}ms
	retry_backoff = 100ms
	retry_max_backoff = 500ms

	[view all_rows]
	unique_key = id
	definition = SELECT id, item, qty * price AS total, note FROM sale WHERE qty > 2

	[view roll]
	definition = SELECT shop, count(*) AS n, sum(qty) AS qty, sum(price) AS price FROM sale GROUP BY shop

	[view joined]
	unique_key = id
	definition = SELECT s.id, i.name, s.price FROM sale AS s JOIN item AS i ON i.id = s.item

	[view joined_roll]
	definition = SELECT i.kind, count(*) AS n, sum(s.qty) AS qty, sum(s.price) AS price FROM sale AS s JOIN item AS i ON i.id = s.item GROUP BY i.kind

	[view outer_rows]
	definition = SELECT i.id, i.name, t.id AS tag, t.word FROM item AS i LEFT JOIN tag AS t ON t.item = i.id

	[view existing]
	unique_key = id
	definition = SELECT i.id, i.name FROM item AS i WHERE EXISTS (SELECT 1 FROM tag AS t WHERE t.item = i.id) AND NOT EXISTS (SELECT 1 FROM stock AS k WHERE k.item = i.id AND k.qty > 5)

	[view pairs]
	unique_key = shop, item
	definition = SELECT k.shop, k.item, k.qty, count(s.id) AS sold, sum(s.price) AS earned FROM stock AS k LEFT JOIN sale AS s ON s.shop = k.shop AND s.item = k.item GROUP BY k.shop, k.item, k.qty

	[view words]
	definition = SELECT word, count(*) AS n, min(item) AS least, max(item) AS most FROM tag GROUP BY word

	[view above]
	definition = SELECT price, count(*) AS n, min(id) AS oldest FROM joined GROUP BY price
END

# ---- comparing ----

definition_of()
{
	sed -n "/^\[view $1\]/,/^definition = /s/^definition = //p" "$T/viewd.conf"
}

# bytes_of VIEW: an expression for all bytes of a row q.
bytes_of()
{
	local quoted="group_concat('typeof(\"' || name || '\") || '' '' || quote(\"' || name || '\")', ' || '', '' || ')"
	case $engine in
	postgresql) echo "q::text" ;;
	mariadb)
		sql "SELECT concat('CONCAT_WS('', '', ', group_concat(concat('QUOTE(CAST(\`', column_name, '\` AS BINARY))') ORDER BY ordinal_position SEPARATOR ', '), ')')
			FROM information_schema.columns WHERE table_schema = 'shop' AND table_name = '$1' AND column_name <> 'viewd_pk'"
		;;
	sqlite) sql "SELECT $quoted FROM pragma_table_info('$1')" ;;
	esac
}

differences=0
compared=0
# compare WHEN: how many views differ is added to $differences.
compare()
{
	local v bytes
	for v in $2; do
		bytes=$(bytes_of "$v")
		sql "SELECT $bytes FROM $v AS q" >"$T/stored" 2>"$T/sql.log" &&
			sql "SELECT $bytes FROM ($(definition_of "$v")) AS q" >"$T/wanted" 2>"$T/sql.log" ||
			die "$1: $v cannot be read: $(cat "$T/sql.log")"
		sort -o "$T/stored" "$T/stored"
		sort -o "$T/wanted" "$T/wanted"
		compared=$((compared + 1))
		cmp -s "$T/stored" "$T/wanted" && continue
		differences=$((differences + 1))
		comment "$SECONDS, $1: $v differs (stored <, wanted >):" "$(diff "$T/stored" "$T/wanted" | head -n 10)"
		comment "$(viewctl why "$v" 2>&1 | head -n 20)" "$(viewctl history "$v" 2>&1 | head -n 6)"
	done
}

# ---- writers ----

# supervise NAME SEED: a writer whose connection is lost begins again.
supervise()
{
	local status=1
	RANDOM=$2
	trap 'kill -KILL $!; exit' TERM
	until [ $status -eq 0 ]; do
		"$VIEWD_BUILD/tests/model/fire-$engine" "$engine" "$target" "$T" "$1" $RANDOM 2>>"$T/$1.err" &
		echo $! >"$T/$1.pid"
		wait $! 2>/dev/null
		status=$?
		[ $status -ne 2 ] || echo "failed	OTHER	writer	$(tail -n 1 "$T/$1.err")" >>"$T/$1.log"
		nap
	done
}
watch_waits()
{
	local status=1
	trap 'kill -KILL $!; exit' TERM
	until [ $status -eq 0 ]; do
		"$VIEWD_BUILD/tests/model/waits-$engine" "$engine" "$looker" "$T" >>"$T/waits.log" 2>>"$T/waits.err" &
		wait $!
		status=$?
		nap
	done
}

supervisors=()
start_writers()
{
	local i
	for ((i = 1; i <= n_writers; i++)); do
		supervise "w$i" $RANDOM {tap_fd}>&- &
		supervisors+=($!) pids+=($!)
	done
	watch_waits {tap_fd}>&- &
	supervisors+=($!) pids+=($!)
}

exec {turn}>"$T/turn" {gate}>"$T/gate"
hold_writers()
{
	flock $turn && flock $gate
}
let_writers()
{
	flock -u $gate
	flock -u $turn
}

# ---- trouble ----

declare -A mean=([viewd]=8 [moment]=3) next=() times=([viewd]=0 [server]=0 [writer]=0 [moment]=0)
if [ "$engine" = sqlite ]; then mean[writer]=1; else mean[server]=20; fi
[ "$limit" -ge 100 ] || [ "$engine" = sqlite ] || mean[server]=12
for what in "${!mean[@]}"; do next[$what]=$((SECONDS + 2 + RANDOM % (2 * mean[$what]))); done
is_time_for()
{
	[ -n "${next[$1]:-}" ] && [ $SECONDS -ge "${next[$1]}" ] || return 1
	next[$1]=$((SECONDS + 1 + RANDOM % (2 * mean[$1])))
	times[$1]=$((times[$1] + 1))
}

start_viewd_again()
{
	start_viewd
	echo "$viewd_pid" >"$T/viewd.pid"
}

# kill_writer FILE: the one whose number is there, in the middle of whatever it does; another process may have the number.
kill_writer()
{
	local pid
	pid=$(cat "$1")
	[ "$(cat "/proc/$pid/comm" 2>/dev/null)" != "fire-$engine" ] || kill -KILL "$pid"
}

# A prepared transaction may be in the way of a refresh that changes definitions; its writer is stopped, too.
unrefreshed=0
a_moment()
{
	local v
	hold_writers
	for v in $views; do
		if viewctl refresh "$v" --wait >"$T/refresh.log" 2>&1; then
			compare "a moment" "$v"
		else
			unrefreshed=$((unrefreshed + 1))
			echo "$v: $(cat "$T/refresh.log")" >>"$T/unrefreshed.log"
		fi
	done
	let_writers
}

trouble()
{
	if is_time_for viewd; then
		kill_viewd
		start_viewd_again
	fi
	if is_time_for server; then
		kill_engine
		start_engine "${options[@]}" >>"$T/starts.log"
	fi
	! is_time_for writer || kill_writer "$T/w$((1 + RANDOM % n_writers)).pid"
	! is_time_for moment || a_moment
}

# ---- the run ----
all_equal()
{
	viewctl verify --all
}
start_viewd_again
ok "all views are there" wait_until all_equal
for v in $views; do like "$v can be kept incrementally" "$(viewctl explain "$v" 2>&1)" "it can be kept incrementally"; done
# Logs are made anew while views come that read other columns; writers begin when all of that is over.
settled()
{
	local v
	sql "UPDATE sale SET price = price + 1 WHERE id = 30; UPDATE item SET kind = 1 WHERE id = 1; UPDATE tag SET word = 'x' WHERE id = 1;
		UPDATE stock SET qty = 3 WHERE shop = 1" && wait_until all_equal || return
	for v in $views; do viewctl why "$v" | grep -qE "the last refresh was [A-Z_]+: incremental" || return; done
}
ok "all are refreshed incrementally" wait_until settled
start_writers
end=$((SECONDS + limit))
while [ $SECONDS -lt $end ]; do
	trouble
	nap
done
: >"$T/stop"
wait "${supervisors[@]}"

# Transactions that a writer has prepared and could not find again.
case $engine in
postgresql) sql_pg "SELECT gid FROM pg_prepared_xacts" | while read -r id; do sql_pg "COMMIT PREPARED '$id'"; done ;;
mariadb) sql_mariadb "XA RECOVER" | cut -f 4 | while read -r id; do sql_mariadb "XA COMMIT '$id'"; done ;;
esac

waited()
{
	local v
	for v in $views; do viewctl wait "$v" --timeout 30s || return; done
}
ok "in the end all views are waited for" waited
compare "in the end" "$views"
is "no view differs from its definition (seed $SEED)" "$differences of $compared differ" "0 of $compared differ"
ok "verify finds them equal" all_equal
ok "there were moments in which views were compared" test "$compared" -gt 9

# ---- figures ----
comment "killed: viewd ${times[viewd]}, servers ${times[server]}, writers ${times[writer]}; moments: ${times[moment]}, refreshes refused in them: $unrefreshed; views compared: $compared, different: $differences"
[ $unrefreshed -eq 0 ] || comment "$(sort "$T/unrefreshed.log" | uniq -c | sort -rn | head -n 5)"
comment "transactions:" "$(cat "$T"/w?.log | sed -n 's/^done	//p' | sort | uniq -c | tr -s ' \n' ' ')"
comment "failures:" "$(cat "$T"/w?.log | sed -nE 's/^failed	([^	]*).*/\1/p' | sort | uniq -c | tr -s ' \n' ' ')"
comment "longest statement of a writer:" "$(cat "$T"/w?.log | grep '^long' | sort -t '	' -k 2 -rn | head -n 1)"
comment "longest wait for viewd (ms):" "$(sort -rn "$T/waits.log" | head -n 1)"
did=$(sql "SELECT action, count(*) FROM $(pick viewd. viewd_ viewd_)refresh_history GROUP BY action")
comment "the last refreshes:" "$(tr '\n' ' ' <<<"$did")"
ok "many were incremental" test "$(sed -n 's/^INCREMENTAL|//p' <<<"$did")" -gt "$limit"
is "no writer's statement failed because of viewd" "$(cat "$T"/w?.log | grep -E '^failed	(VIEWD|OTHER)' | head -n 5)" ""
ok "somebody looked at who waits" grep -q looking "$T/waits.log"
ok "no writer waited longer for viewd than its lock_timeout" test "$(sort -rn "$T/waits.log" | head -n 1 | cut -f 1)" -le $((lock_timeout + grace))
finish
