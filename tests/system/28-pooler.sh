#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL behind pgbouncer: in session mode everything works, also when another server takes the place behind it. In transaction mode
# it does so too: nothing is left in the pool's sessions, changes are looked for, and nothing is lost while the mode is changed.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-pooler.sh"

need_pooler
start_pg
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd; CREATE TABLE public.sale (id int PRIMARY KEY, amount int NOT NULL); CREATE TABLE public.slow (seconds float NOT NULL)"
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
# leftovers: how much viewd has set in a session of the pool, kept in it, and holds in the server between two transactions.
leftovers()
{
	pooled "SELECT count(*) FROM pg_settings WHERE source = 'session' AND name NOT IN ('client_encoding', 'application_name')"
	pooled "SELECT count(*) FROM pg_prepared_statements"
	pooled "SELECT count(*) FROM pg_listening_channels()"
	sql_pg "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND a.state = 'idle'"
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
write
start_pooler transaction "$pg_dir"
ok "transaction mode: nothing was lost" wait_until follows
ok "... and it says that notifications do not come through" log_has "notifications do not come through .a pooler"
for _ in 1 2 3; do
	write
	wait_until follows && followed=$((${followed:-0} + 1))
done
is "transaction mode: followed" "${followed:-0}" 3
sql_pg "INSERT INTO public.slow VALUES (60)"
fails "transaction mode: a view's timeout holds" viewctl refresh napping --wait
sql_pg "DELETE FROM public.slow"
ok "transaction mode: ... and it goes on" wait_until "viewctl refresh napping --wait"
ok "transaction mode: asked in SQL" sql_pg "SELECT viewd.request_refresh('totals')"
ok "transaction mode: verified" viewctl verify totals
is "transaction mode: nothing is left for others" "$(leftovers | tr '\n' ' ')" "0 0 0 0 "

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
