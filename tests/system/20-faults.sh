#!/bin/bash
# SPDX-License-Identifier: MIT
# Sixteen faults of the way applications keep such views by hand: first the statements that fail, then viewd doing the same thing right.
# The old way's statements are what SQLAlchemy-ViewORM 0.1.1 emits.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE users (id integer PRIMARY KEY, email varchar(100), active boolean)"
sql "INSERT INTO users VALUES (1, 'a@x', $(pick true true 1)), (2, 'b@x', $(pick true true 1)), (3, 'c@y', $(pick false false 0))"
query="SELECT users.id, users.email FROM users WHERE users.active = $(pick true true 1)"
viewd_pid=

# old_fails NUMBER WHAT SQL
old_fails()
{
	fails "$1: the old way: $2" sql "$3"
}
# views: stdin is the configuration; viewd starts or reloads.
views()
{
	conf_database shop
	if [ -z "$viewd_pid" ]; then start_viewd; else viewctl reload >"$T/reload.out" 2>&1; fi
}
becomes_fresh()
{
	ok "$2" wait_until is_fresh "$1"
}
same_rows()
{
	rows_are "$1" "SELECT id, email FROM $2 ORDER BY id" "1|a@x
2|b@x"
}
kind_of()
{
	sql "$(pick "SELECT relkind FROM pg_class WHERE relname = '$1'" \
		"SELECT table_type FROM information_schema.tables WHERE table_schema = 'shop' AND table_name = '$1'" \
		"SELECT type FROM sqlite_master WHERE name = '$1'")"
}
matview="CREATE MATERIALIZED VIEW IF NOT EXISTS v1(id, email) AS $query"

# ---- 1 ----
[ $engine != postgresql ] || old_fails 1 "a plain view with the default arguments" "CREATE VIEW IF NOT EXISTS v1(id, email) AS $query"
views <<-END_CONF
	[view f1]
	database = shop
	method = simple
	definition = $query
END_CONF
becomes_fresh f1 "1: viewd: a plain view"
same_rows "1: ... with its rows" f1

# ---- 2 ----
[ $engine = postgresql ] || old_fails 2 "a materialized view" "$matview"
views <<-END_CONF
	[view f1]
	database = shop
	method = simple
	definition = $query
	[view f2]
	database = shop
	method = materialized
	definition = $query
	unique_key = id
END_CONF
becomes_fresh f2 "2: viewd: materialized works"
same_rows "2: ... with its rows" f2
is "2: ... as what the engine has" "$(kind_of f2)" "$(pick m 'BASE TABLE' table)"

# ---- 3 ----
if [ $engine = sqlite ]; then
	sql "CREATE TABLE v1(id, email)"
	is "3: the old way: columns without types" "$(sql "SELECT group_concat(type, '') FROM pragma_table_info('v1')")" ""
	is "3: the old way: no rows until somebody refreshes" "$(sql "SELECT count(*) FROM v1")" 0
	sql "DROP TABLE v1"
else
	old_fails 3 "a table" "CREATE TABLE IF NOT EXISTS v1(id, email)"
fi
views <<-END_CONF
	[view f3]
	database = shop
	method = table
	definition = $query
	unique_key = id
	index_email = (email)
END_CONF
becomes_fresh f3 "3: viewd: a table"
same_rows "3: ... filled at once" f3
like "3: ... with types" "$(sql "$(pick \
	"SELECT string_agg(data_type, ' ') FROM information_schema.columns WHERE table_name = 'f3'" \
	"SELECT group_concat(data_type) FROM information_schema.columns WHERE table_name = 'f3'" \
	"SELECT group_concat(type) FROM pragma_table_info('f3')")" | tr A-Z a-z)" "int.*char"
is "3: ... and indexes" "$(sql "$(pick \
	"SELECT count(*) FROM pg_indexes WHERE tablename = 'f3'" \
	"SELECT count(DISTINCT index_name) FROM information_schema.statistics WHERE table_name = 'f3' AND index_name <> 'PRIMARY'" \
	"SELECT count(*) FROM pragma_index_list('f3')")")" 2
fails "3: ... the key is kept" sql "INSERT INTO f3 (id, email) VALUES (1, 'twice')"

