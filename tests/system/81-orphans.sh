#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl list names what viewd once made and no section names any more, with the statement that drops it. What is somebody else's is not listed.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY)"
# view NAME METHOD KEYS
view() { printf '[view %s]\ndatabase = shop\nmethod = %s\ndefinition = SELECT n FROM src\n%s\n\n' "$@"; }
list() { viewctl --json list -c "$T/viewd.conf"; }
names() { list | jq -r '[.orphans[].view] | sort | join(" ")'; }

{
	view stays table ''
	view old materialized ''
	view plain simple ''
	view gone table ''
	view taken table ''
	view going table 'on_remove = drop'
	view before table ''
} | conf_database shop
is "where viewd has never been there is nothing" "$(names)" ""
is "... and nothing is made" "$(viewctl uninstall shop --print -c "$T/viewd.conf")" ""
start_viewd
ok "the views are there" wait_until "is_fresh stays && is_fresh old && is_fresh gone && is_fresh taken && is_fresh going && is_fresh before && field_is plain state ACTIVE"
is "what sections name is no orphan" "$(names)" ""

{
	view stays table 'enabled = no'
	view after table 'renamed_from = before'
} | conf_database shop
is "what no section names is" "$(names)" "going gone old plain taken"
ok "a reload" viewctl reload
ok "... drops and renames what it should" wait_until '[ "$(names)" = "gone old plain taken" ] && is_fresh after'
sql "DROP TABLE gone"
sql "DROP TABLE taken"
sql "CREATE TABLE taken (n integer)"
is "what has been dropped is none, nor what somebody else has put there" "$(names)" "old plain"
like "a line has relation, kind and statement" "$(viewctl list -c "$T/viewd.conf" | grep plain)" '^shop +plain +.*plain.* +view +[^ ]+( [^ ]+)? +DROP VIEW .*plain'
like "... and when it was refreshed last" "$(list | jq -r '.orphans[] | select(.view == "old").last_success_time')" '^20.*Z$'
while read -r statement; do
	sql "$statement"
done < <(list | jq -r '.orphans[].remove')
is "the statements remove them" "$(names)" ""
fails "... from the database" sql "SELECT n FROM plain"
fails "... both" sql "SELECT n FROM old"
ok "the table of somebody else is there" sql "SELECT n FROM taken"
stop_viewd
is "without a daemon it is the same" "$(names)" ""
{
	view stays table ''
} | conf_database shop
is "... also for a section that went meanwhile" "$(names)" "after"

conf <<-END
	[database nowhere]
	url = $(pick postgresql mysql sqlite)://$(pick x@localhost:1/x x@127.0.0.1:1/x /no/such/file.db)
END
exits "a database that cannot be asked is told" 1 viewctl list -c "$T/viewd.conf"
like "... by name" "$(viewctl list -c "$T/viewd.conf" 2>&1)" "'nowhere' cannot be asked"
finish
