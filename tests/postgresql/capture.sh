#!/bin/bash
# SPDX-License-Identifier: MIT
# Following changes on PostgreSQL with the daemon: what is committed is never lost, whoever dies; one daemon leads.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg -c fsync=on -c wal_level=replica
sql_pg 'CREATE TABLE sale (id int PRIMARY KEY, amount int)'
sql_pg 'GRANT SELECT, TRIGGER ON sale TO viewd; GRANT CREATE ON SCHEMA public TO viewd'

# conf NAME URL: a daemon's files in $T/NAME.
conf()
{
	mkdir -p "$T/$1"
	cat >"$T/$1.conf" <<CONF
[viewd]
control_socket = $T/$1/control.sock
state_dir = $T/$1
plugin_dir = $VIEWD_BUILD/.libs
[database shop]
url = $2
[view totals]
database = shop
method = table
unique_key = one
on_change = yes
capture = trigger
definition = SELECT 1 AS one, count(*) AS n, coalesce(sum(amount), 0) AS total FROM sale
CONF
}
ctl()
{
	"$VIEWD_BUILD/viewctl" -s "$T/$1/control.sock" "${@:2}"
}
follows()
{
	[ "$(sql_pg 'SELECT n FROM public.totals' 2>/dev/null)" = "$(sql_pg 'SELECT count(*) FROM sale' 2>/dev/null)" ]
}
stands_by()
{
	ctl "$1" status | grep -q STANDBY
}
leads()
{
	[ "$(ctl "$1" --json status | jq -r '.[0] | "\(.state) \(.is_stale)"')" = "ACTIVE false" ]
}
rows=0
write()
{
	for _ in $(seq "$1"); do
		rows=$((rows + 1))
		sql_pg "INSERT INTO sale VALUES ($rows, 1)"
	done
}

conf one "$pg_url"
conf two "$pg_url"
start_viewd "$T/one.conf"
write 3
wait_until follows
ok "the view follows" follows

sql_pg "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'viewd:%:watch'" >/dev/null
write 2
wait_until follows
ok "after the watching session was terminated" follows

write 2
kill_pg
start_pg -c fsync=on -c wal_level=replica
is "every commit survived the server's death" "$(sql_pg 'SELECT count(*) FROM sale')" "$rows"
wait_until follows
ok "after kill -9 of the server right behind a commit" follows

wait_until leads one # else the second one may be the first that is there again
first=$viewd_pid
start_viewd "$T/two.conf"
wait_until stands_by two
ok "the second daemon stands by" stands_by two
write 1
wait_until follows
stop_process "$first" KILL
write 2
wait_until follows
ok "it takes over when the first is killed" follows
is "the epoch counts leaders" "$(sql_pg 'SELECT epoch FROM viewd.daemon')" 2
# A standby of the same data on a socket of its own, and a daemon that knows both hosts.
first_dir=$pg_dir first_pid=$pg_pid
pg_standby "$T/standby"
conf both "postgresql://viewd@/shop?host=$first_dir&host=$T/standby&target_session_attrs=read-write"
stop_viewd
start_viewd "$T/both.conf"
pg_dir=$first_dir
write 1
wait_until follows
caught_up()
{
	[ "$("$pg_client/psql" -X -qAt -h "$T/standby" -U postgres -d shop -c 'SELECT count(*) FROM sale')" = "$rows" ]
}
wait_until caught_up
pg_pid=$first_pid
kill_pg
pg_dir=$T/standby
sql_pg 'SELECT pg_promote()' >/dev/null
write 2
wait_until follows
ok "after a failover to the promoted standby" follows
write 1
wait_until follows
ok "and goes on there" follows
finish
