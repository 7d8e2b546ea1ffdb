#!/bin/bash
# SPDX-License-Identifier: MIT
# The answers of viewctl explain for real tables: by the daemon and without one, as text and as JSON; and what prevents a view from being kept
# incrementally is named with its place.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE customer (id integer PRIMARY KEY, name varchar(20) NOT NULL, region varchar(20) NOT NULL);
	CREATE TABLE sale (id integer PRIMARY KEY, customer integer NOT NULL, amount integer NOT NULL, price double precision, note varchar(20));
	CREATE TABLE line (sale integer NOT NULL, number integer NOT NULL, piece integer, PRIMARY KEY (sale, number));
	CREATE TABLE heap (a integer);
	CREATE VIEW large AS SELECT id, amount FROM sale WHERE amount > 5"
# Constructs of one engine that no log can follow.
case $engine in
postgresql)
	sql "CREATE TABLE hidden (id integer PRIMARY KEY); ALTER TABLE hidden ENABLE ROW LEVEL SECURITY;
		CREATE TABLE parent (id integer PRIMARY KEY); CREATE TABLE child () INHERITS (parent);
		CREATE MATERIALIZED VIEW theirs AS SELECT id FROM sale"
	own="SELECT id FROM hidden|relation hidden at 1:16
		SELECT id FROM parent|relation parent at 1:16
		SELECT id FROM theirs|relation theirs at 1:16
		SELECT oid FROM pg_class|relation pg_class at 1:17
		SELECT id, current_setting('TimeZone') AS tz FROM sale|function current_setting at 1:12
		SELECT id, trim(note) AS note FROM sale WHERE note LIKE 'a%'|part sale.id"
	;;
