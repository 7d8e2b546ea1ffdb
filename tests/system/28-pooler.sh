#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL behind pgbouncer: in session mode everything works, also when another server takes the place behind it; in transaction mode
# viewd refuses, says what to do and leaves nothing in the pool's sessions, and nothing is lost until it is in session mode again.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || skip_all "pgbouncer is not installed"

# pooler_files MODE HOST: what pgbouncer reads.
pooler_files()
{
	cat >"$T/pooler/ini" <<-END
		[databases]
		shop = host=$2
		[pgbouncer]
		listen_addr =
		unix_socket_dir = $T/pooler
		auth_type = trust
		auth_file = $T/pooler/users
		pool_mode = $1
		default_pool_size = 12
		server_login_retry = 0.1
	END
}
start_pooler()
{
	pooler_files "$@"
	start_process "$T/pooler/server.log" as_user postgres env PATH="$PATH:/usr/sbin" pgbouncer "$T/pooler/ini"
	pooler_pid=$started
	wait_until "$pg_client/pg_isready" -q -h "$T/pooler" -p 6432
}
stop_pooler()
{
	stop_process "$pooler_pid" KILL
	rm -f "$T/pooler/.s.PGSQL.6432"*
}
# pooled SQL: as an application behind the pooler.
pooled()
{
	"$pg_client/psql" -X -qAt -v ON_ERROR_STOP=1 -h "$T/pooler" -p 6432 -U viewd -d shop -c "$1"
}

start_pg
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd; CREATE TABLE public.sale (id int PRIMARY KEY, amount int NOT NULL); CREATE TABLE public.slow (seconds float NOT NULL)"
mkdir -p "$T/pooler"
echo '"viewd" ""' >"$T/pooler/users"
[ "$(id -u)" -ne 0 ] || chown postgres: "$T/pooler"
start_pooler session "$pg_dir"
conf <<-END
	[database shop]
	url = postgresql://viewd@/shop?host=$T/pooler&port=6432
	[view-defaults]
	database = shop
	retry_backoff = 100ms
	retry_max_backoff = 500ms
	[view totals]
	method = materialized
	unique_key = one
	on_change = yes
	capture = trigger
	definition = SELECT 1 AS one, count(*) AS n FROM sale
	[view napping]
	method = table
	timeout = 300ms
	definition = SELECT count(pg_sleep(seconds)) AS n FROM slow
END

rows=0
write()
{
	rows=$((rows + 1))
	sql_pg "INSERT INTO public.sale VALUES ($rows, 1)"
}
follows()
{
	[ "$(sql_pg 'SELECT n FROM public.totals')" = $rows ] && is_fresh totals
}
# The watching session holds that lock then (plugins/postgresql/pg.h).
sleeps()
{
	[ "$(sql_pg "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND (classid::bigint << 32) + objid::bigint = 508574398309")" = 1 ]
}
told()
{
	viewctl --json status totals | jq -r '.[0].error.message' | grep -q "$1"
}

start_viewd
ok "session mode: the views are there" wait_until "is_fresh totals && is_fresh napping"
write
ok "session mode: followed" wait_until follows
ok "session mode: it sleeps until it is notified" wait_until sleeps
sql_pg "INSERT INTO public.slow VALUES (60)"
fails "session mode: a view's timeout holds" viewctl refresh napping --wait
sql_pg "DELETE FROM public.slow"
ok "session mode: ... and it goes on" wait_until "viewctl refresh napping --wait"

stop_pooler
start_pooler transaction "$pg_dir"
ok "transaction mode: told so" wait_until told "gives each transaction another session"
ok "transaction mode: and what to do" wait_until log_has "or through a pool in session mode"
write
is "transaction mode: no settings are left for others" "$(pooled 'SHOW statement_timeout') $(pooled 'SHOW search_path')" "0 public"
is "transaction mode: nor locks" "$(sql_pg "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")" 0
fails "transaction mode: a refresh by hand is refused" viewctl refresh totals --wait

stop_pooler
start_pooler session "$pg_dir"
ok "session mode again: nothing was lost" wait_until follows

first_dir=$pg_dir first_pid=$pg_pid
pg_standby "$T/second"
second_dir=$pg_dir second_pid=$pg_pid
pg_dir=$first_dir pg_pid=$first_pid
write
caught_up()
{
	[ "$(pg_dir=$second_dir sql_pg 'SELECT count(*) FROM public.sale')" = $rows ]
}
wait_until caught_up
kill_pg
pooler_files session "$second_dir"
kill -HUP "$pooler_pid"
pg_dir=$second_dir pg_pid=$second_pid
sql_pg 'SELECT pg_promote()' >"$T/promote.log"
write
ok "another server behind it: followed" wait_until follows
finish
