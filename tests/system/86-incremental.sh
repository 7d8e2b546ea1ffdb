#!/bin/bash
# SPDX-License-Identifier: MIT
# Views that are refreshed by what has changed, by a daemon: what it says of them, after a crash, when they are spoilt by
# hand, and that nothing of it stays.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
[ "$engine" != mariadb ] || sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost" # to see TRUNCATE
sql "CREATE TABLE customer (id integer PRIMARY KEY, name varchar(20) NOT NULL);
	CREATE TABLE sale (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL, note varchar(20))"
sql "INSERT INTO customer WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 20) SELECT n, 'somebody' FROM c"
sql "INSERT INTO sale WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 500) SELECT n, n % 20 + 1, n, NULL FROM c"

# twice FACTOR: a function of the user's, where functions are known to give the same value for the same arguments.
twice()
{
	sql "CREATE OR REPLACE FUNCTION twice(i integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT i * $1'"
}
[ $engine != postgresql ] || twice 2

# Other values than before, of which no trigger tells. $redefined is a view that reads them.
names="SELECT DISTINCT name FROM named"
redefined=$(pick doubled named named)
redefine()
{
	case $engine in
	postgresql) twice 3 ;;
	mariadb) sql "ALTER TABLE customer DROP COLUMN name, ADD COLUMN name varchar(20) NOT NULL DEFAULT 'anew'" ;;
	sqlite)
		sql "BEGIN; CREATE TABLE other AS SELECT id FROM customer; DROP TABLE customer;
			CREATE TABLE customer (id integer PRIMARY KEY, name varchar(20) NOT NULL);
			INSERT INTO customer SELECT id, 'anew' FROM other; DROP TABLE other; COMMIT"
		;;
	esac
}

# define [MODE]
define()
{
	conf_database shop <<-END
		[view-defaults]
		database = shop
		method = table
		refresh_mode = ${1:-incremental}
		on_change = yes

		[view totals]
		definition = SELECT customer, count(*) AS sales, sum(amount) AS amount FROM sale GROUP BY customer

		[view named]
		definition = SELECT s.id, c.name, s.amount FROM sale AS s JOIN customer AS c ON c.id = s.customer

		[view doubled]
		definition = SELECT id, $(pick "twice(amount)" "amount * 2" "amount * 2") AS amount FROM sale

		[view above]
		definition = SELECT amount, count(*) AS customers FROM totals GROUP BY amount

		[view upmost]
		definition = SELECT customers, count(*) AS n, sum(amount) AS amount FROM above GROUP BY customers
	END
}

last_is() { field_is "$1" action "$2"; }
all_fresh() { is_fresh totals && is_fresh named && is_fresh above && is_fresh upmost && is_fresh doubled; }
equal() { wait_until all_fresh && viewctl verify --all; }
# Views that share a source and read other columns of it have its log made anew in turn, at first.
settled()
{
	sql "UPDATE sale SET amount = amount + 1 WHERE id = 8"
	equal >"$T/equal" && last_is totals INCREMENTAL && last_is named INCREMENTAL
}
logs() { sql "SELECT count(*) FROM $(pick viewd.change_logs viewd_change_logs viewd_change_logs)"; }

define
start_viewd
ok "the views are there" wait_until all_fresh
sql "UPDATE sale SET amount = amount + 1 WHERE id = 7"
ok "a first change: the logs are being made" equal
ok "changes are followed, and refreshes do what has changed" wait_until settled
like "why tells of it" "$(viewctl why named)" "INCREMENTAL: incremental: 1 keys of 2 images"
sql "UPDATE customer SET name = 'nobody' WHERE id = 3"
ok "a change of the other table is followed" equal
is "all of its rows have come along" "$(sql "SELECT count(*) FROM named WHERE name = 'nobody'")" 25
sql "UPDATE sale SET note = 'read' WHERE id < 100"
ok "a column that nobody reads changes nothing" equal
is "logs: one a source" "$(logs)" 4

comment "views on views"
# The change of one row goes through all three views.
through()
{
	sql "UPDATE sale SET amount = amount + 1 WHERE id = 12"
	equal >"$T/equal" || return 1
	for view in totals above upmost; do
		last_is $view INCREMENTAL && viewctl why $view | grep -qE "incremental: [12] keys of [2-4] images" || return 1
	done
}
ok "each of three views above each other is refreshed by what the one below has changed" wait_until through
sql "TRUNCATE TABLE totals" 2>/dev/null || sql "DELETE FROM totals"
viewctl refresh totals --wait --full >/dev/null
ok "a view that was emptied by hand hands over everything" equal

