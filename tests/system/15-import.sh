#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl import on schemas with the constructs of Pagila, Sakila and Northwind: what it prints loads, plan -c says adopt
# for all of it, and a daemon that takes them over builds nothing anew.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
printf '[viewd]\nplugin_dir = %s\n' "$VIEWD_BUILD/.libs" >"$T/plugins.conf"

# import ARGS...: from a server's URL, without the daemon.
import()
{
	"$VIEWD_BUILD/viewctl" import "$url" -c "$T/plugins.conf" "$@"
}

# objects: identity and text of every view, as the server has them.
objects()
{
	case $engine in
	postgresql)
		sql_pg "SELECT c.oid, c.relfilenode, n.nspname, c.relname, c.relkind, pg_get_viewdef(c.oid), c.relacl, obj_description(c.oid),
				(SELECT string_agg(i.indexrelid::text || pg_get_indexdef(i.indexrelid), ',' ORDER BY i.indexrelid) FROM pg_index i WHERE i.indrelid = c.oid)
			FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
			WHERE c.relkind IN ('v', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'viewd') ORDER BY 3, 4"
		;;
	mariadb)
		sql_mariadb "SELECT TABLE_NAME, VIEW_DEFINITION, SECURITY_TYPE, DEFINER FROM information_schema.VIEWS
			WHERE TABLE_SCHEMA = 'shop' AND TABLE_NAME NOT LIKE 'viewd%' ORDER BY 1"
		;;
	sqlite) sql_sqlite "$T/shop.db" "SELECT name, sql FROM sqlite_master WHERE type = 'view' AND name NOT LIKE 'viewd%' ORDER BY 1" ;;
	esac
}

case $engine in
postgresql)
	pg_user=viewd sql_pg <<-'END'
		CREATE SCHEMA report;
		CREATE TABLE actor (actor_id serial PRIMARY KEY, first_name text NOT NULL, last_name text NOT NULL, last_update timestamptz DEFAULT now());
		CREATE TABLE category (category_id serial PRIMARY KEY, name text NOT NULL);
		CREATE TABLE film (film_id serial PRIMARY KEY, title text NOT NULL, category_id int REFERENCES category, rental_rate numeric(4,2), length smallint,
			special_features text[], fulltext tsvector);
		CREATE TABLE film_actor (actor_id int REFERENCES actor, film_id int REFERENCES film, PRIMARY KEY (actor_id, film_id));
		CREATE TABLE payment (payment_id int, amount numeric(5,2), film_id int, payment_date timestamptz NOT NULL) PARTITION BY RANGE (payment_date);
		CREATE TABLE payment_p1 PARTITION OF payment DEFAULT;
		INSERT INTO actor (first_name, last_name) VALUES ('PENELOPE', 'GUINESS'), ('Nick', 'O''Leary');
		INSERT INTO category (name) VALUES ('Action'), ('Sci; Fi #1');
		INSERT INTO film (title, category_id, rental_rate, length) VALUES ('ACADEMY', 1, 0.99, 86), ('ACE', 2, 4.99, 48);
		INSERT INTO film_actor VALUES (1, 1), (2, 1), (2, 2);
		INSERT INTO payment VALUES (1, 2.99, 1, '2022-01-01'), (2, 0.99, 2, '2022-02-01');
		CREATE AGGREGATE group_concat (text) (SFUNC = textcat, STYPE = text, INITCOND = '');
		CREATE VIEW actor_info AS SELECT a.actor_id, a.first_name, a.last_name, group_concat(DISTINCT (c.name || ': ') || (SELECT group_concat(f.title)
			FROM film f JOIN film_actor fa ON f.film_id = fa.film_id WHERE f.category_id = c.category_id AND fa.actor_id = a.actor_id GROUP BY fa.actor_id)) AS film_info
			FROM actor a LEFT JOIN film_actor fa ON a.actor_id = fa.actor_id LEFT JOIN film f ON fa.film_id = f.film_id
			LEFT JOIN category c ON c.category_id = f.category_id GROUP BY a.actor_id, a.first_name, a.last_name;
		CREATE VIEW film_list AS SELECT f.film_id AS fid, f.title, c.name AS category, f.rental_rate AS price, f.length,
			string_agg(a.first_name || ' ' || a.last_name, ', ') AS actors FROM category c LEFT JOIN film f USING (category_id)
			JOIN film_actor USING (film_id) JOIN actor a USING (actor_id) GROUP BY f.film_id, f.title, c.name, f.rental_rate, f.length;
		CREATE MATERIALIZED VIEW rental_by_category AS SELECT c.name AS category, sum(p.amount) AS total_sales FROM payment p
			JOIN film f USING (film_id) JOIN category c USING (category_id) GROUP BY c.name ORDER BY 2 DESC WITH NO DATA;
		REFRESH MATERIALIZED VIEW rental_by_category;
		CREATE UNIQUE INDEX rental_category ON rental_by_category USING btree (category);
		CREATE INDEX "Big Sales" ON rental_by_category (total_sales DESC NULLS LAST) INCLUDE (category) WHERE total_sales > 1;
		COMMENT ON MATERIALIZED VIEW rental_by_category IS 'sales; by category';
		GRANT SELECT ON rental_by_category TO PUBLIC;
		CREATE VIEW "Order Details Extended" WITH (security_barrier = true) AS SELECT payment_id AS "OrderID", amount * 2 AS "Extended Price", '#' || payment_id AS "Tag;"
			FROM payment WHERE amount > 0 OR 'it''s' = '';
		CREATE MATERIALIZED VIEW report.monthly WITH (fillfactor = 70) AS WITH m AS (SELECT date_trunc('month', payment_date) AS month, amount FROM payment)
			SELECT month, sum(amount) AS total, rank() OVER (ORDER BY sum(amount) DESC) AS place FROM m GROUP BY month;
		CREATE UNIQUE INDEX ON report.monthly ((date_trunc('day', month AT TIME ZONE 'UTC')));
		CREATE VIEW report."Totals" AS SELECT count(*) AS n FROM report.monthly;
		CREATE MATERIALIZED VIEW _scenic_sbs_0123456789abcdef0123456789abcdef01234567 AS SELECT 1 AS x;
		CREATE VIEW monthly__dbt_backup AS SELECT 1 AS x;
	END
	count=5 long="Order Details Extended"
	;;
