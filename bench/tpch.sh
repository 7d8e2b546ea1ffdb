#!/bin/bash
# SPDX-License-Identifier: MIT
# The 22 queries of TPC-H as views: an incremental refresh by the dialect's library beside REFRESH MATERIALIZED VIEW
# (elsewhere DELETE and INSERT in one transaction), after each batch of changes, alternating; the medians count. Each
# result is compared with the full one byte by byte. Schema, rows and batches are made here, in SQL, the same each time.
# fsync is on. ORDERS: 15000 (default), 150000, 1500000; lineitems are four times as many. BATCHES: the first WARM ones
# (1; auto: 5, since it begins after three slow refreshes) warm up. KIND: A (BATCH orders, 0.1 %, come with their lines,
# as many go), B (A, and updates of all other tables and of lines). MODE: incremental (auto where that is refused), or
# auto. ONLY: numbers of queries. TPCH_TIMES=1: each refresh is told of on stderr.
one_engine=${engine:-}
: "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
. "$VIEWD_SRC/bench/lib.sh"
[ -n "$one_engine" ] || {
	each_engine "$0" "$@"
	finished=yes
	exit
}
: "${ORDERS:=15000}" "${BATCH:=$((ORDERS / 1000))}" "${BATCHES:=7}" "${KIND:=A B}" "${MODE:=incremental}" "${ONLY:=}"
[ "$MODE" = auto ] && : "${WARM:=5}" || : "${WARM:=1}"
program=$VIEWD_BUILD/bench/tpch-$engine
[ -x "$program" ] || skip_all "the dialect is not built"
customers=$((ORDERS / 10)) parts=$((ORDERS * 2 / 15)) suppliers=$((ORDERS / 150))

# ---- what the engines write in their own way ----

money() # HUNDREDTHS; on SQLite they stay what they are, since it has no decimals
{
	pick "($1) * 0.01" "($1) * 0.01" "$1"
}

day() # NUMBER since 1992-01-01
{
	pick "DATE '1992-01-01' + ($1)::integer" "DATE '1992-01-01' + INTERVAL ($1) DAY" "date('1992-01-01', ($1) || ' days')"
}

# in_dialect: replaces {..} in stdin.
in_dialect()
{
	local share
	share=$(awk -v n="$ORDERS" 'BEGIN { printf "%.7f", 0.0001 * 1500000 / n }')
	sed -E -e "s/\{SHARE\}/$share/; s/\{INT\}/$(pick integer integer integer)/g; s/\{TEXT ([0-9]+)\}/varchar(\1)/g" \
		-e "s/\{MONEY\}/$(pick 'decimal(15,2)' 'decimal(15,2)' integer)/g; s/\{DATETYPE\}/$(pick date date text)/g" \
		-e "s/\{DATE ([-0-9]+)\}/$(pick "DATE '\1'" "DATE '\1'" "'\1'")/g; s/\{ONE\}/$(pick 1 1 100)/g" \
		-e "s/\{YEAR\(([a-z_]+)\)\}/$(pick 'EXTRACT(YEAR FROM \1)' 'EXTRACT(YEAR FROM \1)' 'CAST(substr(\1, 1, 4) AS integer)')/g" \
		-e "s/\{CODE\}/$(pick 'SUBSTRING(c_phone FROM 1 FOR 2)' 'SUBSTRING(c_phone FROM 1 FOR 2)' 'substr(c_phone, 1, 2)')/g" \
		-e "s/\{CENTS ([0-9])\}/$(pick '0.0\1' '0.0\1' '\1')/g"
}

# chance KEY SALT LIMIT: a number below LIMIT that looks like chance. Salts are coprime to the prime.
chance()
{
	printf '((((%s) * %d + %d) %% 2147483647) * 16807 %% 2147483647 %% %d)' "$1" $((1103515245 - 7919 * $2)) $((12345 * $2)) "$3"
}

# choose NUMBER WORD...: one of the words.
choose()
{
	local number=$1 i=0 word
	shift
	printf 'CASE (%s) %% %d' "$number" $#
	for word; do printf " WHEN %d THEN '%s'" $((i++)) "$word"; done
	printf ' END'
}

# ---- rows, as SELECTs over numbers ----

colours=(almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon chocolate coral cornflower
	cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki)
nations=("ALGERIA 0" "ARGENTINA 1" "BRAZIL 1" "CANADA 1" "EGYPT 4" "ETHIOPIA 0" "FRANCE 3" "GERMANY 3" "INDIA 2" "INDONESIA 2" "IRAN 4" "IRAQ 4" "JAPAN 2"
	"JORDAN 4" "KENYA 0" "MOROCCO 0" "MOZAMBIQUE 0" "PERU 1" "CHINA 2" "ROMANIA 3" "SAUDI ARABIA 4" "VIETNAM 2" "RUSSIA 3" "UNITED KINGDOM 3" "UNITED STATES 1")

