#!/bin/bash
# SPDX-License-Identifier: MIT
# read_url: definitions of tables are computed on a standby, of a state that has every change they are refreshed for; what cannot be
# computed there is computed here; a standby that is behind, away, busy or promoted leaves the rows as they are, and the view says so.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg
primary=$pg_dir
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd;
	CREATE TYPE public.mood AS ENUM ('good', 'bad');
	CREATE TABLE public.sale (id bigint PRIMARY KEY, k int NOT NULL, amount numeric(12,2), mood mood, tags text[], doc jsonb, at timestamptz);
	INSERT INTO public.sale SELECT i, i % 5, i * 1.10, 'good', ARRAY['a,b', NULL, 'ü'], jsonb_build_object('i', i), now() FROM generate_series(1, 1000) i"
standby=$T/standby
pg_standby "$standby"
standby_pid=$pg_pid
pg_dir=$primary
on_standby()
{
	pg_dir=$standby sql_pg "$@"
}
replayed()
{
	[ "$(on_standby "SELECT pg_last_wal_replay_lsn() >= '$1'")" = t ]
}

conf <<-END
	[database shop]
	url = postgresql://viewd@/shop?host=$primary
	read_url = postgresql://viewd@/shop?host=$standby
	[database role]
	url = postgresql://viewd@/third?host=$primary
	read_url = postgresql://postgres@/third?host=$standby
	[database wrong]
	url = postgresql://viewd@/other?host=$primary
	read_url = postgresql://viewd@/other?host=$primary
	[view-defaults]
	database = shop
	refresh_mode = diff
	retry_backoff = 100ms
	retry_max_backoff = 200ms
	max_consecutive_errors = 0
	[view totals]
	method = table
	on_change = yes
	unique_key = k
	definition = SELECT k, sum(amount) AS amount, max(mood) AS mood, max(tags) AS tags, max(doc::text)::jsonb AS doc, max(at) AS at FROM sale GROUP BY k
	[view whole]
	method = table
	refresh_mode = full
	on_change = yes
	columns = n bigint, amount numeric
	definition = SELECT count(*) AS n, sum(amount) AS amount FROM sale
	[view place]
	method = table
	refresh_mode = full
	definition = SELECT pg_is_in_recovery() AS there
	[view hooked]
	method = table
	refresh_mode = full
	pre_hook = SELECT 1
	definition = SELECT pg_is_in_recovery() AS there
	[view here]
	method = materialized
	refresh_mode = full
	definition = SELECT pg_is_in_recovery() AS there
	[view slow]
	method = table
	refresh_mode = full
	with_data = no
	definition = SELECT count(*) AS n FROM sale, pg_sleep(100) AS s
	[view others]
	database = role
	method = table
	refresh_mode = full
	definition = SELECT 1 AS n
	[view astray]
	database = wrong
	method = table
	refresh_mode = full
	definition = SELECT 1 AS n
END
pg_db=postgres sql_pg "CREATE DATABASE other OWNER viewd"
pg_db=postgres sql_pg "CREATE DATABASE third OWNER viewd"
start_viewd
same_totals()
{
	[ "$(sql_pg "SELECT count(*) FROM (SELECT k, amount, mood, tags, doc, at FROM public.totals EXCEPT ALL SELECT k, sum(amount), max(mood), max(tags), max(doc::text)::jsonb, max(at) FROM public.sale GROUP BY k) d")" = 0 ] &&
		[ "$(sql_pg "SELECT count(*) FROM public.totals")" = "$(sql_pg "SELECT count(DISTINCT k) FROM public.sale")" ]
}
ok "the views are made" wait_until "is_fresh totals && is_fresh whole && field_is here result SUCCEEDED"

for v in place hooked here; do ok "$v is refreshed" viewctl refresh $v --wait; done
is "a table is computed on the standby" "$(sql_pg 'SELECT there FROM public.place')" t
like "... which why tells" "$(viewctl why place)" 'computed on another server'
is "with a pre_hook it is computed here" "$(sql_pg 'SELECT there FROM public.hooked')" f
is "a materialized view is computed here" "$(sql_pg 'SELECT there FROM public.here')" f

# Nobody else commits: the log is sent all the same.
ok "on a quiet primary nothing is waited for" timeout 8 "$VIEWD_BUILD/viewctl" -s "$T/control.sock" refresh place --wait

