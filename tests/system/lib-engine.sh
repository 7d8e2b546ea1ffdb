# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $pg_url and the like come from lib.sh
#
# lib-engine.sh: lib.sh for tests that are the same on every engine. $engine says which one: sqlite (default), postgresql or
# mariadb. The build makes one test an engine of each such script, NN-name-ENGINE.sh, which sets it; by hand:
#
#	engine=postgresql VIEWD_BUILD=BUILDDIR tests/system/10-shop.sh
. "${VIEWD_SRC:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}/tests/system/lib.sh" || exit 1
: "${engine:=sqlite}"
examples=$VIEWD_SRC/conf/examples

# pick POSTGRESQL MARIADB SQLITE: prints the argument that belongs to $engine.
pick()
{
	case $engine in
	postgresql) printf '%s\n' "$1" ;;
	mariadb) printf '%s\n' "$2" ;;
	sqlite) printf '%s\n' "$3" ;;
	esac
}
dialect=$(pick postgresql mysql sqlite)
[ -n "$dialect" ] || die "no engine is called $engine"

# start_engine [SERVER-OPTIONS...]: an empty database; $db_url is how viewd reaches it. Again after stop or kill: the same data.
start_engine()
{
	comment "engine $engine"
	case $engine in
	postgresql)
		start_pg "$@"
		db_url=$pg_url
		server_pid=$pg_pid
		;;
	mariadb)
		start_mariadb "$@"
		db_url=$mariadb_url
		server_pid=$mariadb_pid
		;;
	sqlite)
		db_url="sqlite:///$T/shop.db"
		server_pid=
		sql 'PRAGMA journal_mode = wal' >"$T/journal_mode"
		;;
	esac
}

kill_engine()
{
	case $engine in
	postgresql) kill_pg ;;
	mariadb) kill_mariadb ;;
	sqlite) ;;
	esac
}

# sql [SQL]: as the application, which owns its tables; from stdin without SQL. Columns separated by '|', NULL is empty or NULL.
sql()
{
	case $engine in
	postgresql) PGOPTIONS="-c search_path=public" pg_user=viewd sql_pg "$@" ;;
	mariadb) mariadb_user=viewd sql_mariadb "$@" | tr '\t' '|' && return "${PIPESTATUS[0]}" ;;
	sqlite) sql_sqlite "$T/shop.db" "$@" ;;
	esac
}

# conf_database NAME [FILE]: what conf() needs for this engine, then stdin.
conf_database()
{
	{
		printf '[database %s]\nurl = %s\n\n' "$1" "$db_url"
		cat
	} | conf "${2:-$T/viewd.conf}"
}

# rows_are NAME SQL EXPECTED-LINES: what the application reads now.
rows_are()
{
	is "$1" "$(sql "$2")" "$3"
}

# For wait_until.
rows_read()
{
	[ "$(sql "$1")" = "$sql_expected" ]
}

# rows_become NAME SQL EXPECTED-LINES: what the application reads soon.
rows_become()
{
	sql_expected=$3 wait_until rows_read "$2"
	is "$1" "$(sql "$2")" "$3"
}