# phone NATION KEY
phone()
{
	printf "CAST(10 + %s AS %s) || '-' || CAST(100 + %s AS %s) || '-' || CAST(1000 + %s AS %s)" "$1" "$(pick text char text)" "$(chance "$2" 3 900)" \
		"$(pick text char text)" "$(chance "$2" 4 9000)" "$(pick text char text)"
}

number()
{
	printf 'CAST(%s AS %s)' "$1" "$(pick text char text)"
}

words() # KEY: three, for comments
{
	printf "%s || ' ' || %s || ' ' || %s" "$(choose "$(chance "$1" 11 1000)" carefully quickly blithely furiously slyly)" \
		"$(choose "$(chance "$1" 12 1000)" final special express regular ironic pending)" "$(choose "$(chance "$1" 13 1000)" requests deposits packages accounts)"
}

small_tables()
{
	local i name n=0
	for i in AFRICA AMERICA ASIA EUROPE 'MIDDLE EAST'; do
		echo "INSERT INTO region VALUES ($((n++)), '$i', '');"
	done
	for i in "${!nations[@]}"; do
		name=${nations[i]}
		echo "INSERT INTO nation VALUES ($i, '${name% *}', ${name##* }, '');"
	done
	cat <<-END
	INSERT INTO supplier SELECT n, 'Supplier#' || $(number 'n + 100000000'), 'at ' || $(number "$(chance n 1 100000)"), $(chance n 2 25),
		$(phone "$(chance n 2 25)" n), $(money "$(chance n 5 1100000) - 100000"),
		CASE WHEN n % 37 = 5 THEN 'Customer has Complaints' ELSE $(words n) END FROM numbers WHERE n <= $suppliers;
	INSERT INTO part SELECT n, $(choose "$(chance n 1 100000)" "${colours[@]}") || ' ' || $(choose "$(chance n 2 100000)" "${colours[@]}") || ' ' ||
		$(choose "$(chance n 3 100000)" "${colours[@]}"), 'Manufacturer#' || $(number "1 + $(chance n 4 5)"),
		'Brand#' || $(number "1 + $(chance n 4 5)") || $(number "1 + $(chance n 5 5)"),
		$(choose "$(chance n 6 6)" STANDARD SMALL MEDIUM LARGE ECONOMY PROMO) || ' ' ||
		$(choose "$(chance n 7 5)" ANODIZED BURNISHED PLATED POLISHED BRUSHED) || ' ' || $(choose "$(chance n 8 5)" TIN NICKEL BRASS STEEL COPPER),
		1 + $(chance n 9 50), $(choose "$(chance n 10 5)" SM LG MED JUMBO WRAP) || ' ' || $(choose "$(chance n 14 8)" CASE BOX BAG JAR PKG PACK CAN DRUM),
		$(money "90000 + (n % 20001) + 100 * (n % 1000)"), $(choose "$(chance n 11 1000)" final special ironic) FROM numbers WHERE n <= $parts;
	INSERT INTO partsupp SELECT p.n, (p.n + i.n * $((suppliers / 4))) % $suppliers + 1, 1 + $(chance 'p.n * 4 + i.n' 1 9999),
		$(money "100 + $(chance 'p.n * 4 + i.n' 2 99901)"), $(words 'p.n * 4 + i.n') FROM numbers p, numbers i WHERE p.n <= $parts AND i.n <= 4;
	INSERT INTO customer SELECT n, 'Customer#' || $(number 'n + 100000000'), 'at ' || $(number "$(chance n 1 100000)"), $(chance n 2 25),
		$(phone "$(chance n 2 25)" n), $(money "$(chance n 5 1100000) - 100000"),
		$(choose "$(chance n 6 5)" AUTOMOBILE BUILDING FURNITURE MACHINERY HOUSEHOLD), $(words n) FROM numbers WHERE n <= $customers;
	END
}

# A third of the customers have no orders. Some orders are large ones.
order_columns()
{
	local date status
	date=$(chance n 3 2406)
	status="CASE WHEN $date < 1142 THEN 'F' WHEN $date > 1263 THEN 'O' ELSE 'P' END"
	echo "n, 1 + 3 * $(chance n 1 $((customers / 3))) + $(chance n 2 2), $status, $(money "100000 + $(chance n 4 40000000)"), $(day "$date"),
		$(choose "$(chance n 5 5)" 1-URGENT 2-HIGH 3-MEDIUM '4-NOT SPECIFIED' 5-LOW), 'Clerk#' || $(number "$(chance n 6 1000)"), 0, $(words n)"
}

