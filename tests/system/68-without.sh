#!/bin/bash
# SPDX-License-Identifier: MIT
# A server that lacks one thing: a proxy refuses one kind of statement at a time (0A000; 1235), as servers that only speak the protocol do.
# For each kind that viewd sends there is a way round, or an end that says what was refused; nothing hangs, and no view is called fresh
# that is not. The table of kinds is part of the output. Only with VIEWD_LONG (all kinds) or KINDS (some, one a line).
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
[ "$engine" != sqlite ] || skip_all "there is no server"
[ -n "${VIEWD_LONG:-}${KINDS:-}" ] || skip_all "it takes minutes; VIEWD_LONG=1 runs it"
command -v python3 >/dev/null || skip_all "python3 is not installed"
WAIT=${WAIT_AN_END:-60}
start_engine
real=$(pick "${pg_dir:-}/.s.PGSQL.5432" "${mariadb_dir:-}/sock" '')

# sql_in DATABASE SQL: as the application.
sql_in()
{
	case $engine in
	postgresql) PGOPTIONS="-c search_path=public" pg_user=viewd pg_db=$1 sql_pg "$2" ;;
	mariadb) mariadb_user=viewd mariadb_db=$1 sql_mariadb "$2" | tr '\t' '|' ;;
	esac
}
make_database()
{
	case $engine in
	postgresql) pg_db=postgres sql_pg "CREATE DATABASE $1 OWNER viewd" ;;
	mariadb) mariadb_user=root sql_mariadb "CREATE DATABASE $1; GRANT ALL ON $1.* TO viewd@localhost" ;;
	esac
	sql_in "$1" "CREATE TABLE sale (id integer PRIMARY KEY, k integer NOT NULL, amount integer NOT NULL)"
	sql_in "$1" "INSERT INTO sale VALUES (1, 1, 10), (2, 1, 20), (3, 2, 30)"
}
url_through()
{
	pick "postgresql://viewd@/$1?host=$T/through" "mariadb://viewd@localhost/$1?unix_socket=$T/through/sock" ''
}
of_sale='SELECT k, sum(amount) AS total FROM sale GROUP BY k'

# begin DATABASE [KIND]: viewd by way of a proxy that refuses it.
begin()
{
	local listen
	mkdir -p "$T/through"
	chmod 777 "$T/through"
	listen=$(pick "$T/through/.s.PGSQL.5432" "$T/through/sock" '')
	rm -f "$listen" "$T/statements" "$T"/viewd*.log
	rm -rf "$T/state"
	start_process "$T/through/server.log" python3 "$VIEWD_SRC/tests/support/refuser.py" "$dialect" "$listen" "$real" "$T/statements" "${2:-}"
	refuser_pid=$started
	wait_until test -S "$listen"
	conf <<-END
		[database shop]
		url = $(url_through "$1")
		[view-defaults]
		database = shop
		on_change = yes
		debounce = 0s
		max_retries = 1
		retry_backoff = 1s
		retry_max_backoff = 1s
		timeout = 20s
		[view by_full]
		method = $(pick materialized table '')
		definition = $of_sale
		[view by_diff]
		method = table
		refresh_mode = diff
		unique_key = k
		definition = $of_sale
	END
	start_viewd
}
end()
{
	stop_viewd >/dev/null 2>&1
	stop_process "$refuser_pid" KILL
}

# state_of VIEW: what viewd says of it, in one line.
state_of()
{
	viewctl --json status "$1" | jq -r '.[0] | "\(.state) \(.freshness) \(.error.class // "-") \(.error.message // "-"); \(.error.hint // "-")"'
}
at_an_end()
{
	local state
	state=$(state_of "$1")
	case $state in
	"ACTIVE FRESH "* | FAILED* | MISSING* | SUSPENDED* | STANDBY* | "ACTIVE UNKNOWN "*) return 0 ;;
	esac
	[ "$(cut -d' ' -f3 <<<"$state")" != - ]
}

# is_right VIEW DATABASE: rows are those of its definition.
is_right()
{
	[ "$(sql_in "$2" "SELECT k, total FROM $1 ORDER BY k" 2>&1)" = "$(sql_in "$2" "$of_sale ORDER BY k")" ]
}

# judge VIEW DATABASE: one word and what viewd says. HANG and LIE are faults.
judge()
{
	local status state
	wait_until at_an_end "$1" || { echo "HANG $(state_of "$1")" && return; }
	state=$(state_of "$1")
	[ "$(cut -d' ' -f3 <<<"$state")" = - ] || { echo "ends: $(cut -d' ' -f1,3- <<<"$state" | cut -c1-150)" && return; }
	timeout 60 "$VIEWD_BUILD/viewctl" -s "$T/control.sock" wait "$1" --timeout "${WAIT_DATA:-20s}" >"$T/waited" 2>&1
	status=$? state=$(state_of "$1")
	if [ $status -eq 0 ] && is_right "$1" "$2"; then
		echo "works"
	elif [ $status -eq 0 ]; then
		echo "LIE $state"
	elif [ "$(cut -d' ' -f3 <<<"$state")" != - ]; then
		echo "ends: $(cut -d' ' -f1,3- <<<"$state" | cut -c1-150)"
	elif [[ $state == *" UNKNOWN "* ]]; then
		echo "unknown: $(head -c 150 "$T/waited")"
	else
		echo "HANG $state; wait: $(head -c 150 "$T/waited")"
	fi
}

# The kinds that viewd sends when nothing is refused.
make_database plain
begin plain
ok "through the proxy, with nothing refused: a view works" test "$(judge by_full plain)" = works
ok "and one that is kept by diff" test "$(judge by_diff plain)" = works
sql_in plain "UPDATE sale SET amount = amount + 1 WHERE id = 1"
ok "after a change as well" test "$(judge by_diff plain)" = works
end
sort "$T/statements" | uniq -c | sort -k2 >"$T/kinds"
if [ -n "${KINDS:-}" ]; then
	printf '%s\n' "$KINDS" >"$T/chosen"
else
	awk '{ $1 = ""; print substr($0, 2) }' "$T/kinds" >"$T/chosen"
fi
comment "$(printf '%-52s %-9s %s' 'kind of statement refused' refused 'what viewd does: made and refreshed; after a change')"
number=0
while IFS= read -r kind <&3; do
	number=$((number + 1))
	make_database "db$number"
	begin "db$number" "$kind"
	first=$(judge by_full "db$number") second=$(judge by_diff "db$number")
	third=$first fourth=$second
	if [[ $first$second == *works* ]]; then
		sql_in "db$number" "UPDATE sale SET amount = amount + 1 WHERE id = 1"
		third=$(judge by_full "db$number") fourth=$(judge by_diff "db$number")
	fi
	refused=$(grep -c 'refused$' "$T/statements")
	outcome=$first
	[ "$second" = "$first" ] || outcome="$outcome | diff: $second"
	[ "$third" = "$first" ] || outcome="$outcome | changed: $third"
	[ "$fourth" = "$second" ] || outcome="$outcome | changed, diff: $fourth"
	comment "$(printf '%-52s %-9s %s' "$kind" "$refused" "$outcome")"
	unlike "refused: $kind" "$outcome" '(^|[:] )(HANG|LIE)'
	end
done 3<"$T/chosen"
finish
