#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl plan, with -c or asked of the daemon: a definition that the engine cannot compute is told with the engine's own words, and is
# never "create" or "replace". One whose only trouble is a view of the same plan is.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

plan()
{
	"$VIEWD_BUILD/viewctl" --json plan -c "$T/viewd.conf" >"$T/plan.json"
}
plan_of_daemon()
{
	viewctl --json plan >"$T/plan.json"
}
plan_of_reload()
{
	viewctl --json plan --reload >"$T/plan.json"
}
# planned VIEW: its change, the class of its error, and the message.
planned()
{
	jq -r --arg v "$1" '.items[] | select(.view == $v) | "\(.change) \(.error.class) \(.error.message)"' "$T/plan.json"
}
# view NAME DEFINITION [LINE...]: a section.
view()
{
	printf '\n[view %s]\nmethod = table\ndefinition = %s\n' "$1" "$2"
	[ $# -le 2 ] || printf '%s\n' "${@:3}"
}
objects()
{
	case $engine in
	postgresql) sql "SELECT oid, relname FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_' ORDER BY 1; SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1" ;;
	mariadb) sql "SHOW FULL TABLES" ;;
	sqlite) sql "SELECT type, name, sql FROM sqlite_master ORDER BY 1, 2" ;;
	esac
}

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, t varchar(10)); INSERT INTO src VALUES (1, 'a'), (2, 'b')"
objects >"$T/before"

# ---- what can be computed ----
good()
{
	echo '[view-defaults]'
	echo 'database = shop'
	view above 'SELECT n + 1 AS n FROM middle'
	view middle 'SELECT n FROM base'
	view base "${1:-SELECT n, t FROM src}" "unique_key = n"
}
good | conf_database shop
ok "a plan of views that read each other" plan
is "... all are made" "$(planned base), $(planned middle), $(planned above)" "create null null, create null null, create null null"
like "... each after what it reads" "$(jq -r '.items[] | select(.view == "above").reason' "$T/plan.json")" "'middle', which it reads, comes before it"

# ---- what cannot ----
{
	good
	view syntax 'SELECT n FRM src'
	view column 'SELECT nowhere FROM src'
	view absent 'SELECT n FROM nosuch'
	view key 'SELECT n FROM src' 'unique_key = t'
	view declared 'SELECT n FROM src' 'columns = n, other'
	view twice 'SELECT n, n FROM src'
	view likeview 'SELECT middle FROM src'
	view half 'SELECT m.n FROM middle m JOIN nosuch x ON x.n = m.n'
	view likecall 'SELECT middle(n) AS n FROM src'
	view onbad 'SELECT n FROM syntax'
	view ring 'SELECT n FROM ringed'
	view ringed 'SELECT n FROM ring'
} | conf_database shop
plan
is "definitions that cannot be computed: exit status 1" $? 1
is "... as JSON" "$(jq .ok "$T/plan.json")" false
like "bad syntax" "$(planned syntax)" "^null query .*syntax"
like "no such column" "$(planned column)" "^null (query|missing) .*nowhere"
like "no such column, of the name of a view of the plan" "$(planned likeview)" "^null (query|missing) .*middle"
like "no such function, of that name" "$(planned likecall)" "^null (query|missing) .*middle"
[ $engine != postgresql ] || like "one that is made, one that is not" "$(planned half)" "^null missing "
like "no such table" "$(planned absent)" "^null missing .*nosuch"
like "a key that is no column" "$(planned key)" "^null config .*unique_key column 't'"
like "other columns than declared" "$(planned declared)" "^null config .*missing: other"
like "two columns of a name" "$(planned twice)" "^null (config|query|exists) "
like "what reads one of them" "$(planned onbad)" "^null missing .*syntax"
like "views that read each other in a ring" "$(planned ring) $(planned ringed)" "^null missing .*ringed.* null missing .*ring"
is "the others are as before" "$(planned base), $(planned middle), $(planned above)" "create null null, create null null, create null null"
like "for people" "$("$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" absent 2>&1)" "absent +shop +FAILED"
exits "... exit status 1" 1 "$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" absent
exits "... and 0 of one that is good" 0 "$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" base
is "nothing has been made" "$(objects)" "$(cat "$T/before")"

# ---- the same asked of the daemon ----
start_viewd
ok "what can be made is made, the rest fails" wait_until "viewctl --json status | jq -se '.[0] | length == 15 and all(.[]; .result == \"SUCCEEDED\" or .state == \"FAILED\")'"
exits "a plan of the daemon: exit status 1" 1 plan_of_daemon
is "... as JSON" "$(jq .ok "$T/plan.json")" false
like "bad syntax, asked of the daemon" "$(planned syntax)" "^null query .*syntax"
like "... no such column" "$(planned column)" "^null (query|missing) .*nowhere"
like "... no such column, of the name of a view of the plan" "$(planned likeview)" "^null (query|missing) .*middle"
like "... no such table" "$(planned absent)" "^null missing .*nosuch"
like "... a key that is no column" "$(planned key)" "^null config .*unique_key column 't'"
like "... other columns than declared" "$(planned declared)" "^null config .*missing: other"
like "... what reads one of them" "$(planned onbad)" "^null missing .*syntax"
like "... views that read each other in a ring" "$(planned ring) $(planned ringed)" "^null missing .*ringed.* null missing .*ring"
is "... the others are as configured" "$(planned base), $(planned middle), $(planned above)" "nothing null null, nothing null null, nothing null null"
like "... for people" "$(viewctl plan absent)" "absent +shop +FAILED"
exits "... exit status 0 of one that is good" 0 viewctl plan base
ok "the good ones are dropped" viewctl drop above middle base
exits "... and planned anew" 1 plan_of_daemon
is "... to be made" "$(planned base), $(planned middle), $(planned above)" "create null null, create null null, create null null"
like "... each after what it reads" "$(jq -r '.items[] | select(.view == "above").reason' "$T/plan.json")" "'middle', which it reads, comes before it"
exits "... alone it cannot be made" 1 viewctl plan above
stop_viewd

