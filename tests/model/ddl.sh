# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $engine and the like come from lib-engine.sh
#
# ddl.sh: what model.sh redefines: tables of its own (all have id and v), views over them, and statements that change what the views read without
# writing rows. One of these runs at a time; each first mends what a predecessor that was killed has left.

ddl_tables="items spare typed anew ledger parts"
ddl_views="d_items d_plain d_nested d_typed d_anew d_ledger d_over d_parts $(pick 'd_func d_enum d_policy d_mv d_native' 'd_func d_enum' '')"

# A function in a subshell takes its luck from $chance: $RANDOM would begin with another seed there.
chance=0
one_of()
{
	[ $((chance % 2)) -eq 0 ] && printf '%s\n' "$1" || printf '%s\n' "$2"
}

# ---- what there is ----

# How pv and the function f read now.
view_text()
{
	case $((chance % 3)) in
	0) printf 'SELECT id, v + %d AS v FROM items' $((chance / 3 % 50)) ;;
	1) printf 'SELECT id, v FROM spare WHERE v > %d' $((chance / 3 % 50)) ;;
	2) printf 'SELECT i.id, i.v - s.v AS v FROM items i JOIN spare s ON s.id = i.id' ;;
	esac
}
function_text()
{
	local body="i + $((chance / 2 % 50))"
	[ $((chance % 2)) -eq 0 ] || body="i - (SELECT count(*) FROM items)"
	pick "CREATE OR REPLACE FUNCTION f(i integer) RETURNS integer LANGUAGE sql STABLE AS 'SELECT ($body)::integer'" \
		"CREATE OR REPLACE FUNCTION f(i integer) RETURNS integer READS SQL DATA RETURN $body" ''
}
ddl_schema()
{
	local t
	for t in items spare typed anew ledger; do
		sql "CREATE TABLE $t (id integer PRIMARY KEY, v integer); INSERT INTO $t VALUES (1, 10), (2, 20), (3, 30)"
	done
	sql "CREATE VIEW pv AS SELECT id, v FROM items; CREATE VIEW pv2 AS SELECT id, v FROM pv WHERE v > 15"
	case $engine in
	postgresql)
		sql "CREATE TYPE mood AS ENUM ('calm', 'glad');
			CREATE TABLE moods (id integer PRIMARY KEY, m mood NOT NULL); INSERT INTO moods VALUES (1, 'calm'), (2, 'glad');
			CREATE TABLE secrets (id integer PRIMARY KEY, v integer); INSERT INTO secrets SELECT g, g FROM generate_series(1, 20) g;
			ALTER TABLE secrets ENABLE ROW LEVEL SECURITY; ALTER TABLE secrets FORCE ROW LEVEL SECURITY;
			CREATE POLICY some_rows ON secrets USING (id % 3 <> 0);
			CREATE TABLE parts (id integer NOT NULL, v integer) PARTITION BY RANGE (id);
			CREATE TABLE parts_0 PARTITION OF parts FOR VALUES FROM (0) TO (20);
			CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (20) TO (40);
			CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM (40) TO (60);
			INSERT INTO parts VALUES (1, 1), (21, 2), (41, 3);
			CREATE MATERIALIZED VIEW mv AS SELECT count(*) AS n, sum(v) AS total FROM spare"
		;;
	mariadb)
		sql "CREATE TABLE moods (id integer PRIMARY KEY, m enum('calm', 'glad') NOT NULL); INSERT INTO moods VALUES (1, 'calm'), (2, 'glad');
			CREATE TABLE parts (id integer NOT NULL, v integer) PARTITION BY RANGE (id) (PARTITION parts_0 VALUES LESS THAN (20),
				PARTITION parts_1 VALUES LESS THAN (40), PARTITION parts_2 VALUES LESS THAN (60));
			CREATE TABLE parts_x (id integer NOT NULL, v integer); INSERT INTO parts VALUES (1, 1), (21, 2), (41, 3)"
		;;
	sqlite) sql "CREATE VIRTUAL TABLE parts USING fts5(id UNINDEXED, v)" ;;
	esac
	[ "$engine" = sqlite ] || sql "$(function_text)"
}

