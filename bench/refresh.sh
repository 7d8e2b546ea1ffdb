#!/bin/bash
# SPDX-License-Identifier: MIT
# Refreshes through viewd against the same SQL sent by a client: a view of 20,000 rows (the ratio tells) and one of 10 (the difference
# tells). PAIRS and ROWS change the size; engine = one engine only.
one_engine=${engine:-}
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
[ -n "$one_engine" ] || {
	table "refresh: through viewd beside the same statements sent by a client, alternating"
	each_engine "$0" "$@"
	finished=yes
	exit
}
: "${PAIRS:=25}" "${ROWS:=20000}"

statement()
{
	case $1 in
	materialized) set -- "REFRESH MATERIALIZED VIEW direct_$2" ;;
	concurrently) set -- "REFRESH MATERIALIZED VIEW CONCURRENTLY direct_$2" ;;
	swap)
		set -- "CREATE TABLE new_$2 LIKE direct_$2" \
			"INSERT INTO new_$2 SELECT n % $3 AS k, count(*) AS c, sum(gen) AS s FROM src GROUP BY n % $3" \
			"ANALYZE TABLE new_$2" "RENAME TABLE direct_$2 TO old_$2, new_$2 TO direct_$2" "DROP TABLE old_$2"
		;;
	*) set -- BEGIN "DELETE FROM direct_$2" "INSERT INTO direct_$2 SELECT n % $3 AS k, count(*) AS c, sum(gen) AS s FROM src GROUP BY n % $3" COMMIT ;;
	esac
	statements=("$@")
}

# measure LABEL KIND NAME GROUPS
measure()
{
	local kind=$2 name=$3 groups=$4
	local create="$(pick "$([ "$kind" = table ] && echo TABLE || echo 'MATERIALIZED VIEW')" TABLE TABLE)"
	sql "CREATE $create direct_$name AS SELECT n % $groups AS k, count(*) AS c, sum(gen) AS s FROM src GROUP BY n % $groups"
	sql "CREATE UNIQUE INDEX direct_${name}_k ON direct_$name (k)"
	statement "$kind" "$name" "$groups"
	read -r direct through ratio added < <("$VIEWD_BUILD/bench/refresh-$engine" "$(target)" "$T/control.sock" "$name" "$PAIRS" \
		"UPDATE src SET gen = gen + 1 WHERE n = 1" "${statements[@]}") || die "$engine: nothing could be measured"
	row "$engine, $1, $groups rows: by a client" "$direct" ms
	row "$engine, $1, $groups rows: through viewd" "$through" ms
	if [ "$groups" -gt 1000 ]; then
		row "$engine, $1, $groups rows: ratio" "$ratio" "" '<= 1.10'
	else
		row "$engine, $1, $groups rows: difference" "$added" ms '<= 5'
	fi
}

start_engine >/dev/null
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $ROWS) SELECT n, 0 FROM c" 2>/dev/null ||
	sql "SET max_recursive_iterations = 10000000; INSERT INTO src WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $ROWS) SELECT n, 0 FROM c"
view()
{
	printf '[view %s]\ndatabase = shop\nmethod = %s\nrefresh_mode = %s\nunique_key = k\ndefinition = SELECT n %% %d AS k, count(*) AS c, sum(gen) AS s FROM src GROUP BY n %% %d\n' \
		"$1" "$2" "$3" "$4" "$4"
}
views()
{
	[ $engine != postgresql ] || {
		view big_full materialized full "$ROWS"
		view small_full materialized full 10
		view big_conc materialized concurrently "$ROWS"
	}
	view big_table table full "$ROWS"
	view small_table table full 10
}
views | conf_database shop
start_viewd
for view in $(views | sed -n 's/^\[view \(.*\)\]/\1/p'); do
	wait_until is_fresh "$view" || die "view $view does not become fresh"
done
if [ $engine = postgresql ]; then
	measure "REFRESH" materialized big_full "$ROWS"
	measure "REFRESH" materialized small_full 10
	measure "REFRESH CONCURRENTLY" concurrently big_conc "$ROWS"
fi
how="DELETE and INSERT"
kind=table
measure "$how" $kind small_table 10
# A refresh of many rows in MariaDB: a new table aside, then the names are exchanged.
[ $engine != mariadb ] || { how="new table, RENAME" && kind=swap; }
measure "$how" $kind big_table "$ROWS"
finish >/dev/null
