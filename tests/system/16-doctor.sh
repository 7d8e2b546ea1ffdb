#!/bin/bash
# SPDX-License-Identifier: MIT
# viewctl doctor: an account without rights; what doctor prints is run by an administrator; doctor is content, and the
# daemon works.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

doctor()
{
	"$VIEWD_BUILD/viewctl" doctor -c "$T/viewd.conf" "$@"
}

start_engine
case $engine in
postgresql)
	sql_pg <<-'END'
		CREATE ROLE newcomer LOGIN;
		CREATE ROLE app LOGIN;
		REVOKE ALL ON DATABASE shop FROM PUBLIC;
		GRANT CONNECT ON DATABASE shop TO newcomer, app;
		CREATE SCHEMA sales AUTHORIZATION app;
		CREATE SCHEMA reports;
		SET ROLE app;
		CREATE TABLE sales.sale (id integer PRIMARY KEY, grp text, amount integer);
		CREATE TABLE sales.goods (grp text PRIMARY KEY, title text);
		INSERT INTO sales.sale VALUES (1, 'a', 3), (2, 'b', 4);
		INSERT INTO sales.goods VALUES ('a', 'Apples'), ('b', 'Bread');
		CREATE VIEW sales.named AS SELECT s.id, g.title, s.amount FROM sales.sale s JOIN sales.goods g USING (grp);
		CREATE MATERIALIZED VIEW sales.by_group AS SELECT grp, sum(amount) AS total FROM sales.sale GROUP BY grp;
	END
	db_url="postgresql://newcomer@/shop?host=$pg_dir"
	from=sales.sale named=sales.named
	;;
mariadb)
	sql_mariadb "CREATE TABLE sale (id integer PRIMARY KEY, grp varchar(10), amount integer); INSERT INTO sale VALUES (1, 'a', 3), (2, 'b', 4);
		CREATE VIEW named AS SELECT id, grp AS title, amount FROM sale; CREATE USER newcomer@localhost"
	db_url="mariadb://newcomer@/shop?unix_socket=$mariadb_dir/sock"
	from=sale named=named
	;;
sqlite)
	sql "PRAGMA journal_mode = delete" >/dev/null
	sql "CREATE TABLE sale (id integer PRIMARY KEY, grp text, amount integer); INSERT INTO sale VALUES (1, 'a', 3), (2, 'b', 4);
		CREATE VIEW named AS SELECT id, grp AS title, amount FROM sale"
	from=sale named=named
	;;
esac
conf_database shop <<-END
	[view-defaults]
	database = shop
	on_change = yes

	[view totals]
	$(pick 'relation = reports.totals' '' '')
	method = table
	unique_key = title
	definition = WITH w AS (SELECT title, amount FROM $named) SELECT title, sum(amount) AS total FROM w GROUP BY title

	[view n]
	$(pick 'relation = reports.n' '' '')
	method = table
	definition = SELECT count(*) AS n FROM $from WHERE amount > 0
	$(pick '
	[view by_group]
	relation = sales.by_group
	adopt = yes
	unique_key = grp
	definition = SELECT grp, sum(amount) AS total FROM sales.sale GROUP BY grp' '' '')
END

doctor >"$T/doctor.sql" 2>"$T/doctor.err"
is "it looks, and says no more" "$? $(cat "$T/doctor.err")" "$(pick 1 1 0) "
like "as JSON" "$(doctor --json | jq -c '[.ok, (.findings | length > 0), .findings[0].database]')" "$(pick '\[false,true,"shop"\]' '\[false,true,"shop"\]' '\[true,true,"shop"\]')"
case $engine in
postgresql)
	for line in 'GRANT CREATE ON DATABASE shop TO newcomer;' 'GRANT TEMPORARY ON DATABASE shop TO newcomer;' 'GRANT USAGE, CREATE ON SCHEMA reports TO newcomer;' \
		'GRANT USAGE ON SCHEMA sales TO newcomer;' 'GRANT SELECT ON sales.sale TO newcomer;' 'GRANT SELECT ON sales.named TO newcomer;' \
		'GRANT TRIGGER ON sales.goods TO newcomer;' 'GRANT app TO newcomer;'; do
		ok "all at once: $line" grep -qxF "$line" "$T/doctor.sql"
	done
	like "what comes of a missing trigger" "$(cat "$T/doctor.sql")" 'triggers on sales.goods, so capture = auto polls and capture = trigger fails'
	is "... each once" "$(grep -v '^--' "$T/doctor.sql" | sort | uniq -d)" ""
	unlike "... a WITH query is no relation" "$(cat "$T/doctor.sql")" " w "
	;;
