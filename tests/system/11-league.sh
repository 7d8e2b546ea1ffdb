#!/bin/bash
# SPDX-License-Identifier: MIT
# The league example: a ranking whose window moves with the clock grows stale without a write, and a rhythm heals that.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql <"$examples/league/schema-$dialect.sql"
sql <"$examples/league/seed-$dialect.sql"
cp -r "$examples/league" "$T/league"
sed -i 's/^after = .*//' "$T/league/league.conf"
printf '[viewd]\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\ninclude = league/league.conf\n\n[database league]\nurl = %s\n' \
	"$T/control.sock" "$VIEWD_BUILD/.libs" "$T/state" "$db_url" >"$T/viewd.conf"
ranking="SELECT name, match_count, coin_amount, position FROM leaderboard ORDER BY position"

start_viewd
ok "the view becomes fresh" wait_until is_fresh leaderboard
rows_are "the ranking of the last 30 days" "$ranking" "Ann|3|120|1
Cid|2|50|2
Bob|2|-150|3"
ok "verify agrees" viewctl verify leaderboard

# age SECONDS: the moment that leaves the window in so many seconds.
age()
{
	pick "now() - INTERVAL '30 days' + INTERVAL '$1 seconds'" "now() - INTERVAL 30 DAY + INTERVAL $1 SECOND" \
		"datetime('now', '-30 days', '+$1 seconds')"
}
sql "UPDATE gamematch SET created = $(age 2) WHERE bet_coin_amount = 100"
ok "refresh --wait succeeds" viewctl refresh leaderboard --wait
rows_are "a match at the edge of the window still counts" "$ranking" "Ann|3|120|1
Cid|2|50|2
Bob|2|-150|3"
ok "time passes and the view is stale without a write" wait_until "! viewctl verify leaderboard"
rows_are "still the old ranking" "$ranking" "Ann|3|120|1
Cid|2|50|2
Bob|2|-150|3"
ok "refresh --wait moves the window" viewctl refresh leaderboard --wait
after="Cid|2|50|1
Ann|2|20|2
Bob|1|-50|3"
rows_are "the match has left" "$ranking" "$after"

# With a rhythm nobody has to ask.
echo 'every = 500ms' >>"$T/league/league.conf"
ok "the rhythm is put in force" viewctl reload
sql "UPDATE gamematch SET created = $(age 1) WHERE bet_coin_amount = 50"
rows_become "another match leaves by the clock alone" "$ranking" "Ann|2|20|1
Cid|1|0|2"

sql "UPDATE gamematch SET finished = $(pick true true 1) WHERE bet_coin_amount = 70"
rows_become "a match that ends arrives" "$ranking" "Ann|2|20|1
Cid|2|0|2
Dee|1|0|3"
sql "UPDATE gamematch SET created = $(age 0)"
rows_become "and an empty window is an empty view" "SELECT count(*) FROM leaderboard" 0
ok "which is a success" wait_until is_fresh leaderboard
finish