sql_pg "INSERT INTO public.sale SELECT i, i % 7, 0.01, 'bad', '{x}', 'null', now() FROM generate_series(1001, 2000) i"
ok "changes are shown" wait_until "same_totals && is_fresh totals && is_fresh whole"
is "... in the declared types" "$(sql_pg "SELECT n, pg_typeof(n), pg_typeof(amount) FROM public.whole")" "2000|bigint|numeric"

# Behind: it waits for the change that it is to show.
on_standby 'SELECT pg_wal_replay_pause()'
sql_pg "INSERT INTO public.sale VALUES (3001, 77, 5)"
ok "a standby that is behind: the view is stale" wait_until 'field_is totals freshness STALE && field_is totals activity REFRESHING'
is "... and has the rows of before" "$(sql_pg 'SELECT count(*) FROM public.totals WHERE k = 77')" 0
on_standby 'SELECT pg_wal_replay_resume()'
ok "... and the change, once the standby has it" wait_until "same_totals && is_fresh totals"

# A statement there ends with the refresh.
viewctl refresh slow >"$T/slow.log"
computes() { [ "$(on_standby "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(100)%' AND pid <> pg_backend_pid()")" = "$1" ]; }
ok "a long statement runs on the standby" wait_until computes 1
ok "it is cancelled" viewctl cancel slow
ok "... there, too" wait_until computes 0
ok "... and the session can be used again" viewctl refresh place --wait

# Ended by the standby, as when it conflicts with what is replayed.
viewctl refresh slow >"$T/slow.log"
wait_until computes 1
on_standby "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(100)%' AND pid <> pg_backend_pid()" >"$T/terminated"
ok "a session that ends fails the view alone" wait_until "viewctl --json status slow | jq -e '.[0].error.class == \"resource\"'"
viewctl cancel slow >"$T/cancel.log" 2>&1
viewctl pause slow >"$T/pause.log"
ok "... the next refresh has another one" viewctl refresh place --wait

# Refused by the primary.
sql_pg "SET ROLE viewd; ALTER TABLE public.totals ADD CONSTRAINT few CHECK (k < 100)"
sql_pg "INSERT INTO public.sale VALUES (4000, 100, 5)"
ok "rows that the relation refuses fail the view" wait_until "viewctl --json status totals | jq -e '.[0].error.message | test(\"few\")'"
sql_pg "DELETE FROM public.sale WHERE k = 100"
sql_pg "SET ROLE viewd; ALTER TABLE public.totals DROP CONSTRAINT few"
ok "... and it goes on" wait_until "same_totals && is_fresh totals"

# Away.
stop_process "$standby_pid" INT
sql_pg "INSERT INTO public.sale VALUES (3002, 78, 5)"
ok "a standby that is away: the view fails" wait_until "viewctl --json status totals | jq -e '.[0].error.class == \"resource\"'"
is "... it keeps its rows" "$(sql_pg 'SELECT count(*) FROM public.totals')" 8
is "... it is stale" "$(field totals freshness)" STALE
ok "... the database is not down" viewctl refresh here --wait
pg_dir=$standby pg_spawn
standby_pid=$pg_pid
pg_dir=$primary
ok "... back, it catches up" wait_until "same_totals && is_fresh totals"

# Another server.
ok "the primary as its own standby is refused" wait_until "viewctl refresh astray --wait 2>&1 | grep -q 'no standby'"
ok "another role is refused" wait_until "viewctl refresh others --wait 2>&1 | grep -q 'another role'"
on_standby 'SELECT pg_promote()' >"$T/promote.log"
sql_pg "INSERT INTO public.sale VALUES (3003, 79, 5)"
ok "promoted, it is refused" wait_until "viewctl --json status totals | jq -e '.[0].error.message | test(\"no standby\")'"
is "... and the rows are those of before" "$(sql_pg 'SELECT count(*) FROM public.totals WHERE k = 79')" 0

printf '[viewd]\nplugin_dir = %s\n[database x]\nurl = postgresql://a@/b\nread_url = postgresql://u:secret@h/d?nonsense=1\n[view v]\ndatabase = x\ndefinition = SELECT 1\n' "$VIEWD_BUILD/.libs" >"$T/bad.conf"
bad=$(viewctl check -c "$T/bad.conf" 2>&1)
like "a read_url that cannot be read is refused" "$bad" 'read_url.*nonsense'
unlike "... without its password" "$bad" secret
finish
