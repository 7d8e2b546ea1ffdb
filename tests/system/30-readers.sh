#!/bin/bash
# SPDX-License-Identifier: MIT
# A client that reads in a tight loop never finds a view missing, empty or half refreshed, whatever viewd does to it.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1
refreshes=${VIEWD_LONG:+200}
redefinitions=${VIEWD_LONG:+20}

start_engine
sql "CREATE TABLE src (n integer PRIMARY KEY, gen integer NOT NULL)"
sql "INSERT INTO src WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300) SELECT n, 0 FROM c"

# define N: both kinds of view, with an extra column whose name and place depend on N.
define()
{
	local columns="n, gen, $1 AS extra$(($1 % 3))"
	[ $(($1 % 2)) -eq 0 ] || columns="$1 AS extra$(($1 % 5)), gen, n"
	conf_database shop <<-END_CONF
		[view-defaults]
		database = shop
		unique_key = n

		[view mv]
		method = materialized
		definition = SELECT $columns FROM src

		[view tv]
		method = table
		definition = SELECT $columns FROM src
	END_CONF
}

reader()
{
	start_process "$T/reader-$1.log" "$VIEWD_BUILD/tests/support/reader-$engine" \
		"$(pick "host=${pg_dir:-} user=viewd dbname=shop" "${mariadb_dir:-}/sock viewd shop" "$T/shop.db")" \
		"SELECT count(*), count(DISTINCT gen), count(DISTINCT n) FROM $1" "300|1|300"
	wait_until grep -q reading "$T/reader-$1.log"
}

# end_reader NAME PID VIEW
end_reader()
{
	stop_process "$2"
	is "$1" "$?" 0 || comment "$(cat "$T/reader-$3.log")"
	comment "$3: $(tail -n 1 "$T/reader-$3.log")"
	ok "... and it read often" test "$(sed -n 's/ reads.*//p' "$T/reader-$3.log")" -gt 50
}

define 0
start_viewd
ok "both views are there" wait_until "is_fresh mv && is_fresh tv"
reader mv
mv_reader=$started
reader tv
tv_reader=$started

done_well=0
for ((i = 0; i < ${refreshes:-12}; i++)); do
	[ $((i % 4)) -ne 0 ] || sql "UPDATE src SET gen = gen + 1"
	! viewctl refresh --all --wait >"$T/refresh.out" 2>&1 || done_well=$((done_well + 1))
done
is "every refresh succeeds" "$done_well" "${refreshes:-12}"
done_well=0
for ((i = 1; i <= ${redefinitions:-5}; i++)); do
	sql "UPDATE src SET gen = gen + 1"
	define $i
	! { viewctl reload && viewctl create --all; } >"$T/create.out" 2>&1 || done_well=$((done_well + 1))
done
is "every redefinition succeeds" "$done_well" "${redefinitions:-5}" || comment "$(cat "$T/create.out")"
end_reader "the reader of the materialized view saw whole contents only" "$mv_reader" mv
end_reader "the reader of the table saw whole contents only" "$tv_reader" tv
ok "the stored rows equal the last definition" viewctl verify --all
finish
