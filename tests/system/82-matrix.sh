#!/bin/bash
# SPDX-License-Identifier: MIT
# Each kind of thing that a view can depend on, and each way in which it can change: the view follows, or is not called FRESH. Never FRESH and
# different.
#
# The rows stand in 82-matrix-ENGINE.rows, one call of row a view:
#
#	row NAME FRESHNESS 'DEFINITION' <<-'SQL'
#		what is there before
#		-- change
#		what happens; the view is then asked for, compared, and has this freshness: FRESH, UNKNOWN, or LOST when it cannot be computed
#		-- then
#		what happens next, likewise (may be left out)
#	SQL
#
# Names of tables and the like are the row's own. FRESHNESS may differ in a mode: FRESH,poll=UNKNOWN. $captures of that file are the modes: each row
# is a view in the first one, called NAME, and one in each other, called NAME_MODE. All share one server and one daemon. The file may also define
# prepare (before all rows), before_then, and the phases that come last for all rows at once, in $phases, each a function.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

names=() # of the rows
views=() # of the views
phases=()
captures=(auto)
server_options=()
declare -A definition expected row_of

prepare()
{
	:
}
before_then()
{
	:
}

row()
{
	local name=$1 part=before line capture view
	names+=("$name")
	for capture in "${captures[@]}"; do
		view=$name
		[ "$capture" = "${captures[0]}" ] || view=${name}_$capture
		views+=("$view")
		row_of[$view]=$name
		definition[$view]=$3
		expected[$view]=${2%%,*}
		[[ ,$2, != *",$capture="* ]] || { line=",$2,"; line=${line#*",$capture="}; expected[$view]=${line%%,*}; }
		capture_of[$view]=$capture
	done
	while read -r line; do
		case $line in
		'-- change') part=change ;;
		'-- then') part=then ;;
		*) printf '%s\n' "$line" >>"$T/$part.$name" ;;
		esac
	done
}
declare -A capture_of

# shellcheck source=/dev/null
. "$VIEWD_SRC/tests/system/82-matrix-$engine.rows"

# all PART: that part of each row. A statement that fails is the test's own fault.
all()
{
	local name
	for name in "${names[@]}"; do
		[ ! -e "$T/$1.$name" ] || sql <"$T/$1.$name" >"$T/out" 2>&1 || report 1 "$name: $1: $(head -n 3 "$T/out")"
	done
}

# going_on: reads statements and goes on after those that fail; a tab between columns, so that what is read is compared byte by byte.
going_on()
{
	case $engine in
	postgresql) PGOPTIONS="-c search_path=public" "$pg_client/psql" -X -qAt -F $'\t' -P null='\N' -h "$pg_dir" -U viewd -d shop ;;
	mariadb) mariadb --no-defaults -NB --force --socket="$mariadb_dir/sock" -u viewd --database=shop ;;
	sqlite) sqlite3 -batch -cmd '.timeout 5000' -cmd '.mode quote' "$T/shop.db" ;;
	esac
}

# read_all: the rows of each view and of its definition into files NAME.view and NAME.definition. The first line is their number, and is missing
# when they cannot be read.
read_all()
{
	local view
	rm -rf "$T/rows"
	mkdir "$T/rows"
	for view in "$@"; do
		printf "SELECT '@%s.view';\nSELECT count(*) FROM %s;\nSELECT * FROM %s;\n" "$view" "$view" "$view"
		printf "SELECT '@%s.definition';\nSELECT count(*) FROM (%s) d;\nSELECT * FROM (%s) d;\n" "$view" "${definition[$view]}" "${definition[$view]}"
	done | going_on 2>"$T/rows/errors" | awk -v dir="$T/rows/" '{ sub("^\047@", "@"); sub("\047$", "", $0) }
		/^@/ { if (file != "") close(file); file = dir substr($0, 2); next } { print >file }'
}

# differ VIEW: the view has other rows than its definition, or one of them cannot be read.
differ()
{
	local is=$T/rows/$1.view should=$T/rows/$1.definition
	[ -s "$is" ] && [ -s "$should" ] || return 0
	[ "$(sort "$is")" != "$(sort "$should")" ]
}

# ask VIEW...: each is waited for, all at once; what status says then goes to $T/said.
ask()
{
	local view waits=()
	for view in "$@"; do
		viewctl wait "$view" --timeout 30s >"$T/wait.$view" 2>&1 {nap_fd}<&- &
		waits+=($!)
	done
	wait "${waits[@]}"
	viewctl --json status | jq -r '.[] | "\(.name) \(if .state == "FAILED" or .state == "MISSING" or .result == "FAILED" then "LOST" else .freshness end)"' >"$T/said"
}

# judge PHASE [VIEW...]: what is said of each view (all of them unless named), and whether it is true. STALE is always true and does not last, nor
# does UNKNOWN while the capture is set up anew.
judge()
{
	local phase=$1 view word waiting=() deadline=$((SECONDS + WAIT))
	local -A said
	shift
	[ $# -gt 0 ] || set -- "${views[@]}"
	for view in "$@"; do # one that was lost is tried again at ever longer intervals, which a wait would sit through
		[ "${expected[$view]}" = LOST ] && [ "$phase" != before ] && [ "$phase" != change ] || waiting+=("$view")
	done
	while [ ${#waiting[@]} -gt 0 ] && [ $SECONDS -lt $deadline ]; do
		ask "${waiting[@]}"
		while read -r view word; do said[$view]=$word; done <"$T/said"
		waiting=()
		for view in "$@"; do
			case ${said[$view]},${expected[$view]} in
			STALE,* | UNKNOWN,FRESH | UNKNOWN,LOST) waiting+=("$view") ;;
			esac
		done
	done
	read_all "$@"
	for view in "$@"; do
		word=${said[$view]}
		[ "$word" = LOST ] || ! differ "$view" || word="$word and different"
		verdict "$phase" "$view" "$word" "$([ "$phase" = before ] && [ "${expected[$view]}" = LOST ] && echo FRESH || echo "${expected[$view]}")"
	done
}

# verdict PHASE VIEW SAID EXPECTED
verdict()
{
	is "$1: $2" "$3" "$4" && return
	comment "$(diff "$T/rows/$2.view" "$T/rows/$2.definition" 2>&1 | head -n 6)"
	comment "$(viewctl why "$2" | head -n 12)"
}

# with PART: the views whose row has it.
with()
{
	local view
	for view in "${views[@]}"; do
		[ ! -e "$T/$1.${row_of[$view]}" ] || printf '%s\n' "$view"
	done
}

start_engine "${server_options[@]}"
prepare
all before
{
	printf '[view-defaults]\ndatabase = shop\nmethod = table\non_change = yes\ndebounce = 0ms\nmax_consecutive_errors = 1000\n'
	for view in "${views[@]}"; do
		printf '[view %s]\ncapture = %s\ndefinition = "%s"\n' "$view" "${capture_of[$view]}" "${definition[$view]}"
	done
} | conf_database shop
start_viewd
all_built()
{
	[ "$(viewctl --json status | jq '[.[] | select(.result == "SUCCEEDED")] | length')" = "${#views[@]}" ]
}
ok "the views are there" wait_until all_built
judge before
all change
judge change
before_then
all then
mapfile -t again < <(with then)
judge then "${again[@]}"
for phase in "${phases[@]}"; do
	$phase
	judge "$phase"
done
finish
