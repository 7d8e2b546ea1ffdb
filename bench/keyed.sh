#!/bin/bash
# SPDX-License-Identifier: MIT
# Few of many groups have changed: a view of GROUPS groups over ROWS rows, kept incrementally and by diff, beside what the engine offers
# (PostgreSQL: REFRESH and REFRESH CONCURRENTLY; elsewhere DELETE and INSERT in one transaction), in turn after the same changes. Then
# slopes: the same change of a tenth of the data, and a tenth of the change of the same data. fsync is on.
# ROWS (5000000 on PostgreSQL, else 500000), GROUPS_OF (rows of a group), ROUNDS. Arguments go to the server.
one_engine=${engine:-}
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
[ -n "$one_engine" ] || {
	table "keyed: a view of many groups, few of which have changed"
	each_engine "$0" "$@"
	finished=yes
	exit
}
: "${ROWS:=$(pick 5000000 500000 500000)}" "${GROUPS_OF:=25}" "${ROUNDS:=7}"
groups=$((ROWS / GROUPS_OF)) percent=$((ROWS / GROUPS_OF / 100))
columns="id integer PRIMARY KEY, g integer NOT NULL, h integer NOT NULL, x $(pick 'numeric(12,2)' 'decimal(12,2)' integer) NOT NULL, y varchar(20) NOT NULL, z integer
	NOT NULL"

# fill TABLE ROWS
fill()
{
	sql "CREATE TABLE $1 ($columns)"
	sql "$(pick '' 'SET max_recursive_iterations = 100000000;' '') INSERT INTO $1 WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $2)
		SELECT n, n % $(($2 / GROUPS_OF)), n % 50, n % 1000, $(pick "'text ' || n % 997" "CONCAT('text ', n % 997)" "'text ' || n % 997"), n % 1013 FROM c"
	sql "CREATE INDEX $1_g ON $1 (g)"
}

by_group() # TABLE: a part
{
	echo "SELECT g, count(*) AS n, sum(x) AS s, max(y) AS y, max(z) AS z FROM $1 GROUP BY g"
}

by_few() # TABLE: sums of few groups
{
	echo "SELECT h, count(*) AS n, sum(x) AS s FROM $1 GROUP BY h"
}

# Rows in a row belong to different groups. touch TABLE KEYS
touch_keys()
{
	echo "UPDATE $1 SET x = x + 1, z = z + 1 WHERE id > {n} * $2 AND id <= ({n} + 1) * $2"
}

script()
{
	echo "view keyed|table|incremental|g|$(by_group big)"
	echo "view keyed_less|table|incremental|g|$(by_group less)"
	echo "view few|table|incremental|h|$(by_few big)"
	echo "view few_less|table|incremental|h|$(by_few less)"
	echo "view by_diff|table|diff|g|$(by_group big)"
	local rivals=whole one
	if [ $engine = postgresql ]; then
		rivals='whole locked'
		for one in $rivals; do
			echo "run CREATE MATERIALIZED VIEW $one AS $(by_group big)"
			echo "run CREATE UNIQUE INDEX ON $one (g)"
		done
		echo "rival whole|REFRESH MATERIALIZED VIEW whole"
		echo "rival bare|EXPLAIN (ANALYZE, TIMING OFF) $(by_group big)"
		echo "rival locked|REFRESH MATERIALIZED VIEW CONCURRENTLY locked"
	else
		echo "run CREATE TABLE whole AS $(by_group big)"
		echo "run CREATE UNIQUE INDEX whole_g ON whole (g)"
		echo "rival whole|$(pick '' BEGIN 'BEGIN IMMEDIATE');DELETE FROM whole;INSERT INTO whole $(by_group big);COMMIT"
	fi
	echo "measure none|$ROUNDS|by_diff|$rivals$(pick ' bare' '' '')|"
	echo "measure percent|$ROUNDS|keyed by_diff few|$rivals|$(touch_keys big $percent)"
	echo "same keyed|whole"
	echo "same by_diff|whole"
	echo "measure twenty|$ROUNDS|keyed by_diff|$rivals|$(touch_keys big 20)"
	echo "same keyed|whole"
	echo "same by_diff|whole"
	# Slopes: enough rounds for a median of small times.
	echo "measure tenth|$((3 * ROUNDS))|keyed few||$(touch_keys big $((percent / 10)))"
	echo "measure less|$((3 * ROUNDS))|keyed_less few_less||$(touch_keys less $((percent / 10)))"
	echo "measure all|$((3 * ROUNDS))|keyed few||$(touch_keys big "$percent")"
}

