#!/bin/bash
# SPDX-License-Identifier: MIT
# A view's life: whose an object is, what a changed definition does, what survives a redefinition, dropped by hand, wrong columns,
# and server text that only looks different.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL, name varchar(20))"
sql "INSERT INTO src VALUES (1, 10, 'a'), (2, 20, 'b')"

# views: one [view] section after another from stdin; viewd learns of them.
views()
{
	conf_database shop
	[ -z "${viewd_pid:-}" ] || viewctl reload >"$T/reload.out" 2>&1
}
error_of()
{
	viewctl --json status "$1" | jq -r '.[0].error | "\(.class): \(.message)"'
}
read_ok()
{
	sql "$1" >/dev/null 2>&1
}

# ---- whose an object is ----
sql "CREATE TABLE taken (x integer)"
sql "INSERT INTO taken VALUES (42)"
sql "CREATE VIEW handmade AS SELECT n FROM src"
views <<-'END_CONF'
	[view taken]
	database = shop
	definition = SELECT n FROM src
	adopt = yes

	[view handmade]
	database = shop
	method = simple
	definition = SELECT n FROM src

	[view good]
	database = shop
	definition = SELECT n, gen FROM src
END_CONF
start_viewd
ok "a view of its own is made" wait_until is_fresh good
ok "a user's table of the same name: FAILED" wait_until field_is taken state FAILED
like "... and it says why" "$(error_of taken)" "^exists: .*table"
rows_are "... and it stays" "SELECT x FROM taken" 42
fails "... drop does not touch it" viewctl drop taken
rows_are "... indeed" "SELECT x FROM taken" 42
ok "a user's view without adopt: FAILED" wait_until field_is handmade state FAILED
like "... and the error names adopt" "$(viewctl status handmade 2>&1; viewctl why handmade)" "adopt"

views <<-'END_CONF'
	[view handmade]
	database = shop
	method = simple
	definition = SELECT n, gen FROM src
	adopt = yes
	[view good]
	database = shop
	definition = SELECT n, gen FROM src
END_CONF
ok "with adopt = yes it becomes ours" wait_until field_is handmade state ACTIVE
ok "... with the definition of the file" wait_until read_ok "SELECT gen FROM handmade"

# ---- a changed definition ----
change()
{
	views <<-END_CONF
		[view good]
		database = shop
		definition = SELECT n, gen, $1 AS extra FROM src
		on_configuration_change = $2
	END_CONF
}
change 1 apply
ok "apply: replaced" wait_until read_ok "SELECT extra FROM good"
change 2 continue
ok "continue: reload succeeds" wait_until is_fresh good
rows_are "... the old one goes on" "SELECT DISTINCT extra FROM good" 1
sql "UPDATE src SET gen = gen + 1"
kept=1
ok "... and is refreshed" viewctl refresh good --wait
rows_are "... as it is" "SELECT min(gen), min(extra) FROM good" "11|$kept"
change 3 fail
ok "fail: FAILED" wait_until field_is good state FAILED
rows_are "... the old one stays" "SELECT DISTINCT extra FROM good" "$kept"
change 3 apply
ok "apply again: replaced" wait_until "[ \"\$(sql 'SELECT DISTINCT extra FROM good')\" = 3 ]"
ok "... and fresh" wait_until is_fresh good

# ---- dropped by hand ----
sql "DROP $(pick 'MATERIALIZED VIEW' TABLE TABLE) good"
fails "dropped by hand: a refresh fails" viewctl refresh good --wait
is "... and it is MISSING" "$(field good state)" MISSING
ok "create makes it again" viewctl create good
rows_are "... filled" "SELECT count(*) FROM good" 2
ok "... and fresh" wait_until is_fresh good

# ---- replaced by hand ----
sql "DROP $(pick 'MATERIALIZED VIEW' TABLE TABLE) good"
sql "CREATE TABLE good (mine integer)"
sql "INSERT INTO good VALUES (99)"
fails "replaced by a user's table: a refresh fails" viewctl refresh good --wait
fails "... so does create" viewctl create good
fails "... so does drop" viewctl drop good
rows_are "... and the table is untouched" "SELECT mine FROM good" 99
sql "DROP TABLE good"
ok "gone: create makes the view again" viewctl create good

# ---- replaced by an application's migration ----
migrating()
{
	views <<-END_CONF
		[view good]
		database = shop
		definition = SELECT n, gen, 3 AS extra FROM src

		[view handmade]
		database = shop
		method = simple
		definition = SELECT n, $1 FROM src
		adopt = yes
	END_CONF
}
migrating gen
ok "an adopted view" wait_until field_is handmade state ACTIVE
sql "DROP VIEW handmade"
sql "CREATE VIEW handmade AS SELECT n, name FROM src"
fails "replaced by a migration: create does not undo it" viewctl create handmade
is "... it is FAILED" "$(field handmade state)" FAILED
stop_viewd
start_viewd
ok "... after a restart as well" wait_until field_is handmade state FAILED
ok "a migration is not undone by a restart" read_ok "SELECT name FROM handmade"
like "... and both ways out are named" "$(viewctl why handmade)" "create VIEW --replace .*viewctl adopt VIEW"
unlike "... but not what is set already" "$(error_of handmade)" "not made by viewd"
ok "put back on request" viewctl create handmade --replace
ok "... it is what the file says" read_ok "SELECT gen FROM handmade"
sql "DROP VIEW handmade"
sql "CREATE VIEW handmade AS SELECT n, name FROM src"
migrating name
ok "kept, by writing it into the file" wait_until field_is handmade state ACTIVE
ok "... it is what the migration made" read_ok "SELECT name FROM handmade"

