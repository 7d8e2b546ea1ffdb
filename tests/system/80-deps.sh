#!/bin/bash
# SPDX-License-Identifier: MIT
# Views over views: order, each once, an error upstream, cycles, and dependencies across databases.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src VALUES (1, 1)"
other=$T/other.db
sql_sqlite "$other" "CREATE TABLE local_src AS SELECT 1 AS x"

# A diamond over a chain, written in the wrong order: a -> b, c -> d -> e.
diamond()
{
	cat <<-'END_CONF'
		[view-defaults]
		database = shop
		method = table

		[view e]
		definition = SELECT n, gen FROM d

		[view d]
		definition = SELECT b.n, b.gen + c.gen AS gen FROM b JOIN c ON b.n = c.n

		[view c]
		definition = SELECT n, gen FROM a

		[view b]
		definition = SELECT n, gen FROM a

		[view a]
		definition = SELECT n, gen FROM src
	END_CONF
}
runs()
{
	viewctl --json history "$1" --limit 1000 | jq "[.. | objects | select(has(\"trigger\"))] | length"
}
diamond | conf_database shop
start_viewd
ok "five views appear, whatever order they are written in" \
	wait_until "is_fresh a && is_fresh b && is_fresh c && is_fresh d && is_fresh e"
rows_are "the end of the chain is right" "SELECT n, gen FROM e" "1|2"
like "the graph knows who reads whom" "$(viewctl graph --format dot)" '"?shop:a"? *-> *"?shop:b"?|a.*->.*b'
is "upstream of d" "$(viewctl --json status d | jq -r '.[0].upstream | map(sub("^shop:"; "")) | sort | join(" ")')" "b c"
is "downstream of a" "$(viewctl --json status a | jq -r '.[0].downstream | map(sub("^shop:"; "")) | sort | join(" ")')" "b c"

sql "UPDATE src SET gen = 5"
before=$(runs d)
ok "refresh a with everything downstream" viewctl refresh a --downstream --wait
rows_are "the change is at the end" "SELECT n, gen FROM e" "1|10"
is "d ran once" $(($(runs d) - before)) 1

sql "UPDATE src SET gen = 6"
before=$(runs d)
ok "refresh e with everything upstream" viewctl refresh e --upstream --wait
rows_are "the change is at the end again" "SELECT n, gen FROM e" "1|12"
is "d ran once again" $(($(runs d) - before)) 1

sql "UPDATE src SET gen = 7"
before=$(runs d)
ok "refresh all" viewctl refresh --all --wait
rows_are "in order" "SELECT n, gen FROM e" "1|14"
is "d ran once for all" $(($(runs d) - before)) 1

# ---- a failure upstream ----
if [ $engine = postgresql ]; then
	# Names are resolved once there, so a rename would change nothing; a division by zero does.
	diamond | sed 's/definition = SELECT n, gen FROM src/definition = SELECT n, 7 \/ (gen - 8) + 14 AS gen FROM src/' | conf_database shop
	viewctl reload >/dev/null && viewctl create --all >/dev/null
	rows_are "a definition that can fail" "SELECT n, gen FROM e" "1|14"
	sql "UPDATE src SET gen = 8"
else
	sql "ALTER TABLE src RENAME TO gone"
fi
exits "a source is broken: refresh fails" 1 viewctl refresh a --downstream --wait
is "a is FAILED" "$(field a result)" FAILED
is "b is not tried" "$(field b result)" UPSTREAM_FAILED
is "nor is e" "$(field e result)" UPSTREAM_FAILED
rows_are "readers keep the last good contents" "SELECT n, gen FROM e" "1|14"
[ $engine = postgresql ] || sql "ALTER TABLE gone RENAME TO src"
sql "UPDATE src SET gen = 9"
ok "mended: everything goes on" viewctl refresh a --downstream --wait
rows_are "and is right" "SELECT n, gen > 14 FROM e" "1|$(pick t 1 1)"

# ---- cycles ----
printf '[view x]\ndatabase = shop\ndepends_on = y\ndefinition = SELECT 1 AS n\n[view y]\ndatabase = shop\ndepends_on = z\n%s\n' \
	"definition = SELECT 1 AS n
[view z]
database = shop
depends_on = x
definition = SELECT 1 AS n" | conf_database shop "$T/cycle.conf"
exits "a cycle is refused" 78 "$VIEWD_BUILD/viewd" -c "$T/cycle.conf" --check
like "... and printed" "$("$VIEWD_BUILD/viewd" -c "$T/cycle.conf" --check 2>&1)" '(x.*y.*z|y.*z.*x|z.*x.*y)'
printf '[view x]\ndatabase = shop\ndepends_on = nowhere\ndefinition = SELECT 1 AS n\n' | conf_database shop "$T/unknown.conf"
exits "an unknown dependency is refused" 78 "$VIEWD_BUILD/viewd" -c "$T/unknown.conf" --check
like "... by name" "$("$VIEWD_BUILD/viewd" -c "$T/unknown.conf" --check 2>&1)" 'nowhere'

# ---- across databases ----
cp "$T/viewd.conf" "$T/same.conf"
cat >>"$T/viewd.conf" <<-END_CONF

	[database other]
	url = sqlite:///$other

	[view far]
	database = other
	depends_on = shop:e
	definition = SELECT x FROM local_src
END_CONF
ok "a view of another database is added" viewctl reload
ok "... and appears" wait_until is_fresh far
is "... with its upstream" "$(viewctl --json status far | jq -r '.[0].upstream | join(" ")')" "$(viewctl --json status far |
	jq -r '.[0].upstream[] | select(endswith("e"))')"
sql_sqlite "$other" "UPDATE local_src SET x = 2"
ok "refresh with downstream crosses over" viewctl refresh e --downstream --wait
is "... the other database is fresh" "$(sql_sqlite "$other" 'SELECT x FROM far')" 2
finish