ddl_conf()
{
	cat <<-END

		[view d_items]
		definition = SELECT count(*) AS n, sum(v) AS total FROM items

		[view d_plain]
		unique_key = id
		definition = SELECT id, v FROM pv

		[view d_nested]
		definition = SELECT id, v FROM pv2

		[view d_typed]
		unique_key = id
		definition = SELECT id, v FROM typed

		[view d_anew]
		unique_key = id
		definition = SELECT id, v FROM anew

		[view d_ledger]
		definition = SELECT id, v FROM ledger

		[view d_over]
		definition = SELECT count(*) AS n, sum(v) AS total FROM d_plain

		[view d_parts]
		definition = SELECT id, v FROM parts
	END
	[ "$engine" = sqlite ] || cat <<-END

		[view d_func]
		unique_key = id
		definition = SELECT id, f(v) AS v FROM spare

		[view d_enum]
		definition = SELECT id, $(pick 'm::text' "concat(m, '')" '') AS m FROM moods
	END
	[ "$engine" != postgresql ] || cat <<-END

		[view d_policy]
		unique_key = id
		definition = SELECT id, v FROM secrets

		[view d_mv]
		definition = SELECT n, total FROM mv

		[view d_native]
		method = materialized
		definition = SELECT id, v FROM pv
	END
}

# ---- rows ----

ddl_rows()
{
	local words=($ddl_tables) id=$((RANDOM % 60)) amount=$((RANDOM % 100)) t
	t=${words[RANDOM % ${#words[@]}]}
	case $((RANDOM % 4)) in
	0 | 1) printf '%s;' "DELETE FROM $t WHERE id = $id; INSERT INTO $t (id, v) VALUES ($id, $amount)" ;;
	2) printf '%s;' "UPDATE $t SET v = $amount WHERE id < $id" ;;
	3) printf '%s;' "DELETE FROM $t WHERE id > $id" ;;
	esac
	[ "$engine" != postgresql ] || [ $((RANDOM % 3)) -ne 0 ] || printf '%s;' "UPDATE secrets SET v = $amount WHERE id = $id"
}

# ---- definitions ----

pause_text()
{
	[ $((chance % 3)) -ne 0 ] || pick "SELECT pg_sleep(0.3)" "SELECT SLEEP(0.3)" "SELECT 1"
}

# in_steps SQL...: one after another, some of them in one transaction where the engine can, sometimes with time between them.
in_steps()
{
	local text="" step
	for step; do
		text+="$step;"
		[ "$engine" = mariadb ] || [ $((RANDOM % 2)) -ne 0 ] || continue
		sql "$text" || return
		text=$(pause_text)
		text=${text:+$text;}
	done
	[ -z "$text" ] || sql "$text"
}

take_dump()
{
	case $engine in
	postgresql) PGOPTIONS= "$pg_client/pg_dump" -h "$pg_dir" -U viewd -d shop -t public.ledger --clean --if-exists -f "$T/ledger.new" ;;
	mariadb)
		mariadb-dump --no-defaults --socket="$mariadb_dir/sock" -u viewd --single-transaction shop ledger >"$T/ledger.new"
		;;
	sqlite) sql ".backup '$T/ledger.new'" ;;
	esac && mv "$T/ledger.new" "$T/ledger.dump"
}
# SQLite: everything as it was, written into the file that everybody has open.
load_dump()
{
	case $engine in
	postgresql | mariadb) anyway <"$T/ledger.dump" ;;
	sqlite) sql ".restore '$T/ledger.dump'" ;;
	esac
}

