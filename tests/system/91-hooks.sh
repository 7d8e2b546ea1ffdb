#!/bin/bash
# SPDX-License-Identifier: MIT
# The surroundings of a refresh: hooks, a role, a channel told of it; what its history keeps; waiting for data, and hearing of it.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg
pg_user=viewd sql_pg 'CREATE TABLE src AS SELECT g AS n FROM generate_series(1, 3) g; CREATE TABLE notes(what text, who text)'
pg_user=postgres sql_pg 'CREATE ROLE "Sales Team"; GRANT "Sales Team" TO viewd; GRANT ALL ON SCHEMA public TO "Sales Team";
	GRANT ALL ON src, notes TO "Sales Team"'
start_mariadb
sql_mariadb <<-'END'
	CREATE TABLE src (n INT); INSERT INTO src VALUES (1), (2), (3), (4);
	CREATE TABLE notes (what TEXT);
	DELIMITER //
	CREATE PROCEDURE note(what TEXT) SQL SECURITY INVOKER BEGIN SELECT 'results', 'are'; SELECT 'ignored'; INSERT INTO notes VALUES (what); END//
	CREATE PROCEDURE forget() SQL SECURITY INVOKER BEGIN START TRANSACTION; UPDATE notes SET what = 'forgotten'; END//
END
sqlite3 "$T/lite.db" 'CREATE TABLE src(n); INSERT INTO src VALUES (1), (2); CREATE TABLE notes(what)'
configure()
{
	conf <<-END_CONF
		[database shop]
		url = $pg_url

		[database lite]
		url = sqlite:///$T/lite.db

		[view hooked]
		database = shop
		method = table
		definition = SELECT n, (SELECT count(*) FROM notes) AS notes FROM src
		pre_hook = INSERT INTO notes VALUES ('before', current_user)
		post_hook = ${1:-INSERT INTO notes SELECT 'after ' || count(*), current_user FROM hooked}
		notify_channel = Hooked
		run_as = Sales Team

		[view litehook]
		database = lite
		method = table
		unique_key = n
		definition = SELECT n, (SELECT count(*) FROM notes) AS notes FROM src
		pre_hook = ${2:-INSERT INTO notes VALUES ('before')}
		post_hook = INSERT INTO notes SELECT 'after ' || count(*) FROM litehook

		[database maria]
		url = $mariadb_url

		[view mariahook]
		database = maria
		method = table
		definition = SELECT n, (SELECT count(*) FROM notes) AS notes, @@sql_mode AS mode, @@time_zone AS zone FROM src
		pre_hook = ${4:-CALL note('before')}
		post_hook = ${5:-INSERT INTO notes SELECT CONCAT('after ', COUNT(*)) FROM mariahook}

		[view plain]
		database = shop
		definition = SELECT n FROM src
		${3:-}
	END_CONF
}
configure
start_viewd
ok "the views are there" wait_until "is_fresh hooked && is_fresh litehook && is_fresh mariahook && is_fresh plain"
is "creating runs no hook" "$(sql_pg 'SELECT count(*) FROM notes')" 0
is "the object belongs to the role" "$(sql_pg "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'hooked'")" "Sales Team"

# ---- the good case, with somebody who listens ----
mkfifo "$T/listen"
start_process "$T/listen.out" "$pg_client/psql" -qAtX -h "$pg_dir" -U postgres shop -f "$T/listen"
exec {listen}>"$T/listen"
echo 'LISTEN "Hooked"; SELECT 42;' >&"$listen"
ok "somebody listens" wait_until "grep -q 42 '$T/listen.out'"
ok "a refresh with hooks succeeds" viewctl refresh hooked litehook mariahook --wait
is "both ran as the role, around the data" "$(sql_pg 'SELECT what, who FROM notes')" "before|Sales Team
after 3|Sales Team"
is "the data sees what the pre_hook did" "$(sql_pg 'SELECT DISTINCT notes FROM hooked')" 1
is "the same on SQLite" "$(sqlite3 "$T/lite.db" 'SELECT group_concat(what) FROM notes; SELECT DISTINCT notes FROM litehook')" \
	"before,after 2
1"
is "the same on MariaDB, where a procedure may give results" "$(sql_mariadb 'SELECT group_concat(what) FROM notes; SELECT DISTINCT notes FROM mariahook')" \
	"before,after 4
1"
is "viewd's own tables are written as viewd" "$(sql_pg "SELECT last_result FROM viewd.views WHERE name = 'hooked'")" SUCCEEDED
ok "the listener hears of it" wait_until "echo 'SELECT 43;' >&$listen; grep -q Hooked '$T/listen.out'"
like "... as JSON" "$(cat "$T/listen.out")" '\{"view":"hooked","relation":".*hooked.*","action":"FULL","rows":3,"rows_written":3\}'
exec {listen}>&-

