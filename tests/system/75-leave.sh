#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl uninstall: nothing of viewd is left, writers do not notice, views stay with their rows; by the daemon, without one, by an
# administrator who is given the statements.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

# The objects in the database, without rows; $1: how views are told apart from everything else.
catalogue()
{
	case $engine in
	postgresql)
		sql_pg "SELECT 'schema', nspname, '' FROM pg_namespace WHERE nspname !~ '^pg_(temp|toast)'
			UNION ALL SELECT c.relkind::text, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
			UNION ALL SELECT 'function', pronamespace::regnamespace::text, proname FROM pg_proc WHERE oid >= 16384
			UNION ALL SELECT 'trigger', tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal
			UNION ALL SELECT 'event trigger', evtname, '' FROM pg_event_trigger
			UNION ALL SELECT 'type', typnamespace::regnamespace::text, typname FROM pg_type WHERE oid >= 16384 AND typrelid = 0 AND typelem = 0"
		;;
	mariadb)
		mariadb_db='' sql_mariadb "SELECT TABLE_TYPE, TABLE_SCHEMA, TABLE_NAME, IF(TABLE_TYPE = 'VIEW', '', REGEXP_REPLACE(TABLE_COMMENT, ' ts=.*', '')) FROM information_schema.TABLES
			WHERE TABLE_SCHEMA IN ('shop', 'other')
			UNION ALL SELECT 'trigger', TRIGGER_SCHEMA, TRIGGER_NAME, '' FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA <> 'sys'
			UNION ALL SELECT ROUTINE_TYPE, ROUTINE_SCHEMA, ROUTINE_NAME, '' FROM information_schema.ROUTINES WHERE ROUTINE_SCHEMA <> 'sys'
			UNION ALL SELECT 'event', EVENT_SCHEMA, EVENT_NAME, '' FROM information_schema.EVENTS"
		;;
	sqlite)
		sql "SELECT type, name, tbl_name FROM sqlite_master"
		ls "$T" | grep '^shop\.db-viewd'
		;;
	esac | LC_ALL=C sort
}
without_views()
{
	catalogue | grep -vE 'v_(plain|stored|upper|keyed|foreign)' # and their indexes
}

start_engine
sql "CREATE TABLE src (id integer PRIMARY KEY, grp integer); INSERT INTO src VALUES (1, 1), (2, 1), (3, 2)"
foreign=src
case $engine in
postgresql)
	# a table whose owner is somebody else, and a partitioned one
	sql_pg "CREATE ROLE web; CREATE TABLE theirs (id integer PRIMARY KEY, grp integer) PARTITION BY RANGE (id);
		CREATE TABLE theirs_1 PARTITION OF theirs FOR VALUES FROM (0) TO (1000000);
		ALTER TABLE theirs OWNER TO web; ALTER TABLE theirs_1 OWNER TO web; INSERT INTO theirs VALUES (1, 1);
		GRANT SELECT, TRIGGER, INSERT ON theirs, theirs_1 TO viewd"
	foreign=theirs
	;;
mariadb)
	mariadb_db='' sql_mariadb "CREATE DATABASE other; CREATE TABLE other.theirs (id integer PRIMARY KEY, grp integer);
		GRANT SELECT, INSERT, TRIGGER, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON other.* TO viewd@localhost"
	foreign=other.theirs
	;;
esac
views_conf()
{
	conf_database shop <<-END
		[view-defaults]
		database = shop
		on_change = yes
		capture = trigger

		[view v_plain]
		method = simple
		on_change = no
		definition = SELECT id, grp FROM src

		[view v_stored]
		method = materialized
		definition = SELECT grp, count(*) AS n FROM src GROUP BY grp

		[view v_keyed]
		method = table
		unique_key = grp
		index_n = (n)
		definition = SELECT grp, count(*) AS n FROM src GROUP BY grp

		[view v_upper]
		method = table
		definition = SELECT sum(n) AS total FROM v_keyed

		[view v_foreign]
		method = table
		definition = SELECT count(*) AS n FROM $foreign
	END
}
all_fresh()
{
	[ "$(viewctl --json status | jq '[.[] | select(.method != "simple" and .state == "ACTIVE" and .freshness == "FRESH")] | length')" -ge 4 ]
}
# Inserts one row after another until $T/stop is there; what fails goes to $T/failed.
write_on()
{
	local i
	for ((i = next_row; ; i++)); do
		[ ! -e "$T/stop" ] || break
		sql "INSERT INTO src VALUES ($i, $i % 3); INSERT INTO $foreign VALUES ($((i + 100000)), 1)" 2>>"$T/failed" || echo "row $i" >>"$T/failed"
		echo "$i" >"$T/written"
	done
}
start_writer()
{
	rm -f "$T/stop" "$T/written"
	next_row=$(sql "SELECT max(id) + 1000 FROM src")
	: >"$T/failed"
	start_process "$T/writer.log" write_on
	writer=$started
	wait_until test -s "$T/written"
}
stop_writer()
{
	local after
	after=$(cat "$T/written")
	wait_until "[ \"\$(cat $T/written)\" -gt $after ]"
	: >"$T/stop"
	wait_until "! is_running $writer"
}