line_columns()
{
	local key='n.n * 8 + i.n' part ship quantity receipt
	part="1 + $(chance "$key" 1 "$parts")"
	ship="$(chance n.n 3 2406) + 1 + $(chance "$key" 2 121)"
	receipt="$ship + 1 + $(chance "$key" 4 30)"
	quantity="CASE WHEN n.n % 2500 = 7 THEN 44 + $(chance "$key" 5 7) ELSE 1 + $(chance "$key" 5 50) END"
	echo "n.n, $part, ($part + (1 + $(chance "$key" 6 4)) * $((suppliers / 4))) % $suppliers + 1, i.n, $quantity,
		$(money "($quantity) * (90000 + (($part) % 20001) + 100 * (($part) % 1000))"), $(money "$(chance "$key" 7 11)"), $(money "$(chance "$key" 8 9)"),
		CASE WHEN $receipt > 1263 THEN 'N' ELSE $(choose "$(chance "$key" 9 2)" R A) END, CASE WHEN $ship > 1263 THEN 'O' ELSE 'F' END,
		$(day "$ship"), $(day "$(chance n.n 3 2406) + 30 + $(chance "$key" 10 61)"), $(day "$receipt"),
		$(choose "$(chance "$key" 14 4)" 'DELIVER IN PERSON' 'COLLECT COD' NONE 'TAKE BACK RETURN'),
		$(choose "$(chance "$key" 15 7)" 'REG AIR' AIR RAIL SHIP TRUCK MAIL FOB), $(words "$key")"
}

# orders FROM TO: orders of these numbers and their lines, a statement a line.
orders()
{
	echo "INSERT INTO orders SELECT $(order_columns | tr '\n\t' '  ') FROM numbers WHERE n BETWEEN $1 AND $2;"
	echo "INSERT INTO lineitem SELECT $(line_columns | tr '\n\t' '  ') FROM numbers n, numbers i WHERE n.n BETWEEN $1 AND $2 AND i.n <= 7" \
		"AND (n.n % 2500 = 7 OR i.n <= 1 + $(chance n.n 7 7));"
}

# ---- batches ----

# batch NUMBER KIND
batch()
{
	local b=$1 some=$BATCH key
	local from=$(((b - 1) * some + 1)) to=$((b * some))
	orders $((ORDERS + from)) $((ORDERS + to))
	echo "DELETE FROM lineitem WHERE l_orderkey BETWEEN $from AND $to;"
	echo "DELETE FROM orders WHERE o_orderkey BETWEEN $from AND $to;"
	[ "$2" = B ] || return
	key=$((ORDERS > 100000 ? 1000 : 100))
	echo "UPDATE customer SET c_mktsegment = CASE WHEN c_mktsegment = 'BUILDING' THEN 'AUTOMOBILE' ELSE 'BUILDING' END, c_acctbal = c_acctbal + 17," \
		"c_nationkey = (c_nationkey + $b) % 25 WHERE c_custkey % $key = $b;"
	echo "UPDATE customer SET c_phone = '13' || substr(c_phone, 3) WHERE c_custkey % $((3 * key)) = $b;"
	echo "UPDATE lineitem SET l_quantity = l_quantity + $((b % 3 - 1)), l_extendedprice = l_extendedprice + $(money 100), l_discount = CASE WHEN l_discount >" \
		"$(money 9) THEN $(money 1) ELSE l_discount + $(money 1) END, l_shipdate = $(pick "l_shipdate + $((b - 5))" "l_shipdate + INTERVAL $((b - 5)) DAY" \
			"date(l_shipdate, '$((b - 5)) days')") WHERE l_orderkey % 2000 = $((b + 1000));"
	echo "DELETE FROM lineitem WHERE l_orderkey % 5000 = $((b + 2000)) AND l_linenumber = 1;"
	echo "UPDATE orders SET o_custkey = 1 + (o_custkey + $b) % $customers, o_orderpriority = '1-URGENT', o_orderdate =" \
		"$(pick "o_orderdate + $b" "o_orderdate + INTERVAL $b DAY" "date(o_orderdate, '$b days')") WHERE o_orderkey % 3000 = $((b + 1500));"
	echo "UPDATE partsupp SET ps_supplycost = ps_supplycost + $(money $((100 * b))), ps_availqty = ps_availqty + 100 WHERE ps_partkey % $key = $b;"
	echo "UPDATE supplier SET s_acctbal = s_acctbal + 1, s_nationkey = (s_nationkey + 1) % 25, s_comment = CASE WHEN s_comment LIKE '%Complaints%' THEN 'fine'" \
		"ELSE 'the Customer and his Complaints' END WHERE s_suppkey = $((1 + b * 7 % suppliers));"
	echo "UPDATE part SET p_size = 1 + (p_size + $b) % 50, p_type = CASE p_partkey % 3 WHEN 0 THEN 'PROMO BRUSHED BRASS' WHEN 1 THEN 'ECONOMY ANODIZED STEEL'" \
		"ELSE p_type END, p_name = CASE WHEN p_partkey % 2 = 0 THEN 'forest green ' || $(pick 'left(p_name, 30)' 'left(p_name, 30)' 'substr(p_name, 1, 30)')" \
		"ELSE p_name END, p_container = CASE WHEN p_partkey % 5 = 0 THEN 'MED BOX' ELSE p_container END, p_brand = CASE WHEN p_partkey % 5 = 0 THEN" \
		"'Brand#23' ELSE p_brand END WHERE p_partkey % $key = $b;"
}

