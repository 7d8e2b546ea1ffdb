#!/bin/bash
# SPDX-License-Identifier: MIT
# A database that was dumped and restored, copied, moved or promoted goes on; what is a user's in it stays.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

# at DATABASE [SQL]: as the application.
at()
{
	local db=$1
	shift
	case $engine in
	postgresql) pg_db=$db sql "$@" ;;
	mariadb) mariadb_db=$db sql "$@" ;;
	sqlite) sql_sqlite "$T/$db.db" "$@" ;;
	esac
}
admin()
{
	case $engine in
	postgresql) pg_db=postgres sql_pg "$1" ;;
	mariadb) mariadb_db='' sql_mariadb "$1" ;;
	sqlite) ;;
	esac
}
make_database()
{
	case $engine in
	postgresql) admin "CREATE DATABASE $1 OWNER viewd" ;;
	mariadb) admin "CREATE DATABASE $1; GRANT ALL ON $1.* TO viewd@localhost" ;;
	sqlite) rm -f "$T/$1.db" && sql_sqlite "$T/$1.db" 'PRAGMA journal_mode = wal' >>"$T/journal_mode" ;;
	esac
}
# dump DATABASE [OPTIONS]: everything, as statements that may be loaded elsewhere.
dump()
{
	local db=$1
	shift
	case $engine in
	postgresql) "$pg_client/pg_dump" -h "$pg_dir" -U postgres "$db" "$@" ;;
	mariadb) mariadb-dump --no-defaults --socket="$mariadb_dir/sock" -u root --single-transaction "$db" "$@" ;;
	sqlite) sql_sqlite "$T/$db.db" .dump ;;
	esac
}
# load DATABASE [OPTIONS]: stdin, as an administrator.
load()
{
	local db=$1
	shift
	case $engine in
	postgresql) "$pg_client/psql" -X -q -v ON_ERROR_STOP=1 -h "$pg_dir" -U postgres -d "$db" "$@" >"$T/load.out" ;;
	mariadb) mariadb_db=$db sql_mariadb "$@" ;;
	sqlite) sql_sqlite "$T/$db.db" ;;
	esac
}
url_of()
{
	case $engine in
	postgresql) printf '%s\n' "${db_url/\/shop/\/$1}" ;;
	mariadb) printf '%s\n' "${db_url/\/shop/\/$1}" ;;
	sqlite) printf 'sqlite:///%s\n' "$T/$1.db" ;;
	esac
}
# views_of DATABASES [DEFINITION-OF-KEYED [MORE-DEFAULTS]]
views_of()
{
	local db
	{
		for db in ${1//,/ }; do printf '[database %s]\nurl = %s\n\n' "$db" "$(url_of "$db")"; done
		cat <<-END
			[view-defaults]
			database = $1
			on_change = yes
			debounce = 0ms
			${3:-}

			[view plain]
			method = simple
			on_change = no
			definition = SELECT grp, val FROM src

			[view held]
			method = materialized
			unique_key = grp
			definition = SELECT grp, sum(val) AS total FROM src GROUP BY grp

			[view keyed]
			method = table
			unique_key = grp
			definition = ${2:-SELECT grp, sum(val) AS total FROM src GROUP BY grp}

			[view upper]
			method = table
			definition = SELECT sum(total) AS total FROM keyed
		END
	} | conf
}
# settled N: that many views are kept and fresh. A simple view is as fresh as what it reads.
settled()
{
	[ "$(viewctl --json status | jq '[.[] | select(.state == "ACTIVE" and (.freshness == "FRESH" or .method == "simple"))] | length')" = "$1" ]
}
total()
{
	at "$1" "SELECT (SELECT sum(total) FROM upper) || ' ' || (SELECT sum(total) FROM held)" 2>/dev/null || at "$1" "SELECT 'unreadable'"
}
total_is()
{
	[ "$(total "$1")" = "$2 $2" ]
}
# follows NAME DATABASE: a change of the application comes through.
sum_of()
{
	at "$1" "SELECT sum(val) FROM src"
}
next_row=100
follows()
{
	ok "$1: a writer writes" at "$2" "INSERT INTO src VALUES ($((next_row++)), 1, 1000)"
	ok "$1: ... and it comes through" wait_until total_is "$2" "$(sum_of "$2")"
}
# whole NAME DATABASES N
whole()
{
	local db view of=
	ok "$1: all $3 are kept" wait_until settled "$3"
	for db in $2; do
		[ "$2" = "$db" ] || of=$db:
		for view in keyed held upper; do ok "$1: $view of $db is fresh by now" viewctl wait "$of$view" --timeout 30s; done
	done
	ok "$1: and are equal to their definitions" viewctl verify --all
}

start_engine
[ "$engine" != mariadb ] || mariadb_db='' sql_mariadb "SET GLOBAL log_bin_trust_function_creators = 1, concat_operator = 1" 2>/dev/null ||
	mariadb_db='' sql_mariadb "SET GLOBAL sql_mode = CONCAT(@@sql_mode, ',PIPES_AS_CONCAT')"
at shop "CREATE TABLE src (id integer PRIMARY KEY, grp integer, val integer); INSERT INTO src VALUES (1, 1, 1), (2, 1, 2), (3, 2, 3)"
views_of shop
start_viewd
whole "original" shop 4
stop_viewd

# ---- dumped and restored into another database ----
make_database copy
ok "a dump" "dump shop >$T/shop.sql"
ok "is loaded" "load copy <$T/shop.sql"
at copy "INSERT INTO src VALUES (50, 2, 500)"
views_of copy
start_viewd
whole "restored" copy 4
ok "restored: what was written before is in it" total_is copy 506
follows "restored" copy
[ "$engine" = sqlite ] || ok "restored: that is said" wait_until log_has "'copy'.* it is a copy .* $(pick 4 3 0) of 4" # the text of a MariaDB view names its database
stop_viewd
start_viewd
whole "restored, the next time" copy 4
[ "$engine" = sqlite ] || is "restored: it is no copy any more" "$(grep -c 'it is a copy' "$T/viewd.log")" 1

# ---- beside the original ----
views_of shop,copy
stop_viewd
start_viewd
whole "both" "shop copy" 8
before=$(total shop)
follows "both, the copy" copy
is "... the original has not changed" "$(total shop)" "$before"
before=$(total copy)
follows "both, the original" shop
is "... nor has the copy" "$(total copy)" "$before"

# ---- another definition in the files: the copy alone is replaced ----
views_of copy "SELECT grp, sum(val) AS total, count(*) AS n FROM src GROUP BY grp"
stop_viewd
start_viewd
whole "replaced" copy 4
is "replaced: the copy has it" "$(at copy "SELECT count(n) > 0 FROM keyed" | tr t 1)" 1
is "replaced: the original is as it was" "$(at shop "SELECT count(*) > 0 FROM keyed" | tr t 1)" 1
fails "... without it" at shop "SELECT n FROM keyed"
stop_viewd

# ---- restored over itself, under the running daemon ----
views_of shop
start_viewd
whole "again" shop 4
ok "a dump that clears the place" "dump shop $(pick --clean '' '') >$T/clean.sql"
follows "before that" shop
viewctl wait upper --timeout 30s
case $engine in
postgresql) ok "loaded as one" "load shop --single-transaction -f $T/clean.sql" ;;
mariadb) ok "loaded" "load shop <$T/clean.sql" ;;
sqlite) sqlite3 "$T/clean.db" <"$T/clean.sql" && ok "restored" "sqlite3 $T/shop.db '.timeout 5000' '.restore $T/clean.db'" ;;
esac
whole "in place" shop 4
follows "in place" shop
if [ "$engine" = postgresql ]; then
	ok "loaded statement by statement" "load shop -v ON_ERROR_STOP=0 -f $T/clean.sql 2>$T/clean.err"
	whole "bit by bit" shop 4
	follows "bit by bit" shop
