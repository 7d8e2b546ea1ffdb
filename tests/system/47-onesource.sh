#!/bin/bash
# SPDX-License-Identifier: MIT
# Many views read one table, and all are set up at the same moment by several sessions: each of them follows the table from then on, and
# when some are removed while others come, the triggers that the others need stay.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

rounds=$([ -n "${VIEWD_LONG:-}" ] && echo 20 || echo 4)
numbers=$(seq 1 8)

# configure LETTER: eight views of that letter on the one table.
configure()
{
	local n
	{
		printf '[view-defaults]\ndatabase = shop\nmethod = table\non_change = yes\ncapture = trigger\non_remove = drop\n'
		for n in $numbers; do
			printf '[view %s%s]\ndefinition = SELECT count(*) + %s AS n FROM sale\n' "$1" "$n" "$n"
		done
	} | conf_database shop
	sed -i '/^\[database shop\]/a max_concurrent_refreshes = 8' "$T/viewd.conf"
}

# all_follow LETTER: every view counts what is in the table.
all_follow()
{
	local n count
	count=$(sql 'SELECT count(*) FROM sale')
	for n in $numbers; do
		[ "$(sql "SELECT n FROM $1$n")" = $((count + n)) ] || return 1
	done
}

start_engine
sql 'CREATE TABLE sale (id integer PRIMARY KEY)'
configure a
start_viewd
ok "eight views of one table are filled" wait_until all_follow a
letter=a id=0
for round in $(seq $rounds); do
	next=$([ $letter = a ] && echo b || echo a)
	configure $next
	viewctl reload >"$T/reload.log" 2>&1
	ok "round $round: eight others are filled" wait_until all_follow $next
	sql "INSERT INTO sale VALUES ($((++id)))"
	ok "round $round: and all of them follow" wait_until all_follow $next
	is "round $round: none says that it cannot" "$(for n in $numbers; do viewctl why "$next$n"; done | grep -c 'cannot be noticed')" 0
	letter=$next
done
finish
