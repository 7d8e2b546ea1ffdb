#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl drop: what somebody else's view reads is not dropped, unless --cascade says so; a slip of the pen is never
# answered with a command that changes something.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer); INSERT INTO src VALUES (1)"
conf_database shop <<-END
	[view below]
	database = shop
	method = table
	tags = night
	definition = SELECT n FROM src

	[view other]
	database = shop
	method = table
	definition = SELECT n + 1 AS n FROM src
END
start_viewd
ok "the views are there" wait_until "sql 'SELECT n FROM below' && sql 'SELECT n FROM other' && field_is below state ACTIVE && field_is other state ACTIVE"

# ---- status selects ----
names()
{
	viewctl --json status "$@" | jq -r '.[].name' | paste -sd' '
}
is "by tag" "$(names --tag night)" below
is "by pattern" "$(names 'o*')" other
is "by database and pattern" "$(names --database shop 'shop:*')" "below other"
is "no other database" "$(names --database nowhere)" ""
ok "nothing has failed" viewctl status --failed

# ---- drop ----
sql "CREATE VIEW reader AS SELECT n FROM below"
fails "what others read is not dropped" viewctl drop below
like "... and that is a failure" "$(viewctl drop below 2>&1)" "below: FAILED"
is "... it stays" "$(sql "SELECT n FROM reader")" 1
is "... and is as well as before" "$(viewctl --json status below | jq -r '.[0] | "\(.state) \(.error)"')" "ACTIVE null"
like "a view that no section names: where to look" "$(viewctl drop zz 2>&1)" "hint: viewctl list "
ok "--cascade" viewctl drop below --cascade
fails "... it is gone" sql "SELECT n FROM below"
exits "a search for trouble finds it" 1 viewctl status --failed
is "... it alone" "$(names --failed)" below

# ---- slips ----
for word in top init version; do
	unlike "$word is no command, nor near one that changes something" "$(viewctl $word 2>&1)" "drop|verify|create|uninstall|refresh"
done
like "a slip in one that does is understood" "$(viewctl refesh x 2>&1)" "did you mean refresh"
finish
