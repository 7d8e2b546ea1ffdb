#!/bin/bash
# SPDX-License-Identifier: MIT
# PostgreSQL: the commit of an incremental refresh does not wait for the disk. The server is killed before it gets there: what that
# undoes is refreshed again, by the viewd that has seen it done and by one that starts later.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg -c wal_writer_delay=10s
sql_pg "ALTER ROLE viewd SET search_path = public"
sql_pg "SET ROLE viewd; CREATE TABLE public.sale (id bigint PRIMARY KEY, product int NOT NULL, amount int NOT NULL);
	INSERT INTO public.sale SELECT n, n % 7, n FROM generate_series(1, 100) n"

conf <<-END
	[database shop]
	url = $pg_url
	[view-defaults]
	database = shop
	on_change = yes
	method = table
	refresh_mode = incremental
	retry_backoff = 100ms
	retry_max_backoff = 500ms
	[view totals]
	definition = SELECT product, count(*) AS n, sum(amount) AS amount FROM sale GROUP BY product
END

shows()
{
	[ "$(sql_pg "SELECT sum(n) FROM public.totals")" = "$1" ]
}
# change ID: one more row, which the view shows at last, not on the disk.
change()
{
	sql_pg "INSERT INTO public.sale VALUES ($1, 1, 1)"
	wait_until shows "$1"
}

start_viewd
ok "the view is there" wait_until viewctl verify --all
ok "a change is seen" change 101
ok "and another one" change 102
kill_pg
start_pg -c wal_writer_delay=10s
ok "a server that was killed has the view again" wait_until shows 102
ok "which is fresh" wait_until viewctl verify --all
# After a crash all rows are computed, and viewd looks after the table beside that: its commits take all before them to the disk.
last=102
is_settled()
{
	[ "$(viewctl --json history -n 2 totals | jq -r '[.runs[].action] | join(" ")')" = "INCREMENTAL INCREMENTAL" ]
}
until is_settled || [ "$last" -ge 120 ]; do
	change $((++last)) && wait_until viewctl verify --all
done
ok "changes after that are seen" is_settled
change $((++last))
kill_viewd
kill_pg
start_pg -c wal_writer_delay=10s
is "without viewd the last refresh is lost" "$(sql_pg "SELECT sum(n) FROM public.totals")" $((last - 1))
start_viewd
ok "the next viewd does it again" wait_until shows "$last"
ok "and all is right" wait_until viewctl verify --all
finish