mariadb)
	sql_mariadb <<-'END'
		CREATE TABLE actor (actor_id int PRIMARY KEY, first_name varchar(45), last_name varchar(45));
		CREATE TABLE category (category_id int PRIMARY KEY, name varchar(25));
		CREATE TABLE film (film_id int PRIMARY KEY, title varchar(128), category_id int, rental_rate decimal(4,2));
		CREATE TABLE film_actor (actor_id int, film_id int, PRIMARY KEY (actor_id, film_id));
		CREATE TABLE customer (id int PRIMARY KEY, name varchar(50), active bool, notes text);
		INSERT INTO actor VALUES (1, 'PENELOPE', 'GUINESS'), (2, 'Nick', 'O''Leary');
		INSERT INTO category VALUES (1, 'Action'); INSERT INTO film VALUES (1, 'ACADEMY', 1, 0.99); INSERT INTO film_actor VALUES (1, 1);
		CREATE VIEW customer_list AS SELECT id AS ID, CONCAT(name, _utf8mb4' ', name) AS name, IF(active, _utf8mb4'active', _utf8mb4'') AS notes FROM customer;
		CREATE DEFINER=CURRENT_USER SQL SECURITY INVOKER VIEW actor_info AS SELECT a.actor_id, a.first_name, a.last_name,
			GROUP_CONCAT(DISTINCT CONCAT(c.name, ': ', (SELECT GROUP_CONCAT(f.title ORDER BY f.title SEPARATOR ', ') FROM film f
			INNER JOIN film_actor fa ON f.film_id = fa.film_id WHERE f.category_id = c.category_id AND fa.actor_id = a.actor_id)) ORDER BY c.name SEPARATOR '; ') AS film_info
			FROM actor a LEFT JOIN film_actor fa ON a.actor_id = fa.actor_id LEFT JOIN film f ON fa.film_id = f.film_id
			LEFT JOIN category c ON f.category_id = c.category_id GROUP BY a.actor_id, a.first_name, a.last_name;
		CREATE VIEW `Products Above Average Price` AS SELECT title AS `Product Name`, rental_rate FROM film WHERE rental_rate > (SELECT AVG(rental_rate) - 1 FROM film);
		CREATE VIEW sales (category, `total #`) AS SELECT c.name, SUM(f.rental_rate) FROM film f JOIN category c USING (category_id) GROUP BY c.name WITH ROLLUP;
	END
	count=4 long=
	;;
