#!/bin/bash
# SPDX-License-Identifier: MIT
# Five shapes of views of one table, of which a share of the rows has changed (70 % updates, 15 % deletes, 15 % inserts, of rows by
# chance), on PostgreSQL: kept incrementally, by auto, and beside them by TRUNCATE and INSERT in one transaction of a table with the same
# index. The goals are ratios at 1 and 10 %; auto is never slower than 0.95 of TRUNCATE and INSERT. fsync is on.
# ROWS (100000), ROUNDS, WARM (rounds before them: auto learns), SHARES (percent), SHAPES. Arguments go to the server.
engine=postgresql
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
: "${ROWS:=100000}" "${ROUNDS:=7}" "${WARM:=8}" "${SHARES:=0.1 1 10 25 50}" "${SHAPES:=scan filter joined aggregate join_agg}"
declare -A definitions=(
	[scan]="SELECT id, region, category, amount, score FROM src"
	[filter]="SELECT id, region, amount FROM src WHERE amount > 5000"
	[joined]="SELECT s.id, s.region, s.amount, d.region_name FROM src s JOIN dim d ON s.region = d.region"
	[aggregate]="SELECT region, sum(amount) AS total, count(*) AS cnt FROM src GROUP BY region"
	[join_agg]="SELECT d.region_name, sum(s.amount) AS total, count(*) AS cnt FROM src s JOIN dim d ON s.region = d.region GROUP BY d.region_name"
)
declare -A key=([scan]=id [filter]=id [joined]=id [aggregate]=region [join_agg]=region_name)
declare -A goals=([scan 1]=18 [filter 1]=18 [joined 1]=20 [aggregate 1]=35 [join_agg 1]=45 [scan 10]=4 [filter 10]=4 [joined 10]=4 [aggregate 10]=35
	[join_agg 10]=45)

row_of() # FIRST COUNT: rows for src
{
	echo "SELECT (ARRAY['north', 'south', 'east', 'west', 'central'])[1 + i % 5], (ARRAY['A', 'B', 'C', 'D'])[1 + i % 4], (i * 17 + 13) % 10000, (i * 31 + 7) % 100
		FROM generate_series($1, $1 + $2 - 1) i" | tr -s '\n\t' '  '
}

change() # PERCENT
{
	local rows
	rows=$(awk -v n="$ROWS" -v p="$1" 'BEGIN { printf "%d", n * p / 100 }')
	echo "UPDATE src SET amount = amount + 1 WHERE id IN (SELECT id FROM src ORDER BY random() LIMIT $((rows * 70 / 100)));DELETE FROM src WHERE id IN" \
		"(SELECT id FROM src ORDER BY random() LIMIT $((rows * 15 / 100)));INSERT INTO src (region, category, amount, score)" \
		"$(row_of '{n} * 1000' $((rows * 15 / 100)));ANALYZE src"
}

script()
{
	local shape all= both= rivals=
	echo "run SELECT setseed(0.5)"
	for shape in $SHAPES; do
		echo "view $shape|table|incremental|${key[$shape]}|${definitions[$shape]}"
		echo "view ${shape}_auto|table|incremental|${key[$shape]}|${definitions[$shape]}"
		echo "mode ${shape}_auto|auto"
		echo "run CREATE TABLE ${shape}_full AS ${definitions[$shape]}"
		echo "run CREATE UNIQUE INDEX ON ${shape}_full (${key[$shape]})"
		echo "rival ${shape}_full|BEGIN;TRUNCATE ${shape}_full;INSERT INTO ${shape}_full ${definitions[$shape]};COMMIT"
		both+="$shape ${shape}_auto " rivals+="${shape}_full " all+=", $shape, ${shape}_auto, ${shape}_full"
	done
	for share in $SHARES; do
		echo "run VACUUM ANALYZE src$all"
		echo "measure $share|$ROUNDS+$WARM|$both|$rivals|$(change "$share")"
		for shape in $SHAPES; do
			echo "same $shape|${shape}_full"
			echo "same ${shape}_auto|${shape}_full"
		done
	done
}

start_bench_engine -c fsync=on -c shared_buffers=512MB -c work_mem=64MB -c max_wal_size=4GB -c autovacuum=off "$@"
sql "CREATE TABLE src (id serial PRIMARY KEY, region text NOT NULL, category text NOT NULL, amount integer NOT NULL, score integer NOT NULL);
	CREATE TABLE dim (id serial PRIMARY KEY, region text NOT NULL, region_name text NOT NULL, multiplier numeric NOT NULL DEFAULT 1.0);
	INSERT INTO dim (region, region_name) VALUES ('north', 'Northern Region'), ('south', 'Southern Region'), ('east', 'Eastern Region'),
	('west', 'Western Region'), ('central', 'Central Region');
	INSERT INTO src (region, category, amount, score) $(row_of 1 "$ROWS"); ANALYZE src, dim"
script >"$T/script"
"$VIEWD_BUILD/bench/changes-$engine" "$engine" "$VIEWD_BUILD/.libs/viewd_$dialect.so" "$db_url&options=-csearch_path%3Dpublic" "$(target)" \
	<"$T/script" >"$T/figures" || die "nothing could be measured"
[ -z "${SHOW:-}" ] || cat "$T/figures"

# of LABEL NAME: its median.
of()
{
	awk -F '|' -v label="$1" -v name="$2" '$1 == label && $2 == name { print $3 }' "$T/figures"
}

table "shares: a share of $ROWS rows has changed; times beside TRUNCATE and INSERT"
for share in $SHARES; do
	for shape in $SHAPES; do
		full=$(of "$share" "${shape}_full")
		row "$shape, $share %: TRUNCATE and INSERT" "$full" ms
		row "$shape, $share %: incremental" "$(of "$share" "$shape")" ms
		goal=${goals[$shape $share]:-}
		row "$shape, $share %: incremental, ratio" "$(sum "$full / $(of "$share" "$shape")")" "" ${goal:+">= $goal"}
		row "$shape, $share %: auto, ratio" "$(sum "$full / $(of "$share" "${shape}_auto")")" "" '>= 0.95'
	done
done
row "rows that differ" "$(awk -F '|' '$1 == "same" { n += $3 } END { print n + 0 }' "$T/figures")" "" '<= 0'
finish >/dev/null
