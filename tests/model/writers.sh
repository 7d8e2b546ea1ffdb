# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $engine and the like come from lib-engine.sh
#
# writers.sh: the application of model.sh. Each transaction that fails is put down to the writers themselves (own.log: locks, definitions that are
# gone, a server that is away) or to viewd (hurt.log: everything else, and everything that names something of viewd's).

: >"$T/own.log"
: >"$T/hurt.log"
: >"$T/redefined.log"

# Codes of what writers and redefinitions do to each other, and of servers that go.
own_faults=$(pick '(40P01|40001|55P03|42P01|42703|42804|23505|23514|57P0[123]|08...|57014):|(connection to|closed the connection|could not (send|receive))' \
	'ERROR (1205|1213|1146|1054|1062|1356|1412|1526|1927|1053|1317|2002|2006|2013|2026|1020|1684|1264|1305)' \
	'database is locked|no such (table|column)|has no column named|UNIQUE constraint failed|schema has changed')

# put_down STATUS LOG
put_down()
{
	local text
	[ "$1" -ne 0 ] || return
	text=$(sed "s,$T,,g; s/user \"viewd\"//" "$2") # our directory and the application's role have that name too
	if grep -q viewd <<<"$text" || ! grep -qE "$own_faults" <<<"$text"; then
		printf 'status %d: %s\n' "$1" "$text" >>"$T/hurt.log"
	else
		grep -oEm 1 "$own_faults" <<<"$text" >>"$T/own.log"
	fi
}

app()
{
	local options=()
	[ "$engine" != postgresql ] || options=(-v VERBOSITY=verbose)
	sql "${options[@]}" "$1"
}

truncate_orders=$(pick "TRUNCATE orders" "DELETE FROM orders" "DELETE FROM orders")
[ "$CAPTURE" != binlog ] || truncate_orders="TRUNCATE orders" # no trigger of MariaDB tells of it
statement()
{
	local id=$((RANDOM % 60)) c=$((RANDOM % 6)) amount=$((RANDOM % 100))
	case $((RANDOM % 20)) in
	0 | 1 | 2 | 3) printf '%s;' "DELETE FROM orders WHERE id = $id; INSERT INTO orders VALUES ($id, $c, $amount)" ;;
	4 | 5) printf '%s;' "UPDATE orders SET amount = $amount WHERE id = $id" ;;
	6) printf '%s;' "UPDATE orders SET customer = $c WHERE id > $id" ;;
	7 | 8) printf '%s;' "DELETE FROM orders WHERE id = $id" ;;
	9) printf '%s;' "DELETE FROM customers WHERE id = $c; INSERT INTO customers VALUES ($c, 'n$amount')" ;;
	10) printf '%s;' "DELETE FROM customers WHERE id = $c" ;;
	11) printf '%s;' "UPDATE rates SET factor = $amount WHERE region = $((c % 2))" ;;
	12) printf '%s;' "UPDATE orders SET amount = amount WHERE id = $id" ;;
	14 | 15 | 16 | 17 | 18 | 19) ddl_rows ;;
	13) [ $((RANDOM % 8)) -ne 0 ] || printf '%s;' "$truncate_orders" ;;
	esac
}

# One transaction of some statements, now and then a long one; some are rolled back. A server that is away refuses it, which is no change either.
begin=$(pick BEGIN BEGIN 'BEGIN IMMEDIATE')
ends=(COMMIT COMMIT COMMIT ROLLBACK)
write_some()
{
	local text="" i seed
	for ((i = RANDOM % 4; i >= 0; i--)); do
		seed=$RANDOM
		text+=$(RANDOM=$seed && statement) # a subshell would make up a seed of its own
	done
	[ $((RANDOM % 6)) -ne 0 ] || text+=$(pick "SELECT pg_sleep(0.2);" "SELECT SLEEP(0.2);" "")
	app "$begin; $text ${ends[RANDOM % 4]}" >"$T/writer.$1.log" 2>&1
	put_down $? "$T/writer.$1.log"
}

# Several at a time, each with a seed of its own.
start_writers()
{
	local w n seed
	for w in 1 2 3; do
		n=$((RANDOM % 8)) seed=$RANDOM
		(RANDOM=$seed && while [ $((n--)) -gt 0 ]; do write_some "$w"; done) &
		writers+=($!)
	done
}

wait_writers()
{
	wait "${writers[@]}"
	writers=()
}


# Beside them, in every other round, somebody redefines what views read.
start_redefining()
{
	local n=$((RANDOM % 4)) seed=$RANDOM
	[ $n -gt 0 ] || return
	redefined=yes
	(redefine_some $seed $n >>"$T/redefined.log" 2>&1) &
	writers+=($!)
}