# ---- columns ----
views <<-'END_CONF'
	[view good]
	database = shop
	definition = SELECT n, gen, 3 AS extra FROM src
	[view columns]
	database = shop
	definition = SELECT n, gen FROM src
	columns = n, other
END_CONF
ok "columns that do not match: FAILED" wait_until field_is columns state FAILED
like "... and it names the column" "$(error_of columns)" "other"
fails "... and nothing was created" read_ok "SELECT 1 FROM columns"

# ---- text ----
written=$(field good data_timestamp)
views <<-'END_CONF'
	[view good]
	database = shop
	definition = SELECT n, gen, 3 AS extra FROM src
END_CONF
stop_viewd
start_viewd
wait_until is_fresh good
unlike "an unchanged definition is not replaced at a restart" "$(sed -n '/stopping/,$p' "$T/viewd.log")" "'good', (replace|create)"
is "... nor refreshed" "$(field good data_timestamp)" "$written"

# ---- disabled ----
off_and_on()
{
	views <<-END_CONF
		[view-defaults]
		database = shop
		on_change = yes
		[view good]
		definition = SELECT n, gen, 3 AS extra FROM src
		enabled = $1
		[view above]
		definition = SELECT count(*) AS k FROM good
		[view other]
		definition = SELECT n FROM src
	END_CONF
}
told()
{
	sql "SELECT freshness FROM $(pick viewd.views viewd_views viewd_views) WHERE name = '$1'"
}
off_and_on yes
ok "three that follow" wait_until "is_fresh good && is_fresh above && is_fresh other"
is "... the database says so" "$(told good)" FRESH
off_and_on no
ok "disabled" wait_until field_is good state DISABLED
sql "INSERT INTO src VALUES (50, 50, 'z')"
ok "... the others go on" wait_until "is_fresh other && [ \"\$(sql 'SELECT max(n) FROM other')\" = 50 ]"
unlike "... it is not called fresh" "$(field good freshness)" "^FRESH$"
ok "... by the database neither" wait_until "[ \"\$(told good)\" != FRESH ]"
unlike "... nor what reads it" "$(field above freshness)" "^FRESH$"
like "... the reason names the key" "$(viewctl why good)" "enabled = no"
fails "... a refresh by hand is refused" viewctl refresh good --wait
fails "... and a wait at once, also for what reads it" viewctl wait above --timeout 1m
like "... with the reason" "$(viewctl wait above --timeout 1m 2>&1)" "view 'good' is disabled \(enabled = no\)"
ok "... --all means the others" viewctl refresh --all --wait
rows_are "... its rows stay" "SELECT count(*) FROM good WHERE n = 50" 0
stop_viewd
start_viewd
ok "... after a restart as well" wait_until field_is good state DISABLED
unlike "... and not called fresh" "$(told good)" "^FRESH$"
off_and_on yes
ok "enabled: it catches up" wait_until "is_fresh good && is_fresh above"
rows_are "... with what came meanwhile" "SELECT count(*) FROM good WHERE n = 50" 1
is "... the database says so" "$(told good)" FRESH
sql "DELETE FROM src WHERE n = 50"

# ---- what a redefinition keeps ----
[ $engine = postgresql ] || finish
sql_pg "CREATE ROLE reader; CREATE ROLE keeper; GRANT keeper TO viewd"
base_view()
{
	views <<-END_CONF
		[view base]
		database = shop
		definition = SELECT n, gen$1 FROM src
		unique_key = n
		index_gen = (gen DESC)

		[view middle]
		database = shop
		definition = SELECT n, gen FROM base
	END_CONF
}
base_view ''
ok "a chain of views" wait_until "is_fresh base && is_fresh middle"
sql "CREATE VIEW user1 AS SELECT n, gen FROM middle"
sql "CREATE MATERIALIZED VIEW user2 AS SELECT n FROM user1"
sql "CREATE UNIQUE INDEX user2_n ON user2 (n)"
sql "CREATE VIEW user3 AS SELECT user2.n, base.gen FROM user2 JOIN base USING (n)"
sql "CREATE INDEX by_hand ON base (n, gen)"
sql "GRANT SELECT ON base, user1, user3 TO reader"
sql "COMMENT ON MATERIALIZED VIEW base IS 'kept'"
sql "COMMENT ON VIEW user3 IS 'kept too'"
kept()
{
	sql_pg "SELECT relname, relkind, pg_get_userbyid(relowner), relacl, obj_description(oid, 'pg_class') FROM pg_class WHERE relname IN ('base', 'middle', 'user1', 'user2', 'user3') ORDER BY 1"
	sql_pg "SELECT indexname, indexdef FROM pg_indexes WHERE tablename IN ('base', 'user2') ORDER BY 1"
}
before=$(kept)
base_view ', name'
ok "the lowest is redefined" wait_until read_ok "SELECT name FROM base"
is "dependants, owners, grants, comments and indexes are as before" "$(kept)" "$before"
rows_are "the chain is whole" "SELECT count(*), sum(gen) FROM user3" "2|32"
sql "UPDATE src SET gen = gen + 1"
ok "and goes on" viewctl refresh --all --wait
rows_are "with new rows" "SELECT sum(gen) FROM user1" 34
finish
