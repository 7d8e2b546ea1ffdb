#!/bin/bash
# SPDX-License-Identifier: MIT
# One daemon with many databases: DATABASES of them (1,000 files; on a server 1,000 of MariaDB, 200 of PostgreSQL), each with one view that
# follows its source. From the start until all are fresh; threads, files and memory; wake-ups of all threads while nothing changes; a change
# in one database while the other ones are idle, and while AWAY of them cannot be reached; and until those are back. All engines, or engines=.
# IDLE: seconds of rest; CHANGES: how many are timed.
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
[ -n "${one:-}" ] || {
	table "many: one daemon, many databases with one view each"
	for one in ${engines:-sqlite mariadb postgresql}; do
		[ ! -e "$VIEWD_BUILD/bench/latency-$one" ] || engine=$one one=$one "$0" "$@" || exit 1
	done
	finished=yes
	exit
}
: "${DATABASES:=$(pick 200 1000 1000)}" "${AWAY:=100}" "${IDLE:=60}" "${CHANGES:=100}"
definition='SELECT id % 10 AS k, sum(amount) AS total FROM sale GROUP BY id % 10'
tables()
{
	echo "CREATE TABLE sale (id integer PRIMARY KEY, amount integer NOT NULL);"
	printf "INSERT INTO sale VALUES (0, 0)"
	for ((id = 1; id < 100; id++)); do printf ", (%d, %d)" "$id" "$id"; done
	echo ";"
}
name_of()
{
	printf 'd%04d' "$1"
}

# The databases of number 0 to AWAY - 1 are reached by a path of their own, which is taken away later.
make_sqlite()
{
	mkdir "$T/near" "$T/far" "$T/gone"
	{ echo "PRAGMA journal_mode = wal;" && tables; } | sql_sqlite "$T/model.db" >/dev/null
	for ((i = 0; i < DATABASES; i++)); do cp "$T/model.db" "$(dir_of "$i")/$(name_of "$i").db"; done
}
make_mariadb()
{
	start_bench_engine --max-connections=$((3 * DATABASES + 100)) --table-open-cache=10000 --performance-schema=OFF "$@"
	for ((i = 0; i < DATABASES; i++)); do echo "CREATE DATABASE $(name_of "$i"); USE $(name_of "$i");" && tables; done | sql_mariadb
	sql_mariadb "GRANT ALL ON *.* TO viewd@localhost; CREATE USER far@localhost; GRANT ALL ON *.* TO far@localhost"
	come_back_mariadb
}
make_postgresql()
{
	start_bench_engine -c max_connections=$((3 * DATABASES + 100)) "$@"
	mkdir "$T/far"
	tables | PGOPTIONS="-c search_path=public" pg_user=viewd sql_pg
	for ((i = 0; i < DATABASES; i++)); do echo "CREATE DATABASE $(name_of "$i") OWNER viewd TEMPLATE shop;"; done | pg_db=postgres sql_pg
	come_back_postgresql
}
dir_of()
{
	if [ "$1" -lt "$AWAY" ]; then echo "$T/far"; else echo "$T/near"; fi
}
url_of()
{
	local user=viewd host
	[ "$1" -ge "$AWAY" ] || user=far
	case $engine in
	sqlite) echo "sqlite:///$(dir_of "$1")/$(name_of "$1").db" ;;
	mariadb)
		host=$mariadb_dir/sock
		[ "$1" -ge "$AWAY" ] || host=$T/far.sock
		echo "mariadb://$user@localhost/$(name_of "$1")?unix_socket=$host"
		;;
	postgresql)
		host=$pg_dir
		[ "$1" -ge "$AWAY" ] || host=$T/far
		echo "postgresql://viewd@/$(name_of "$1")?host=$host"
		;;
	esac
}
leave_sqlite() { mv "$T/far"/* "$T/gone/"; }
come_back_sqlite() { mv "$T/gone"/* "$T/far/"; }
leave_mariadb() { rm "$T/far.sock" && sql_mariadb "KILL USER far@localhost"; }
come_back_mariadb() { ln -s "$mariadb_dir/sock" "$T/far.sock"; }
leave_postgresql()
{
	rm "$T/far"/.s.PGSQL.*
	sql_pg "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname < '$(name_of "$AWAY")' AND datname LIKE 'd%'" >/dev/null
}
come_back_postgresql() { ln -s "$pg_dir"/.s.PGSQL.5432 "$T/far/"; }
target_of()
{
	case $engine in
	sqlite) echo "$(dir_of "$1")/$(name_of "$1").db" ;;
	mariadb) echo "$mariadb_dir/sock viewd $(name_of "$1")" ;;
	postgresql) echo "host=$pg_dir user=viewd dbname=$(name_of "$1") options='-c search_path=public'" ;;
	esac
}

# count JQ-CONDITION: of the views that it is true of.
count()
{
	viewctl --json status | jq "[.[] | select($1)] | length"
}
all_fresh() { [ "$(count '.state == "ACTIVE" and .is_stale == false and .result == "SUCCEEDED"')" = "$DATABASES" ]; }
some_away() { [ "$(count '.is_stale == false')" -le $((DATABASES - AWAY)) ]; }
seconds() { awk "BEGIN { printf \"%.1f\", $1 / 1000000 }"; }
clock_us() { date +%s%N | sed 's/...$//'; }

# since WHAT COMMAND...: waits for it, and prints how long that took.
since()
{
	local what=$1 from
	from=$(clock_us)
	shift
	wait_until "$@" || die "$engine: $what: it does not happen within $WAIT s ($(count '.is_stale == false') are fresh)"
	row "$engine: $what" "$(seconds $(($(clock_us) - from)))" s
}
of_process()
{
	awk -v key="$1:" '$1 == key { n += $2 } END { print n + 0 }' "/proc/$viewd_pid/status"
}
of_threads()
{
	cat "/proc/$viewd_pid/task"/*/status 2>/dev/null | awk -v key="$1:" '$1 == key { n += $2 } END { print n + 0 }'
}
ticks()
{
	awk '{ print $14 + $15 }' "/proc/$viewd_pid/stat"
}