mariadb) like "the privileges" "$(cat "$T/doctor.sql")" "^GRANT SELECT, INSERT.* ON .shop.\\.\\* TO 'newcomer'@'localhost';" ;;
sqlite) like "the journal" "$(cat "$T/doctor.sql")" "^PRAGMA journal_mode = wal;" ;;
esac

# ---- what it prints mends it ----
administrator()
{
	case $engine in
	postgresql) sql_pg <"$T/doctor.sql" ;;
	mariadb) sql_mariadb <"$T/doctor.sql" ;;
	sqlite) sql_sqlite "$T/shop.db" <"$T/doctor.sql" ;;
	esac
}
ok "an administrator runs it" administrator
doctor >"$T/doctor.sql" 2>&1
ok "what is left, if anything, is run as well" administrator
is "doctor is content" "$(doctor 2>&1)" "-- nothing is missing"
ok "... and says so" doctor
[ $engine != postgresql ] || sql_pg "GRANT USAGE ON SCHEMA reports TO app"
start_viewd
ok "the daemon works" wait_until "viewctl --json status | jq -se '.[0] | length > 0 and all(.[]; .state == \"ACTIVE\" and (.result == \"SUCCEEDED\" or .method == \"materialized\"))'"
case $engine in
postgresql) pg_user=app sql_pg "INSERT INTO sales.sale VALUES (3, 'a', 10)" ;;
*) $(pick : sql_mariadb sql) "INSERT INTO sale VALUES (3, 'a', 10)" ;;
esac
rows_are()
{
	[ "$($(pick sql_pg sql_mariadb sql) "SELECT n FROM $(pick reports.n n n)")" = "$1" ]
}
ok "... and hears of changes" wait_until rows_are 3
ok "... all views are fresh" wait_until "viewctl --json status | jq -se '.[0] | length > 0 and all(.[]; .freshness == \"FRESH\")'"
stop_viewd

# ---- an account that sees the privileges of others ----
if [ $engine = mariadb ]; then
	sql_mariadb "GRANT SELECT ON mysql.* TO newcomer@localhost; REVOKE TRIGGER, CREATE ON shop.* FROM newcomer@localhost"
	doctor >"$T/doctor.sql"
	like "it is told of what it lacks itself" "$(cat "$T/doctor.sql")" "^GRANT CREATE, TRIGGER ON .shop.\\.\\* TO 'newcomer'@'localhost';"
	ok "... what it prints is run" administrator
	is "... and mends it" "$(doctor 2>&1)" "-- nothing is missing"
	sql_mariadb "CREATE ROLE keeper; GRANT ALL ON shop.* TO keeper; GRANT keeper TO newcomer@localhost; SET DEFAULT ROLE keeper FOR newcomer@localhost;
		REVOKE ALL ON shop.* FROM newcomer@localhost"
	is "what its role has is there" "$(doctor 2>&1)" "-- nothing is missing"
fi

# ---- a database that is away ----
sed -i "s|^url = .*|url = $(pick "postgresql://newcomer@/nowhere?host=$T" "mariadb://newcomer@/shop?unix_socket=$T/nowhere" "sqlite:///$T/nowhere/shop.db")|" "$T/viewd.conf"
exits "a database that cannot be reached" 1 doctor
like "... is told" "$(doctor)" "-- missing: "
finish
