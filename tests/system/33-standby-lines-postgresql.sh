#!/bin/bash
# SPDX-License-Identifier: MIT
# read_url after a failover: the primary is gone, one standby is promoted, and the one of read_url has seen more of the former primary than
# the new one ever will. What it computes is of another history, so it is refused, however far it is.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg
first_dir=$pg_dir first_pid=$pg_pid
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd; CREATE TABLE public.sale (id bigint PRIMARY KEY, amount int NOT NULL); INSERT INTO public.sale VALUES (1, 1)"
pg_standby "$T/second"
second_pid=$pg_pid
pg_dir=$first_dir
pg_standby "$T/reading"
pg_dir=$first_dir
conf <<-END
	[database shop]
	url = postgresql://viewd@/shop?host=$first_dir&host=$T/second&target_session_attrs=read-write
	read_url = postgresql://viewd@/shop?host=$T/reading
	[view totals]
	database = shop
	method = table
	refresh_mode = full
	on_change = yes
	retry_backoff = 100ms
	retry_max_backoff = 200ms
	max_consecutive_errors = 0
	definition = SELECT count(*) AS n, sum(amount) AS amount FROM sale
END
start_viewd
shown()
{
	sql_pg 'SELECT n, amount FROM public.totals'
}
ok "the view is computed on its standby" wait_until '[ "$(shown)" = "1|1" ] && is_fresh totals && viewctl refresh totals --wait'
replayed() { [ "$(pg_dir=$T/second sql_pg "SELECT count(*) FROM public.totals")" = 1 ] && [ "$(pg_dir=$T/second sql_pg "SELECT pg_last_wal_replay_lsn() >= '$1'")" = t ]; }
wait_until replayed "$(sql_pg 'SELECT pg_current_wal_lsn()')"

# The other standby sees no more of the primary; the reading one sees much of it.
stop_process "$second_pid" INT
sql_pg "INSERT INTO public.sale SELECT i, 1000 FROM generate_series(2, 20000) i"
ok "changes are shown" wait_until '[ "$(shown)" = "20000|19999001" ]'
stop_process "$first_pid" KILL
pg_dir=$T/second
pg_spawn
sql_pg 'SELECT pg_promote()' >"$T/promote.log"
sql_pg "INSERT INTO public.sale VALUES (2, 2)"
ok "after the failover the standby of the former primary is refused" \
	wait_until "viewctl --json status totals | jq -e '.[0].error.message | test(\"follows another server\")'"
is "... the view has the rows of its own history" "$(shown)" "1|1"
unlike "... and is not called fresh" "$(field totals freshness)" FRESH
like "... though that one is further" "$(pg_dir=$T/reading sql_pg 'SELECT count(*) FROM public.sale')" 20000
finish
