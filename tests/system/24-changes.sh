#!/bin/bash
# SPDX-License-Identifier: MIT
# Whatever keeps a change from being noticed is noticed itself: triggers and tables that go and come back, logs that somebody empties.
# A change that cannot be noticed is healed by max_staleness.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"

start_engine "$(pick -- --log-bin=binlog '')" $(pick '' '--binlog-format=ROW --log-bin-trust-function-creators=ON' '')
case $engine in
mariadb) sql_mariadb "GRANT REPLICATION SLAVE, $binlog_monitor ON *.* TO viewd@localhost" ;;
esac
sources="emptied unheard anew renamed cut forgotten"
for s in $sources; do
	sql "CREATE TABLE $s (n integer PRIMARY KEY, gen integer NOT NULL)"
	sql "INSERT INTO $s VALUES (1, 0), (2, 0)"
done
if [ $engine = postgresql ]; then
	sql_pg "CREATE TABLE foreign_owned (n integer PRIMARY KEY, gen integer NOT NULL); INSERT INTO foreign_owned VALUES (1, 0), (2, 0);
		GRANT SELECT, TRIGGER ON foreign_owned TO viewd"
	sources+=" foreign_owned"
fi
{
	printf '[view-defaults]\ndatabase = shop\nmethod = table\nunique_key = n\non_change = yes\ncapture = trigger\nretry_backoff = 200ms\nretry_max_backoff = 1s\nmax_retries = 1000\n'
	for s in $sources; do
		printf '[view v_%s]\ndefinition = SELECT n, gen FROM %s\n' $s $s
		case $s in forgotten | foreign_owned) printf 'max_staleness = 3s\n' ;; esac
	done
} | conf_database shop
start_viewd
all_fresh()
{
	local s
	for s in $sources; do is_fresh v_$s || return; done
}
ok "all views are there" wait_until all_fresh

# follows SOURCE: the view has what its source has.
follows()
{
	[ "$(sql "SELECT n, gen FROM v_$1 ORDER BY n")" = "$(sql "SELECT n, gen FROM $1 ORDER BY n")" ] && is_fresh v_$1
}
# followed WHAT SOURCE: and goes on following.
followed()
{
	ok "$1" wait_until "follows $2"
	sql "UPDATE $2 SET gen = gen + 100"
	ok "$1: ... and what comes then" wait_until "follows $2"
}

sql "$(pick 'TRUNCATE emptied' 'DELETE FROM emptied' 'DELETE FROM emptied')"
sql "INSERT INTO emptied VALUES (7, 7)"
followed "a source is emptied and filled" emptied

# ---- what a look finds out, all at once ----
drop_triggers()
{
	case $engine in
	postgresql)
		sql "SELECT format('DROP TRIGGER %I ON $1', tgname) FROM pg_trigger WHERE tgrelid = '$1'::regclass"
		;;
	mariadb) sql "SELECT concat('DROP TRIGGER ', trigger_name) FROM information_schema.triggers WHERE event_object_table = '$1' AND trigger_schema = 'shop'" ;;
	sqlite) sql "SELECT 'DROP TRIGGER ' || name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = '$1'" ;;
	esac | sed 's/$/;/' >"$T/drop.sql"
	[ -s "$T/drop.sql" ] && sql <"$T/drop.sql"
}
ok "somebody drops the triggers" drop_triggers unheard
sql "UPDATE unheard SET gen = 11"
sql "DROP TABLE anew"
sql "CREATE TABLE anew (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO anew VALUES (5, 5)"
sql "ALTER TABLE renamed RENAME TO elsewhere"
sql "CREATE TABLE renamed (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO renamed VALUES (6, 6)"
followed "triggers that were dropped are missed" unheard
followed "a source that was dropped and made again is followed" anew
followed "another table of a source's name is followed" renamed

# ---- a source that is away for a while ----
sql "ALTER TABLE cut RENAME TO cut_away"
fails "a source is away: a refresh fails" viewctl refresh v_cut --wait
is "a source is away: readers keep what there was" "$(sql "SELECT count(*) FROM v_cut")" 2
sql "ALTER TABLE cut_away RENAME TO cut"
sql "UPDATE cut SET gen = 12"
followed "a source that came back is followed" cut

# ---- the log is emptied ----
# Between the change and the look at it, for which viewd is stopped.
pause_viewd
sql "UPDATE forgotten SET gen = 13"
case $engine in
postgresql) sql_pg "TRUNCATE viewd.changes" ;;
mariadb) sql_mariadb "TRUNCATE viewd_changes" ;;
sqlite) sql "UPDATE viewd_captures SET dirty_seq = clean_seq" ;;
esac
kill -CONT "$viewd_pid"
followed "somebody empties the log of changes: max_staleness heals" forgotten

case $engine in
postgresql)
	# ---- writes that fire no trigger ----
	sql "SET session_replication_role = origin" 2>"$T/replica.out"
	sql_pg "SET session_replication_role = replica; UPDATE cut SET gen = 14; UPDATE foreign_owned SET gen = 14"
	ok "a replica's writes to our role's table are noticed" wait_until "follows cut"
	ok "... those to others' tables are healed by max_staleness" wait_until "follows foreign_owned"

	# ---- a full queue of notifications ----
	# Filling it takes gigabytes: the server says so instead. It is asked at every heartbeat.
	if [ -n "${VIEWD_LONG:-}" ]; then
		queue_is()
		{
			sql_pg "CREATE OR REPLACE FUNCTION pg_catalog.pg_notification_queue_usage() RETURNS double precision LANGUAGE $1"
		}
		queue_is "sql VOLATILE AS 'SELECT 0.2::double precision'"
		ok "a queue that fills is warned of" wait_until "log_has 'notification queue is 20% full'"
		ok "... and listened to" follows cut
		queue_is "sql VOLATILE AS 'SELECT 0.5::double precision'"
		ok "a queue that is half full is left" wait_until "log_has 'notification queue is 50% full'"
		queue_is "internal VOLATILE AS 'pg_notification_queue_usage'"
		sql "UPDATE cut SET gen = 19"
		followed "... until there is room" cut
	fi
	;;
mariadb)
	# ---- the binary log goes away ----
	sed -i 's/^capture = trigger/capture = binlog/' "$T/viewd.conf"
	ok "noticed by the binary log from now on" viewctl reload
	for s in $sources; do ok "binlog: $s" wait_until "follows $s"; done
	sql "UPDATE cut SET gen = 15"
	ok "the binary log is followed" wait_until "follows cut"
	stop_viewd
	sql "UPDATE cut SET gen = 16"
	sql_mariadb "FLUSH BINARY LOGS"
	# The server keeps what it still believes to be read by somebody.
	purged()
	{
		sql_mariadb "PURGE BINARY LOGS TO '$(sql_mariadb "$show_binlog" | cut -f1)'"
		[ "$(sql_mariadb 'SHOW BINARY LOGS' | wc -l)" = 1 ]
	}
	ok "the binary log is purged while viewd is away" wait_until purged
	start_viewd
	followed "purged: all is refreshed" cut
	ok "... and said" wait_until log_has 'binary log cannot be read'
	sql "UPDATE cut SET gen = 17"
	sql_mariadb "$reset_binlog"
	sql "UPDATE cut SET gen = 18"
	followed "it begins anew while viewd follows it" cut
	;;
esac

all_follow()
{
	local s
	for s in $sources; do follows "$s" || return; done
}
wait_until all_follow
ok "in the end all are equal" viewctl verify --all
finish
