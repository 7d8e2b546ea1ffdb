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
		CREATE TABLE sales."od""d
		name; --" (grp text);
		CREATE VIEW sales.odd AS SELECT o.grp FROM sales."od""d
		name; --" o;
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
	[view odd]
	relation = reports.odd
	method = table
	definition = SELECT grp FROM sales.odd

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
ok "so is a plan" "$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf"
if [ $engine = postgresql ]; then
	sql_pg "GRANT USAGE ON SCHEMA reports TO app; REVOKE CREATE ON SCHEMA reports FROM newcomer"
	exits "a plan that the account may not carry out" 1 "$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf"
	like "... says where it is told" "$("$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" 2>&1)" "hint: viewctl doctor prints"
	is "... and so for programs" "$("$VIEWD_BUILD/viewctl" --json plan -c "$T/viewd.conf" 2>/dev/null | jq .ok)" false
	sql_pg "GRANT CREATE ON SCHEMA reports TO newcomer"
fi
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

# ---- a file that this user may not use ----
# examine [GROUP]: as user nobody, who may be in one more group. The commands that root is to run.
files_conf=$T/files.conf
examine()
{
	setpriv --reuid=nobody --regid=nogroup "$([ $# -gt 0 ] && echo "--groups=$1" || echo --clear-groups)" "$VIEWD_BUILD/viewctl" doctor -c "$files_conf" >"$T/doctor.out" 2>&1
	sed -n 's/^-- as root: //p' "$T/doctor.out"
}
# files OWNER:GROUP DIRECTORY-MODE FILE-MODE: a database of somebody else.
files()
{
	rm -rf "$T/a dir"
	mkdir "$T/a dir"
	sql_sqlite "$T/a dir/it's.db" "PRAGMA journal_mode = wal; CREATE TABLE sale (n integer)" >/dev/null
	chown -R "$1" "$T/a dir"
	chmod "$2" "$T/a dir"
	chmod "$3" "$T/a dir/it's.db"
}
# Runs what can be run without changing the users of this machine.
mend()
{
	examine "$@" | grep -v '^usermod' | sh -e
}
if [ $engine = sqlite ] && [ "$(id -u)" -eq 0 ] && setpriv --reuid=nobody --regid=nogroup --clear-groups test -x "$VIEWD_BUILD/.libs/viewd_sqlite.so"; then
	chmod 711 "$T"
	printf '[viewd]\nplugin_dir = %s\n[database shop]\nurl = sqlite:///%s\n[view v]\ndatabase = shop\ndefinition = SELECT n FROM sale\n' \
		"$VIEWD_BUILD/.libs" "$T/a%20dir/it's.db" >"$T/files.conf"
	dir="'$T/a dir'" file="'$T/a dir/it'\\''s.db'"
	files games:games 755 640
	is "a file of others: the commands" "$(examine)" "usermod -a -G games nobody
chmod g+rwxs $dir
chmod g+rw $file"
	like "... what is missing is told" "$(cat "$T/doctor.out")" "^-- missing: user 'nobody' may not write directory '$T/a dir' \\(owner games, group games, mode 0755\\)"
	is "... nothing that a database's shell would run" "$(grep -v '^--' "$T/doctor.out")" ""
	mend
	is "... they mend it but for the group" "$(examine)" "usermod -a -G games nobody"
	is "... and with it all of it" "$(examine games) $(cat "$T/doctor.out")" " -- nothing is missing"
	: >"$T/a dir/it's.db-wal"
	chown games:daemon "$T/a dir/it's.db-wal"
	chmod 640 "$T/a dir/it's.db-wal"
	chmod g-s "$T/a dir"
	is "a log that the application made with another group" "$(examine games)" "chgrp games ${file%\'}-wal' && chmod g+rw ${file%\'}-wal'