# rest NAME: what goes on while nothing changes.
rest()
{
	local switches used
	wait_until at_rest
	switches=$(of_threads voluntary_ctxt_switches) used=$(ticks)
	nap "$IDLE"
	row "$engine: $1: wake-ups of all threads a database and minute" \
		"$(sum "($(of_threads voluntary_ctxt_switches) - $switches) * 60 / $IDLE / $DATABASES")" ''
	row "$engine: $1: processor" "$(sum "($(ticks) - $used) / $IDLE")" '%'
}
at_rest()
{
	local before
	before=$(ticks)
	nap 1
	[ "$(ticks)" -le $((before + 3)) ]
}
latency()
{
	local seen seen99 number=$((DATABASES - 1))
	read -r seen seen99 _ < <("$VIEWD_BUILD/bench/latency-$engine" "$(target_of $number)" "$CHANGES" 120 \
		"UPDATE sale SET amount = amount + 1 WHERE id = 1" "SELECT sum(total) FROM v_$(name_of $number)" "SELECT 1") ||
		die "$engine: $1: nothing could be measured"
	row "$engine: $1: one change becomes visible, median" "$seen" ms '<= 20'
	row "$engine: $1: one change becomes visible, p99" "$seen99" ms '<= 100'
}

WAIT=300
"make_$engine" "$@"
for ((i = 0; i < DATABASES; i++)); do
	name=$(name_of "$i")
	printf '[database %s]\nurl = %s\n[view v_%s]\ndatabase = %s\nmethod = table\nrefresh_mode = full\non_change = yes\ndebounce = 0s\ndefinition = %s\n' \
		"$name" "$(url_of "$i")" "$name" "$name" "$definition"
done | conf
from=$(clock_us)
start_viewd
row "$engine: $DATABASES databases: start" "$(seconds $(($(clock_us) - from)))" s
since "all are fresh" all_fresh
wait_until at_rest
row "$engine: threads" "$(of_process Threads)" ''
row "$engine: open files" "$(find "/proc/$viewd_pid/fd" -mindepth 1 | wc -l)" ''
row "$engine: resident, a database" "$(sum "$(of_process VmRSS) / $DATABASES")" KiB
rest "at rest"
latency "the others idle"
"leave_$engine"
since "$AWAY go, and that is known" some_away
rest "$AWAY away"
latency "$AWAY away"
row "$engine: $AWAY away: threads" "$(of_process Threads)" ''
"come_back_$engine"
since "they are back and all are fresh" all_fresh
nap "${SWEEP:-150}"
row "$engine: after the rest of two minutes: open files" "$(find "/proc/$viewd_pid/fd" -mindepth 1 | wc -l)" ''
row "$engine: after the rest of two minutes: resident, a database" "$(sum "$(of_process VmRSS) / $DATABASES")" KiB
finish >/dev/null