# ---- 4 ----
old_fails 4 "replace together with if not exists" "CREATE OR REPLACE VIEW IF NOT EXISTS v1(id, email) AS $query"
[ $engine = mariadb ] || old_fails 4 "replace what has no such form" \
	"CREATE OR REPLACE $(pick 'MATERIALIZED VIEW' '' VIEW) v1(id, email) AS $query"
views <<-END_CONF
	[view f3]
	database = shop
	method = table
	definition = SELECT id, email, 1 AS more FROM users
	[view f4]
	database = shop
	method = simple
	definition = $query
END_CONF
ok "4: viewd: a redefinition replaces" wait_until "sql 'SELECT more FROM f3'"
becomes_fresh f4 "4: ... and a plain view"
views <<-END_CONF
	[view f4]
	database = shop
	method = simple
	definition = SELECT id FROM users
END_CONF
ok "4: ... also when columns go away" wait_until "! sql 'SELECT email FROM f4'"
rows_are "4: ... the new one is there" "SELECT count(*) FROM f4" 3

# ---- 5 ----
sql "CREATE VIEW v1 AS $query"
[ $engine != sqlite ] || old_fails 5 "cascade" "DROP VIEW v1 CASCADE"
sql "DROP VIEW v1"
ok "5: viewd: drop" viewctl drop f4
is "5: ... and it is gone" "$(kind_of f4)" ""
unlike "5: ... render knows what the engine has" "$(viewctl render drop f4 2>&1)" "$(pick NOTHING NOTHING CASCADE)"

# ---- 6 ----
if [ $engine = postgresql ]; then
	sql "$matview"
	old_fails 6 "concurrently without a unique index" "REFRESH MATERIALIZED VIEW CONCURRENTLY v1"
	sql "DROP MATERIALIZED VIEW v1"
fi
views <<-END_CONF
	[view f6]
	database = shop
	definition = $query
	unique_key = id
	with_data = no
END_CONF
ok "6: viewd: an unfilled view's first refresh" viewctl refresh f6 --wait
sql "UPDATE users SET email = 'changed' WHERE id = 2"
ok "6: ... and the second, of a changed row" viewctl refresh f6 --wait
is "6: ... which locks no reader out" "$(field f6 action)" "$(pick CONCURRENT FULL DIFF)"
sql "UPDATE users SET email = 'b@x' WHERE id = 2"
ok "6: ... and back" viewctl refresh f6 --wait
sql "INSERT INTO users SELECT id + 10, email, active FROM users"
printf '%s\n' '[view f6]' 'database = shop' "definition = SELECT id % 10 AS id, email FROM users" 'unique_key = id' \
	'on_configuration_change = apply' >"$T/duplicates"
views <"$T/duplicates"
ok "6: viewd: duplicates in the new rows are an error" wait_until "! is_fresh f6"
same_rows "6: ... and readers keep the old ones" f6
sql "DELETE FROM users WHERE id > 10"

# ---- 7 ----
if [ $engine = postgresql ]; then
	sql "CREATE TABLE v1 (id integer, email varchar)"
	old_fails 7 "what create_all made is a plain table" "REFRESH MATERIALIZED VIEW v1"
	sql "DROP TABLE v1"
fi
is "7: viewd: the kind is the one asked for" "$(kind_of f1)$(kind_of f2)" "$(pick vm 'VIEWBASE TABLE' viewtable)"

# ---- 8 ----
sql "CREATE TABLE v1 AS $query"
sql "DELETE FROM v1"
is "8: the old way: between two transactions a reader sees no row" "$(sql "SELECT count(*) FROM v1")" 0
sql "DROP TABLE v1"
views <<-END_CONF
	[view f8]
	database = shop
	method = table
	definition = $query
	unique_key = id
END_CONF
becomes_fresh f8 "8: viewd: a table"
sql "ALTER TABLE users RENAME TO away"
fails "8: ... whose refresh fails" viewctl refresh f8 --wait
same_rows "8: ... keeps its rows" f8
sql "ALTER TABLE away RENAME TO users"
ok "8: ... and goes on afterwards" viewctl refresh f8 --wait

# ---- 9 and 12 ----
if [ $engine != mariadb ]; then
	[ $engine != postgresql ] || old_fails 9 "the wrong order" "CREATE MATERIALIZED VIEW w3 AS SELECT * FROM w2"