# ---- failing hooks ----
configure 'SELECT 1 / 0' 'INSERT INTO nowhere VALUES (1)'
ok "hooks change with a reload" viewctl reload
ok "a failing post_hook fails no refresh" viewctl refresh hooked --wait
like "... the history tells" "$(viewctl history hooked)" 'MANUAL +SUCCEEDED +FULL'
like "... what it was" "$(viewctl history hooked --json | jq -r '.runs[0].error')" 'post_hook: .*division by zero'
is "... nothing of it is left, the rest is there" "$(sql_pg 'SELECT what FROM notes OFFSET 2')" before
exits "a failing pre_hook fails the refresh" 1 viewctl refresh litehook --wait
like "... with its name" "$(field litehook error.message)" "pre_hook: .*nowhere"
like "... also in the history" "$(viewctl history litehook --limit 1 | tr '\n' ' ')" 'MANUAL +FAILED .*missing: pre_hook'
is "... and the old contents stay" "$(sqlite3 "$T/lite.db" 'SELECT count(*) FROM litehook')" 2

# ---- failing hooks on MariaDB, where they run outside the transaction ----
configure '' '' '' "SET SESSION sql_mode = 'ANSI', time_zone = '+03:00'" 'SELECT nothing FROM nowhere'
viewctl reload >/dev/null
ok "MariaDB: a failing post_hook fails no refresh" viewctl refresh mariahook --wait
like "... the history tells what it was" "$(viewctl history mariahook --json | jq -r '.runs[0].error')" 'post_hook: .*nowhere'
like "... a setting of the pre_hook is there for the data" "$(sql_mariadb 'SELECT DISTINCT mode, zone FROM mariahook')" 'ANSI.*03:00'
configure '' '' '' 'DELETE FROM notes' 'CALL forget()'
viewctl reload >/dev/null
ok "MariaDB: a post_hook that leaves a transaction open fails no refresh" viewctl refresh mariahook --wait
like "... the history tells" "$(viewctl history mariahook --json | jq -r '.runs[0].error')" 'post_hook: .*transaction open'
unlike "... a setting of an earlier hook is gone" "$(sql_mariadb 'SELECT DISTINCT mode, zone FROM mariahook')" 'ANSI|03:00'
ok "... and no lock is left" sql_mariadb "SET innodb_lock_wait_timeout = 1; INSERT INTO notes VALUES ('free')"
configure '' '' '' 'CALL forget()'
viewctl reload >/dev/null
exits "MariaDB: a pre_hook that leaves one fails the refresh" 1 viewctl refresh mariahook --wait
like "... with its name" "$(field mariahook error.message)" 'pre_hook: .*transaction open'
is "... and what it did is undone" "$(sql_mariadb "SELECT count(*) FROM notes WHERE what = 'forgotten'")" 0
for hook in 'USE other' 'LOCK TABLES src READ' 'COMMIT'; do
	configure '' '' '' "$hook"
	like "MariaDB: $hook is refused" "$(viewctl reload 2>&1)" 'mariahook.*pre_hook (changes the session|ends or begins a transaction)'
done
configure
sed -i "s/^pre_hook = CALL .*/notify_channel = x/" "$T/viewd.conf"
like "MariaDB has no channels, and says so" "$(viewctl reload 2>&1)" 'notify_channel cannot work \(MySQL/MariaDB has no NOTIFY\)'
sed -i "s/^notify_channel = x/run_as = x/" "$T/viewd.conf"
like "MariaDB has no roles for a transaction, and says so" "$(viewctl reload 2>&1)" 'run_as cannot work \(MySQL/MariaDB has no role'

# ---- what cannot be ----
configure 'COMMIT'
like "a hook that ends the transaction is refused" "$(viewctl reload 2>&1)" 'ends or begins a transaction'
configure '' '' 'run_as = nobody at all'
viewctl reload >/dev/null
exits "a role that is not there fails the refresh" 1 viewctl refresh plain --wait
like "... with a hint" "$(field plain error.message)" 'run_as: .*nobody at all'
sed -i 's/^pre_hook = INSERT INTO notes VALUES (.before.)$/notify_channel = x/' "$T/viewd.conf"
like "SQLite has no channels, and says so" "$(viewctl reload 2>&1)" 'notify_channel cannot work \(SQLite has no NOTIFY\)'
configure
ok "back to what works" viewctl reload
ok "... with all of it" wait_until "viewctl refresh hooked litehook plain --wait"