# ---- where viewd has been ----
good | conf_database shop
start_viewd
ok "the views are made" wait_until "viewctl --json status | jq -se '.[0] | length == 3 and all(.[]; .result == \"SUCCEEDED\")'"
good 'SELECT n, t, nowhere FROM src' 'unique_key = n' | conf_database shop
view added 'SELECT n + 1 AS n FROM above' >>"$T/viewd.conf"
view onadded 'SELECT n FROM added' >>"$T/viewd.conf"
exits "a plan of a reload that cannot be computed" 1 plan_of_reload
like "... says so, in the engine's words" "$(planned base)" "^null (query|missing) .*nowhere"
is "... and what can be made" "$(planned added), $(planned onadded)" "create null null, create null null"
like "... each after what it reads" "$(jq -r '.items[] | select(.view == "onadded").reason' "$T/plan.json")" "'added', which it reads, comes before it"
is "... of nothing else" "$(jq -r '.items[].view' "$T/plan.json" | sort | xargs)" "added base onadded"
like "... for people" "$(viewctl plan --reload)" "base +shop +FAILED"
is "... nothing is in force" "$(viewctl --json status | jq length) $(viewctl --json plan | jq -r '.ok')" "3 true"
printf '\n[database away]\nurl = %s\n' "$(pick "postgresql://viewd@/nowhere?host=$T" "mariadb://viewd@/shop?unix_socket=$T/nowhere" "sqlite:///$T/nowhere/shop.db")" >>"$T/viewd.conf"
view far 'SELECT 1 AS n' 'database = away' >>"$T/viewd.conf"
exits "a plan of a reload with a database that is away" 1 plan_of_reload
like "... says it of its view" "$(planned far)" "^null (connect|auth|missing) "
is "... and the rest of others" "$(planned added)" "create null null"
stop_viewd
good | conf_database shop
ok "nothing is left to do" plan
is "... for all" "$(planned base), $(planned above)" "nothing null null, nothing null null"
good 'SELECT n, t, nowhere FROM src' | conf_database shop
exits "another definition that cannot be computed" 1 plan
like "... is not replace" "$(planned base)" "^null (query|missing) .*nowhere"
is "... and what reads the view stays as it is" "$(planned middle)" "nothing null null"
good 'SELECT n, t, n AS m FROM src' | conf_database shop
ok "one that can" plan
is "... is" "$(planned base)" "replace null null"
sql "$(pick 'ALTER TABLE src RENAME TO away' 'RENAME TABLE src TO away' 'PRAGMA legacy_alter_table = on; ALTER TABLE src RENAME TO away')" >/dev/null
exits "a source that is gone" 1 plan
like "... is told" "$(planned base)" "^null missing .*src"

# ---- another schema, which is another database on MariaDB ----
if [ $engine != sqlite ]; then
	case $engine in
	postgresql) sql "CREATE SCHEMA other" ;;
	mariadb) mariadb_user=root sql_mariadb "CREATE DATABASE other; GRANT ALL ON other.* TO viewd@localhost" ;;
	esac
	sql "$(pick 'ALTER TABLE away RENAME TO src' 'RENAME TABLE away TO src' '')"
	{
		good
		view stock 'SELECT n FROM src' 'relation = other.stock'
		view there 'SELECT n FROM other.stock'
		view here "SELECT n FROM $(pick public.stock stock '')"
		view bare 'SELECT n FROM stock'
	} >"$T/stock"
	conf_database shop <"$T/stock"
	exits "a table that the plan makes in another schema" 1 plan
	is "... is there for who means that one" "$(planned there)" "create null null"
	like "... and for nobody else" "$(planned here)" "^null missing .*stock"
	like "... who names no schema is nobody else" "$(planned bare)" "^null missing .*stock"
	start_viewd
	ok "what can be made is made" wait_until "viewctl --json status there | jq -e '.[0].result == \"SUCCEEDED\"'"
	ok "... and dropped" viewctl drop there stock
	exits "a plan of the daemon" 1 plan_of_daemon
	is "... names a schema for who means it" "$(planned there)" "create null null"
	like "... and a name without one" "$(planned bare)" "^null missing .*stock"
	stop_viewd
fi
if [ $engine = postgresql ]; then
	{ echo 'search_path = public, other' && cat "$T/stock"; } | conf_database shop
	plan
	is "a name without a schema, which search_path leads to the other one" "$(planned bare)" "create null null"
	like "... and not where another schema is written" "$(planned here)" "^null missing .*stock"
fi

# ---- very many views ----
if [ $engine = sqlite ]; then
	{
		good 'SELECT n, t FROM src'
		for ((i = 0; i < 60000; i++)); do printf '\n[view v%s]\ndatabase = shop\ndefinition = SELECT 1 AS n\n' "$i"; done
	} | conf_database shop
	"$VIEWD_BUILD/viewctl" --json plan -c "$T/viewd.conf" v59999 >"$T/plan.json"
	is "one view of 60,000" "$? $(jq '.items | length' "$T/plan.json") $(planned v59999)" "0 1 create null null"
fi
finish