sqlite)
	sql_sqlite "$T/shop.db" <<-'END'
		CREATE TABLE Categories (CategoryID INTEGER PRIMARY KEY, CategoryName TEXT NOT NULL);
		CREATE TABLE Products (ProductID INTEGER PRIMARY KEY, ProductName TEXT, CategoryID INTEGER REFERENCES Categories, UnitPrice NUMERIC, Discontinued TEXT DEFAULT '0');
		CREATE TABLE "Order Details" (OrderID INTEGER, ProductID INTEGER, UnitPrice NUMERIC, Quantity INTEGER, Discount REAL, PRIMARY KEY (OrderID, ProductID));
		INSERT INTO Categories VALUES (1, 'Beverages'); INSERT INTO Products VALUES (1, 'Chai', 1, 18, '0'); INSERT INTO "Order Details" VALUES (1, 1, 18, 2, 0.1);
		CREATE VIEW [Alphabetical list of products] AS
		SELECT Products.*, Categories.CategoryName
		FROM Categories
		   INNER JOIN Products ON Categories.CategoryID = Products.CategoryID -- both
		WHERE (((Products.Discontinued)=0)) /* comment; with # */;
		CREATE VIEW "Order Details Extended" AS SELECT "Order Details".OrderID, "Order Details".ProductID, Products.ProductName,
			(CAST(("Order Details".UnitPrice * Quantity * (1 - Discount) / 100) AS NUMERIC) * 100) AS ExtendedPrice
			FROM Products JOIN "Order Details" ON Products.ProductID = "Order Details".ProductID;
		CREATE VIEW category_sales (category, total) AS SELECT CategoryName AS category, sum(UnitPrice) AS "total" FROM Products JOIN Categories USING (CategoryID) GROUP BY CategoryID;
		CREATE VIEW renamed (a) AS SELECT CategoryName FROM Categories;
		CREATE VIEW current_products AS SELECT ProductID, ProductName || ';' AS name FROM Products WHERE Discontinued <> '#1' AND ProductName NOT LIKE 'it''s %';
		CREATE TABLE stats_view (category, product_count);
	END
	count=4 long=
	;;
esac
case $engine in
postgresql) url=$pg_url ;;
mariadb) url=$mariadb_url ;;
sqlite) url=sqlite:///$T/shop.db ;;
esac
objects >"$T/before"

# ---- what it prints ----
import >"$T/import.out" 2>"$T/import.err"
is "import succeeds" $? 0
is "sections for all views that fit" "$(grep -c '^\[view ' "$T/import.out")" $count
is "each is to be adopted" "$(grep -c '^adopt = yes$' "$T/import.out")" $count
is "nothing has changed" "$(objects)" "$(cat "$T/before")"
[ -z "$long" ] || like "one that does not fit is told" "$(cat "$T/import.out")" "; $long is left out: .*--directory"
if [ $engine = postgresql ]; then
	like "what is still to be said" "$(cat "$T/import.out")" "^; Nothing refreshes a materialized view until"
	like "the unique key" "$(cat "$T/import.out")" "^unique_key = category$"
	like "an index" "$(cat "$T/import.out")" "^index_big_sales = \\(total_sales DESC NULLS LAST\\) INCLUDE \\(category\\) WHERE"
	like "leftovers of Scenic are none of our business" "$(cat "$T/import.out")" "; _scenic_sbs_.* is left out: Scenic"
	like "... nor are those of dbt" "$(cat "$T/import.out")" "; monthly__dbt_backup is left out: dbt"
	is "one schema alone" "$(import --schema report | grep -c '^\[view ')" 2
fi
[ $engine != sqlite ] || like "columns that the query names otherwise are told" "$(cat "$T/import.out")" "; renamed is left out: its columns"
ok "as JSON" "import --json | jq -se '.[0].views | length == $count'"

# ---- it loads, and is adopted ----
mkdir "$T/conf"
import --directory "$T/conf" >"$T/body"
is "definitions in files" $? 0
like "... existing files stay" "$(import --directory "$T/conf" 2>&1)" "cannot be made"
[ -z "$long" ] || count=$((count + 1))
is "... one a view" "$(ls "$T/conf" | grep -c 'sql$')" "$count"
conf "$T/conf/viewd.conf" <"$T/body"
ok "it loads" "$VIEWD_BUILD/viewctl" check -c "$T/conf/viewd.conf"
"$VIEWD_BUILD/viewctl" --json plan -c "$T/conf/viewd.conf" >"$T/plan.json"
is "plan -c succeeds" $? 0
is "... and says adopt for all" "$(jq -r '[.items[].change] | unique | join(" ")' "$T/plan.json") $(jq '.items | length' "$T/plan.json")" "adopt $count"
is "... whose definitions are the wanted ones" "$(jq '[.items[] | select(.reason | test("is the wanted one"))] | length' "$T/plan.json")" $count
is "nothing has changed by it" "$(objects)" "$(cat "$T/before")"
[ $engine != postgresql ] || unlike "... and nothing failed at the server" "$(grep -E 'viewd:shop:(plan|import)' "$T/pg/server.log")" "ERROR"
start_viewd "$T/conf/viewd.conf"
ok "the daemon takes them over" wait_until "viewctl --json status | jq -se '.[0] | length == $count and all(.[]; .state == \"ACTIVE\")'"
is "... and builds nothing anew" "$(objects)" "$(cat "$T/before")"
is "... there is nothing more to do" "$(viewctl --json plan | jq -r '[.items[].change] | unique | join(" ")')" nothing
is "what viewd keeps is not offered again" "$(import | grep -c '^\[view ')" 0
stop_viewd
finish