chmod g+rwxs $dir"
	mend games
	is "... is mended" "$(examine games) $(cat "$T/doctor.out")" " -- nothing is missing"
	files games:daemon 2770 660
	is "an owner who is not in the group" "$(examine daemon)" "usermod -a -G daemon games"
	files games:games 700 600
	is "a directory that cannot be entered: its group may, and the user is in it" "$(examine)" "chmod g+x $dir
usermod -a -G games nobody"
	is "... a member needs the former alone" "$(examine games)" "chmod g+x $dir"
	mend games
	is "... and one who is none then the latter" "$(examine)" "usermod -a -G games nobody"
	mend games
	is "... what lies behind it is seen then, and mended" "$(examine games) $(cat "$T/doctor.out")" " -- nothing is missing"
	files root:root 700 644
	is "a directory of root that cannot be entered, such as /root, is not opened" "$(examine)" ""
	like "... which is told" "$(cat "$T/doctor.out")" "^-- missing: user 'nobody' may not enter directory '$T/a dir' \\(owner root, group root, mode 0700\\)"
	like "... the database is to lie elsewhere" "$(cat "$T/doctor.out")" "put the database into a directory of its own"
	files nobody:nogroup 600 600
	is "an own directory that cannot be entered" "$(examine)" "chmod u+x $dir"
	files root:root 755 644
	is "files of root: the group becomes that of the user" "$(examine)" "chgrp nogroup $file && chmod g+rw $file"
	like "... a directory of root is given to nobody" "$(cat "$T/doctor.out")" "put the database into a directory of its own"
	files nobody:nogroup 500 400
	is "own files without the right to write" "$(examine)" "chmod u+rwx $dir
chmod u+rw $file"
	mend
	is "... are mended" "$(examine) $(cat "$T/doctor.out")" " -- nothing is missing"

	# Bytes that are no UTF-8, and characters that would steer a terminal, are not shown as they are.
	odd=$'b\xe9\xff \xc2\x9b\xc3\xa9' by_number="\$'$T/b\\351\\377 \\302\\233\\303\\251'"
	mkdir "$T/$odd"
	sql_sqlite "$T/$odd/it.db" "PRAGMA journal_mode = wal; CREATE TABLE sale (n integer)" >/dev/null
	chown -R games:games "$T/$odd"
	files_conf=$T/$odd/viewd.conf
	sed "s|^url = .*|url = sqlite:///it.db|" "$T/files.conf" >"$files_conf"
	mend() { examine "$@" | grep -v '^usermod' | bash -e; }
	is "a path that is no text is written by numbers" "$(examine games | head -n 1)" "chmod g+rwxs $by_number"
	mend games
	is "... which a shell understands" "$(examine games) $(cat "$T/doctor.out")" " -- nothing is missing"
	is "... as it is meant" "$(stat -c %a "$T/$odd")" 2775
fi

# ---- an account that is not there ----
if [ $engine != sqlite ]; then
	sed "s|^url = .*|url = $(pick "postgresql://stranger@/shop?host=${pg_dir:-}" "mariadb://stranger@/shop?unix_socket=${mariadb_dir:-}/sock" "")|" "$T/viewd.conf" >"$T/stranger.conf"
	is "an account that is not there" "$("$VIEWD_BUILD/viewctl" doctor -c "$T/stranger.conf" | grep -c '^-- missing: .*stranger')" 1
	like "... what is to be done" "$("$VIEWD_BUILD/viewctl" doctor -c "$T/stranger.conf")" "$(pick "^-- an administrator makes the role: CREATE ROLE" "^-- the account may be missing" "")"
fi

# ---- a database that is away ----
sed -i "s|^url = .*|url = $(pick "postgresql://newcomer@/nowhere?host=$T" "mariadb://newcomer@/shop?unix_socket=$T/nowhere" "sqlite:///$T/nowhere/shop.db")|" "$T/viewd.conf"
exits "a database that cannot be reached" 1 doctor
like "... is told" "$(doctor)" "-- missing: "
finish
