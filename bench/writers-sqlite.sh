#!/bin/bash
# SPDX-License-Identifier: MIT
# The cost of noticing changes for those who make them, on SQLite: single-row inserts, each its own transaction, into a file that viewd does not
# know and into one with viewd's triggers and its watch. Journal in WAL mode, synchronous = NORMAL, as applications that write often
# have it; the statement is compiled once, as the usual bindings do it. SQLite lets one write at a time, so one client tells what a commit
# costs; CLIENTS (8) of them mostly wait for each other. The two alternate; the medians of ROUNDS count. Refreshes are left out (at_most_every).
engine=sqlite
. "${VIEWD_SRC:=$(cd "$(dirname "$0")/.." && pwd)}/bench/lib.sh" || exit 1
: "${ROUNDS:=7}" "${SECONDS_EACH:=2}" "${CLIENTS:=8}"
[ -x "$VIEWD_BUILD/bench/inserts-sqlite" ] || skip_all "the dialect is not built"

mkdir "$T/none" "$T/viewd" # the watch sees its own file's directory
for t in none viewd; do
	sql_sqlite "$T/$t/shop.db" "PRAGMA journal_mode = wal; CREATE TABLE sale (id INTEGER PRIMARY KEY, product INT, amount INT)" >/dev/null
done
db_url="sqlite:///$T/viewd/shop.db"
conf_database shop <<-CONF
	[view totals]
	database = shop
	method = table
	on_change = yes
	at_most_every = 1h
	definition = SELECT count(*) AS n FROM sale
CONF
start_viewd
wait_until settled totals || die "the view does not become fresh"

# per_second DIRECTORY CLIENTS
per_second()
{
	sql_sqlite "$T/$1/shop.db" "DELETE FROM sale; PRAGMA wal_checkpoint(TRUNCATE)" >/dev/null
	"$VIEWD_BUILD/bench/inserts-sqlite" "$T/$1/shop.db" "$2" "$SECONDS_EACH" "INSERT INTO sale (product, amount) VALUES (1, 2)" \
		"PRAGMA synchronous = NORMAL" || die "the inserts fail"
}

table "writers, SQLite: single-row inserts, WAL, synchronous = NORMAL"
for clients in 1 "$CLIENTS"; do
	for ((round = 0; round < ROUNDS; round++)); do
		for t in none viewd; do per_second $t "$clients" >>"$T/$t.$clients"; done
	done
	none=$(median "$T/none.$clients") with=$(median "$T/viewd.$clients")
	row "$clients at once: no capture" "$none" /s
	row "$clients at once: viewd" "$with" /s
	row "$clients at once: viewd, part of no capture" "$(sum "$with / $none")" "" '>= 0.95'
done
finish >/dev/null