# ---- waiting ----
start_process "$T/events.out" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" events
events=$started
start_process "$T/watch.out" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" status --watch --interval 1h
ok "somebody watches" wait_until "grep -q hooked '$T/watch.out'"
exits "data of a minute ago is here" 0 viewctl wait plain --newer-than 1m
exits "data of the future does not come: exit status 4" 4 viewctl wait plain --newer-than 2100-01-01T00:00:00Z --timeout 300ms
looks=$(grep -c hooked "$T/watch.out")
before=$(viewctl --json history plain | jq -r '.runs[0].started')
exits "a wait refreshes what nobody hears" 0 viewctl wait plain --timeout 30s
unlike "... by a run of its own" "$(viewctl --json history plain | jq -r '.runs[0].started')" "$before"

# ---- the history of several ----
like "all views: each run names its view" "$(viewctl history --limit 200)" '^hooked .*(MANUAL|INITIAL)'
like "... in all databases" "$(viewctl history --limit 200 | cut -d' ' -f1 | sort -u | tr '\n' ' ')" 'hooked litehook mariahook'
is "... newest first" "$(viewctl --json history --limit 200 | jq '[.runs[].started] | . == (sort | reverse)')" true
is "... at most so many" "$(viewctl --json history --limit 3 | jq '.runs | length')" 3
is "a pattern" "$(viewctl --json history '*litehook' --limit 200 | jq -r '[.runs[].view] | unique | join(" ")')" litehook
fails "a name that is none" viewctl history nowhere
viewctl wait plain >"$T/wait.out"
like "... with the time of the data" "$(cat "$T/wait.out")" '^plain: data as of 20..-'
ok "... the event is told" wait_until "grep -q 'shop:plain: SUCCEEDED, .*MANUAL' '$T/events.out'"
ok "... and who watches sees it before the interval is over" wait_until "[ \$(grep -c hooked '$T/watch.out') -gt $looks ]"
ok "a pause is told" viewctl pause plain
ok "... as a change of state" wait_until "grep -q 'shop:plain: ACTIVE -> PAUSED' '$T/events.out'"
sql_pg 'ALTER TABLE src RENAME TO gone'
start_process "$T/wait.out" "$VIEWD_BUILD/viewctl" -s "$T/control.sock" wait hooked
waiter=$started
ok "somebody waits" wait_until "curl -s --unix-socket '$T/control.sock' http://x/v1/info | jq -e .views"
viewctl refresh hooked --wait >/dev/null
wait "$waiter"
is "a failure ends the wait: exit status 1" $? 1
like "... with the error" "$(cat "$T/wait.out")" 'src'
stop_viewd
is "viewd stops under listeners" $? 0
wait "$events"
is "... who learn that it is over" $? 3

# ---- the history is bounded ----
sql_pg 'ALTER TABLE gone RENAME TO src'
sql_pg "INSERT INTO viewd.refresh_history(view, trigger, result, started)
	SELECT 'plain', 'MANUAL', 'SUCCEEDED', now() FROM generate_series(1, 400)"
start_viewd
ok "viewd goes on" wait_until viewctl refresh plain --wait
# trimmed VIEW QUERY...: one write in some sixteen trims; what the query counts is then the 200 that are kept, and those since.
trimmed()
{
	local view=$1 i kept
	shift
	for ((i = 0; i < 200; i++)); do
		viewctl refresh "$view" --wait >/dev/null || return
		kept=$("$@")
		[ "$kept" -gt 205 ] || break
	done
	[ "$kept" -ge 200 ] && [ "$kept" -le 205 ]
}
ok "200 runs a view are kept, and a few more until the next trim" \
	trimmed plain sql_pg "SELECT count(*) FROM viewd.refresh_history WHERE view = 'plain'"
stop_viewd
sql_mariadb "INSERT INTO viewd_refresh_history (\`view\`, \`trigger\`, result, started) SELECT 'mariahook', 'MANUAL', 'SUCCEEDED', now() FROM seq_1_to_400"
sqlite3 "$T/lite.db" "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 400) INSERT INTO viewd_refresh_history(view, trigger, result,
	started) SELECT 'litehook', 'MANUAL', 'SUCCEEDED', '2026-01-01T00:00:00Z' FROM s"
start_viewd
ok "viewd goes on once more" wait_until viewctl refresh mariahook litehook --wait
ok "the same on MariaDB" trimmed mariahook sql_mariadb "SELECT count(*) FROM viewd_refresh_history WHERE view = 'mariahook'"
ok "... and on SQLite" trimmed litehook sqlite3 "$T/lite.db" "SELECT count(*) FROM viewd_refresh_history WHERE view = 'litehook'"
finish