redefine_common()
{
	case $1 in
	0 | 1) # a plain view
		case $engine in
		sqlite) sql "BEGIN IMMEDIATE; DROP VIEW IF EXISTS pv; CREATE VIEW pv AS $(view_text); COMMIT" ;;
		*) sql "CREATE OR REPLACE VIEW pv AS $(view_text)" ;;
		esac
		;;
	2) in_steps "DROP VIEW IF EXISTS pv2" "CREATE VIEW pv2 AS SELECT id, v FROM pv WHERE v > $((RANDOM % 40))" ;;
	3) in_steps "ALTER TABLE items ADD COLUMN more integer DEFAULT 5" "ALTER TABLE items DROP COLUMN more" ;;
	4) in_steps "ALTER TABLE $2 RENAME COLUMN v TO v_away" "ALTER TABLE $2 RENAME COLUMN v_away TO v" ;;
	5) in_steps "ALTER TABLE $2 RENAME TO table_away" "ALTER TABLE table_away RENAME TO $2" ;;
	6) in_steps "DROP TABLE IF EXISTS anew" "CREATE TABLE anew (id integer PRIMARY KEY, v integer)" "INSERT INTO anew VALUES (1, $RANDOM), (70, 1)" ;;
	7) # another table takes its place
		in_steps "ALTER TABLE anew RENAME TO anew_old" "CREATE TABLE anew (v integer, id integer PRIMARY KEY)" "INSERT INTO anew SELECT v + 1, id FROM anew_old" \
			"DROP TABLE anew_old"
		;;
	8) sql "$(pick 'TRUNCATE items' 'TRUNCATE items' 'DELETE FROM items')" ;;
	9) take_dump ;;
	10 | 11) load_dump ;;
	12) retype ;;
	esac
}

retype()
{
	local type
	type=$(pick "$(one_of bigint 'numeric(12,2)')" "$(one_of bigint integer)" "$(one_of text integer)")
	case $engine in
	postgresql) sql "ALTER TABLE typed ALTER COLUMN v TYPE $type USING v + 1" ;;
	mariadb) sql "ALTER TABLE typed MODIFY v $type" ;;
	sqlite)
		sql "BEGIN IMMEDIATE; CREATE TABLE typed_new (id integer PRIMARY KEY, v $type); INSERT INTO typed_new SELECT id, v FROM typed; DROP TABLE typed;
			ALTER TABLE typed_new RENAME TO typed; COMMIT"
		;;
	esac
}

redefine_postgresql()
{
	local p=$((RANDOM % 3)) concurrently
	concurrently=$(one_of CONCURRENTLY '')
	local attach="ALTER TABLE parts ATTACH PARTITION parts_$p FOR VALUES FROM ($((p * 20))) TO ($((p * 20 + 20)))"
	case $1 in
	0 | 1) sql "$(function_text)" ;;
	2 | 3)
		sql "ALTER TABLE parts DETACH PARTITION parts_$p $concurrently"
		[ $((RANDOM % 2)) -eq 0 ] || sql "INSERT INTO parts_$p VALUES ($((p * 20 + 3)), $RANDOM)"
		sql "$attach"
		;;
	4) in_steps "DROP TABLE IF EXISTS parts_$p" "CREATE TABLE parts_$p (id integer NOT NULL, v integer)" "INSERT INTO parts_$p VALUES ($((p * 20 + 1)), $RANDOM)" "$attach" ;;
	5) in_steps "ALTER TYPE mood ADD VALUE IF NOT EXISTS 'm$((RANDOM % 9))'" "INSERT INTO moods SELECT coalesce(max(id), 0) + 1, 'm1' FROM moods" ;;
	6) in_steps "ALTER TYPE mood RENAME VALUE 'calm' TO 'cool'" "ALTER TYPE mood RENAME VALUE 'cool' TO 'calm'" ;;
	7) sql "ALTER POLICY some_rows ON secrets USING (id % $((RANDOM % 5 + 2)) <> 0)" ;;
	8) in_steps "DROP POLICY IF EXISTS some_rows ON secrets" "CREATE POLICY some_rows ON secrets USING (id % $((RANDOM % 5 + 2)) <> 0)" ;;
	9) sql "ALTER TABLE secrets $(one_of 'NO FORCE' FORCE) ROW LEVEL SECURITY" ;;
	10) sql "REFRESH MATERIALIZED VIEW mv" ;;
	esac
}

