#!/bin/bash
# SPDX-License-Identifier: MIT
# A group of MySQL servers (Group Replication): several primaries, with a viewd on two of them; then one primary that is killed.
# Run by tools/other-mysql.sh.
. "${VIEWD_SRC:-.}/tests/system/lib.sh"
. "$VIEWD_SRC/tests/system/lib-group.sh"

need_group
for n in 1 2 3; do
	start_member $n --loose-group-replication-single-primary-mode=OFF --loose-group-replication-enforce-update-everywhere-checks=ON
	sql_on $n "SET SESSION sql_log_bin = OFF; CREATE USER viewd@127.0.0.1 IDENTIFIED BY 'secret'; GRANT ALL ON shop.* TO viewd@127.0.0.1;
		GRANT PROCESS ON *.* TO viewd@127.0.0.1"
	join_group $n
done
sql_on 1 "CREATE TABLE t (id INT PRIMARY KEY AUTO_INCREMENT, k INT, v INT); SET SESSION cte_max_recursion_depth = 100000;
	INSERT INTO t (k, v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) SELECT i, i FROM n"

# configure NUMBER MEMBER...: the same views, by way of those members in this order.
configure()
{
	local number=$1
	shift
	mkdir -p "$T/state$number"
	cat >"$T/viewd$number.conf" <<-END
		[viewd]
		control_socket = $T/control$number.sock
		plugin_dir = $VIEWD_BUILD/.libs
		state_dir = $T/state$number

		[database shop]
		url = $(member_url "$@")

		[view large]
		database = shop
		method = table
		definition = SELECT k, sum(v) AS total FROM t GROUP BY k
		unique_key = k
		on_change = yes
		capture = trigger

		[view all_rows]
		database = shop
		method = table
		definition = SELECT k, sum(v) AS total FROM t GROUP BY k
		on_change = yes
		capture = trigger
	END
}

# ctl NUMBER ARGUMENTS...: viewctl of that viewd.
ctl()
{
	local number=$1
	shift
	"$VIEWD_BUILD/viewctl" -s "$T/control$number.sock" "$@"
}

# all_are NUMBER "STATE FRESHNESS": so that viewd says of both views.
all_are()
{
	[ "$(ctl "$1" --json status | jq -r '[.[] | "\(.state) \(.freshness)"] | unique | join(",")')" = "$2" ]
}

# equal_on MEMBER: both views are what their definition gives there.
equal_on()
{
	local view
	for view in large all_rows; do
		[ "$(sql_on "$1" "SELECT count(*) FROM (SELECT k, total FROM $view EXCEPT SELECT k, sum(v) FROM t GROUP BY k) d")" = 0 ] &&
			[ "$(sql_on "$1" "SELECT count(*) FROM (SELECT k, sum(v) FROM t GROUP BY k EXCEPT SELECT k, total FROM $view) d")" = 0 ] || return
	done
}

# follows WHAT MEMBER SHOWN: a change by way of a member comes into the views that another one shows.
follows()
{
	sql_on "$2" "INSERT INTO t (k, v) VALUES ($2, 1000); UPDATE t SET v = v + 1 WHERE k BETWEEN 10 AND 20; DELETE FROM t WHERE k = $((100 + $2))"
	ok "$1: a change by way of member $2 comes into the views, seen by member $3" wait_until equal_on "$3"
}

configure 1 1 2 3
configure 2 2 3 1
start_viewd "$T/viewd1.conf"
first=$viewd_pid
ok "several primaries: a viewd fills its views" wait_until all_are 1 "ACTIVE FRESH"
ok "they are equal on another member" wait_until equal_on 3
like "why says how rows get there" "$(ctl 1 why all_rows)" "an exchange of names gets in the way of transactions"
spawn_viewd -c "$T/viewd2.conf"
second=$viewd_pid
ok "a viewd by way of another member stands by" wait_until all_are 2 "STANDBY UNKNOWN"
renames=$(mariadb_db='' sql_on 1 "SHOW GLOBAL STATUS LIKE 'Com_rename_table'")
for n in 1 2 3; do
	follows "several primaries" $n $((n % 3 + 1))
done
is "no name was exchanged for that" "$(mariadb_db='' sql_on 1 "SHOW GLOBAL STATUS LIKE 'Com_rename_table'")" "$renames"

stop_process "$first"
ok "the other one takes over" wait_until all_are 2 "ACTIVE FRESH"
follows "taken over" 3 1
stop_process "$second"

# ---- more than writers leave, while nobody watches; the account may not see what is prepared ----
sql_on 2 "SET SESSION cte_max_recursion_depth = 100000;
	INSERT INTO t (k, v) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT i, i FROM n"
start_viewd "$T/viewd1.conf"
first=$viewd_pid
ok "after many rows that nobody heard" wait_until all_are 1 "ACTIVE FRESH"
ok "... the views are equal" wait_until equal_on 2
follows "after many rows" 2 3
ok "nothing was refused" test "$(grep -c ' error: ' "$T/viewd.log")" = 0

# ---- one primary ----
stop_process "$first"
mariadb_db='' sql_on 1 "SELECT group_replication_switch_to_single_primary_mode(@@server_uuid)" >/dev/null
start_viewd "$T/viewd1.conf"
first=$viewd_pid
ok "one primary: a viewd goes on" wait_until all_are 1 "ACTIVE FRESH"
follows "one primary" 1 2
stop_process "${group_pid[1]}" KILL
unset 'group_pid[1]'
ok "a member takes over from the primary that was killed" wait_until "may_write 2 || may_write 3"
primary=$(may_write 2 && echo 2 || echo 3)
follows "another primary" "$primary" $((5 - primary))
ok "... and viewd says so" wait_until all_are 1 "ACTIVE FRESH"
stop_process "$first"
finish
