#!/bin/bash
# SPDX-License-Identifier: MIT
# viewd is killed at every named place of a refresh, a redefinition and a first creation; readers keep old or new contents whole, and
# the next start heals everything without help. Then the server is killed instead.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

grep -q VIEWD_FAILPOINT "$VIEWD_BUILD/viewd" || skip_all "built without --enable-failpoints"
start_engine
[ "$engine" != mariadb ] || sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost" # to see TRUNCATE
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50) SELECT n, 0 FROM c"

# define EXTRA
define()
{
	conf_database shop <<-END_CONF
		[view-defaults]
		database = shop
		unique_key = n
		index_gen = (gen)

		[view mv]
		method = materialized
		definition = SELECT n, gen, $1 AS extra FROM src

		[view tv]
		method = table
		definition = SELECT n, gen, $1 AS extra FROM src

		[view iv]
		method = table
		refresh_mode = incremental
		definition = SELECT n, gen, $1 AS extra FROM src
	END_CONF
}

# Everything in the database but the contents of viewd's own tables. Names of indexes that a replacement numbers anew do not count.
catalogue()
{
	sql "$(pick \
		"SELECT n.nspname, c.relname, c.relkind FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname !~ '^pg_(toast|catalog|temp)' AND n.nspname <> 'information_schema' ORDER BY 1, 2" \
		"SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = 'shop' UNION ALL SELECT table_name, index_name FROM information_schema.statistics WHERE table_schema = 'shop' ORDER BY 1, 2" \
		"SELECT type, name, tbl_name FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY 1, 2")"
}

# Contents as a reader sees them; each view must be one of the two.
contents()
{
	sql "SELECT count(*), min(gen), max(gen), min(extra), max(extra) FROM $1"
}

# places REGEX: those of them that this engine may come to.
places()
{
	grep -rhoE "db_failpoint\([^)]*\"[a-z]+:[a-z]+\"" "$VIEWD_SRC/plugins/common" "$VIEWD_SRC/plugins/$dialect" |
		grep -oE "[a-z]+:[a-z]+" | grep -E "$1" | sort -u
}

gen=0
extra=0
n_places=0
# crash PLACE WHAT: kills viewd at PLACE while it refreshes or redefines; true when it came to the place at all.
crash()
{
	viewd_env=("VIEWD_FAILPOINT=$1:kill")
	[ "$2" = redefinition ] && extra=$((extra + 1)) && define $extra
	gen=$((gen + 1))
	sql "UPDATE src SET gen = $gen"
	spawn_viewd -c "$T/viewd.conf"
	viewd_env=()
	wait_until viewd_is_up
	[ "$2" = redefinition ] || viewctl refresh --all --wait >/dev/null 2>&1
	[ "$2" = refresh ] || viewctl create --all >/dev/null 2>&1
	stop_viewd
	[ $? -eq 137 ]
}

# whole MV TV IV: what they held before.
whole()
{
	local v got
	for v in mv tv iv; do
		got=$(contents $v)
		case $got in
		"50|$gen|$gen|$extra|$extra" | "$1") shift ;;
		*) echo "$v: $got instead of 50|$gen|$gen|$extra|$extra or $1" && return 1 ;;
		esac
	done
}

healed()
{
	viewctl refresh --all --wait && viewctl verify --all && [ "$(contents mv)" = "50|$gen|$gen|$extra|$extra" ]
}

define 0
start_viewd
ok "the views are there" wait_until "is_fresh mv && is_fresh tv && is_fresh iv"
ok "the change logs are there" viewctl refresh --all --wait
stop_viewd
clean=$(catalogue)

for what in refresh redefinition; do
	case $what in
	refresh) these="^(refresh|mysql):" ;;
	redefinition) these="^(refresh|replace|mysql):" ;;
	esac
	for place in $(places "$these"); do
		mv_before=$(contents mv)
		tv_before=$(contents tv)
		iv_before=$(contents iv)
		crash "$place" $what || continue
		n_places=$((n_places + 1))
		ok "killed at $place of a $what: old or new contents, whole" whole "$mv_before" "$tv_before" "$iv_before"
		start_viewd
		ok "... and fresh again after a start" healed
		is "... with nothing left over" "$(catalogue)" "$clean"
		stop_viewd
	done
