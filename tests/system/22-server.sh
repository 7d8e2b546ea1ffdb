#!/bin/bash
# SPDX-License-Identifier: MIT
# A server that stops, kills sessions, refuses, is short of everything, gives way to others or becomes read-only: what is lost for a
# while is fresh again without help, and nothing is asked of the server too often.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"

start_engine
# In a deadlock it is viewd's session that finds out, but not before the application waits.
[ $engine != postgresql ] || sql_pg "ALTER ROLE viewd SET deadlock_timeout = '3s'"
make_source
sql "CREATE TABLE slow (seconds integer NOT NULL)"
slow_views | conf_database shop
start_viewd
ok "all views are there" wait_until slow_views_are_fresh
# With this MariaDB cannot exchange names and writes the rows that differ.
[ $engine != mariadb ] || sql "CREATE TRIGGER hindrance AFTER INSERT ON tv FOR EACH ROW SET @hindrance = 1"

# The slow view is being refreshed now, and will be for long.
begin_slow_refresh()
{
	sql "INSERT INTO slow VALUES (60)"
	viewctl refresh slow_one >"$T/refresh.out" 2>&1
	wait_until "[ \"\$(sessions work)\" != '' ]"
}
end_slowness()
{
	sql "DELETE FROM slow"
}
# sessions work|all: their numbers; work: those that run a statement of more than a moment.
sessions()
{
	case $engine-$1 in
	postgresql-work) sql_pg "SELECT pid FROM pg_stat_activity WHERE application_name = 'viewd:shop' AND wait_event = 'PgSleep'" ;;
	postgresql-all) sql_pg "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'viewd:%'" ;;
	mariadb-work) sql_mariadb "SELECT id FROM information_schema.processlist WHERE user = 'viewd' AND state = 'User sleep' AND info NOT LIKE 'DO SLEEP%'" ;;
	mariadb-all) sql_mariadb "SELECT id FROM information_schema.processlist WHERE user = 'viewd'" ;;
	esac
}
end_sessions()
{
	local id
	for id in $(sessions "$1"); do
		case $engine in
		postgresql) sql_pg "SELECT pg_terminate_backend($id)" ;;
		mariadb) sql_mariadb "KILL $id" ;;
		esac
	done >"$T/end.out" 2>&1
}
restart()
{
	case $engine in
	postgresql) start_pg "$@" ;;
	mariadb) start_mariadb "$@" ;;
	esac
}
all_hold()
{
	holds slow_one && holds tv && holds followed
}

# ---- the session that refreshes ends ----
change
ok "a refresh runs" begin_slow_refresh
end_slowness
end_sessions work
ok "its session is ended: fresh again without help" wait_until "holds slow_one"
like "... with a retry" "$(viewctl history slow_one)" RETRY

# ---- the server is stopped in a refresh ----
change
ok "a refresh runs" begin_slow_refresh
case $engine in
postgresql) stop_process "$pg_pid" INT ;;
mariadb) stop_process "$mariadb_pid" ;;
esac
ok "the server is stopped: the status tells" wait_until "[ \"\$(field slow_one error.class)\" != null ]"
restart
end_slowness
ok "it is started again: fresh again without help" wait_until "holds slow_one && holds followed"
again "after the restart" slow_one tv

# ---- not ready yet ----
if [ $engine = postgresql ]; then
	stop_pg
	pg_run touch "$pg_dir/data/standby.signal"
	WAIT=1 pg_spawn -c hot_standby=off
	not_ready()
	{
		field followed error.message | grep -qE 'starting up|not accepting'
	}
	ok "a server in recovery that takes no connections: told so" wait_until not_ready
	is "... as a connection that failed" "$(field followed state) $(field followed error.class)" "FAILED connect"
	stop_pg
	rm "$pg_dir/data/standby.signal"
	start_pg
	again "recovered" slow_one tv
fi

# ---- the victim of a deadlock ----
# The application holds what the refresh needs last and then wants what the refresh has taken first.
state_table=$(pick viewd.view_state viewd_view_state '')
waits()
{
	case $engine in
	postgresql) [ "$(sql_pg "SELECT count(*) FROM pg_locks WHERE NOT granted")" -gt 0 ] ;;
	mariadb) [ "$(sql_mariadb "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Innodb_row_lock_current_waits'")" -gt 0 ] ;;
	esac
}
app_session()
{
	case $engine in
	postgresql) "$pg_client/psql" -X -qAt -v ON_ERROR_STOP=1 -h "$pg_dir" -U postgres -d shop ;;
	mariadb) mariadb --no-defaults -NBn --socket="$mariadb_dir/sock" -u root --database=shop ;;
	esac <"$T/app"
}
app()
{
	printf '%s;\n' "$@" >&"$app_fd"
}
mkfifo "$T/app"
start_process "$T/app.log" app_session
exec {app_fd}>"$T/app"
change
sql "CREATE TABLE heavy (n integer)"
# Among equals the one that has written less is chosen.
app "$(pick "SET deadlock_timeout = '1min'" "SET innodb_lock_wait_timeout = 30" '')" BEGIN \
	"INSERT INTO heavy WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500) SELECT n FROM c" \
	"$(pick 'LOCK TABLE tv IN SHARE MODE' 'UPDATE tv SET gen = gen - 1' '')" "SELECT 'application', 'begins'"
ok "the application has its lock" wait_until "grep -q begins '$T/app.log'"
viewctl refresh tv >"$T/refresh.out" 2>&1
ok "the refresh waits for it" wait_until waits
app "UPDATE $state_table SET duration_ms = duration_ms" "SELECT 'application', 'won'" COMMIT
ok "a deadlock: the application goes on" wait_until "grep -q won '$T/app.log'"
exec {app_fd}>&-
ok "... and so does the refresh" wait_until "holds tv"
like "... which was the victim once" "$(viewctl history tv)" "$(pick 'deadlock' 'Deadlock' '')"

# ---- read-only ----
set_read_only()
{
	case $engine in
	postgresql) pg_db=postgres sql_pg "ALTER DATABASE shop SET default_transaction_read_only = $1" && end_sessions all ;;
	mariadb) sql_mariadb "SET GLOBAL read_only = $1" ;;
	esac
}
set_read_only on
ok "read-only: the view stands by" wait_until "[ \"\$(field followed state)\" = STANDBY ]"
fails "read-only: a refresh by hand fails" viewctl refresh tv --wait
stop_viewd
start_viewd
ok "read-only from the start: stands by" wait_until "[ \"\$(field followed state)\" = STANDBY ]"
ok "... without many words" test "$(grep -c 'stands by' "$T/viewd.log")" -le 4
set_read_only off
again "writable again" slow_one tv

finish
