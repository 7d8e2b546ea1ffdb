#!/bin/bash
# SPDX-License-Identifier: MIT
# One view that depends on one thing of each kind: each is named with its kind and with who hears it, and nothing that nothing hears is called
# fresh. By hand with VIEWD_SHOW=1 it prints what viewctl says.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql "CREATE TABLE sale (id integer PRIMARY KEY, product integer NOT NULL, amount integer NOT NULL);
	CREATE TABLE product (id integer PRIMARY KEY, name varchar(20) NOT NULL);
	INSERT INTO sale VALUES (1, 1, 10), (2, 2, 20); INSERT INTO product VALUES (1, 'tea'), (2, 'cup');
	CREATE VIEW large AS SELECT id, product, amount FROM sale WHERE amount > 5"

# Each engine's kinds: the definition, and lines "name kind heard_by", '-' for what nothing hears.
case $engine in
postgresql)
	sql_pg "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw; GRANT USAGE ON FOREIGN SERVER files TO viewd;
		CREATE FOREIGN TABLE public.listed (line text) SERVER files OPTIONS (filename '/dev/null'); GRANT SELECT ON listed TO viewd"
	sql "CREATE TYPE size AS ENUM ('small', 'large');
		CREATE DOMAIN price AS integer CHECK (VALUE >= 0);
		CREATE TABLE sized (id integer PRIMARY KEY, size size NOT NULL, price price NOT NULL); INSERT INTO sized VALUES (1, 'small', 3);
		CREATE TABLE region (id integer NOT NULL, n integer) PARTITION BY LIST (id);
		CREATE TABLE region_1 PARTITION OF region FOR VALUES IN (1); INSERT INTO region VALUES (1, 1);
		CREATE FUNCTION net(i integer) RETURNS bigint LANGUAGE sql STABLE AS 'SELECT i - count(*) FROM product';
		CREATE FUNCTION hidden() RETURNS integer LANGUAGE plpgsql STABLE AS 'BEGIN RETURN 1; END';
		CREATE MATERIALIZED VIEW theirs AS SELECT count(*) AS n FROM product;
		CREATE SEQUENCE numbers;
		CREATE VIEW today AS SELECT current_date AS day"
	heard="SELECT l.id, net(l.amount) AS net, s.size, s.price, t.n, p.n AS part, k.total FROM large l JOIN sized s ON s.id = l.id
		JOIN region p ON p.id = l.id CROSS JOIN theirs t JOIN kept k ON k.product = l.product"
	unheard="SELECT id, hidden() AS h, (SELECT count(*) FROM pg_class) AS c, (SELECT last_value FROM numbers) AS s, (SELECT day FROM today) AS d,
		(SELECT count(*) FROM listed) AS f FROM sale"
	entries='"public"."sale" table trigger
		"public"."large" view look
		"public"."product" table trigger
		"public"."sized" table trigger
		"public"."region" table trigger
		"public"."theirs" materialized view look
		"public"."kept" table kept
		function public.net(integer) function look
		type public.size type look
		type public.price type look'
	without='"public"."sale" table trigger
		"public"."today" view look
		"public"."listed" foreign table -
		function public.hidden() function -
		catalogue pg_catalog.pg_class catalogue -
		sequence public.numbers sequence -
		clock CURRENT_DATE clock -'
	;;
