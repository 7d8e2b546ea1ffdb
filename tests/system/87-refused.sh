#!/bin/bash
# SPDX-License-Identifier: MIT
# Fifteen definitions that cannot be kept incrementally, asked for with refresh_mode = incremental: `why` and `explain` name what stands in the
# way, where in the definition, and what would help. With refresh_mode = auto the same views work.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
[ "$engine" != mariadb ] || sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost" # to see TRUNCATE
sql "CREATE TABLE customer (id integer PRIMARY KEY, name varchar(20) NOT NULL, region varchar(20) NOT NULL);
	CREATE TABLE sale (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL, day integer, note varchar(20));
	CREATE TABLE line (sale integer NOT NULL, number integer NOT NULL, piece integer, PRIMARY KEY (sale, number));
	CREATE TABLE heap (a integer);
	CREATE VIEW large AS SELECT id, amount FROM sale WHERE amount > 5"
sql "INSERT INTO customer VALUES (1, 'a', 'n'), (2, 'b', 's'); INSERT INTO heap VALUES (1);
	INSERT INTO sale VALUES (1, 1, 10, 1, NULL), (2, 2, 20, 2, 'x'); INSERT INTO line VALUES (1, 1, 5)"

# The definition | the construct | its line and column | what would help.
lines="SELECT id, amount FROM sale ORDER BY id LIMIT 3|LIMIT or OFFSET|1 47|a plain view with ORDER BY and LIMIT over a view without them
SELECT id, amount FROM large|relation large|1 24|write the view's query in its place
SELECT id FROM sale WHERE amount NOT IN (SELECT piece FROM line)|NOT IN over columns that may be NULL|1 27|NOT EXISTS
SELECT a FROM heap|the definition|1 8|declare a primary key
SELECT id, $(pick random rand random)() AS r FROM sale|function $(pick random rand random)|1 12|leave it to whoever reads the view
SELECT id FROM sale UNION SELECT id FROM customer|UNION, EXCEPT or INTERSECT|1 34|one view for each branch
SELECT s.id FROM sale s JOIN customer c ON c.id = s.customer + 1|table c|1 30|join it by column = column
SELECT s.id, c.name AS other FROM sale s JOIN customer c ON c.id < s.customer|table c|1 47|join it by column = column
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT s.id, n.i FROM sale s JOIN n ON n.i = s.day|WITH RECURSIVE|1 1|a table that triggers keep
SELECT id, row_number() OVER (ORDER BY id) AS n FROM sale|a window function|1 12|add the key to each PARTITION BY
SELECT amount FROM sale|the list of columns|1 8|add sale.id to the columns
SELECT s.id, c.name FROM sale s CROSS JOIN customer c|table c|1 44|join it by column = column
SELECT s.id FROM sale s WHERE EXISTS (SELECT 1 FROM line l WHERE l.piece > s.amount)|a subquery tied by no equality|1 31|tie it by column = column
SELECT q.id FROM (SELECT id FROM sale ORDER BY id LIMIT 2) q|LIMIT or OFFSET in a derived table|1 57|row_number() with PARTITION BY
SELECT id, current_timestamp AS t FROM sale|the clock or the user|1 12|use a schedule"
n=0
while IFS='|' read -r definition _; do
	n=$((n + 1))
	printf '[view v%d]\ndatabase = shop\nmethod = table\nrefresh_mode = %s\nmax_retries = 0\ndefinition = %s\n' $n "${mode:-incremental}" "$definition"
done <<<"$lines" >"$T/views.conf"
conf_database shop <"$T/views.conf"
start_viewd
failed() { [ "$(viewctl --json status | jq '[.[] | select(.state == "FAILED" or .result == "FAILED")] | length')" = 15 ]; }
there() { [ "$(viewctl --json status | jq '[.[] | select(.last_success_time != null)] | length')" = 15 ]; }
ok "they are made, and filled" wait_until there
viewctl refresh --all --wait >/dev/null 2>&1
ok "all of them are refused" wait_until failed
n=0
while IFS='|' read -r definition construct place help; do
	n=$((n + 1))
	viewctl why v$n >"$T/why" 2>&1
	viewctl explain v$n >"$T/explain" 2>&1
	comment "$(cat "$T/why")"
	comment "$(cat "$T/explain")"
	ok "why: $construct" grep -qF "($construct at line ${place% *}, column ${place#* }: " "$T/why"
	[ -z "$help" ] || ok "... and what would help" grep -qF "$help" "$T/why"
	ok "explain: $construct" grep -qF "$construct (line ${place% *}, column ${place#* } of the definition)" "$T/explain"
	[ -z "$help" ] || ok "... and what would help" grep -qF "what would help: " "$T/explain"
done <<<"$lines"
sed 's/refresh_mode = incremental/refresh_mode = auto/' "$T/views.conf" | conf_database shop
viewctl reload >/dev/null
good() { [ "$(viewctl --json status | jq '[.[] | select(.result == "SUCCEEDED")] | length')" = 15 ]; }
viewctl refresh --all --wait >/dev/null
ok "auto refreshes them all" wait_until good
finish
