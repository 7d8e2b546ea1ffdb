#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl wait: what was committed before it is called is in the view when it returns, whoever has noticed it by then; where nothing has
# changed it returns as well.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY)"
conf_database shop <<-END_CONF
	[view-defaults]
	database = shop
	method = table
	on_change = yes

	[view counted]
	definition = SELECT count(*) AS n FROM src

	[view doubled]
	definition = SELECT 2 * n AS n FROM counted

	[view slow]
	debounce = 300ms
	definition = SELECT count(*) AS n FROM src

	[view polled]
	capture = poll
	definition = SELECT count(*) AS n FROM src

	[view manual]
	on_change = no
	definition = SELECT count(*) AS n FROM src

	[view above]
	definition = SELECT n FROM manual
END_CONF
start_viewd
ok "the views are there" wait_until "is_fresh doubled && is_fresh slow && is_fresh manual && field_is polled result SUCCEEDED && field_is above result SUCCEEDED"

# commit_and_wait VIEW FACTOR: how often, of several tries, the view held what had been committed before.
n=0
commit_and_wait()
{
	local _ good=0
	for _ in 1 2 3 4 5 6 7 8; do
		n=$((n + 1))
		sql "INSERT INTO src VALUES ($n)"
		viewctl wait "$1" --timeout 30s >/dev/null && [ "$(sql "SELECT n FROM $1")" = $((n * $2)) ] && good=$((good + 1))
	done
	echo $good
}
is "after a wait the view holds what was committed before" "$(commit_and_wait counted 1)" 8
n=8
is "... and the one behind it" "$(commit_and_wait doubled 2)" 8
n=16
is "... and one that takes its time" "$(commit_and_wait slow 1)" 8

n=24
is "... and one whose source is polled" "$(commit_and_wait polled 1)" 8
agrees()
{
	[ "$(sql "SELECT freshness FROM $(pick viewd.views viewd_views viewd_views) WHERE name = 'polled'")" = "$(field polled freshness)" ]
}
ok "... which SQL calls as fresh as viewctl does" wait_until "viewctl wait polled >/dev/null && is_fresh polled && agrees"
sql "INSERT INTO src VALUES (999)"
ok "... also while the poll does not tell of a change" wait_until agrees

runs=$(viewctl --json history doubled | jq ".runs | length")
exits "where nothing has changed it returns" 0 viewctl wait doubled --timeout 30s
exits "... also when the data is to be newer than a moment that nothing has changed since" 0 viewctl wait doubled --newer-than 1ms --timeout 30s
is "... without a refresh" "$(viewctl --json history doubled | jq ".runs | length")" "$runs"
exits "data of the future is not there" 4 viewctl wait doubled --newer-than 2100-01-01T00:00:00Z --timeout 100ms

is "a view that follows nothing is UNKNOWN" "$(field manual freshness) $(field manual lag_seconds)" "UNKNOWN null"
sql "INSERT INTO src VALUES (1000)"
exits "... a wait refreshes it" 0 viewctl wait manual --timeout 30s
is "... and then answers truly" "$(sql "SELECT n FROM manual")" "$(sql "SELECT count(*) FROM src")"
sql "INSERT INTO src VALUES (1001)"
exits "... also for a view that reads it" 0 viewctl wait above --timeout 30s
is "... in that order" "$(sql "SELECT n FROM above")" "$(sql "SELECT count(*) FROM src")"
finish
