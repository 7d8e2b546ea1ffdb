#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl graph --format svg draws a picture where graphviz is installed, and names the package where it is not.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
command -v sqlite3 >/dev/null || skip_all "no sqlite3"

sql_sqlite "$T/app.db" 'CREATE TABLE src (n integer PRIMARY KEY)'
sql_sqlite "$T/other.db" 'CREATE TABLE src (n integer PRIMARY KEY)'
conf <<-END
	[database app]
	url = sqlite:///$T/app.db

	[database other]
	url = sqlite:///$T/other.db

	[view a]
	database = app, other
	method = table
	definition = SELECT n FROM src
	on_change = yes

	[view b]
	database = app
	method = table
	definition = SELECT n FROM a

	[view lost]
	database = app
	method = table
	definition = SELECT nothing FROM src
END
start_viewd
ok "the views are there" wait_until "is_fresh b && is_fresh app:a && is_fresh other:a && field_is lost state FAILED"

# ---- without graphviz ----
mkdir "$T/empty"
without() { PATH=$T/empty viewctl "$@" 2>&1; }
fails "without dot there is no picture" without graph --format svg
like "... and the package is named" "$(without graph --format svg)" "package graphviz"
ok "... the text for it is there" without graph --format dot

# ---- a dot that is not one ----
mkdir "$T/bin"
printf '#!/bin/sh\ncat >"%s/given"\nprintf "%%s\\n" "$#" "$@"\n' "$T" >"$T/bin/dot"
chmod +x "$T/bin/dot"
is "dot gets its words without a shell" "$(PATH=$T/bin:$PATH viewctl graph --format svg)" "1
-Tsvg"
is "... and the text of the graph" "$(cat "$T/given")" "$(viewctl graph --format dot)"
printf '#!/bin/sh\necho half; exit 3\n' >"$T/bin/dot"
PATH=$T/bin:$PATH exits "a dot that fails is told" 1 viewctl graph --format svg
is "... without half a picture" "$(PATH=$T/bin:$PATH viewctl graph --format svg 2>"$T/err")" ""
like "... by its status" "$(cat "$T/err")" "dot ended with status 3"

# ---- the text ----
viewctl graph --format dot >"$T/dot"
# cluster LABEL: what stands in the cluster
cluster() { awk -v l="    label=\"$1\";" '/subgraph/ {on = 0} $0 == l {on = 1} /^  }/ {on = 0} on' "$T/dot"; }
like "a source stands in its database's cluster" "$(cluster app)" '"app/src" \[label="src"\]'
like "... in each of them" "$(cluster other)" '"other/src" \[label="src"\]'
is "... once" "$(grep -c '"app/src" \[' "$T/dot")" 1
like "what is fresh is green" "$(cluster app)" '"app:a" \[[^]]*#d4edda[^]]*FRESH'
like "what has failed is red" "$(cluster app)" '"lost" \[[^]]*#f8d7da[^]]*FAILED'
viewctl pause b >"$T/pause.out"
like "what is paused is grey" "$(viewctl graph --format dot)" '"b" \[[^]]*#e2e3e5[^]]*PAUSED'

# ---- the picture ----
if command -v dot >/dev/null; then
	ok "a picture is drawn" eval 'viewctl graph --format svg >"$T/graph.svg"'
	like "... as SVG" "$(cat "$T/graph.svg")" "<svg "
	like "... with the views" "$(cat "$T/graph.svg")" ">app:a</text>"
	like "... their states" "$(cat "$T/graph.svg")" ">FAILED</text>"
	like "... and colours" "$(cat "$T/graph.svg")" "#f8d7da"
	is "with --json there is none" "$(viewctl --json graph --format svg | jq -r '.views[0].freshness')" FRESH
fi
finish
