#!/bin/bash
# SPDX-License-Identifier: MIT
# Work of viewd while nothing changes: its threads' wake-ups (system calls that slept for more than 20 ms) and the statements it sends,
# a minute. Views follow their sources: VIEWS (10,000) on the scripted dialect, FILE_VIEWS (1,000) on SQLite without data and
# SERVER_VIEWS (200) on each server, because setting them up takes long there. One daemon a database, all watched at the same time by strace
# for SECONDS_EACH. Under each table row: the system calls a minute. engine= for one of fake postgresql mariadb-binlog mariadb-trigger sqlite.
databases=${engine:-fake postgresql mariadb-binlog mariadb-trigger sqlite}
unset engine
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
: "${SECONDS_EACH:=60}" "${VIEWS:=10000}" "${FILE_VIEWS:=1000}" "${SERVER_VIEWS:=200}"
strace -qq -o "$T/may" true 2>/dev/null || skip_all "strace is not installed, or may not trace here"
declare -A pid_of views_of
mkdir "$T/db" "$T/trace" # what is watched, and what strace writes, apart

# launch NAME VIEWS METHOD URL [KEY...]: a daemon with so many views over 20 sources.
launch()
{
	local name=$1 views=$2 method=$3 url=$4
	shift 4
	mkdir -p "$T/$name.state" "$T/$name.plugins"
	install -m 755 "$VIEWD_BUILD"/.libs/viewd_*.so "$VIEWD_BUILD/tests/plugins/.libs/viewd_fake.so" "$T/$name.plugins/"
	{
		printf '[viewd]\nlog_level = warning\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\n[database d]\nurl = %s\n' \
			"$T/$name.sock" "$T/$name.plugins" "$T/$name.state" "$url"
		printf '[view-defaults]\ndatabase = d\nmethod = %s\non_change = yes\nwith_data = no\n' "$method"
		printf '%s\n' "$@"
		for ((i = 0; i < views; i++)); do
			printf '[view v_%05d]\ndefinition = SELECT a FROM t_%d\n' "$i" $((i % 20))
		done
	} >"$T/$name.conf"
	start_viewd "$T/$name.conf"
	pid_of[$name]=$viewd_pid views_of[$name]=$views
}

tables()
{
	for ((i = 0; i < 20; i++)); do echo "CREATE TABLE t_$i (a integer);"; done
}

# CPU time used so far, in hundredths of a second.
ticks()
{
	for name in "${!pid_of[@]}"; do cat "/proc/${pid_of[$name]}/stat"; done | awk '{ n += $14 + $15 } END { print n }'
}

# at_rest: they use next to no CPU.
at_rest()
{
	local before
	before=$(ticks)
	for ((i = 0; i < 100; i++)); do nap; done
	[ "$(ticks)" -le $((before + 2 * ${#pid_of[@]})) ]
}

for name in $databases; do
	case $name in
	fake) launch fake "$VIEWS" table fake://d ;;
	postgresql)
		start_pg
		tables | PGOPTIONS="-c search_path=public" pg_user=viewd sql_pg
		launch postgresql "$SERVER_VIEWS" materialized "$pg_url" "capture = trigger"
		;;
	mariadb-*)
		mariadb_name=$name start_mariadb --log-bin=binlog --binlog-format=ROW --log-bin-trust-function-creators=ON
		sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost"
		tables | sql_mariadb
		launch "$name" "$SERVER_VIEWS" table "$mariadb_url" "capture = ${name#*-}"
		;;
	sqlite)
		sql_sqlite "$T/db/idle.db" "PRAGMA journal_mode = wal" >/dev/null
		tables | sql_sqlite "$T/db/idle.db"
		launch sqlite "$FILE_VIEWS" table "sqlite:///$T/db/idle.db"
		;;
	esac
done
WAIT=110 wait_until at_rest || die "there is no rest"

table "idle: wake-ups and statements in a minute, taken over $SECONDS_EACH s"
for name in $databases; do
	start_process "$T/trace/$name.log" strace -f -T -o "$T/trace/$name" -p "${pid_of[$name]}"
	stop_signal[$started]=INT
	tracers+=("$started")
done
for ((second = 0; second < SECONDS_EACH; second++)); do read -rt 1 -u "$nap_fd"; done
for pid in "${tracers[@]}"; do stop_process "$pid" INT; done

# per_minute NAME: "THREAD wake-ups statements calls" lines; calls as "name n, name n".
per_minute()
{
	awk -v loop="${pid_of[$1]}" -v each="$SECONDS_EACH" '
	/unfinished/ || /^[0-9]+ +(\+\+\+|---)/ { next }
	{
		thread = $1 == loop ? "loop" : "others"
		call = $2 == "<..." ? $3 : substr($2, 1, index($2, "(") - 1)
		n[thread, call]++
		calls[call]
		if (match($0, /<[0-9.]+>$/) && substr($0, RSTART + 1) + 0 > 0.02)
			woken[thread]++
	}
	END {
		for (i = split("loop others", threads, " "); i > 0; i--) {
			thread = threads[3 - i]
			list = ""
			for (call in calls)
				if ((thread, call) in n)
					list = list sprintf("%s%s %.0f", list == "" ? "" : ", ", call, n[thread, call] * 60 / each)
			printf "%s %.0f %.0f %s\n", thread, woken[thread] * 60 / each, n[thread, "sendto"] * 60 / each, list
		}
	}' "$T/trace/$1"
}

# Bounds for the watch of each in a minute: its heartbeats, on MariaDB those of the binary log, or a statement that waits for 300 ms and a
# comparison of tables each second; the daemon looks in every half minute.
declare -A goal=([fake]=3 [postgresql]=6 [mariadb-binlog]=26 [mariadb-trigger]=280 [sqlite]=3)
for name in $databases; do
	while read -r thread wakeups statements calls; do
		what="$name, ${views_of[$name]} views"
		if [ "$thread" = loop ]; then
			row "$what: the loop wakes up" "$wakeups" /min '<= 1'
		else
			row "$what: the watch wakes up" "$wakeups" /min "<= ${goal[$name]}"
			row "$what: the watch sends statements" "$statements" /min
		fi
		[ -z "$calls" ] || printf '    %s\n' "$calls"
	done < <(per_minute "$name")
done
finish >/dev/null
