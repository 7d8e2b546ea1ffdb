#!/bin/bash
# SPDX-License-Identifier: MIT
# sanitizers: yes
# Configuration files that lose data silently elsewhere: each is refused with file, line, section and key.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

check()
{
	timeout 10 "$VIEWD_BUILD/viewd" -c "$T/bad.conf" --check 2>&1
}
# write: stdin behind a good beginning.
write()
{
	{
		printf '[viewd]\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\n' \
			"$T/control.sock" "$VIEWD_BUILD/.libs" "$T"
		printf '[database shop]\nurl = sqlite:///x.db\n'
		cat
	} >"$T/bad.conf"
}
# bad NAME REGEX: stdin behind a good beginning of six lines is refused, with a message like REGEX.
bad()
{
	write
	refused "$1" "$2"
}
refused()
{
	local out status
	out=$(check)
	status=$?
	is "$1: refused" $status 78 || comment "$out"
	like "... and explained" "$out" "$2"
}
# good NAME: stdin behind the same beginning is fine.
good()
{
	write
	ok "$1" check
}
letters()
{
	printf "%*s" "$1" '' | tr ' ' x
}
view="[view v]
database = shop
definition = SELECT 1 AS x"

good "a good file" <<<"$view"
bad "a line that is too long" 'bad.conf:10:.*(long|bytes)' <<<"$view
description = $(letters 1100)"
bad "a line continued by a backslash" 'bad.conf:10:.*backslash' <<<"$view
description = one \\
two"
bad "capture = binlog where the engine has no such thing" \
	"bad.conf:12: \\[view v\\] capture: .*cannot notice changes by binlog; capture = trigger, poll, auto or none" <<<"$view
method = table
on_change = yes
capture = binlog"
for mode in trigger poll auto none; do
	good "capture = $mode" <<<"$view
method = table
on_change = yes
capture = $mode
every = 1h"
done
bad "a value cut at ;" 'bad.conf:9:([0-9]+:)? \[view v\] definition.*;' <<<'[view v]
database = shop
definition = SELECT 1; SELECT 2'
bad "a value cut at #" 'bad.conf:9:([0-9]+:)? \[view v\] definition.*#' <<<'[view v]
database = shop
definition = SELECT a#>b FROM t'
bad "text behind a closing quote" 'bad.conf:9:([0-9]+:)? \[view v\] definition' <<<'[view v]
database = shop
definition = "SELECT 1" FROM t'
bad "an escaped quote" 'bad.conf:9:([0-9]+:)? \[view v\] definition' <<<'[view v]
database = shop
definition = "SELECT \"Foo\""'
bad "a key twice" 'bad.conf:10:([0-9]+:)? \[view v\] database' <<<"$view
database = shop"
bad "a section twice" 'bad.conf:10:([0-9]+:)? \[view v\]' <<<"$view
[view v]
description = again"
bad "a colon in a section name" 'bad.conf:10:.*:' <<<"$view
[view a:b]
database = shop"
bad "a key before any section" 'bad.conf:[0-9]+:' <<<"$view
[ ]
x = 1"
for value in tomato never 2 ''; do
	bad "a switch that says '$value'" 'bad.conf:10:([0-9]+:)? \[view v\] adopt' <<<"$view
adopt = $value"
done
for value in 010x 10x 99999999999 -1 1.5; do
	bad "a number that says '$value'" 'bad.conf:10:([0-9]+:)? \[view v\] max_retries' <<<"$view
max_retries = $value"
done
for value in soon 5 '5 parsecs' 99999999d -5s; do
	bad "a duration that says '$value'" 'bad.conf:10:([0-9]+:)? \[view v\] every' <<<"$view
