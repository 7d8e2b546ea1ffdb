#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl adopt: what somebody else has put in the place of a view's object is kept, until the file says the same; never a table.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

before="SELECT grp, count(*) AS n FROM src GROUP BY grp"
after="SELECT other.grp, count(*) AS n, max(other.val) AS top FROM other GROUP BY other.grp"
method=$(pick materialized simple simple)
object=$(pick 'MATERIALIZED VIEW' VIEW VIEW)
views()
{
	conf_database shop <<-END
		[view-defaults]
		database = shop
		on_change = yes
		debounce = 0ms

		[view v]
		method = $method
		on_change = $(pick yes no no)
		adopt = yes
		definition = $1

		[view above]
		method = table
		definition = SELECT sum(n) AS total FROM v

		[view t]
		method = table
		definition = SELECT sum(val) AS total FROM src
	END
}
total_is()
{
	[ "$(sql "SELECT total FROM above")" = "$1" ]
}

start_engine
sql "CREATE TABLE src (id integer PRIMARY KEY, grp integer, val integer); INSERT INTO src VALUES (1, 1, 1), (2, 1, 2);
	CREATE TABLE other (id integer PRIMARY KEY, grp integer, val integer); INSERT INTO other VALUES (1, 5, 7)"
views "$before"
start_viewd
ok "the views are there" wait_until field_is v state ACTIVE
ok "... and what reads them" wait_until total_is 2
like "what is viewd's own needs no adoption" "$(viewctl adopt v)" "nothing to adopt"

sql "DROP $object v$(pick ' CASCADE' '' ''); CREATE $object v AS $after; DROP TABLE t; CREATE TABLE t (total integer); INSERT INTO t VALUES (42)"
stop_viewd
start_viewd
ok "replaced by somebody else: told" wait_until field_is v state FAILED
like "... with one way out" "$(field v error.hint)$(viewctl why v)" "viewctl create (VIEW )?--replace"
like "... and the other" "$(viewctl plan 2>&1)$(viewctl why v)$(cat "$T/viewd.log")" "viewctl adopt VIEW"
unlike "... not the key that is set" "$(viewctl why v)" "set adopt"
ok "a table in the place of another" wait_until field_is t state FAILED
fails "... is never adopted" viewctl adopt t
is "... and stays" "$(sql "SELECT total FROM t")" 42

ok "adopted" "viewctl adopt v >$T/adopt.out"
like "the definition is printed" "$(cat "$T/adopt.out")" "definition"
like "... it is what is there" "$(cat "$T/adopt.out" | tr -d '\n')" "top"
is "kept: ACTIVE" "$(field v state)" ACTIVE
is "kept: as it was made" "$(sql "SELECT top FROM v")" 7
like "why says so" "$(viewctl why v)" "kept as somebody else has made it"
like "plan says so" "$(viewctl plan)" "kept as somebody else has made it"
ok "verify compares with what it is made from" viewctl verify v
sql "INSERT INTO other VALUES (2, 5, 70), (3, 5, 1)"
if [ "$engine" = postgresql ]; then
	sql_expected=70 ok "what the new definition reads is followed" "sql_expected=70 wait_until rows_read 'SELECT top FROM v'"
	ok "... it is fresh" viewctl wait v --timeout 30s
	viewctl create above >/dev/null
fi
ok "what reads it follows" wait_until total_is 3
stop_viewd
start_viewd
ok "kept over a restart" wait_until field_is v state ACTIVE
is "... as it was made" "$(sql "SELECT top FROM v")" 70
ok "... and why still says so" wait_until "viewctl why v | grep -q 'kept as somebody else has made it'"
ok "... again: nothing happens" viewctl adopt v

views "$after"
ok "the file follows" viewctl reload
ok "it counts as made from the file" wait_until "! viewctl why v | grep -q 'kept as somebody'"
is "... ACTIVE" "$(field v state)" ACTIVE
is "... the rows are there" "$(sql "SELECT top FROM v")" 70
views "$before"
ok "the file changes" viewctl reload
ok "... and that is what the file's changes are" wait_until "! sql 'SELECT top FROM v' 2>/dev/null"

sql "DROP $object v$(pick ' CASCADE' '' ''); CREATE $object v AS $after"
viewctl adopt v >"$T/adopt.out"
ok "create --replace puts back what the file says" viewctl create v --replace
fails "... it is there" sql "SELECT top FROM v"
finish