fi
views <<-END_CONF
	[view f9c]
	database = shop
	definition = SELECT id, email FROM f9b
	[view f9b]
	database = shop
	definition = SELECT id, email FROM f9a
	[view f9a]
	database = shop
	definition = $query
END_CONF
becomes_fresh f9c "9: viewd: three views in the wrong order appear in the right one"
sql "UPDATE users SET email = 'new@x' WHERE id = 1"
ok "12: viewd: a refresh takes what depends on it along" viewctl refresh f9a --downstream --wait
rows_are "12: ... the last one is fresh" "SELECT email FROM f9c WHERE id = 1" "new@x"
sql "UPDATE users SET email = 'a@x' WHERE id = 1"
is "12: viewd: the outcome is on record" "$(field f9c result) $(field f9c duration_ms | grep -c '[0-9]') $(field f9c rows)" "SUCCEEDED 1 2"

# ---- 10 ----
if [ $engine = postgresql ]; then
	sql "$matview"
	sql "CREATE MATERIALIZED VIEW IF NOT EXISTS v1(id) AS SELECT 99" 2>"$T/notice"
	is "10: the old way: a changed definition is passed over in silence" "$(sql "SELECT count(*) FROM v1 WHERE id = 99")" 0
	sql "DROP MATERIALIZED VIEW v1"
fi
views <<-END_CONF
	[view f9a]
	database = shop
	definition = SELECT id, email, 99 AS changed FROM users
END_CONF
ok "10: viewd: a changed definition is seen and applied" wait_until "sql 'SELECT changed FROM f9a'"

# ---- 11 ----
[ $engine != postgresql ] || old_fails 11 "a name that needs quotes" 'REFRESH MATERIALIZED VIEW CONCURRENTLY Rep.Order Stats'
printf '%s\n' "SELECT id, 'x :y' AS email, id % 2 AS odd FROM users WHERE email LIKE '%@x' AND '12:30' = '12:30'" >"$T/f11.sql"
views <<-END_CONF
	[view f11]
	database = shop
	relation = '"Order Stats"'
	definition_file = f11.sql
	columns = odd, email, id
END_CONF
becomes_fresh f11 "11: viewd: quotes, colons and percent signs"
ok "11: ... also when refreshed" viewctl refresh f11 --wait
rows_are "11: ... columns by name, not by place" \
	"SELECT id, odd, email FROM $(pick '"Order Stats"' '\`Order Stats\`' '"Order Stats"' | tr -d '\\') ORDER BY id" "1|1|x :y
2|0|x :y"

# ---- 13 and 14 ----
[ $engine = postgresql ] || old_fails 13 "options on an engine that has none" "CREATE VIEW v1(id, email) WITH (security_barrier=True) AS $query"
views <<-END_CONF
	[view f13]
	database = shop
	definition = SELECT nothing FROM nowhere
	definition_$dialect = $query
	$(pick 'options = fillfactor=70' '' '')
END_CONF
becomes_fresh f13 "14: viewd: a definition for this dialect"
if [ $engine = postgresql ]; then
	is "13: viewd: options reach the object" "$(sql "SELECT reloptions FROM pg_class WHERE relname = 'f13'")" '{fillfactor=70}'
else
	printf '[view bad]\ndatabase = shop\ndefinition = SELECT 1 AS x\noptions = fillfactor=70\n' | conf_database shop "$T/bad.conf"
	exits "13: viewd: options that the engine does not have are refused" 78 "$VIEWD_BUILD/viewd" -c "$T/bad.conf" --check
fi

# ---- 15: these tests run on every engine. 16 ----
sql_sqlite "$T/other.db" "CREATE TABLE users AS SELECT 7 AS id, 'z@x' AS email, 1 AS active"
printf '[database other]\nurl = sqlite:///%s\n[view f16]\ndatabase = shop, other\ndefinition = %s\n' "$T/other.db" \
	"SELECT id, email FROM users" | views
ok "16: viewd: one view in two databases" wait_until \
	"[ \"\$(sql 'SELECT count(*) FROM f16')\$(sql_sqlite '$T/other.db' 'SELECT count(*) FROM f16')\" = 31 ]"
is "16: ... each with a status of its own" "$(viewctl --json status f16 | jq -r 'map(.database) | sort | join(" ")')" "other shop"
finish
