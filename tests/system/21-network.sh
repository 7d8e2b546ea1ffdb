#!/bin/bash
# SPDX-License-Identifier: MIT
# A bad network between viewd and the server: cut around the commit, silent, slow, closed. What was committed is never done twice, what
# was not is done again, and neither other databases nor the control socket wait.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"
. "$VIEWD_SRC/tests/support/proxy.sh"

start_engine
make_source
start_proxy
cat >"$T/viewd.in" <<-END_CONF
	[database shop]
	url = $proxy_url
	connect_timeout = 2s

	[database side]
	url = sqlite:///$T/side.db

	[view-defaults]
	database = shop
	unique_key = n
	timeout = 4s
	retry_backoff = 100ms
	retry_max_backoff = 500ms

	[view mv]
	method = materialized
	refresh_mode = $(pick auto swap auto)
	definition = SELECT n, gen FROM src

	[view tv]
	method = table
	definition = SELECT n, gen FROM src

	[view followed]
	method = table
	on_change = yes
	capture = trigger
	definition = SELECT n, gen FROM src

	[view beside]
	database = side
	method = table
	definition = SELECT n FROM other
END_CONF
conf <"$T/viewd.in"
sql_sqlite "$T/side.db" "CREATE TABLE other (n integer PRIMARY KEY); INSERT INTO other VALUES (1)"
start_viewd
ok "all views are there" wait_until "is_fresh mv && is_fresh tv && is_fresh followed && is_fresh beside"
# With this MariaDB cannot exchange names and writes the rows that differ.
[ $engine != mariadb ] || sql "CREATE TRIGGER hindrance AFTER INSERT ON tv FOR EACH ROW SET @hindrance = 1"

history_table=$(pick viewd.refresh_history viewd_refresh_history '')
view_column=$(pick '"view"' '`view`' '')
runs()
{
	sql "SELECT count(*) FROM $history_table WHERE $view_column = '$1' AND result = 'SUCCEEDED'"
}
fails_with()
{
	local out
	out=$("${@:2}" 2>&1) && return 1
	grep -q "$1" <<<"$out"
}
# at_once WHAT CONDITION: the other database and the control socket do their work, and after it the condition holds still.
at_once()
{
	sql_sqlite "$T/side.db" "INSERT INTO other SELECT max(n) + 1 FROM other"
	ok "$1: the other database refreshes" viewctl refresh beside --wait --timeout 5s
	ok "$1: ... and the control socket answers, nobody waits" "$2"
}

# ---- cut around the commit ----

# cut_at PLACE TEXT AFTER VIEW. On MariaDB COMMIT goes along with the rows that tell of the refresh.
cut_at()
{
	local before text=$2
	[ "$engine $2" != "mariadb COMMIT" ] || text=refresh_history
	change
	before=$(runs "$4")
	net on "$1" "$text" ${3:+"$3"}
	hits=$((hits + 1))
	viewctl refresh "$4" --wait >"$T/refresh.out" 2>&1
	ok "$4, $2, $1: the connection is cut" net_struck $hits
	ok "$4, $2, $1: fresh again without help" wait_until "holds $4"
	is "$4, $2, $1: exactly one refresh took effect" "$(($(runs "$4") - before))" 1
}
hits=0
viewctl pause followed >"$T/pause.out"
for place in before sent reply; do
	cut_at $place COMMIT "$(pick 'REFRESH MATERIALIZED' '' '')" mv
	cut_at $place COMMIT "$(pick 'gen FROM src' '' '')" tv
	[ $engine != mariadb ] || cut_at $place "RENAME TABLE" "" mv
done
viewctl resume followed >"$T/pause.out"
ok "a followed view catches up" wait_until "holds followed"

# ---- slow ----
change
net delay 80
viewctl refresh mv >"$T/refresh.out" 2>&1
ok "a slow server: a refresh begins" wait_until "is_at_work mv"
at_once "a slow server" "is_at_work mv"
ok "a slow server: no false verdict" wait_until "holds mv && holds followed"
unlike "a slow server: ... and nothing was lost" "$(viewctl --json status mv | jq -c '.[0].error')" lost
net pass

# ---- half-open ----
# The server has the statement and its answer never arrives, however long one waits; nor does a cancel.
change
net on hold "$(pick 'REFRESH MATERIALIZED' 'RENAME TABLE' '')"
hits=$((hits + 1))
viewctl refresh mv >"$T/refresh.out" 2>&1
ok "half-open in a refresh: silence" wait_until net_struck $hits
net hold
at_once "half-open in a refresh" "is_at_work mv"
ok "half-open in a refresh: given up after the view's timeout" wait_until "! is_at_work mv"
like "half-open in a refresh: the status says so" "$(field mv error.class)" 'lost|timeout|connect'
like "half-open in a refresh: ... as unknown, not as a failure of the statement" "$(viewctl why mv; grep "'mv', refresh failed" "$T/viewd.log" | tail -n 1)" \
	'does not answer|lost'
net cut
net pass
ok "half-open in a refresh: fresh when the network is back" wait_until "holds mv && holds followed"
back()
{
	again "$1 is over" mv tv
}
is_down()
{
	[ "$(field followed state)" = FAILED ] && [ "$(field followed error.class)" = "${1:-connect}" ]
}

# Bytes from or to the server disappear on the way: when a connection is made, and while it is set up. A short run
# meets each of them on one engine.
case ${VIEWD_LONG:+long}$engine in
postgresql) troubles=(hold "mute up") ;;
mariadb) troubles=("mute down" "stall 20") ;;
*) troubles=(hold "mute up" "mute down" "stall 20") ;;
esac
for trouble in "${troubles[@]}"; do
	net cut
	# shellcheck disable=SC2086 # words
	net $trouble
	ok "$trouble on every connection: down, and told so" wait_until "is_down connect || is_down lost"
	at_once "$trouble on every connection" "is_down connect || is_down lost"
	net cut
	net pass
	back "$trouble on every connection"
done
net on hold "$(pick set_config sql_mode '')"
hits=$((hits + 1))
net cut
ok "silence while a session is set up: reached" wait_until "net_struck $hits"
back "silence while a session is set up"

# ---- a silent watching session ----
# The heartbeat of the watch has to find out: half a minute on PostgreSQL, a minute on MariaDB.
if [ -n "${VIEWD_LONG:-}" ]; then
	net only :watch
	net hold
	change
	WAIT=75
	ok "silence on the watching session: found out" wait_until "is_down lost || is_down connect || holds followed"
	net cut
	net pass
	WAIT=60
	ok "silence on the watching session: what was missed is caught up with" wait_until "holds followed"
	back "silence on the watching session"
fi

# ---- closed for long ----
net refuse
net cut
ok "a closed port: down, and told so" wait_until is_down
ok "a closed port: a refresh by hand is told at once" fails_with connect viewctl refresh mv --wait
if [ -n "${VIEWD_LONG:-}" ]; then
	words=$(grep -c "'shop', cannot be used" "$T/viewd.log")
	since=$SECONDS
	WAIT=100 wait_until "[ $((since + 60)) -le \$SECONDS ]"
	ok "closed for a minute: without more words" test "$(grep -c "'shop', cannot be used" "$T/viewd.log")" -le $((words + 1))
	# Accepted and cut at once: so the proxy counts the attempts.
	net pass
	net cut 0
	net cut
	tried=$(net accepted)
	since=$SECONDS
	WAIT=100 wait_until "[ $((since + 40)) -le \$SECONDS ]"
	ok "cut for 40 s: attempts are few" test $(($(net accepted) - tried)) -le 14
fi
net pass
back "a closed port"

finish