comment "drawn"
like "graph has the nodes" "$(viewctl graph | tr '\n' ' ')" "node 1 +a (part|roll) .*sale +source"
like "... and as dot" "$(viewctl graph --format dot)" '"upmost node 1" -> "upmost"'
like "... which read views" "$(viewctl graph --format dot)" '"above" -> "upmost node 1"'
is "... and as JSON" "$(viewctl --json graph | jq -r '.views[] | select(.view == "above") | .nodes[0].reads[0] | "\(.from) \(.from_kind)"')" "totals view"
# Another session than that of the refreshes knows what these have written down, which is not each time.
told()
{
	sql "UPDATE sale SET amount = amount + 1 WHERE id = 14"
	wait_until is_fresh named && viewctl explain named | grep -qE "the (first|second) form is in use; .* ms for [0-9]+ keys"
}
ok "explain tells the form that is in use" wait_until told

redefine
ok "what is computed by another function, or read from another column, is computed anew" wait_until viewctl verify $redefined
is "... with its new values" "$(sql "$(pick "SELECT amount FROM doubled WHERE id = 20" "$names" "$names")")" "$(pick 60 anew anew)"

comment "while viewd is away"
kill_viewd
sql "DELETE FROM sale WHERE id % 7 = 0; UPDATE sale SET customer = 4 WHERE id % 11 = 0; INSERT INTO sale VALUES (1000, 5, 1, NULL)"
start_viewd
ok "what was written meanwhile is followed" equal
ok "... by what has changed" wait_until "last_is named INCREMENTAL"

comment "spoilt by hand"
sql "UPDATE totals SET amount = 0 WHERE customer = 9"
fails "verify sees it" viewctl verify totals
like "... and repairs it" "$(viewctl verify totals --repair)" "totals: equal, [0-9]+ rows, after all were computed again"
ok "... for good" viewctl verify totals
sql "UPDATE totals SET amount = 1"
viewctl refresh above --wait --full >/dev/null
like "what reads it is repaired with it" "$(viewctl verify --all --repair)" "above: equal, [0-9]+ rows, after all were computed again"
ok "... for good" viewctl verify --all

comment "another mode"
define full
viewctl reload >/dev/null
ok "the views go on" equal
given_up()
{
	sql "UPDATE sale SET amount = amount + 1 WHERE id = 9"
	[ "$(logs)" = 0 ]
}
ok "the logs go" wait_until given_up
sql "UPDATE sale SET amount = amount + 1 WHERE id = 9"
ok "... and nobody misses them" equal

# auto begins by itself to keep what takes long.
comment "auto"
sql "CREATE TABLE large (id integer PRIMARY KEY, part integer NOT NULL, amount integer NOT NULL);
	INSERT INTO large $(pick "SELECT n, n % 50000, n FROM generate_series(1, 400000) AS s(n)" \
	"SELECT seq, seq % 50000, seq FROM seq_1_to_400000" \
	"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 400000) SELECT n, n % 50000, n FROM c");
	CREATE INDEX large_part ON large (part); $(pick "ANALYZE large" "ANALYZE TABLE large" "ANALYZE large")" >/dev/null
conf_database shop <<-END
	[view slow]
	database = shop
	method = table
	on_change = yes
	definition = SELECT part, count(*) AS n, sum(amount) AS amount FROM large GROUP BY part

	[view first]
	database = shop
	method = table
	on_change = yes
	definition = SELECT id, part FROM large ORDER BY part, id LIMIT 200000
END
viewctl reload >/dev/null
ok "a view whose refreshes take long is there" wait_until is_fresh slow
begun()
{
	sql "UPDATE large SET amount = amount + 1 WHERE id = 5"
	wait_until is_fresh slow && last_is slow INCREMENTAL
}
ok "after some refreshes it is refreshed by what has changed" wait_until begun
ok "it is equal" viewctl verify slow
refused()
{
	sql "UPDATE large SET amount = amount + 1 WHERE id = 6"
	wait_until is_fresh first && viewctl why first |
		grep -qE "(FULL|SWAP): .*cannot be refreshed incrementally \(LIMIT or OFFSET at line 1"
}
ok "a view that cannot be kept so is refreshed as a whole, and why tells the reason" wait_until refused
like "why tells what was expected" "$(viewctl why slow)" "INCREMENTAL: incremental: [1-9][0-9]* keys of [0-9]+ images, .* expected"