done
ok "the failpoints were reached" test $n_places -ge "$(pick 8 8 8)"

# The first creation.
for place in $([ -z "${VIEWD_LONG:-}" ] || places "^(create|mysql):"); do
	define $extra
	start_viewd
	viewctl drop --all >/dev/null 2>&1
	stop_viewd
	crash "$place" creation || continue
	start_viewd
	ok "killed at $place of a creation: there and fresh after a start" wait_until healed
	is "... with nothing left over" "$(catalogue)" "$clean"
	stop_viewd
done

# ---- the server dies under a scheduled refresh; the next one heals ----
if [ $engine != sqlite ]; then
	sed -i "s/^index_gen.*/&\nevery = 1s/" "$T/viewd.conf"
	viewd_env=("VIEWD_FAILPOINT=refresh:begin:stop")
	gen=$((gen + 1))
	sql "UPDATE src SET gen = $gen"
	spawn_viewd -c "$T/viewd.conf"
	viewd_env=()
	is_stopped()
	{
		grep -q '^State:.T' "/proc/$viewd_pid/status"
	}
	ok "viewd is stopped at the begin of a refresh" wait_until is_stopped
	kill_engine
	kill -CONT "$viewd_pid"
	ok "the server is killed: the status tells of it" wait_until "! is_fresh mv"
	start_engine
	ok "it is started again: fresh without help" wait_until "contents mv | grep -q '^50|$gen|$gen|'"
	ok "... both" wait_until "contents tv | grep -q '^50|$gen|$gen|'"
	# A refresh may be at work just now, so what is there for a moment does not count.
	ok "... with nothing left over" wait_until "[ \"\$(catalogue)\" = \"\$clean\" ]"
	stop_viewd
fi

# ---- what it reads gets other types meanwhile ----
sql "CREATE TABLE typed (n integer PRIMARY KEY, gen integer); INSERT INTO typed VALUES (1, 1); CREATE VIEW above_typed AS SELECT n, gen FROM typed"
conf_database shop <<-END_CONF
	[view-defaults]
	database = shop
	on_change = yes
	retry_backoff = 200ms

	[view of_table]
	method = table
	unique_key = n
	definition = SELECT n, gen FROM typed

	[view of_view]
	method = table
	definition = SELECT n, gen FROM above_typed
END_CONF

# retype decimal | integer: numbers that the other type would change.
retype()
{
	local type=$1 pg_view="CREATE OR REPLACE VIEW above_typed AS SELECT n, gen FROM typed"
	case $engine in
	postgresql) sql "BEGIN; DROP VIEW above_typed; ALTER TABLE typed ALTER COLUMN gen TYPE $type USING gen; $pg_view; COMMIT" ;;
	mariadb) sql "ALTER TABLE typed MODIFY gen $type" ;;
	sqlite)
		sql "BEGIN IMMEDIATE; CREATE TABLE typed_new (n integer PRIMARY KEY, gen $type); INSERT INTO typed_new SELECT n, gen FROM typed;
			DROP VIEW above_typed; DROP TABLE typed; ALTER TABLE typed_new RENAME TO typed; CREATE VIEW above_typed AS SELECT n, gen FROM typed; COMMIT"
		;;
	esac
	[ "$type" = integer ] || sql "UPDATE typed SET gen = $(pick 10.55 10.55 "'007'")"
}
decimal=$(pick 'numeric(12,2)' 'decimal(12,2)' text)
typed_rows()
{
	sql "SELECT n, $(pick gen gen 'quote(gen)') FROM $1 ORDER BY n"
}
true_when_fresh()
{
	local v
	for v in of_table of_view; do
		ok "$1: $v is waited for" viewctl wait $v --timeout 60s
		is "$1: $v is what its source is" "$(typed_rows $v)" "$(typed_rows typed)"
	done
}
gone()
{
	! is_running "$viewd_pid"
}

start_viewd
true_when_fresh "before"
stop_viewd
retype "$decimal"
start_viewd
true_when_fresh "another type while viewd is away"
stop_viewd
viewd_env=("VIEWD_FAILPOINT=replace:begin:kill")
start_viewd
viewd_env=()
true_when_fresh "nothing is replaced without need"
retype integer
ok "viewd is killed when it has seen another type" wait_until gone
start_viewd
true_when_fresh "another type, and killed before anything followed"
stop_viewd
finish
