#!/bin/bash
# SPDX-License-Identifier: MIT
# From the commit of a single change until it is visible: in one view, and through a chain of ten, beside the same refreshes sent by a
# client in the same run; and in a view that is kept incrementally, beside an UPDATE of the row in question. debounce is 0. All engines, or
# engine= and capture= for one.
# CHANGES, CHAIN_CHANGES: how many; PAUSE_MS: the quiet before each; ROWS: of the source; MANY: of that of the incremental view.
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
[ -n "${capture:-}" ] || {
	table "latency: commit to visible; the goal is the refresh alone, in the same run, and so much more"
	each_capture "$0" "$@"
	finished=yes
	exit
}
: "${CHANGES:=200}" "${CHAIN_CHANGES:=30}" "${PAUSE_MS:=120}" "${ROWS:=1000}" "${CHAIN:=10}" "${MANY:=1000000}"
definition='SELECT id % 10 AS k, sum(amount) AS total FROM sale GROUP BY id % 10'

# refresh_of NAME DEFINITION: adds what viewd does for such a view to $statements.
refresh_of()
{
	case $engine in
	postgresql) statements+=("REFRESH MATERIALIZED VIEW $1") ;;
	mariadb) statements+=(BEGIN "DELETE FROM $1" "INSERT INTO $1 $2" COMMIT) ;;
	sqlite) statements+=("BEGIN IMMEDIATE" "DELETE FROM $1" "INSERT INTO $1 $2" COMMIT) ;;
	esac
}

# alone NAME DEFINITION: an object like the view's, which viewd does not know.
alone()
{
	sql "CREATE $(pick 'MATERIALIZED VIEW' TABLE TABLE) $1 AS $2"
	refresh_of "$1" "$2"
}

view()
{
	printf '[view %s]\ndatabase = shop\nmethod = %s\nrefresh_mode = full\non_change = yes\ncapture = %s\ndebounce = 0s\ndefinition = %s\n' \
		"$1" "$(pick materialized table table)" "$capture" "$2"
}

# measure VIEW CHANGES [CHANGE READ]: sets $seen $seen99 $alone $alone99, milliseconds.
measure()
{
	read -r seen seen99 alone alone99 < <("$VIEWD_BUILD/bench/latency-$engine" "$(target)" "$2" "$PAUSE_MS" \
		"${3:-UPDATE sale SET amount = amount + 1 WHERE id = 1}" "${4:-SELECT sum(total) FROM $1}" "${statements[@]}") ||
		die "$engine $capture: nothing could be measured"
}

start_bench_engine "$@"
sql "CREATE TABLE sale (id integer PRIMARY KEY, amount integer NOT NULL)"
for ((id = 1; id <= ROWS; id++)); do echo "INSERT INTO sale VALUES ($id, $id);"; done | { echo "BEGIN;" && cat && echo "COMMIT;"; } | sql
{
	view totals "$definition"
} | conf_database shop
start_viewd
wait_until settled totals || die "the view does not become fresh"
statements=()
alone alone_0 "$definition"
measure totals "$CHANGES"
name="$engine, $capture"
row "$name: one view, refresh alone, median" "$alone" ms
row "$name: one view, added, median" "$(sum "$seen - $alone")" ms '<= 10'
row "$name: one view, added, p99" "$(sum "$seen99 - $alone")" ms '<= 50'
stop_viewd

{
	view chain_1 "$definition"
	for ((i = 2; i <= CHAIN; i++)); do view "chain_$i" "SELECT k, total FROM chain_$((i - 1))"; done
} | conf_database shop
start_viewd
wait_until settled "chain_$CHAIN" || die "the chain does not become fresh"
statements=()
alone alone_1 "$definition"
for ((i = 2; i <= CHAIN; i++)); do alone "alone_$i" "SELECT k, total FROM alone_$((i - 1))"; done
measure "chain_$CHAIN" "$CHAIN_CHANGES"
row "$name: chain of $CHAIN, refreshes alone, median" "$alone" ms
row "$name: chain of $CHAIN, added, median" "$(sum "$seen - $alone")" ms '<= 50'
stop_viewd

sql "CREATE TABLE positions (id integer PRIMARY KEY, k integer NOT NULL, amount integer NOT NULL)"
sql "$(pick '' 'SET max_recursive_iterations = 100000000;' '') INSERT INTO positions WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c
	WHERE n < $MANY) SELECT n, n % $((MANY / 10)), n % 1000 FROM c"
sql "CREATE INDEX positions_k ON positions (k); $(pick 'ANALYZE positions' 'ANALYZE TABLE positions' ANALYZE)" >/dev/null
sum_of='SELECT k, sum(amount) AS total, max(amount) AS most FROM positions'
sql "CREATE TABLE alone_k AS $sum_of GROUP BY k"
sql "CREATE UNIQUE INDEX alone_k_k ON alone_k (k)"
printf '[view by_k]\ndatabase = shop\nmethod = table\nrefresh_mode = incremental\nunique_key = k\non_change = yes\ncapture = %s\ndebounce = 0s\ndefinition = %s\n' \
	"$capture" "$sum_of GROUP BY k" | conf_database shop
start_viewd
wait_until settled by_k || die "the incremental view does not become fresh"
statements=("$(pick BEGIN BEGIN 'BEGIN IMMEDIATE')" "UPDATE alone_k SET total = (SELECT sum(amount) FROM positions WHERE k = 1), most = (SELECT max(amount) FROM positions
	WHERE k = 1) WHERE k = 1" COMMIT)
measure by_k "$CHANGES" "UPDATE positions SET amount = amount + 1 WHERE id = 1" "SELECT total FROM by_k WHERE k = 1"
row "$name: incremental, $MANY rows, an UPDATE of its row alone, median" "$alone" ms
row "$name: incremental, $MANY rows, added, median" "$(sum "$seen - $alone")" ms '<= 10'
row "$name: incremental, $MANY rows, added, p99" "$(sum "$seen99 - $alone")" ms '<= 50'
finish >/dev/null
