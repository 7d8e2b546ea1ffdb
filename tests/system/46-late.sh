#!/bin/bash
# SPDX-License-Identifier: MIT
# A viewd that takes over a database waits for what a predecessor that was killed was about to commit, and does what that asks for. SQLite has one
# writer at a time and a lock on the file.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
[ "$engine" != sqlite ] || skip_all "SQLite has one writer at a time"

daemon_table=$(pick viewd.daemon viewd_daemon -)
captures=$(pick viewd.captures viewd_captures -)
share=$(pick 'FOR SHARE' 'LOCK IN SHARE MODE' -)
history=$(pick viewd.refresh_history viewd_refresh_history -)

start_engine
sql 'CREATE TABLE sale (id integer PRIMARY KEY); CREATE TABLE other (id integer PRIMARY KEY); INSERT INTO sale VALUES (1)'
conf_database shop <<-END
	[view-defaults]
	database = shop
	method = table
	[view total]
	definition = SELECT count(*) AS n FROM sale
	[view above]
	on_change = yes
	definition = SELECT n FROM total
END
start_viewd
ok "the views are filled" wait_until '[ "$(sql "SELECT n FROM above")" = 1 ]'

# A predecessor's commit that comes late: it holds the row, and marks a view stale, while the next viewd starts.
ok "changes are noticed" wait_until '[ "$(sql "SELECT count(*) FROM $captures")" -gt 0 ]'
ok "it comes to rest" wait_until '[ "$(viewctl --json status above | jq -r ".[0] | .is_stale != true, .activity" | xargs)" = "true IDLE" ]'
kill_viewd
before=$(sql "SELECT count(*) FROM $history WHERE $(pick '"view"' '`view`' -) = 'above'")
dirty=$(sql "SELECT max(dirty_seq) FROM $captures")
mkfifo "$T/late"
sql <"$T/late" >"$T/late.log" 2>&1 &
late=$!
exec {late_fd}>"$T/late"
echo "BEGIN; SELECT holder FROM $daemon_table $share; UPDATE $captures SET dirty_seq = dirty_seq + 1;" >&"$late_fd"
holds()
{
	case $engine in
	postgresql) sql_pg "SELECT 1 FROM pg_locks WHERE relation = 'viewd.captures'::regclass AND mode = 'RowExclusiveLock'" ;;
	mariadb) sql_mariadb "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED; SELECT max(dirty_seq) > $dirty FROM $captures" ;;
	esac | grep -q 1
}
ok "a late commit is on its way" wait_until holds
start_viewd
ok "the next one does not lead yet" wait_until '[ "$(field total state)" != ACTIVE ] || viewctl why total | grep -q "cannot be used"'
printf 'COMMIT;\n\\q\n' >&"$late_fd"
exec {late_fd}>&-
wait $late
ok "it leads when that has ended, and nothing is lost" \
	wait_until '[ "$(sql "SELECT count(*) FROM $history WHERE $(pick "\"view\"" "\`view\`" -) = '"'above'"'")" -gt "$before" ]'
finish