# ---- the database ----

start()
{
	case $engine in
	postgresql)
		start_engine -c fsync=on -c shared_buffers=512MB -c work_mem=64MB -c max_wal_size=4GB -c autovacuum=off "$@" >/dev/null
		;;
	mariadb)
		start_engine --innodb-buffer-pool-size=1G --innodb-log-file-size=512M --innodb-flush-log-at-trx-commit=1 --innodb-flush-method=fsync \
			--skip-debug-no-sync --sql-mode=PIPES_AS_CONCAT,STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION "$@" >/dev/null
		sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost"
		;;
	*) start_engine "$@" >/dev/null ;;
	esac
}

fill()
{
	local last=$((ORDERS + BATCH * 60))
	in_dialect <"$VIEWD_SRC/bench/tpch/schema.sql"
	pick "" "SET max_recursive_iterations = 100000000;" ""
	echo "INSERT INTO numbers WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < $last) SELECT n FROM c;"
	small_tables
	orders 1 "$ORDERS"
	cat "$VIEWD_SRC/bench/tpch/indexes.sql"
	pick "VACUUM ANALYZE;" "ANALYZE TABLE region, nation, supplier, part, partsupp, customer, orders, lineitem;" "ANALYZE;"
}

# queries: a file each, the key in the first line.
queries()
{
	mkdir -p "$T/tpch"
	in_dialect <"$VIEWD_SRC/bench/tpch/queries.sql" | awk -v dir="$T/tpch" -v only=" $ONLY " '
		/^-- [0-9]/ { name = $2; out = (only ~ /^ *$/ || index(only, " " name " ")) ? dir "/q" name ".sql" : ""; $1 = $2 = ""
			if (out != "") print substr($0, 3) >out; next }
		/^--/ || /^$/ { next }
		out != "" { gsub(/\t/, " "); print >out }'
}

show()
{
	awk -v engine="$engine" -v what="$1" '
		BEGIN { printf "\n%s, %s\n%-5s %-12s %8s %8s %10s %10s %8s %6s\n", engine, what, "query", "mode", "so", "rows", "inc ms", "full ms", "ratio", "differ" }
		{ printf "%-5s %-12s %8s %8s %10s %10s %8s %6s\n", $1, $2, $3, $4, $5, $6, $7, $8
			all += log($7); n++; slower += $7 < 1; differ += $8; empty += $4 == 0
			if ($2 == "auto") { why = $0; sub(/^([^ ]+ ){8}/, "", why); refused = refused "  " $1 ": " why "\n" }
			else { kept += log($7); nk++ } }
		END { printf "geometric mean of %d: %.1f; of the %d that are incremental: %.1f; slower than full: %d; differences: %d; without rows: %d\n", n, exp(all / n), nk, nk ? exp(kept / nk) : 0, slower, differ, empty
			if (refused != "") printf "refused:\n%s", refused }'
}

measure()
{
	local kind=$1 b
	for ((b = 1; b <= BATCHES; b++)); do
		batch "$b" "$kind" | sed 's/;$//' >"$T/tpch/batch.$b"
	done
	"$program" "$engine" "$VIEWD_BUILD/.libs/viewd_$dialect.so" "$db_url$(pick '&options=-csearch_path%3Dpublic' '' '')" "$(target)" "$T/tpch" "$BATCHES" "$MODE" "$WARM" >"$T/figures" ||
		die "$engine: nothing could be measured"
	show "$ORDERS orders, batches $kind of $BATCH" <"$T/figures"
}

for kind in $KIND; do
	rm -rf "$T/pg" "$T/mariadb" "$T"/shop.db*
	start "$@"
	fill >"$T/fill.sql"
	sql <"$T/fill.sql" >"$T/fill.log" 2>&1 || { cat "$T/fill.log" && die "the tables cannot be filled"; }
	queries
	measure "$kind"
	[ $engine = sqlite ] || stop_process "$server_pid" "$(pick INT TERM '')"
done
finish >/dev/null
