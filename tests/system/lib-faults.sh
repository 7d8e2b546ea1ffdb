# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $engine and the like come from lib-engine.sh
#
# lib-faults.sh: what tests of faults share, behind lib-engine.sh. Their source is the table src, whose two rows are always of one
# generation ($gen); so are the rows of every view that shows them. $ask is who writes and reads them: sql (default), or a function
# that may do so when the application may not.
ask=sql
gen=0

make_source()
{
	$ask "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
	$ask "INSERT INTO src VALUES (1, 0), (2, 0)"
}

change()
{
	gen=$((gen + 1))
	$ask "UPDATE src SET gen = $gen"
}

# holds VIEW: it shows the last change, and its status says so.
holds()
{
	[ "$($ask "SELECT min(gen), max(gen), count(*) FROM $1")" = "$gen|$gen|2" ] && is_fresh "$1"
}

is_at_work()
{
	[ "$(field "$1" activity)" = REFRESHING ]
}

# refreshes VIEW...: each by hand, one after the other.
refreshes()
{
	local view
	for view; do viewctl refresh "$view" --wait --timeout 5s && holds "$view" || return; done
}

# again WHAT VIEW...: all is as it should be after another change: the view "followed" follows, the others are refreshed by hand.
again()
{
	change
	ok "$1: followed" wait_until "holds followed"
	ok "$1: ... and refreshed by hand" wait_until refreshes "${@:2}"
}

# slow_views: the views for tests that need a refresh to last: slow_one takes as long as the seconds in the table slow say.
slow_views()
{
	cat <<-END_CONF
		[view-defaults]
		database = shop
		unique_key = n
		method = table
		lock_timeout = 8s
		retry_backoff = 100ms
		retry_max_backoff = 500ms

		[view slow_one]
		method = materialized
		definition = SELECT n, gen FROM src WHERE (SELECT $(pick 'count(pg_sleep(seconds))' 'coalesce(sum(sleep(seconds)), 0)' '') FROM slow) >= 0

		[view tv]
		definition = SELECT n, gen FROM src

		[view followed]
		on_change = yes
		capture = trigger
		definition = SELECT n, gen FROM src
	END_CONF
}

slow_views_are_fresh()
{
	is_fresh slow_one && is_fresh tv && is_fresh followed
}

# is_paused PID: the process is stopped and will not do anything until it is told to continue.
is_paused()
{
	grep -q '^State:.T' "/proc/$1/status"
}

pause_process()
{
	kill -STOP "$1"
	wait_until is_paused "$1"
}

# pause_viewd [PID]: it is stopped until it is told to continue, but not while it keeps an SQLite file to itself: then nobody could write.
pause_viewd()
{
	local pid=${1:-$viewd_pid}
	pause_process "$pid"
	while [ "$engine" = sqlite ] && ! sqlite3 -batch "$T/shop.db" 'BEGIN IMMEDIATE; ROLLBACK' >"$T/pause.out" 2>&1; do
		kill -CONT "$pid"
		nap
		pause_process "$pid"
	done
}

# end_leading_session WHY: the server ends the session in which the daemon that leads keeps its place, as it would after a partition of the
# network or a suspended machine. MariaDB does not tell which that is; WHY is what a daemon that stands by says.
end_leading_session()
{
	case $engine in
	postgresql) sql_pg "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'viewd:shop:watch' AND pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted)" ;;
	mariadb) sql_mariadb "KILL $(grep -oE 'connection [0-9]+' <<<"$1" | tr -dc 0-9)" ;;
	esac >"$T/end.out"
}
