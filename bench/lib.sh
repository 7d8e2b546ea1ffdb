# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh: what the benchmarks share: the servers and the daemon of the system tests, and one plain table a script:
#
#	table "what is measured, in a line"
#	row "postgresql: added by viewd, median" 2.31 ms '<= 10'
#	row "postgresql: the refresh alone, median" 1.50 ms
#
# A missed goal is printed, and is no failure of the script: it fails where it could not measure.
: "${VIEWD_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
. "$VIEWD_SRC/tests/system/lib-engine.sh"

table()
{
	printf '\n%s\n%-66s %11s %-6s %-10s %s\n' "$1" what value unit goal verdict
}

# row WHAT VALUE UNIT [GOAL]: GOAL is '<= NUMBER' or '>= NUMBER'.
row()
{
	local verdict=
	[[ $2 =~ ^-?[0-9]+(\.[0-9]+)?$ ]] || die "$1: measured nothing ($2)"
	[ $# -lt 4 ] || verdict=$(awk -v value="$2" -v limit="${4#?? }" "BEGIN { print value ${4%% *} limit ? \"pass\" : \"MISS\" }")
	printf '%-66s %11s %-6s %-10s %s\n' "$1" "$2" "$3" "${4:-}" "$verdict"
}

# sum EXPRESSION: in awk, with two decimals.
sum()
{
	awk "BEGIN { printf \"%.${decimals:-2}f\", $1 }"
}

# median FILE
median()
{
	sort -n "$1" | sed -n "$(($(wc -l <"$1") / 2 + 1))p"
}

# settled VIEW: it is fresh and nothing goes on (for wait_until).
settled()
{
	[ "$(viewctl --json status "$1" | jq -r '.[0] | "\(.state) \(.result) \(.is_stale == true) \(.activity)"')" = "ACTIVE SUCCEEDED false IDLE" ]
}

# target: how a client of the bench programs reaches the database.
target()
{
	pick "host=${pg_dir:-} user=viewd dbname=shop options='-c search_path=public'" "${mariadb_dir:-}/sock viewd shop" "$T/shop.db"
}

# start_bench_engine: as start_engine, with what MariaDB needs for both kinds of capture.
start_bench_engine()
{
	case $engine in
	mariadb)
		start_engine --log-bin=binlog --binlog-format=ROW --log-bin-trust-function-creators=ON "$@" >/dev/null
		sql_mariadb "GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO viewd@localhost"
		;;
	*) start_engine "$@" >/dev/null ;;
	esac
}

# each_engine SCRIPT: runs it for each engine that was built, one after the other. each_capture SCRIPT: and each kind of capture.
each_engine()
{
	local status=0 one
	for one in ${engines:-postgresql mariadb sqlite}; do
		[ -e "$VIEWD_BUILD/bench/latency-${one%/*}" ] || continue
		engine=${one%/*} capture=${one#*/} "$@" || status=1
	done
	return $status
}

each_capture()
{
	engines='postgresql/trigger mariadb/binlog mariadb/trigger sqlite/trigger' each_engine "$@"
}
