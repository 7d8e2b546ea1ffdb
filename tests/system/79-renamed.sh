#!/bin/bash
# SPDX-License-Identifier: MIT
# renamed_from: a section has another name; its object, rows, history, marks and pause follow, at a reload and at a start.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

method=$(pick materialized table table)
# views MAIN MAIN-KEYS PLAIN PLAIN-KEYS KEPT KEPT-KEYS: each with the name of its section, and keys.
views()
{
	conf_database shop <<-END
		[view-defaults]
		database = shop
		on_remove = drop

		[view $1]
		method = $method
		on_change = yes
		unique_key = grp
		index_total = (total)
		definition = SELECT grp, sum(val) AS total FROM src GROUP BY grp
		$2

		[view $3]
		method = simple
		definition = SELECT grp FROM src
		$4

		[view $5]
		method = table
		refresh_mode = incremental
		on_change = yes
		definition = SELECT grp, count(*) AS n FROM src GROUP BY grp
		$6
	END
}
history_of()
{
	viewctl --json history "$1" | jq -r '.runs | length'
}
# Something that a table made anew would not have.
object_of()
{
	case $engine in
	postgresql) sql "SELECT '$1'::regclass::oid" ;;
	mariadb) sql "SELECT TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME = '$1'" ;;
	sqlite) sql "SELECT rootpage FROM sqlite_master WHERE name = '$1'" ;;
	esac
}
is_there()
{
	sql "SELECT count(*) FROM $1" >"$T/out" 2>&1
}

start_engine
[ $engine != mariadb ] || sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost"
sql "CREATE TABLE src (id integer PRIMARY KEY, grp integer, val integer); INSERT INTO src VALUES (1, 1, 1), (2, 1, 2)"
views old '' plain '' kept ''
start_viewd
ok "the views are there" wait_until "field_is old state ACTIVE && field_is plain state ACTIVE && field_is kept state ACTIVE"
ok "... and fresh" wait_until "field_is old freshness FRESH && field_is kept freshness FRESH"
viewctl refresh old --wait >"$T/out" 2>&1
viewctl pause kept
runs=$(history_of old)
object=$(object_of old)

# ---- what is refused ----
views new 'renamed_from = old' plain '' kept ''
printf '\n[view old]\ndatabase = shop\nmethod = simple\nrelation = other\ndefinition = SELECT 1 AS x\n' >>"$T/viewd.conf"
out=$(viewctl reload 2>&1)
is "both sections: refused" $? 1
like "... and told why" "$out" '\[view new\] renamed_from: \[view old\] is there'
views new 'renamed_from = new' plain '' kept ''
out=$(viewctl reload 2>&1)
like "its own name: refused" "$out" 'renamed_from: '
views new 'renamed_from = old' plain 'renamed_from = old' kept ''
out=$(viewctl reload 2>&1)
like "two that follow one: refused" "$out" 'only one can follow'

# ---- a reload ----
views new 'renamed_from = old' simpler 'renamed_from = plain' incremental 'renamed_from = kept'
out=$("$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" 2>&1)
like "plan says it before" "$out" 'new .*rename'
like "... and how" "$out" 'it was view .old. before'
is "... which has changed nothing" "$(history_of old)" "$runs"
out=$(viewctl reload 2>&1)
is "reloaded" $? 0
like "... which tells that the old name goes on" "$out" "view old: removed \\(it goes on as view 'new'\\)"
like "... under the new one" "$out" "view new: added \\(it was view 'old' before"
ok "the view has its new name" wait_until field_is new state ACTIVE
is "its object is the same" "$(object_of new)" "$object"
fails "... under no other name" is_there old
is "... with the rows" "$(sql "SELECT grp, total FROM new")" "1|3"
is "its history is there, and nothing was computed" "$(history_of new)" "$runs"
ok "... as it knows" wait_until '! field_is new last_success_time null'
like "the log tells it" "$(cat "$T/viewd.log")" "view 'new', renamed \\(it was view 'old' before"
unlike "nothing was dropped" "$(cat "$T/viewd.log")" "dropped \\(on_remove"
unlike "... nor replaced" "$(cat "$T/viewd.log")" "view '(new|incremental)', (replace|create)"
ok "the plain view as well" wait_until is_there simpler
fails "... under no other name" is_there plain
is "a pause follows" "$(field incremental state)" PAUSED
viewctl resume incremental
sql "INSERT INTO src VALUES (3, 2, 5)"
total_is()
{
	[ "$(sql "SELECT total FROM new WHERE grp = 2")" = "$1" ]
}
ok "changes are followed" wait_until total_is 5
kept_is()
{
	[ "$(sql "SELECT n FROM incremental WHERE grp = 2")" = "$1" ]
}
ok "... by the one that is kept incrementally, too" wait_until kept_is 1
ok "verified" viewctl verify new
ok "... both" viewctl verify incremental
out=$(viewctl plan 2>&1)
unlike "nothing more is planned" "$out" 'rename|replace|create|reindex|drop'

# ---- a start, and a name that another one has ----
stop_viewd
object=$(object_of incremental)
views new 'renamed_from = old' simpler '' later 'renamed_from = incremental'
sql "CREATE TABLE later (x integer)"
start_viewd
ok "the name is taken: told" wait_until field_is later state FAILED
like "... by what" "$(field later error.message) $(field later error.hint)" 'there is one.*relation = '
is "... and the old one stays" "$(object_of incremental)" "$object"
sql "DROP TABLE later"
ok "it follows when it is free" wait_until field_is later state ACTIVE
is "... as it is" "$(object_of later)" "$object"
ok "what was done before has no effect any more" wait_until field_is new state ACTIVE
sql "INSERT INTO src VALUES (4, 2, 6)"
kept_is()
{
	[ "$(sql "SELECT n FROM later WHERE grp = 2")" = "$1" ]
}
ok "changes are followed after a start" wait_until kept_is 2
ok "... by all" wait_until total_is 11
stop_viewd

# ---- killed between the object and its rows in the state ----
object=$(object_of later)
views newer 'renamed_from = new' simpler '' last 'renamed_from = later'
viewd_env=(VIEWD_FAILPOINT=rename:renamed:kill)
spawn_viewd -c "$T/viewd.conf"
ok "killed in the middle" wait_until '! is_running "$viewd_pid"'
viewd_env=()
start_viewd
ok "the next start goes on" wait_until "is_there newer && is_there last"
is "... with the object" "$(object_of last)" "$object"
# The server may take a moment to notice that the killed one is gone.
ok "... whose rows are right" wait_until viewctl verify last
finish