mariadb)
	sql_mariadb "GRANT PROCESS ON *.* TO viewd@localhost" # to see TRUNCATE
	sql "CREATE TABLE old (id integer PRIMARY KEY) ENGINE = MyISAM; CREATE SEQUENCE numbers"
	own="SELECT id FROM old|relation old at 1:16
		SELECT next_value FROM numbers|relation numbers at 1:24
		SELECT id, @x AS x FROM sale|a parameter or variable at 1:12
		SELECT note, count(*) FROM sale GROUP BY note WITH ROLLUP|a form that only the engine reads at 1:47
		SELECT \`id\`, \`note\` FROM \`sale\` /* all */|part sale.id"
	;;
sqlite)
	sql "CREATE VIRTUAL TABLE words USING fts5(word);
		CREATE TABLE cased (id integer PRIMARY KEY, name text COLLATE NOCASE NOT NULL)"
	own="SELECT word FROM words|relation words at 1:18
		SELECT rowid FROM sale|column rowid at 1:8
		SELECT name FROM sqlite_master|table sqlite_master at 1:18
		SELECT c.id FROM customer c JOIN cased d ON d.name = c.name|table d at 1:34
		SELECT [id], [note] FROM [sale]|part sale.id"
	;;
esac
own=$(sed 's/^[[:blank:]]*//' <<<"$own")
n=0
while IFS='|' read -r definition _; do
	n=$((n + 1))
	printf '[view own%d]\ndatabase = shop\nmethod = table\nwith_data = no\ndefinition = %s\n' $n "$definition"
done <<<"$own" >"$T/own.conf"
conf_database shop <<-END_CONF
	[view-defaults]
	database = shop
	method = table
	with_data = no
	[view totals]
	definition = SELECT c.region, count(*) AS n, sum(s.amount) AS amount FROM sale s JOIN customer c ON c.id = s.customer WHERE s.amount > 0 GROUP BY c.region
	[view by_customer]
	definition = SELECT customer, sum(amount) AS amount FROM sale GROUP BY customer
	[view of_each]
	definition = SELECT s.id, c.name, (SELECT max(piece) FROM line WHERE line.sale = s.id) AS piece FROM sale s JOIN customer c ON c.id = s.customer
	[view above]
	definition = SELECT id, amount FROM sale WHERE amount > (SELECT avg(amount) FROM sale)
	[view floats]
	definition = SELECT note, sum(price) AS price FROM sale GROUP BY note
	[view latest]
	definition = SELECT id, amount FROM sale ORDER BY id LIMIT 3
	[view through]
	definition = SELECT id, amount FROM large
	[view without]
	definition = SELECT id FROM sale WHERE amount NOT IN (SELECT piece FROM line)
	[view keyless]
	definition = SELECT a FROM heap
	[view drawn]
	definition = SELECT id, random() AS r FROM sale
	[view anything]
	definition = SELECT region, name, count(*) AS n FROM customer GROUP BY region, name
	$(cat "$T/own.conf")
END_CONF

# line VIEW: the chain or the refusal, from JSON, in one line.
line()
{
	viewctl --json explain "$@" | jq -r '.explanation | if .possible then
		[.nodes[] | .kind + " " + ([.key[]?] | join(",")) + ([.groups[]?] | if length > 0 then " by " + join(",") else "" end)] | join(" | ")
		else "\(.construct) at \(.line):\(.column)" end'
}

says()
{
	is "$1" "$(line "$1" -c "$T/viewd.conf" 2>&1)" "$2"
}

comment "without a daemon"
rolled="part s.id by c.region | roll  by c.region"
says totals "$rolled"
says by_customer "$(pick "roll  by sale.customer" "roll  by sale.customer" "part sale.id by sale.customer | roll  by sale.customer")"
says of_each "part s.id"
says above "$(pick "roll  | part sale.id | top " "roll  | part sale.id | top " "part sale.id | roll  | part sale.id | top ")"
says floats "part sale.note by sale.note"
says latest "LIMIT or OFFSET at 1:47"
says through "relation large at 1:24"
says without "NOT IN over columns that may be NULL at 1:27"
says keyless "the definition at 1:8"
says drawn "function random at 1:12"
one="roll  by customer.region,customer.name"
says anything "$(pick "$one" "$one" "part customer.id by customer.region,customer.name | roll  by customer.region,customer.name")"

n=0
while IFS='|' read -r definition expected; do
	n=$((n + 1))
	is "$definition" "$(line own$n -c "$T/viewd.conf" 2>&1)" "$expected"
done <<<"$own"

comment "by the daemon, the same"
start_viewd
for view in totals by_customer of_each above floats latest through without keyless drawn; do
	is "$view, by the daemon" "$(line $view)" "$(line $view -c "$T/viewd.conf")"
done

viewctl explain totals >"$T/totals"
contains() { grep -qF -- "$2" "$T/$1"; }
ok "the text says how it is kept today" contains totals "refresh_mode = incremental keeps it by"
ok "the text has the chain" contains totals "it can be kept incrementally, by 2 nodes:"
ok "the text has the way of a changed row" contains totals "of customer as c: leads to the key by c.id = s.customer"
ok "the text has the condition on its own table" contains totals "only where (s.amount > 0)"
viewctl explain without >"$T/without"
ok "the text has the place and the reason" contains without "NOT IN over columns that may be NULL (line 1, column 27 of the definition)"
ok "and what would help" contains without "what would help: NOT EXISTS, or columns declared NOT NULL"
is "a view that is not there" "$(viewctl explain nothing 2>&1)" "$(viewctl why nothing 2>&1)"
viewctl explain nothing -c "$T/viewd.conf" >/dev/null 2>&1
is "without a daemon it fails as well" $? 1

comment "what a table consists of is asked each time"
sql "CREATE UNIQUE INDEX heap_a ON heap (a)"
is "a unique key that may be NULL tells rows apart well enough" "$(line keyless)" "part heap.a"
sql "DROP TABLE heap; CREATE TABLE heap (a integer); CREATE INDEX heap_a ON heap (a)"
is "an index that is not unique does not" "$(line keyless)" "the definition at 1:8"
sql "DROP TABLE heap; CREATE TABLE heap (a integer NOT NULL PRIMARY KEY)"
is "a primary key is a key" "$(line keyless)" "part heap.a"

comment "indexes"
missing() { viewctl --json explain "$1" | jq -r '[.explanation.nodes[].sources[]? | select(.missing_indexes != null) | .name + " " + (.missing_indexes | join(" "))] | unique | join(", ")' | tr -d '"`' | grep -o 'sale (customer)'; }
is "one that is missing is named" "$(missing totals)" "sale (customer)"
like "... also for people" "$(viewctl explain totals)" "an index is missing on \(.customer.\)"
sql "CREATE INDEX sale_customer ON sale (customer)"
is "one that is there is not" "$(missing totals)" ""
finish
