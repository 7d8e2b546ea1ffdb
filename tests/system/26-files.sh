#!/bin/bash
# SPDX-License-Identifier: MIT
# An SQLite file is changed from outside: locked for long, replaced, gone, with another schema, without its write-ahead log. viewd
# neither spins nor writes into nowhere, and follows what is there afterwards.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src VALUES (1, 0), (2, 0)"
conf_database shop <<-END_CONF
	[view-defaults]
	database = shop
	method = table
	unique_key = n
	lock_timeout = 300ms
	retry_backoff = 100ms
	retry_max_backoff = 500ms
	max_retries = 1000

	[view followed]
	on_change = yes
	definition = SELECT n, gen FROM src
END_CONF
start_viewd
ok "the view is there" wait_until "is_fresh followed"

gen=0
holds()
{
	[ "$(sql "SELECT min(gen), max(gen) FROM followed")" = "$gen|$gen" ] && is_fresh followed
}
again()
{
	gen=$((gen + 1))
	ok "$1: the application writes" wait_until "sql 'UPDATE src SET gen = $gen'"
	ok "$1: followed" wait_until holds
}
again "at first"

# ---- locked ----
# The application keeps the file to itself until it is told to end.
mkfifo "$T/app"
locker()
{
	sqlite3 -batch "$T/shop.db" <"$T/app"
}
start_process "$T/app.log" locker
exec {app_fd}>"$T/app"
gen=$((gen + 1))
printf '%s;\n' "BEGIN IMMEDIATE" "UPDATE src SET gen = $gen" "SELECT 'locked'" >&"$app_fd"
ok "locked: by the application" wait_until "grep -q locked '$T/app.log'"
fails "locked: a refresh by hand gives up" viewctl refresh followed --wait --timeout 10s
like "locked: ... and says why" "$(viewctl --json status followed | jq -c '.[0].error')" 'held the lock of the file.*locked'
is "locked: ... which is no fault of the view" "$(viewctl --json status followed | jq -c '.[0] | [.state, .consecutive_errors]')" \
	'["ACTIVE",0]'
printf '%s;\n' COMMIT >&"$app_fd"
exec {app_fd}>&-
ok "locked: what was written meanwhile is in the view" wait_until holds

# ---- another schema ----
sql "ALTER TABLE src ADD COLUMN more integer DEFAULT 5"
again "a column more"
sql "ALTER TABLE src RENAME COLUMN gen TO renamed"
ok "a column is renamed: told" wait_until "! viewctl refresh followed --wait --timeout 5s"
is "a column is renamed: readers keep what there was" "$(sql 'SELECT count(*) FROM followed')" 2
sql "ALTER TABLE src RENAME COLUMN renamed TO gen"
again "a column is renamed and back"

# ---- a restored copy ----
sql ".backup '$T/copy.db'"
again "after the copy"
gen=$((gen - 1))
# The whole set is replaced, as a careful administrator does it: by renaming.
rm -f "$T/shop.db-wal" "$T/shop.db-shm"
mv "$T/copy.db" "$T/shop.db"
ok "an older copy is put in its place: the view is as old" wait_until holds
gen=$((gen + 1))
again "the copy"

# ---- gone for a while ----
mv "$T/shop.db" "$T/away.db"
ok "the file is gone: told" wait_until "[ \"\$(field followed state)\" = FAILED ]"
fails "the file is gone: no empty one is made" test -e "$T/shop.db"
mv "$T/away.db" "$T/shop.db"
again "the file is back"

# ---- the write-ahead log is deleted under everybody ----
rm -f "$T/shop.db-wal" "$T/shop.db-shm"
again "the log is deleted"
is "the file is sound" "$(sql 'PRAGMA integrity_check')" ok
ok "in the end all are equal" viewctl verify --all
finish
