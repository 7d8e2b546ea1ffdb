#!/bin/bash
# SPDX-License-Identifier: MIT
# Each kind of thing that a view can depend on, and each way in which it can change: the view follows, or is not called FRESH. Never FRESH and
# different.
#
# The rows stand in 82-matrix.ENGINE, one call of row a view:
#
#	row NAME FRESHNESS 'DEFINITION' <<-'SQL'
#		what is there before
#		-- change
#		what happens; the view is then asked for, compared, and has this freshness: FRESH, UNKNOWN, or LOST when it cannot be computed
#		-- then
#		what happens next, likewise (may be left out)
#	SQL
#
# Names of tables and the like are the row's own. All rows share one server and one daemon.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh"

names=()
declare -A definition expected

row()
{
	local name=$1 part=before line
	expected[$name]=$2
	definition[$name]=$3
	names+=("$name")
	while read -r line; do
		case $line in
		'-- change') part=change ;;
		'-- then') part=then ;;
		*) printf '%s\n' "$line" >>"$T/$part.$name" ;;
		esac
	done
}

# shellcheck source=/dev/null
. "$VIEWD_SRC/tests/system/82-matrix.$engine"

# all PART: that part of each row. A statement that fails is the test's own fault.
all()
{
	local name
	for name in "${names[@]}"; do
		[ ! -e "$T/$1.$name" ] || sql <"$T/$1.$name" >"$T/out" 2>&1 || report 1 "$name: $1: $(head -n 3 "$T/out")"
	done
}

# differences NAME: how many rows the view has too many and too few.
differences()
{
	local name=$1 def=${definition[$1]}
	sql "SELECT (SELECT count(*) FROM (SELECT * FROM $name EXCEPT ALL SELECT * FROM ($def) d1) x1) + (SELECT count(*) FROM (SELECT * FROM ($def) d2 EXCEPT ALL SELECT * FROM $name) x2)" 2>&1
}

# said NAME: what status says of the view.
said()
{
	viewctl --json status "$1" | jq -r '.[0] | if .state == "FAILED" or .state == "MISSING" or .result == "FAILED" then "LOST" else .freshness end'
}

# verdict NAME: what is said of the view, and whether it is true. STALE is always true, and does not last.
verdict()
{
	local said=STALE different _
	for _ in 1 2 3 4 5; do
		[ "$said" = STALE ] || break
		viewctl wait "$1" --timeout 30s >"$T/wait.out" 2>&1
		said=$(said "$1")
	done
	different=$(differences "$1")
	case $said,$different in
	FRESH,0 | UNKNOWN,0) printf '%s\n' "$said" ;;
	UNKNOWN,*) printf 'UNKNOWN\n' ;;
	LOST,*) printf 'LOST\n' ;;
	*) printf '%s and different (%s)\n' "$said" "$different" ;;
	esac
}

judge()
{
	local name
	for name in "${names[@]}"; do
		[ "$1" = before ] || [ -e "$T/$1.$name" ] || continue
		is "$1: $name" "$(verdict "$name")" "$([ "$1" = before ] && [ "${expected[$name]}" = LOST ] && echo FRESH || echo "${expected[$name]}")"
	done
}

start_engine
all before
{
	printf '[view-defaults]\ndatabase = shop\nmethod = table\non_change = yes\ndebounce = 0ms\n'
	for name in "${names[@]}"; do
		printf '[view %s]\ndefinition = "%s"\n' "$name" "${definition[$name]}"
	done
} | conf_database shop
start_viewd
all_built()
{
	[ "$(viewctl --json status | jq '[.[] | select(.result == "SUCCEEDED")] | length')" = "${#names[@]}" ]
}
ok "the views are there" wait_until all_built
judge before
all change
judge change
all then
judge then
finish