drop_views()
{
	for view in v_upper v_keyed v_foreign; do sql "DROP TABLE $view"; done
	sql "DROP VIEW v_plain"
	sql "DROP $(pick 'MATERIALIZED VIEW' TABLE TABLE) v_stored"
}

before=$(catalogue)
views_conf
start_viewd
ok "views are there" wait_until all_fresh

# ---- printed ----
during=$(catalogue)
ok "the statements are printed" "viewctl uninstall shop --print >$T/print.sql"
like "... triggers among them" "$(cat "$T/print.sql")" "^DROP TRIGGER .*;"
like "... and tables" "$(cat "$T/print.sql")" "^DROP TABLE .*;"
is "... and nothing is done" "$(catalogue)" "$during"
is "... views are kept as before" "$(field v_keyed state)" ACTIVE
exits "another name is an error" 1 viewctl uninstall nosuch
exits "no name is wrong usage" 2 viewctl uninstall
exits "-c is refused while it runs" 1 viewctl uninstall shop -c "$T/viewd.conf"
like "... and says who is in the way" "$(viewctl uninstall shop -c "$T/viewd.conf" 2>&1)" "another viewd keeps"
is "... nothing was done" "$(catalogue)" "$during"

# ---- by the daemon, beside writers ----
start_writer
ok "it leaves" viewctl uninstall shop
stop_writer
is "no writer noticed" "$(cat "$T/failed")" ""
is "nothing of it is left but the views" "$(without_views)" "$before"
is "the rows are there" "$(sql "SELECT count(*) > 0 FROM v_keyed" | tr t1 11)$(sql "SELECT count(*) FROM v_upper")" 11
is "the simple view works" "$(sql "SELECT count(*) FROM v_plain")" "$(sql "SELECT count(*) FROM src")"
like "views say what happened" "$(viewctl why v_keyed)" "viewd has left it"
fails "a refresh is refused" viewctl refresh v_keyed --wait
like "... with the reason" "$(viewctl refresh v_keyed --wait 2>&1)" "viewd has left it"
ok "again: there is nothing to do" viewctl uninstall shop
ok "a reload" viewctl reload
ok "... of files that still have the sections" "sed -i 's/^index_n.*//' $T/viewd.conf; viewctl reload"
is "... sets up nothing" "$(without_views)" "$before"
conf <<-END
	[database aside]
	url = sqlite:///$T/aside.db?mode=rwc

	[view one]
	database = aside
	method = simple
	definition = SELECT 1 AS one
END
ok "the sections are taken out" viewctl reload
is "nothing was made" "$(without_views)" "$before"
like "... by that neither" "$(viewctl status)" "^one "
stop_viewd
drop_views
is "views are ordinary objects: what is left is what was there" "$(catalogue)" "$before"

# ---- without a daemon, after it was killed ----
views_conf
start_viewd
ok "set up again" wait_until all_fresh
kill_viewd
start_writer
ok "viewctl does it by itself" viewctl uninstall shop -c "$T/viewd.conf"
stop_writer
is "no writer noticed that either" "$(cat "$T/failed")" ""
is "nothing is left" "$(without_views)" "$before"

# ---- killed at it, which is no worse than a refusal ----
drop_views
start_viewd
ok "and again" wait_until all_fresh
stop_viewd
if grep -q VIEWD_FAILPOINT "$VIEWD_BUILD/viewctl"; then
	fails "killed at it" "VIEWD_FAILPOINT=uninstall:$(pick statement statement commit):kill:$(pick 3 3 1) $VIEWD_BUILD/viewctl uninstall shop -c $T/viewd.conf"
	like "... there is something left" "$(without_views)" "viewd"
	ok "killed at it: the same command goes on" viewctl uninstall shop -c "$T/viewd.conf"
	is "... to the end" "$(without_views)" "$before"
	drop_views
	start_viewd
	ok "set up once more" wait_until all_fresh
	stop_viewd
fi

# ---- what others have built on it ----
if [ "$engine" = postgresql ]; then
	sql "CREATE VIEW dashboard AS SELECT name FROM viewd.views"
	fails "what is built on it stops it" viewctl uninstall shop -c "$T/viewd.conf"
	like "what is built on it is named" "$(viewctl uninstall shop -c "$T/viewd.conf" 2>&1)" "dashboard"
	is "... and stays" "$(sql "SELECT count(*) FROM dashboard")" 5
	sql "DROP VIEW dashboard"
	start_viewd
	ok "nothing else is broken by that" wait_until all_fresh
	stop_viewd
fi

# ---- by an administrator ----
ok "statements without a daemon" "viewctl uninstall shop -c $T/viewd.conf --print >$T/print.sql"
case $engine in
postgresql) ok "they run" "sql_pg <$T/print.sql" ;;
mariadb) ok "they run" "sql_mariadb <$T/print.sql" ;;
sqlite) ok "they run" "sql <$T/print.sql" && rm -f "$T/shop.db-viewd" ;;
esac
is "nothing is left then" "$(without_views)" "$before"
finish
