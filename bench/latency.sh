#!/bin/bash
# SPDX-License-Identifier: MIT
# From the commit of a single change until it is visible in the view, on PostgreSQL, beside the refresh statement alone. CHANGES: how many.
: "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
. "$VIEWD_SRC/tests/system/lib.sh"
: "${CHANGES:=200}" "${ROWS:=1000}"

start_pg "$@" >/dev/null
sql_pg "CREATE TABLE sale (id int PRIMARY KEY, amount int)"
sql_pg "INSERT INTO sale SELECT g, g FROM generate_series(1, $ROWS) AS g"
sql_pg 'GRANT SELECT, TRIGGER ON sale TO viewd; GRANT CREATE ON SCHEMA public TO viewd'
definition='SELECT id % 10 AS k, sum(amount) AS total FROM sale GROUP BY 1'
sql_pg "CREATE MATERIALIZED VIEW alone AS $definition"
mkdir -p "$T/state"
cat >"$T/viewd.conf" <<CONF
[viewd]
control_socket = $T/control.sock
plugin_dir = $VIEWD_BUILD/.libs
state_dir = $T/state
[database shop]
url = $pg_url
[view totals]
database = shop
method = materialized
refresh_mode = full
on_change = yes
capture = trigger
definition = $definition
CONF
start_viewd
followed()
{
	[ "$(sql_pg 'SELECT count(*) FROM public.totals')" = 10 ]
}
wait_until followed || die "the view does not become fresh"
"$VIEWD_BUILD/bench/latency" "host=$pg_dir user=postgres dbname=shop" "$CHANGES" "UPDATE sale SET amount = amount + 1 WHERE id = 1" \
	"SELECT sum(total) FROM public.totals" "REFRESH MATERIALIZED VIEW alone" ||
	n_failed=1
finish >/dev/null
