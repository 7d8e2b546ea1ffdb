#!/bin/bash
# SPDX-License-Identifier: MIT
# SQLite: an older copy is put into the open file around the moment in which viewd replaces a view, since a column that it reads has another
# type. What viewd makes is of the copy, not of what is gone; and a view that the copy has of a former type is made anew.
engine=sqlite
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
grep -q VIEWD_FAILPOINT "$VIEWD_BUILD/viewd" || skip_all "built without --enable-failpoints"

start_engine
sql "CREATE TABLE typed (id integer PRIMARY KEY, v integer); INSERT INTO typed VALUES (1, 10), (2, 20)"
conf_database shop "$T/viewd.conf" <<-END
	[view shown]
	database = shop
	method = table
	unique_key = id
	on_change = yes
	definition = SELECT id, v FROM typed
END
retype()
{
	sql "BEGIN IMMEDIATE; CREATE TABLE typed_new (id integer PRIMARY KEY, v $1); INSERT INTO typed_new SELECT id, v FROM typed; DROP TABLE typed;
		ALTER TABLE typed_new RENAME TO typed; COMMIT"
}
same()
{
	[ "$(sql "SELECT count(*) FROM (SELECT id, v, typeof(v) FROM shown EXCEPT SELECT id, v, typeof(v) FROM typed)")" = 0 ]
}
is_good()
{
	is_fresh shown && same
}
stopped()
{
	[ "$(awk '{ print $3 }' "/proc/$viewd_pid/stat")" = T ]
}
# types: of the source, then of the view.
types()
{
	sql "SELECT typeof(t.v) || ' ' || typeof(s.v) FROM typed t, shown s LIMIT 1"
}
# The rule stops it each time.
viewd_goes_on()
{
	while is_running "$viewd_pid"; do
		! stopped || kill -CONT "$viewd_pid"
		nap
	done &
	pids+=($!)
}
# replacing: viewd is stopped when it has computed the rows of a view of another type, and holds no lock.
replacing()
{
	while :; do
		viewd_env=(VIEWD_FAILPOINT=refresh:staged:stop)
		start_viewd
		wait_until is_fresh shown && retype text && wait_until stopped || return
		sqlite3 -batch "$T/shop.db" 'BEGIN EXCLUSIVE; ROLLBACK' >"$T/lock.out" 2>&1 && [ "$(types)" = "text integer" ] && return
		kill_viewd
		retype integer
		viewd_env=()
		start_viewd
		wait_until is_good
		stop_viewd
	done
}

start_viewd
ok "the view is made" wait_until is_fresh shown
stop_viewd
sql ".backup $T/copy.db"
replacing
is "a column gets another type: the rows of a replacement are computed" "$(types)" "text integer"
sql ".restore $T/copy.db"
is "an older copy is put into the file" "$(types)" "integer integer"
viewd_goes_on
ok "the view shows the copy" wait_until is_good
sql "INSERT INTO typed VALUES (3, 30)"
ok "... and follows it" wait_until '[ "$(sql "SELECT count(*) FROM shown")" = 3 ] && is_good'
is "... with its types" "$(types)" "integer integer"
stop_viewd

# A copy of the moment itself knows the new type of the column, and has the view of the former one.
replacing
sql ".backup $T/copy.db"
viewd_goes_on
ok "the view is replaced" wait_until '[ "$(types)" = "text text" ] && is_good'
sql ".restore $T/copy.db"
is "a copy of the moment before is put into the file" \
	"$(sqlite3 "$T/copy.db" "SELECT typeof(t.v) || ' ' || typeof(s.v) FROM typed t, shown s LIMIT 1")" "text integer"
ok "... and the view is replaced once more" wait_until '[ "$(types)" = "text text" ] && is_good'
finish