# A materialized view cannot be written row by row.
if [ $engine = postgresql ]; then
	comment "a materialized view becomes a table"
	materialized()
	{
		conf_database shop <<-END
			[view-defaults]
			database = shop
			method = materialized
			refresh_mode = $1
			on_change = yes

			[view mat]
			unique_key = customer
			index_amount = (amount)
			definition = SELECT customer, sum(amount) AS amount FROM sale GROUP BY customer

			[view limited]
			definition = SELECT id FROM sale ORDER BY id LIMIT 3
		END
		viewctl reload "${@:2}"
	}
	kind() { sql "SELECT relkind FROM pg_class WHERE relname = '$1'"; }
	materialized auto >/dev/null
	ok "it is there" wait_until "is_fresh mat && is_fresh limited"
	sql "COMMENT ON MATERIALIZED VIEW mat IS 'kept'; CREATE INDEX own ON mat (amount, customer); GRANT SELECT ON mat TO PUBLIC;
		CREATE VIEW theirs AS SELECT sum(amount) AS amount FROM mat; GRANT SELECT ON theirs TO PUBLIC"
	is "a materialized view" "$(kind mat)" m
	materialized incremental --dry-run >/dev/null
	like "plan says what will happen" "$(viewctl plan --reload)" "view mat: .*the materialized view becomes a table in one transaction"
	is "... and does not do it" "$(kind mat)" m
	viewctl reload >/dev/null
	became() { [ "$(kind mat)" = r ] && is_fresh mat; }
	ok "it becomes a table" wait_until became
	is "its indexes are kept" "$(sql "SELECT string_agg(pg_get_indexdef(indexrelid), ' ' ORDER BY 1) FROM pg_index WHERE indrelid = 'mat'::regclass" |
		grep -oE 'UNIQUE|INDEX own|INDEX mat_amount|\(amount[a-z, ]*\)' | LC_ALL=C sort -u | tr '\n' ' ')" "(amount) (amount, customer) INDEX mat_amount INDEX own UNIQUE "
	is "its comment is kept" "$(sql "SELECT obj_description('mat'::regclass)")" kept
	is "what others may do is kept" "$(sql "SELECT has_table_privilege('public', 'mat', 'SELECT')")" t
	is "what reads it goes on" "$(sql "SELECT amount FROM theirs")" "$(sql "SELECT sum(amount) FROM sale")"
	kept_so()
	{
		sql "UPDATE sale SET amount = amount + 1 WHERE id = 13"
		wait_until is_fresh mat && viewctl verify mat && last_is mat INCREMENTAL
	}
	ok "it is refreshed by what has changed" wait_until kept_so
	is "... for who reads it" "$(sql "SELECT amount FROM theirs")" "$(sql "SELECT sum(amount) FROM sale")"
	is "what cannot be kept so stays what it is" "$(kind limited)" m
	like "... and says why" "$(viewctl why limited)" "cannot be refreshed incrementally .LIMIT or OFFSET at line 1, column"
	materialized full >/dev/null
	back() { [ "$(kind mat)" = m ] && is_fresh mat && is_fresh limited; }
	ok "another mode, and it is a materialized view again" wait_until back
	is "... with what reads it" "$(sql "SELECT amount FROM theirs")" "$(sql "SELECT sum(amount) FROM sale")"
	sql "DROP VIEW theirs"
fi

comment "out"
define
viewctl reload >/dev/null
sql "UPDATE sale SET amount = amount + 1 WHERE id = 10"
ok "back again" equal
viewctl uninstall shop >/dev/null
ok "writers go on" sql "UPDATE sale SET amount = amount + 1 WHERE id = 10"
is "nothing is left" "$(sql "$(pick \
	"SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'viewd%'" \
	"SELECT count(*) FROM information_schema.triggers WHERE trigger_name LIKE 'viewd%'" \
	"SELECT count(*) FROM sqlite_master WHERE name LIKE 'viewd%' AND type IN ('trigger', 'table')")")" 0
finish
