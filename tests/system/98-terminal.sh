#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl on a terminal: nothing wider than 80 columns, colours there only, local time, trouble told once, --watch without clearing the
# screen, a bar while refreshes are waited for.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
command -v sqlite3 >/dev/null || skip_all "no sqlite3"
command -v script >/dev/null || skip_all "no script"

long=a_view_whose_name_is_longer_than_any_column_of_a_terminal
sql_sqlite "$T/app.db" 'CREATE TABLE src (n integer PRIMARY KEY, "日本語" text)' "INSERT INTO src VALUES (1, 'größe')"
conf <<-END
	[database app]
	url = sqlite:///$T/app.db

	[database gone]
	url = sqlite:///$T/a/directory/that/is/not/there/and/has/a/path/that/no/line/can/hold/app.db

	[view $long]
	database = app, gone
	method = table
	definition = SELECT n, "日本語" FROM src WHERE n > 0 AND "日本語" IS NOT NULL AND "日本語" <> 'nothing that is there' ORDER BY n
	on_change = yes

	[view above]
	database = app, gone
	method = table
	definition = SELECT n FROM $long
	on_change = yes

	[view slow]
	database = app
	method = table
	definition = WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 3000000) SELECT count(*) AS n FROM c
END
start_viewd
ok "the views are there" wait_until "is_fresh app:above && field_is slow result SUCCEEDED && field_is gone:above state FAILED"

# tty ARGUMENT...: what viewctl writes to a terminal of 80 columns and 24 rows, as bytes.
tty()
{
	TERM=xterm script -qec "stty cols 80 rows 24; $(printf '%q ' "$VIEWD_BUILD/viewctl" -s "$T/control.sock" "$@") 2>'$T/tty.err'" /dev/null </dev/null
}
plain() { sed 's/\x1b\[[0-9;]*m//g; s/\r$//; s/ *$//'; }

# ---- 80 columns ----
while read -r words; do
	# shellcheck disable=SC2086 # words of a command line
	tty $words | plain >"$T/out"
	ok "viewctl $words: says something" test -s "$T/out"
	width=$(wc -L <"$T/out")
	ok "... in 80 columns" test "$width" -le 80 || sed "s,^,# ," "$T/out"
done <<-END
	status
	status --failed
	status app:$long
	show app:$long
	history
	history app:$long
	graph
	plan
	plan -c $T/viewd.conf
	why app:$long
	why gone:above
	explain app:$long
	info
	verify app:$long
	refresh app:$long --wait
	pause app:$long
	resume app:$long
	cancel --all
	reload
	wait app:$long --newer-than 1h
	--help
	help render
	help status
END
like "long names are there whole" "$(tty status | plain | awk '{print $1}' | tr -d '\n')" "$long"
is "trouble of a database is told once" "$(tty status | plain | tr -d '\n' | grep -o 'cannot be found' | wc -l)" 1
like "... with a number at each of its views" "$(tty status | plain)" 'above +gone +FAILED \[1\]'
like "... also in a plan, which knows of no run there" "$(tty plan | plain)" 'above +gone +FAILED \[1\] +- +-$'
like "graph is a tree" "$(viewctl graph)" '└─slow +table, '
like "... without lines where the locale has none" "$(LC_ALL=C viewctl graph)" '`-slow +table, '

# ---- colours ----
like "a terminal has colours" "$(tty status)" $'\x1b'
unlike "... but not when they are unwanted" "$(NO_COLOR=1 tty status)" $'\x1b'
unlike "a pipe has none" "$(viewctl status)" $'\x1b'

# ---- time ----
like "time is local and has its offset" "$(TZ=Asia/Kathmandu viewctl history slow)" '20[0-9-]+ [0-9:]+\+05:45 '
like "... of a view, too" "$(TZ=Asia/Kathmandu viewctl status slow)" 'last refresh +20[0-9-]+ [0-9:]+\+05:45$'
like "... or UTC" "$(TZ=Asia/Kathmandu viewctl history slow --utc)" '20[0-9-]+ [0-9:]+\+00 '
unlike "JSON is always UTC" "$(TZ=Asia/Kathmandu viewctl status slow --json)" '05:45'
ok "what is printed can be given back" viewctl wait app:above --newer-than "$(viewctl history app:above | awk 'NR == 2 {print $1, $2}')" --timeout 10s

# ---- --watch ----
tty status --watch >"$T/watch" &
watcher=$!
frames() { grep -o $'\x1b\[H' "$T/watch" | wc -l; }
ok "the first frame" wait_until '[ "$(frames)" -ge 1 ]'
before=$(frames)
viewctl pause slow >/dev/null
ok "a change is another frame" wait_until "grep -q PAUSED '$T/watch'"
viewctl resume slow >/dev/null
ok "... over the old one" test "$(frames)" -gt "$before"
is "the screen is cleared once" "$(grep -o $'\x1b\[2J' "$T/watch" | wc -l)" 1
unlike "what was there before can be scrolled to" "$(cat "$T/watch")" $'\x1b\\[3J'
stop_process $watcher

# ---- the bar ----
tty refresh slow app:above --wait >"$T/bar.out"
is "without a terminal for it there is no bar" "$(cat "$T/tty.err")" ""
bar() { TERM=xterm script -qec "stty cols 80; $(printf '%q ' "$VIEWD_BUILD/viewctl" -s "$T/control.sock" "$@") >'$T/bar.out'" /dev/null </dev/null; }
bar refresh slow app:above --wait >"$T/bar"
like "a refresh that is waited for has a bar" "$(tr '\r' '\n' <"$T/bar")" '\[[#-]{20}\] [01] of 2, slow [0-9.]+m?s of about [0-9.]+m?s'
like "... which is wiped" "$(tail -c 4 "$T/bar" | cat -v)" '\^M\^\[\[K'
is "... and is none of the answer" "$(grep -c SUCCEEDED "$T/bar.out"; grep -c about "$T/bar.out")" "2
0"
ok "dropped" viewctl drop slow
bar create slow >"$T/bar"
like "so has a creation" "$(tr '\r' '\n' <"$T/bar")" '\] 0 of 1'
is "JSON has none" "$(bar refresh slow --wait --json)" ""
finish