mariadb)
	sql "CREATE FUNCTION net(i integer) RETURNS integer READS SQL DATA RETURN i - (SELECT count(*) FROM product);
		CREATE FUNCTION same(i integer) RETURNS integer DETERMINISTIC RETURN i;
		CREATE SEQUENCE numbers;
		CREATE TABLE listed (line varchar(20) NOT NULL) ENGINE = CSV;
		CREATE VIEW today AS SELECT current_date() AS day"
	heard="SELECT l.id, net(l.amount) AS net, same(l.amount) AS same, k.total FROM large l JOIN kept k ON k.product = l.product"
	unheard="SELECT id, (SELECT count(*) FROM information_schema.tables) AS c, lastval(numbers) AS s, (SELECT day FROM today) AS d,
		(SELECT count(*) FROM listed) AS f FROM sale"
	entries='`shop`.`sale` table trigger
		`shop`.`large` view look
		`shop`.`product` table trigger
		`shop`.`kept` table kept
		function `shop`.`net` function look
		function `shop`.`same` function look'
	without='`shop`.`sale` table trigger
		`shop`.`today` view look
		`shop`.`listed` foreign table -
		`shop`.`numbers` sequence -
		`information_schema`.`tables` catalogue -
		clock curdate() clock -'
	;;
sqlite)
	sql "CREATE VIRTUAL TABLE words USING fts5(word); INSERT INTO words VALUES ('tea');
		CREATE VIEW today AS SELECT date('now') AS day"
	heard="SELECT l.id, l.amount, w.word, j.value AS j, (SELECT count(*) FROM sqlite_master) AS c, k.total
		FROM large l, words w, json_each('[1]') j JOIN kept k ON k.product = l.product"
	unheard="SELECT id, (SELECT day FROM today) AS d FROM sale"
	entries='"sale" table trigger
		"large" view look
		"words" virtual table poll
		"kept" table kept
		catalogue sqlite_master catalogue look'
	without='"sale" table trigger
		"today" view look
		clock date() in view today clock -'
	;;
esac
conf_database shop <<-END
	[view-defaults]
	database = shop
	method = table
	on_change = yes
	capture = $(pick auto trigger auto)

	[view kept]
	definition = SELECT product, sum(amount) AS total FROM sale GROUP BY product

	[view heard]
	definition = $(tr -s '\n\t' ' ' <<<"$heard")

	[view unheard]
	definition = $(tr -s '\n\t' ' ' <<<"$unheard")
END
start_viewd
sources()
{
	viewctl --json status "$1" | jq -r '.[0].sources[] | "\(.name) \(.kind) \(.heard_by // "-")"' | LC_ALL=C sort
}
ok "they are there" wait_until "is_fresh heard && is_fresh unheard"
is "all that it depends on is told, with its kind and who hears it" "$(sources heard)" "$(sed 's/^\t*//' <<<"$entries" | LC_ALL=C sort)"
is "what is heard is called fresh" "$(field heard freshness)" FRESH
is "what nothing hears as well" "$(sources unheard)" "$(sed 's/^\t*//' <<<"$without" | LC_ALL=C sort)"
is "... and is never called fresh" "$(field unheard freshness)" UNKNOWN
is "... each with its reason" "$(viewctl --json status unheard | jq '[.[0].sources[] | select(.heard_by == null and (.reason // "") == "")] | length')" 0
while read -r name; do
	ok "why has $name" "viewctl why heard | grep -qF '$name'"
done < <(viewctl --json status heard | jq -r '.[0].sources[].name')
while read -r name; do
	ok "why says that nothing tells of $name" "viewctl why unheard | grep -F '$name' | grep -q 'nothing tells'"
done < <(viewctl --json status unheard | jq -r '.[0].sources[] | select(.heard_by == null) | .name')
[ $engine != mariadb ] || like "why says what happens when the definer is gone" "$(viewctl why heard)" "mind: triggers run as viewd@localhost: .*1449"
ok "a wait refreshes it" viewctl wait unheard --timeout 30s
is "... and does not make it fresh" "$(field unheard freshness)" UNKNOWN
if [ -n "${VIEWD_SHOW:-}" ]; then
	for v in heard unheard; do
		comment "\$ viewctl why $v"
		comment "$(viewctl why "$v")"
		comment "\$ viewctl --json status $v"
		comment "$(viewctl --json status "$v" | jq -c '.[0] | {freshness, stale_since, lag_seconds}, .sources[]')"
	done
fi
finish
