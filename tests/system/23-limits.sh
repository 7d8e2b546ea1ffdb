#!/bin/bash
# SPDX-License-Identifier: MIT
# A server whose settings leave little time, few connections or another password: viewd's sessions keep limits of their own, one session
# that is refused is no lost database, and a wrong password is not tried over and over.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"
. "$VIEWD_SRC/tests/support/proxy.sh"

# The administrator, whom neither limits nor passwords concern.
admin()
{
	case $engine in
	postgresql) PGOPTIONS="-c search_path=public -c role=viewd" sql_pg "$@" ;;
	mariadb) sql_mariadb "$@" | tr '\t' '|' ;;
	esac
}
server()
{
	case $engine in
	postgresql) sql_pg "$1" ;;
	mariadb) sql_mariadb "$2" ;;
	esac
}

start_engine
server "ALTER ROLE viewd PASSWORD 'sesame1'" "ALTER USER viewd@localhost IDENTIFIED BY 'sesame1'"
[ $engine != postgresql ] || sed -i '1i local all viewd scram-sha-256' "$pg_dir/data/pg_hba.conf"
server "SELECT pg_reload_conf()" "SELECT 1" >"$T/reload.out"
ask=admin
make_source
admin "CREATE TABLE slow (seconds double precision NOT NULL)"
start_proxy
(umask 077 && echo sesame1 >"$T/password")
conf <<-END_CONF
	[database shop]
	url = $proxy_url
	password_file = $T/password

	$(slow_views)
END_CONF
start_viewd
ok "all views are there" wait_until slow_views_are_fresh

followed_is()
{
	[ "$(field followed state) $(field followed error.class)" = "$1" ]
}
sessions()
{
	server "SELECT pid FROM pg_stat_activity WHERE application_name LIKE '$1' ORDER BY 1" \
		"SELECT id FROM information_schema.processlist WHERE user = 'viewd' ORDER BY 1"
}
end_sessions()
{
	local id
	for id in $(sessions 'viewd:%'); do server "SELECT pg_terminate_backend($id)" "KILL $id"; done >"$T/end.out" 2>&1
}

# ---- little time ----
server "ALTER ROLE viewd SET statement_timeout = '200ms'" "SET GLOBAL max_statement_time = 0.2"
server "ALTER ROLE viewd SET lock_timeout = '1ms'" "SET GLOBAL lock_wait_timeout = 1, innodb_lock_wait_timeout = 1"
server "ALTER ROLE viewd SET idle_session_timeout = '1s'" "SET GLOBAL wait_timeout = 1, interactive_timeout = 1"
server "ALTER ROLE viewd SET idle_in_transaction_session_timeout = '1ms'" \
	"SET GLOBAL idle_transaction_timeout = 1, idle_readonly_transaction_timeout = 1, idle_write_transaction_timeout = 1"
end_sessions
again "little time" slow_one tv
admin "INSERT INTO slow VALUES (1.5)"
change
ok "little time: a long statement is viewd's own affair" viewctl refresh slow_one --wait
admin "DELETE FROM slow"
ok "little time: all quiet" wait_until "holds slow_one && holds followed"
before=$(sessions 'viewd:shop:watch')
since=$(server "SELECT extract(epoch FROM clock_timestamp())" "SELECT unix_timestamp(now(3))")
ok "little time: twice the time for idle sessions passes" wait_until \
	"[ \"\$(server 'SELECT extract(epoch FROM clock_timestamp()) - $since > 2.5' 'SELECT unix_timestamp(now(3)) - $since > 2.5' | tr t 1)\" = 1 ]"
is "little time: the watching session is still the same" "$(comm -12 <(echo "$before") <(sessions 'viewd:shop:watch'))" "$before"
change
ok "little time: ... and hears" wait_until "holds followed"
for name in statement_timeout lock_timeout idle_session_timeout idle_in_transaction_session_timeout; do
	[ $engine != postgresql ] || sql_pg "ALTER ROLE viewd RESET $name"
done
[ $engine != mariadb ] || sql_mariadb "SET GLOBAL max_statement_time = 0, lock_wait_timeout = 86400, innodb_lock_wait_timeout = 50,
	wait_timeout = 28800, interactive_timeout = 28800, idle_transaction_timeout = 0, idle_readonly_transaction_timeout = 0,
	idle_write_transaction_timeout = 0"

# ---- few connections ----
limit()
{
	server "ALTER ROLE viewd CONNECTION LIMIT $1" "ALTER USER viewd@localhost WITH MAX_USER_CONNECTIONS $2"
}
limit 2 2
stop_viewd
start_viewd
ok "two connections: enough to begin with" wait_until slow_views_are_fresh
again "two connections" slow_one tv
before=$(sessions 'viewd:shop:watch')
admin "INSERT INTO slow VALUES (60)"
viewctl refresh slow_one >"$T/refresh.out"
ok "two connections: one refreshes" wait_until "is_at_work slow_one"
change
viewctl refresh tv --wait >"$T/refresh.out" 2>&1
ok "two connections: another refresh fails" test $? -ne 0
like "... and says why" "$(viewctl --json status tv | jq -c '.[0].error')" '[Tt]oo many|max_user_connections'
ok "two connections: the database is not lost, what runs goes on" is_at_work slow_one
is "two connections: nor is the watching session" "$(comm -12 <(echo "$before") <(sessions 'viewd:shop:watch'))" "$before"
admin "DELETE FROM slow"
limit 1 1
end_sessions
ok "one connection: told so" wait_until "viewctl --json status | jq -r '.[].error.message' | grep -qiE 'too many|max_user_connections'"
limit -1 0
again "connections enough" slow_one tv
# How many views ask for a connection while there is none depends on the machine; what was said once is not said over and over.
said_most=$(grep -iE 'too many|max_user_connections' "$T/viewd.log" | sort | uniq -c | sort -rn | awk 'NR == 1 { print $1 }')
ok "few connections: not many words" test "$said_most" -le 2

# ---- another password ----
set_password()
{
	server "ALTER ROLE viewd PASSWORD '$1'" "ALTER USER viewd@localhost IDENTIFIED BY '$1'"
	end_sessions
}
for password in sesame2 sesame1; do
	set_password $password
	ok "password $password: refused, and told so" wait_until "followed_is 'FAILED auth'"
	tried=$(net accepted)
	change
	fails "password $password: a refresh by hand is told" viewctl refresh tv --wait
	ok "password $password: the wrong one is not tried over and over" test $(($(net accepted) - tried)) -le 2
	echo $password >"$T/password"
	ok "password $password: the file is read again" wait_until "viewctl refresh tv --wait"
	again "password $password" slow_one tv
done
unlike "no password is in the log" "$(cat "$T/viewd.log")" 'sesame'

finish