fi
stop_viewd

# ---- the state alone, and a user's table ----
if [ "$engine" != sqlite ]; then
	make_database alone
	at alone "CREATE TABLE src (id integer PRIMARY KEY, grp integer, val integer); INSERT INTO src VALUES (1, 1, 1)"
	at alone "CREATE TABLE keyed (grp integer, precious text); INSERT INTO keyed VALUES (1, 'keep me')"
	at alone "CREATE TABLE upper AS SELECT sum(val) AS total FROM src"
	case $engine in
	postgresql) dump shop -n viewd | load alone ;;
	mariadb) dump shop $(mariadb_db=shop sql_mariadb "SELECT TABLE_NAME FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME LIKE 'viewd%' AND TABLE_TYPE = 'BASE TABLE'") | load alone ;;
	esac
	views_of alone
	start_viewd
	ok "alone: a user's table of that name" wait_until field_is keyed state FAILED
	ok "... is named" log_has "view 'keyed', what is there as .*keyed.* is not its own"
	is "... and untouched" "$(at alone "SELECT precious FROM keyed")" "keep me"
	ok "alone: one with the same columns" wait_until field_is upper state FAILED
	is "... is untouched" "$(at alone "SELECT total FROM upper")" 1
	ok "alone: what is not there is made" wait_until is_fresh held
	fails "... create --replace takes no table" viewctl create keyed --replace
	is "... and untouched it is" "$(at alone "SELECT precious FROM keyed")" "keep me"
	stop_viewd

	# ---- everything but the state ----
	make_database bare
	case $engine in
	postgresql) dump shop -n public | load bare -v ON_ERROR_STOP=0 2>"$T/bare.err" ;;
	mariadb) dump shop $(mariadb_db=shop sql_mariadb "SELECT TABLE_NAME FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME NOT LIKE 'viewd%'") | load bare ;;
	esac
	views_of bare
	start_viewd
	ok "bare: a table is nobody's that is known" wait_until field_is keyed state FAILED
	ok "bare: ... nor a view" wait_until field_is plain state FAILED
	fails "... nothing is fresh that is not" field_is keyed freshness FRESH
	ok "bare: writers write" at bare "INSERT INTO src VALUES (70, 1, 1)"
	stop_viewd
fi

# ---- what only one engine has ----
if [ "$engine" = postgresql ]; then
	admin "CREATE DATABASE twin TEMPLATE shop OWNER viewd"
	views_of twin
	start_viewd
	whole "template" twin 4
	is "template: all are recognised" "$(grep 'it is a copy' "$T/viewd.log" | grep -c "'twin'.* 4 of 4")" 1
	follows "template" twin
	stop_viewd

	copies=$(grep -c 'it is a copy' "$T/viewd.log")
	pg_standby "$T/standby"
	ok "a standby is promoted" "pg_db=postgres sql_pg 'SELECT pg_promote()' >$T/promote.out"
	db_url="postgresql://viewd@/shop?host=$T/standby"
	views_of shop
	start_viewd
	whole "promoted" shop 4
	is "promoted: it is no copy" "$(grep -c 'it is a copy' "$T/viewd.log")" "$copies"
	follows "promoted" shop
fi
finish
