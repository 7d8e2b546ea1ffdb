#!/bin/bash
# SPDX-License-Identifier: MIT
# SQLite: an older copy is put into the open file while viewd, having seen that a column has another type, computes the rows of the
# replacement. What it makes then is of the copy, not of what is gone.
engine=sqlite
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-faults.sh"
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
start_viewd
ok "the view is made" wait_until is_fresh shown
stop_viewd
sql ".backup $T/copy.db"
viewd_env=(VIEWD_FAILPOINT=refresh:staged:stop)
start_viewd
ok "nothing is computed at a start" wait_until is_fresh shown
sql "BEGIN IMMEDIATE; CREATE TABLE typed_new (id integer PRIMARY KEY, v text); INSERT INTO typed_new SELECT id, v FROM typed; DROP TABLE typed;
	ALTER TABLE typed_new RENAME TO typed; COMMIT"
stopped() { [ "$(awk '{ print $3 }' "/proc/$viewd_pid/stat")" = T ]; }
ok "a column gets another type: the rows of a replacement are computed" wait_until stopped
sql ".restore $T/copy.db"
is "an older copy is put into the file" "$(sql "SELECT typeof(v) FROM typed LIMIT 1")" integer
kill -CONT "$viewd_pid"
same() { [ "$(sql "SELECT count(*) FROM (SELECT id, v, typeof(v) FROM shown EXCEPT SELECT id, v, typeof(v) FROM typed)")" = 0 ]; }
ok "the view shows the copy" wait_until "is_fresh shown && same"
sql "INSERT INTO typed VALUES (3, 30)"
ok "... and follows it" wait_until '[ "$(sql "SELECT count(*) FROM shown")" = 3 ] && is_fresh shown'
is "... with its types" "$(sql "SELECT DISTINCT typeof(v) FROM shown")" integer
finish
