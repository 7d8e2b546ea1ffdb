#!/bin/bash
# SPDX-License-Identifier: MIT
# Hostile names and definitions: the object of exactly that name is the only one touched, or the thing is refused.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src VALUES (1, 1)"
sql "CREATE TABLE x (precious integer)"
sql "INSERT INTO x VALUES (42)"

objects()
{
	sql "$(pick \
		"SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'public' AND relkind IN ('r', 'm', 'v') ORDER BY 1" \
		"SELECT table_name FROM information_schema.tables WHERE table_schema = 'shop' ORDER BY 1" \
		"SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY 1")" | LC_ALL=C sort
}
one()
{
	printf '[view victim]\ndatabase = shop\nrelation = %s\ndefinition = SELECT n, gen FROM src\nindex_one = (gen)\n' "$1" | conf_database shop
}

printf '[view first]\ndatabase = shop\ndefinition = SELECT n FROM src\n' | conf_database shop
start_viewd
ok "viewd is ready" wait_until is_fresh first
stop_viewd
before=$(objects)

# name NAME RELATION OBJECT: the view is made as exactly OBJECT, refreshed and dropped, and nothing else changes.
name()
{
	one "$2"
	start_viewd
	ok "$1: made" wait_until is_fresh victim || comment "$(cat "$T/viewd.log")"
	is "... under exactly that name" "$(comm -13 <(echo "$before") <(objects))" "$3"
	ok "... refreshed" viewctl refresh victim --wait
	ok "... dropped" viewctl drop victim
	is "... and nothing else was touched" "$(objects)" "$before"
	stop_viewd
}
name "an injection" "'\"; DROP TABLE x;--\"'" '; DROP TABLE x;--'
name "a double quote" "'\"a\"\"b\"'" 'a"b'
name "a back-tick" "'\"a\`b\"'" 'a`b'
name "a format string" "'\"%s%n\"'" '%s%n'
name "a reserved word" "'\"select\"'" 'select'
name "other scripts" "'\"größe 漢字\"'" 'größe 漢字'
rows_are "the other table is as it was" "SELECT precious FROM x" 42

# refused NAME RELATION
refused()
{
	one "$2"
	spawn_viewd -c "$T/viewd.conf"
	wait_until viewd_is_up
	ok "$1: refused" wait_until "! is_running $viewd_pid || field_is victim state FAILED"
	is "... and nothing was touched" "$(objects)" "$before"
	! is_running "$viewd_pid" || stop_viewd
}
refused "a plain name with a quote in it" "\"a'b\""
refused "an empty name" "'\"\"'"
refused "a name of 300 bytes" "'\"$(printf '%0300d' 0)\"'"
refused "an open quote" "'\"open'"

# evil NAME DEFINITION: refused before or by the database; nothing happens outside of the definition.
evil()
{
	printf '%s\n' "$2" >"$T/evil.sql"
	printf '[view victim]\ndatabase = shop\ndefinition_file = evil.sql\n' | conf_database shop
	spawn_viewd -c "$T/viewd.conf"
	wait_until viewd_is_up
	ok "$1: refused" wait_until "! is_running $viewd_pid || field_is victim state FAILED"
	is "... and nothing was touched" "$(objects)" "$before"
	[ "$(sql "SELECT precious FROM x")" = 42 ] || is "... nor the rows of others" "$(sql "SELECT precious FROM x")" 42
	! is_running "$viewd_pid" || stop_viewd
}
evil "a second statement" 'SELECT n FROM src; DROP TABLE x'
evil "a second statement behind a comment" 'SELECT n FROM src; -- harmless
DROP TABLE x'
evil "an unbalanced parenthesis" 'SELECT n FROM src); DROP TABLE x; SELECT (1'
evil "no query at all" 'DROP TABLE x'
evil "a commit" 'COMMIT'
evil "an insert" "INSERT INTO x VALUES (1)$(pick ' RETURNING 1' ' RETURNING 1' ' RETURNING 1')"
case $engine in
postgresql)
	evil "a program" "COPY (SELECT 1) TO PROGRAM 'touch $T/owned'"
	evil "a modifying query" "WITH d AS (DELETE FROM x RETURNING 1) SELECT * FROM d"
	evil "another role" "SET ROLE postgres"
	;;
mariadb)
	evil "a file" "SELECT 1 AS one INTO OUTFILE '$T/owned'"
	evil "a comment that is code" 'SELECT n FROM src /*!; DROP TABLE x */'
	;;
sqlite)
	evil "another file" "ATTACH '$T/owned' AS o"
	evil "an extension" "SELECT load_extension('$T/owned')"
	evil "a file function" "SELECT writefile('$T/owned', 'x')"
	;;
esac
fails "no file was written" test -e "$T/owned"
finish
