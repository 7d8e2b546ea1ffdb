#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL: the primary is killed while several writers are at work, its streaming standby is promoted, and writers and viewd go on there.
# Replication is synchronous, so whatever a writer was told to be committed is there afterwards; the views have all of it.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg -c synchronous_commit=remote_apply
first_dir=$pg_dir first_pid=$pg_pid
second_dir=$T/second
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd; CREATE TABLE public.sale (id bigint PRIMARY KEY, product int NOT NULL, amount int NOT NULL)"
pg_standby "$second_dir"
pg_dir=$first_dir
sql_pg "ALTER SYSTEM SET synchronous_standby_names = '*'" && sql_pg 'SELECT pg_reload_conf()' >"$T/reload.log"

conf <<-END
	[database shop]
	url = postgresql://viewd@/shop?host=$first_dir&host=$second_dir&target_session_attrs=read-write
	[view-defaults]
	database = shop
	on_change = yes
	retry_backoff = 100ms
	retry_max_backoff = 500ms
	[view totals]
	method = table
	unique_key = product
	definition = SELECT product, count(*) AS n, sum(amount) AS amount FROM sale GROUP BY product
	[view listed]
	method = materialized
	unique_key = id
	definition = SELECT id, amount FROM sale WHERE amount > 50
	[view grand]
	method = materialized
	definition = SELECT sum(n) AS n, sum(amount) AS amount FROM totals
END

# writer NUMBER: one row a transaction, at whichever server takes it; what was acknowledged is written down.
writer()
{
	local id=$1
	while [ ! -e "$T/stop" ]; do
		id=$((id + 10))
		"$pg_client/psql" -X -qAt -d "host=$first_dir,$second_dir dbname=shop user=viewd target_session_attrs=read-write" \
			-c "INSERT INTO sale VALUES ($id, $id % 7, $id % 100)" >>"$T/writer.log" 2>&1 && echo "$id" >>"$T/acknowledged.$1"
	done
}
acknowledged()
{
	cat "$T"/acknowledged.* 2>/dev/null | wc -l
}
# grows BY: so many more were acknowledged since $from.
grows()
{
	[ "$(acknowledged)" -ge $((from + $1)) ]
}
shows_rows()
{
	[ "$(sql_pg 'SELECT n FROM public.grand')" -gt 0 ]
}
is_led()
{
	[ "$(viewctl --json status grand | jq -r '.[0].state')" = ACTIVE ] && sql_pg 'SELECT 1 FROM viewd.daemon' >"$T/led.log" 2>&1
}

start_viewd
ok "the views are there" wait_until viewctl verify --all
for w in 1 2 3; do
	writer $w &
	pids+=($!)
	writers+=($!)
done
from=0
ok "writers are at work" wait_until grows 60
ok "and seen" wait_until shows_rows
pg_pid=$first_pid
kill_pg
pg_dir=$second_dir
sql_pg 'ALTER SYSTEM RESET synchronous_standby_names'
sql_pg 'SELECT pg_promote()' >"$T/promote.log"
sql_pg 'SELECT pg_reload_conf()' >"$T/reload.log"
from=$(acknowledged)
ok "writers go on at the promoted standby" wait_until grows 60
ok "so does viewd" wait_until is_led
: >"$T/stop"
wait "${writers[@]}"
ok "every view is again equal to its definition" wait_until viewctl verify --all
sort -n "$T"/acknowledged.* >"$T/acknowledged"
is "whatever was acknowledged is there" "$(sql_pg 'SELECT id FROM public.sale' | sort -n | comm -13 - "$T/acknowledged" | wc -l)" 0
is "and counted in the views" "$(sql_pg 'SELECT n FROM public.grand')" "$(sql_pg 'SELECT count(*) FROM public.sale')"
comment "$(wc -l <"$T/acknowledged") rows acknowledged"
finish
