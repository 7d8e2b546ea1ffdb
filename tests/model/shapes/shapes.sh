#!/bin/bash
# SPDX-License-Identifier: MIT
# Views of many shapes (shapes.views) under random writers (shapes.writes): after each batch of transactions they are
# refreshed incrementally, by the dialect's library, and each is compared with its definition byte by byte. A difference
# is told with seed and batch, and reduced to a small case. $SEED makes a run again (default: the same in each make
# check, another one each time with VIEWD_LONG); $BATCHES and $SECONDS_TO_RUN say how long, $SHAPES_ONLY which shapes,
# $SHAPES_MODE another refresh_mode, $SHAPES_GROUPS how many are refreshed as a group. SHAPES_VERBOSE=1 tells more.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

program=$VIEWD_BUILD/tests/model/shapes-$engine
export SHAPES_ENGINE=$engine SHAPES_FILES=$VIEWD_SRC/tests/model/shapes/shapes
export SHAPES_PLUGIN=$VIEWD_BUILD/.libs/viewd_$(pick postgresql mysql sqlite).so
[ -e "$SHAPES_PLUGIN" ] || skip_all "the dialect is not built"

case $engine in
postgresql)
	start_pg
	pg_db=postgres sql_pg "CREATE ROLE other LOGIN"
	root="$pg_client/psql -X -qAt -v ON_ERROR_STOP=1 -h $pg_dir -U postgres postgres"
	export SHAPES_RESET="$root -c 'DROP DATABASE IF EXISTS shapes WITH (FORCE)' -c 'CREATE DATABASE shapes OWNER viewd'"
	export SHAPES_URL="postgresql://viewd@/shapes?host=$pg_dir"
	export SHAPES_TARGET="host=$pg_dir user=viewd dbname=shapes options='-c search_path=public'"
	export SHAPES_OTHER="host=$pg_dir user=other dbname=shapes options='-c search_path=public'"
	;;
mariadb)
	start_mariadb
	mariadb_db='' sql_mariadb "GRANT ALL ON shapes.* TO viewd@localhost; GRANT PROCESS, REPLICATION SLAVE, $binlog_monitor ON *.* TO viewd@localhost;
		CREATE USER other@localhost; GRANT SELECT, INSERT, UPDATE, DELETE ON shapes.* TO other@localhost"
	root="mariadb --no-defaults -uroot -S $mariadb_dir/sock"
	export SHAPES_RESET="$root -e 'SET foreign_key_checks = 0; CREATE OR REPLACE DATABASE shapes CHARACTER SET utf8mb4'"
	export SHAPES_URL="mysql://viewd@/shapes?unix_socket=$mariadb_dir/sock"
	export SHAPES_TARGET="$mariadb_dir/sock viewd shapes" SHAPES_OTHER="$mariadb_dir/sock other shapes"
	;;
sqlite)
	export SHAPES_RESET="rm -f $T/shapes.db*; sqlite3 $T/shapes.db 'PRAGMA journal_mode = wal' >/dev/null"
	export SHAPES_URL=sqlite:///$T/shapes.db SHAPES_TARGET=$T/shapes.db
	;;
esac

seed=1
[ -z "${VIEWD_LONG:-}" ] || seed=$((EPOCHSECONDS % 1000000))
export SHAPES_SEED=${SEED:-$seed}
if [ -n "${VIEWD_LONG:-}${SECONDS_TO_RUN:-}" ]; then
	export SHAPES_BATCHES=${BATCHES:-1000000} SHAPES_SECONDS=${SECONDS_TO_RUN:-300}
else
	# Servers take long to make views, so that a third of the shapes is all that a short run has time for.
	export SHAPES_BATCHES=${BATCHES:-8} SHAPES_SECONDS=30 SHAPES_SHARE=${SHAPES_SHARE:-$(pick 3 3 1)}
fi

# A planted error is found: a row that is missing, and one whose bytes differ. The seed is one whose rows have it.
planted()
{
	SHAPES_REDUCE=no SHAPES_SEED=1 SHAPES_BATCHES=2 SHAPES_ONLY="${4:-s_rows s_alike_rows}" SHAPES_PLANT=$1 "$program" >"$T/planted.log" 2>&1
	cat "$T/planted.log"
	grep -q "^view $2 differs from its definition" "$T/planted.log" && [ "$(grep -c '^	\(stored\|wanted\):' "$T/planted.log")" -eq "$3" ]
}
ok "a row that is missing is found" planted "DELETE FROM s_rows WHERE id = (SELECT id FROM (SELECT min(id) AS id FROM s_rows) q)" s_rows 1
ok "equal texts of other bytes are found" planted "UPDATE s_alike_rows SET name = 'aNT' WHERE name = 'ant' AND id = (SELECT id FROM (SELECT min(id) AS id
	FROM s_alike_rows WHERE name = 'ant') q)" s_alike_rows 2

ok "a spelling that equals none is found" planted "UPDATE s_text_key_groups SET code = 'zzz' WHERE code = (SELECT code FROM
	(SELECT min(code) AS code FROM s_text_key_groups) q)" s_text_key_groups 2 s_text_key_groups

# A dialect that computes all rows of everything would be right, and of no use. Thirds of the shapes differ.
least=80
[ "${SHAPES_SHARE:-1}" -eq 1 ] || least=$((least - 6))
kept()
{
	sed -n 's/^shapes .* percent //p' "$1" | { read -r percent && [ "$percent" -ge "$least" ]; }
}
demoted()
{
	SHAPES_MODE=full SHAPES_BATCHES=1 SHAPES_ONLY="s_rows s_groups" "$program" >"$T/demoted.log" 2>&1
	cat "$T/demoted.log"
	grep -q "^shapes 2 " "$T/demoted.log" && ! kept "$T/demoted.log"
}
ok "views that are not refreshed incrementally are found" demoted

comment "seed $SHAPES_SEED"
"$program" >"$T/shapes.log" 2>"$T/shapes.err"
status=$?
report $status "no view differs from its definition (seed $SHAPES_SEED)"
[ $status -ne 0 ] || [ -n "${SHAPES_ONLY:-}${SHAPES_MODE:-}" ] || ok "$least % of the views are refreshed incrementally" kept "$T/shapes.log"
while read -r line; do comment "$line"; done <"$T/shapes.log"
tail -n "${SHAPES_TAIL:-50}" "$T/shapes.err" | sed 's/^/# /'
finish