redefine_mariadb()
{
	local p=$((RANDOM % 3))
	case $1 in
	0 | 1 | 2) sql "$(function_text)" ;;
	3) sql "ALTER TABLE parts TRUNCATE PARTITION parts_$p" ;;
	4)
		in_steps "DELETE FROM parts_x" "INSERT INTO parts_x VALUES ($((p * 20 + 5)), $RANDOM)" "ALTER TABLE parts EXCHANGE PARTITION parts_$p WITH TABLE parts_x"
		;;
	5) in_steps "ALTER TABLE parts DROP PARTITION parts_2" "ALTER TABLE parts ADD PARTITION (PARTITION parts_2 VALUES LESS THAN (60))" ;;
	6 | 7) in_steps "ALTER TABLE moods MODIFY m enum('calm', 'glad', 'm$((RANDOM % 9))') NOT NULL" "INSERT IGNORE INTO moods VALUES ($((RANDOM % 60)), 3)" ;;
	8) in_steps "SET STATEMENT lock_wait_timeout = 20 FOR ALTER TABLE spare ADD COLUMN more integer" "/*! ALTER TABLE spare DROP COLUMN more */" ;;
	9 | 10) sql "CREATE OR REPLACE SQL SECURITY $(one_of INVOKER DEFINER) VIEW pv AS $(view_text)" ;;
	esac
}

# The file's whole set is replaced by an older one, as a careful administrator does it: nobody writes, and it is renamed.
replace_file()
{
	[ "$engine" = sqlite ] && [ -e "$T/ledger.dump" ] || return
	cp "$T/ledger.dump" "$T/ledger.copy"
	rm -f "$T/shop.db-wal" "$T/shop.db-shm"
	mv "$T/ledger.copy" "$T/shop.db"
}

# anyway: SQL from stdin, whose errors end nothing.
anyway()
{
	case $engine in
	postgresql) { echo '\set ON_ERROR_STOP 0' && cat; } | sql ;;
	mariadb) mariadb_user=viewd sql_mariadb --force "$(cat)" ;;
	sqlite) sql ;;
	esac >"$T/mend.log" 2>&1
	return 0
}

# Removes what a statement that was cut off has left; all but a few of these fail.
mend_definitions()
{
	local p
	{
		printf 'ALTER TABLE %s;\n' "items RENAME COLUMN v_away TO v" "spare RENAME COLUMN v_away TO v" "items DROP COLUMN more" "spare DROP COLUMN more" \
			"anew_old RENAME TO anew" "table_away RENAME TO items" "table_away RENAME TO spare"
		printf 'DROP TABLE anew_old;\n'
		printf 'CREATE TABLE %s (id integer PRIMARY KEY, v integer);\n' anew ledger
		printf 'CREATE VIEW %s;\n' "pv AS SELECT id, v FROM items" "pv2 AS SELECT id, v FROM pv"
		case $engine in
		postgresql)
			printf '%s;\n' "ALTER TYPE mood RENAME VALUE 'cool' TO 'calm'" "CREATE POLICY some_rows ON secrets USING (id % 2 <> 0)"
			for p in 0 1 2; do
				printf '%s;\n' "ALTER TABLE parts DETACH PARTITION parts_$p FINALIZE" "CREATE TABLE parts_$p (id integer NOT NULL, v integer)" \
					"ALTER TABLE parts ATTACH PARTITION parts_$p FOR VALUES FROM ($((p * 20))) TO ($((p * 20 + 20)))"
			done
			;;
		mariadb) printf '%s;\n' "ALTER TABLE parts ADD PARTITION (PARTITION parts_2 VALUES LESS THAN (60))" ;;
		esac
	} | anyway
}

redefine_once()
{
	local tables=(items spare)
	if [ "$engine" != sqlite ] && [ $((RANDOM % 2)) -eq 0 ]; then
		"redefine_$engine" $((RANDOM % 11))
	else
		redefine_common $((RANDOM % 13)) "${tables[RANDOM % 2]}"
	fi
}

# redefine_some SEED N: what one process does in a round.
redefine_some()
{
	local n=$2
	RANDOM=$1
	mend_definitions
	while [ $((n--)) -gt 0 ]; do
		chance=$RANDOM
		redefine_once
	done
}
