#!/bin/bash
# SPDX-License-Identifier: MIT
# Reloading: a storm of signals, a bad file, a dry run, added, changed and removed views, another database.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src VALUES (1, 0), (2, 0)"
base="[view a]
database = shop
definition = SELECT n, gen FROM src
"
# with EXTRA: the configuration with view a and more.
with()
{
	printf '%s\n%s\n' "$base" "${1-}" | conf_database shop
}
exists()
{
	sql "SELECT count(*) FROM $1" >/dev/null 2>&1
}

with "every = 50ms"
start_viewd
ok "the view is there" wait_until is_fresh a

# ---- a storm ----
reloads()
{
	grep -c 'reload, done\|reload, nothing' "$T/viewd.log"
}
before=$(reloads)
from=${EPOCHREALTIME/./}
for ((i = 0; i < 1000; i++)); do kill -HUP "$viewd_pid"; done
took=$((${EPOCHREALTIME/./} - from))
comment "1,000 signals in $took us"
sql "UPDATE src SET gen = 1"
ok "the storm is over and refreshes go on" wait_until "[ \"\$(sql 'SELECT min(gen) FROM a')\" = 1 ]"
comment "$(($(reloads) - before)) reloads"
ok "a storm of SIGHUP is one reload or a few" test $(($(reloads) - before)) -ge 1
ok "... at most 3 for each second it took" test $(($(reloads) - before)) -le $((3 * (1 + took / 1000000)))
unlike "... and no refresh was disturbed" "$(cat "$T/viewd.log")" 'refresh failed|cancelled'
ok "viewd is well" is_running "$viewd_pid"

# ---- a bad file ----
with "every = soon
nonsense = 1"
exits "a bad file: viewctl reload exits with 1" 1 viewctl reload
problems=$(viewctl reload 2>&1)
like "... names file, line, section and key of the first problem" "$problems" "viewd.conf:[0-9]+: \[view a\] every"
like "... and of the second" "$problems" "viewd.conf:[0-9]+: \[view a\] nonsense"
kill -HUP "$viewd_pid"
ok "a bad file after SIGHUP is logged" wait_until log_has 'viewd.conf:[0-9]+: \[view a\] every'
sql "UPDATE src SET gen = 2"
ok "... and changes nothing: the rhythm goes on" wait_until "[ \"\$(sql 'SELECT min(gen) FROM a')\" = 2 ]"
: >"$T/empty.conf"
rm "$T/viewd.conf"
exits "a missing file: exit status 1" 1 viewctl reload
ok "... and changes nothing" viewctl refresh a --wait

# ---- what only the server can tell ----
with "[view broken]
database = shop
definition = SELECT n, FROM src"
line=$(grep -n '^\[view broken\]' "$T/viewd.conf" | cut -d: -f1)
viewctl reload >"$T/reload.out" 2>&1
ok "a definition that the server does not understand" wait_until field_is broken state FAILED
like "... is told with the place of its section" "$(viewctl why broken)" "hint: see \[view broken\] at .*/viewd.conf:$line"
echo 'SELECT n, gen, FROM src' >"$T/broken.sql"
with "[view broken]
database = shop
definition_file = broken.sql"
viewctl reload >"$T/reload.out" 2>&1
ok "... or in a file of its own" wait_until "viewctl why broken | grep -q 'hint: see .* its definition is in .*broken.sql'"

# ---- what is said of the daemon's own section ----
sed -i 's/^\[viewd\]/&\nlog_level = debug/' "$T/viewd.conf"
like "the section without a name" "$(viewctl reload)" '^viewd: changed \(log_level'
sed -i '/^log_level = debug/d' "$T/viewd.conf"
ok "... as it was" viewctl reload

# ---- added, changed, removed ----
more="
[view kept]
database = shop
definition = SELECT n FROM src

[view dropped]
database = shop
definition = SELECT n FROM src
on_remove = drop"
with "$more"
like "a dry run tells what would come" "$(viewctl reload --dry-run 2>&1)" "kept"
fails "... and changes nothing" exists kept
ok "a reload adds views" viewctl reload
ok "... and they are there" wait_until "exists kept && exists dropped && is_fresh kept && is_fresh dropped"

refreshed=$(field a last_success_time)
with "${more/SELECT n FROM src/SELECT n, gen FROM src}"
ok "a definition is changed" viewctl reload
ok "... and the view with it" wait_until "sql 'SELECT gen FROM kept'"
is "... while an unchanged view is not touched" "$(field a last_success_time)" "$refreshed"

with ""
ok "both sections disappear" viewctl reload
ok "on_remove = drop: the object goes" wait_until "! exists dropped"
ok "on_remove = keep: it stays" exists kept
exits "... and viewctl knows it no longer" 1 viewctl status kept

# ---- removed while viewd was down ----
with "$more"
ok "both come back" viewctl reload
ok "... and are there" wait_until "exists dropped && is_fresh dropped && is_fresh kept"
stop_viewd
with ""
start_viewd
ok "removed while viewd was down: on_remove = drop holds" wait_until "! exists dropped"
ok "... as does keep" exists kept

# ---- another database ----
sql_sqlite "$T/other.db" "CREATE TABLE src AS SELECT 7 AS n, 8 AS gen"
printf '%s\n' "[database shop]" "url = sqlite:///$T/other.db" "$base" | conf
ok "the database's URL is changed" viewctl reload
ok "... the view appears there" wait_until "[ \"\$(sql_sqlite '$T/other.db' 'SELECT n, gen FROM a')\" = '7|8' ]"
ok "... and stays where it was" exists a
sql_sqlite "$T/other.db" "UPDATE src SET gen = 9"
ok "... refreshes go there" viewctl refresh a --wait
is "... with the rows of the new one" "$(sql_sqlite "$T/other.db" 'SELECT n, gen FROM a')" "7|9"

# ---- started while it is away ----
stop_viewd
mv "$T/other.db" "$T/away.db"
start_viewd
ok "a database that is away at the start" wait_until "viewctl why a | grep -q 'the database cannot be asked'"
unlike "... its views are not said to be empty" "$(viewctl why a)" 'not been filled'
is "... for they are not" "$(sql_sqlite "$T/away.db" 'SELECT n, gen FROM a')" "7|9"
finish