every = $value"
done
bad "an unknown key" 'bad.conf:10:([0-9]+:)? \[view v\] evry.*every' <<<"$view
evry = 5m"
bad "an unknown section" 'bad.conf:10:.*\[vew w\]' <<<"$view
[vew w]
database = shop"
bad "a section without its end" 'bad.conf:10:' <<<"$view
[view w
database = shop"
bad "text behind a section" 'bad.conf:10:' <<<"$view
[view w] here
database = shop"
bad "no database" 'bad.conf:7:([0-9]+:)? \[view v\].*database' <<<'[view v]
definition = SELECT 1 AS x'
bad "an unknown database" 'bad.conf:8:([0-9]+:)? \[view v\] database.*shop' <<<'[view v]
database = shpo
definition = SELECT 1 AS x'
bad "no definition" 'bad.conf:7:([0-9]+:)? \[view v\]' <<<'[view v]
database = shop'
bad "a definition file that is not there" 'bad.conf:9:([0-9]+:)? \[view v\] definition_file.*missing.sql' <<<'[view v]
database = shop
definition_file = missing.sql'
bad "a name that is too long" 'bad.conf:7:' <<<"[view $(letters 200)]
database = shop
definition = SELECT 1 AS x"
bad "a time that there is not" 'bad.conf:10:([0-9]+:)? \[view v\] cron' <<<"$view
cron = 99 * * * *"
bad "an unknown scheme" 'bad.conf:11:([0-9]+:)? \[database d\] url' <<<"$view
[database d]
url = oracle://x"
bad "a control character" 'bad.conf:10:' <<<"$view
description = a$(printf '\001')b"
bad "text that is not UTF-8" 'bad.conf:10:' <<<"$view
description = $(printf '\377\376')"
bad "several problems at once: the first" 'bad.conf:10:([0-9]+:)? \[view v\] every' <<<"$view
every = soon
adopt = tomato"
like "... and the second" "$(check)" 'bad.conf:11:([0-9]+:)? \[view v\] adopt'

# ---- includes: the setting that names the file is to blame ----
for file in gone.conf alone.d; do
	mkdir -p "$T/alone.d"
	write <<<"$view"
	sed -i "1a include = $file" "$T/bad.conf"
	refused "include = $file" "bad.conf:2:([0-9]+:)? \\[viewd\\] include: .*/$file: (file cannot be opened|is a directory)"
done

# ---- dialects: what is known of them comes from those that are installed ----
built()
{
	[ -e "$VIEWD_BUILD/.libs/viewd_$1.so" ]
}
bad "a scheme with a slip" \
	'\[database d\] url: .*viewd_sqllite.so cannot be used: it is not there; .*sqlite; did you mean sqlite' <<<"$view
[database d]
url = sqllite:///y.db"
bad "a URL without a scheme" \
	'\[database d\] url: the URL has no scheme; write .*sqlite:///relative.db or sqlite:////absolute.db' <<<"$view
[database d]
url = y.db"
bad "a definition for a dialect with a slip" 'bad.conf:10: \[view v\] definition_\*: .*did you mean sqlite' <<<"$view
definition_sqllite = SELECT 2 AS x"
if built mysql; then
	good "mariadb:// is mysql://" <<<"$view
[database d]
url = mariadb://h/x"
	like "render for the dialect of that scheme" "$(viewctl render create v --dialect mariadb -c "$T/bad.conf")" '`v`'
fi
if built postgresql; then
	good "postgres:// is postgresql://, and has its keys" <<<"$view
[database d]
url = postgres://h/x
search_path = a, b"
	bad "a key of another dialect" \
		'bad.conf:11: \[database d\] search_path: the key belongs to dialect postgresql, .* says sqlite' <<<"$view
[database d]
search_path = a
url = sqlite:///y.db"
fi
mkdir "$T/alone" && cp "$VIEWD_BUILD/.libs/viewd_sqlite.so" "$T/alone/"
chmod 755 "$T/alone" "$T/alone/viewd_sqlite.so"
alone()
{
	sed -i "s@^plugin_dir = .*@plugin_dir = $T/alone@" "$T/bad.conf"
	check
}
good "a definition for another dialect" <<<"$view
definition_postgresql = SELECT 2 AS x"
like "... is told where that is not installed, and the file loads" "$(alone)" \
	"bad.conf:10: \\[view v\\] definition_\\*: no dialect 'postgresql' is installed here, .*: sqlite\$"
like "... with a warning only" "$(alone)" '1 views on 1 databases, no errors'
sed -i 's/^definition_postgresql.*/search_path = a/; s/^url = .*/&\nsearch_path = a/' "$T/bad.conf"
like "a key of a dialect that is not installed" "$(alone)" '\[database shop\] search_path: unknown key'
sed -i '/^search_path/d' "$T/bad.conf"
like "render tells what is installed" "$(viewctl render create v --dialect sqlit -c "$T/bad.conf" 2>&1 | tr '\n' ' ')" \
	'viewd_sqlit.so cannot be used: it is not there; the dialects installed are: sqlite.*did you mean sqlite'

# Whole files.
printf '\357\273\277%s\n' "$(cat "$T/bad.conf")" >"$T/bom" && mv "$T/bom" "$T/bad.conf"
refused "a byte order mark" 'bad.conf:1:.*(byte order|BOM)'
printf '[viewd]\nlog_level = in\0fo\n' >"$T/bad.conf"
refused "a NUL byte" 'bad.conf:2:'
head -c 5000 "$VIEWD_BUILD/.libs/viewd_sqlite.so" >"$T/bad.conf"
refused "a program" 'bad.conf:1:[0-9]+: .*(NUL|control character|UTF-8)'
printf '[viewd]\r\nlog_level = info\r\n' >"$T/bad.conf"
like "CR LF: accepted or explained" "$(check)" 'no errors|bad.conf:1:'
rm "$T/bad.conf"
refused "a missing file" 'bad.conf.*No such file'
mkdir "$T/bad.conf"
refused "a directory" 'bad.conf.*(directory|regular)'
rmdir "$T/bad.conf"
mkfifo "$T/bad.conf"
refused "a FIFO does not hang" 'bad.conf.*regular'
rm "$T/bad.conf"
ln -s bad.conf "$T/bad.conf"
refused "a loop of links" 'bad.conf'
rm "$T/bad.conf"
finish
