#!/bin/bash
# SPDX-License-Identifier: MIT
# Names, errors and definitions that hold control characters: none reaches a terminal as it is, and programs that read
# SQL from viewctl get every byte.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
command -v sqlite3 >/dev/null || skip_all "no sqlite3"
command -v script >/dev/null || skip_all "no script"

# ESC, a CSI of C1, DEL, a bell, a newline.
evil=$'e\e[31mv\u009b2Ji\x7f\a\nl'
sql_sqlite "$T/app.db" "CREATE TABLE \"$evil\" (\"$evil\" integer); INSERT INTO \"$evil\" VALUES (1);
	CREATE VIEW innocent AS SELECT \"$evil\" AS n FROM \"$evil\"; CREATE VIEW \"v$evil\" AS SELECT 1 AS n; CREATE TABLE gone_soon (n integer)"
printf 'SELECT "%s" AS n, %s AS t FROM "%s"' "$evil" "'$evil'" "$evil" >"$T/evil.sql"
conf <<-END
	[database app]
	url = sqlite:///$T/app.db

	[view evil]
	database = app
	method = table
	definition_file = $T/evil.sql

	[view reader]
	database = app
	method = table
	definition = SELECT n FROM innocent

	[view broken]
	database = app
	method = table
	definition_file = $T/broken.sql
END
printf 'SELECT n FROM "no %s"' "$evil" >"$T/broken.sql"
start_viewd
ok "the views are there" wait_until "field_is evil result SUCCEEDED && field_is reader result SUCCEEDED && field_is broken state FAILED"

# tty ARGUMENT...: what viewctl writes to a terminal, its complaints as well; without colours of its own.
tty()
{
	NO_COLOR=1 TERM=xterm script -qec "stty cols 80 rows 24 -opost; $(printf '%q ' "$VIEWD_BUILD/viewctl" -s "$T/control.sock" "$@")" /dev/null </dev/null
}
# The control characters of stdin but newline and tab, spelled.
controls()
{
	LC_ALL=C grep -aoP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' | LC_ALL=C od -An -tx1
}
while read -r words; do
	# shellcheck disable=SC2086 # words of a command line
	tty $words >"$T/out"
	ok "viewctl $words: says something" test -s "$T/out"
	is "... and steers no terminal" "$(controls <"$T/out")" ""
done <<-END
	status
	status evil
	show evil
	show broken
	why evil
	why broken
	explain evil
	history
	graph
	graph --format dot
	graph --format mermaid
	$(! command -v dot >/dev/null || echo graph --format svg)
	render create evil
	render create evil -c $T/viewd.conf
	plan
	plan -c $T/viewd.conf
	doctor -c $T/viewd.conf
	list
	import sqlite:///$T/app.db -c $T/viewd.conf
	check -c $T/viewd.conf
	refresh broken --wait
	create broken
	verify evil
	uninstall app --print
	show evil --json
	why broken --json
	render create evil --json
	import sqlite:///$T/app.db -c $T/viewd.conf --json
END

# ---- what programs read ----
viewctl render create evil >"$T/rendered.sql"
ok "a program gets the bytes" grep -qF $'e\e[31mv\u009b2Ji\x7f\a' "$T/rendered.sql"
sql_sqlite "$T/copy.db" "CREATE TABLE \"$evil\" (\"$evil\" integer); INSERT INTO \"$evil\" VALUES (7)"
ok "... which an engine runs" eval 'sqlite3 "$T/copy.db" <"$T/rendered.sql"'
is "... as it is meant" "$(sqlite3 "$T/copy.db" 'SELECT n, t FROM evil')" "7|$evil"
is "JSON has them as well" "$(viewctl --json render create evil | jq -r '[.statements[] | select(contains($name))] | length > 0' --arg name "$evil")" true
like "a name with a newline is one line of import's comments" "$(viewctl import "sqlite:///$T/app.db" -c "$T/viewd.conf")" '^; ve.*l is left out: no line of a configuration can hold its name'
is "names that differ in such characters are two in a graph" \
	"$(viewctl graph --format dot | grep -c '"app/e\\\\x1b.31mv\\\\x9b2Ji\\\\x7f\\\\x07\\\\x0al" \[label')" 1
finish