start_bench_engine $(pick "-c fsync=on -c shared_buffers=2GB -c work_mem=256MB -c max_wal_size=8GB -c autovacuum=off" \
	"--innodb-buffer-pool-size=1G --innodb-log-file-size=512M --innodb-flush-log-at-trx-commit=1 --skip-debug-no-sync" '') "$@"
fill big "$ROWS"
fill less $((ROWS / 10))
sql "$(pick 'VACUUM ANALYZE' 'ANALYZE TABLE big, less' ANALYZE)" >/dev/null 2>&1
script >"$T/script"
"$VIEWD_BUILD/bench/changes-$engine" "$engine" "$VIEWD_BUILD/.libs/viewd_$dialect.so" "$db_url$(pick '&options=-csearch_path%3Dpublic' '' '')" \
	"$(target)" <"$T/script" >"$T/figures" || die "$engine: nothing could be measured"
[ -z "${SHOW:-}" ] || cat "$T/figures"

# of LABEL NAME: its median.
of()
{
	awk -F '|' -v label="$1" -v name="$2" '$1 == label && $2 == name { print $3 }' "$T/figures"
}

declare -A words=([whole]=$(pick REFRESH 'DELETE and INSERT' 'DELETE and INSERT') [locked]='REFRESH CONCURRENTLY' [keyed]=incremental [by_diff]=diff
	[few]='sums moved' [bare]='the definition alone')

# ratio LABEL NAME NAME GOAL WORDS: how many times as long the first takes.
ratio()
{
	row "$engine, $5: ${words[$2]}" "$(of "$1" "$2")" ms
	row "$engine, $5: ${words[$3]}" "$(of "$1" "$3")" ms
	row "$engine, $5: ratio" "$(sum "$(of "$1" "$2") / $(of "$1" "$3")")" "" "$4"
}

# slope LABEL NAME LABEL NAME GOAL WORDS
slope()
{
	row "$engine, $6" "$(sum "$(of "$1" "$2") / $(of "$3" "$4")")" "" "$5"
}

name="$groups groups of $ROWS rows"
ratio percent whole keyed '>= 20' "$name, 1 % changed"
[ $engine != postgresql ] || {
	ratio percent locked keyed '>= 100' "$name, 1 % changed"
	ratio twenty locked keyed '>= 1000' "$name, 20 changed"
	ratio percent locked by_diff '>= 5' "$name, 1 % changed"
	ratio none locked by_diff '>= 6' "$name, 0 % changed"
	ratio none by_diff bare '<= 4' "$name, 0 % changed"
}
ratio percent whole by_diff '>= 1' "$name, 1 % changed"
ratio none whole by_diff '>= 1' "$name, 0 % changed"
ratio percent whole few '>= 1' "$name, sums of 50 groups beside it"
slope tenth keyed less keyed_less '<= 1.3' "groups, ten times the data"
slope tenth few less few_less '<= 1.3' "sums, ten times the data"
slope all keyed tenth keyed '<= 12' "groups, ten times the change"
slope all few tenth few '<= 12' "sums, ten times the change"
row "$engine: rows that differ" "$(awk -F '|' '$1 == "same" { n += $3 } END { print n + 0 }' "$T/figures")" "" '<= 0'
finish >/dev/null
