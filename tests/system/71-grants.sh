#!/bin/bash
# SPDX-License-Identifier: MIT
# grants: given when the object is made, kept over refreshes and replacements, put back; without the key it is said once
# that nobody but the owner can read.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh"

# views GRANTS [DEFINITION [METHOD]]
views()
{
	conf_database shop <<-END
		[view v]
		database = shop
		method = ${3:-materialized}
		definition = ${2:-SELECT n FROM src}
		${1:+grants = $1}

		[view w]
		database = shop
		method = table
		refresh_mode = $(pick full swap full)
		definition = SELECT n FROM src
		${1:+grants = $1}
	END
}
start_engine
sql "CREATE TABLE src (n integer); INSERT INTO src VALUES (1), (2)"
if [ $engine = sqlite ]; then
	views 'SELECT TO web'
	out=$("$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" 2>&1)
	like "no accounts: an error that says so" "$out" 'grants cannot work \(SQLite has no accounts'
	views ''
	start_viewd
	ok "the views are there" wait_until is_fresh v
	unlike "... and nothing is said of readers" "$(cat "$T/viewd.log")" "only its owner"
	finish
fi

# reads ACCOUNT RELATION
reads()
{
	if [ $engine = postgresql ]; then
		pg_user=$1 sql_pg "SELECT count(*) FROM $2"
	else
		mariadb_user=$1 sql_mariadb "SELECT count(*) FROM $2"
	fi
}
account()
{
	pick "\"$1\"" "'$1'@'localhost'"
}
if [ $engine = postgresql ]; then
	sql_pg 'CREATE ROLE web LOGIN; CREATE ROLE "Web Team" LOGIN'
else
	sql_mariadb "CREATE USER web@localhost; CREATE USER 'Web Team'@localhost; CREATE USER anywhere; CREATE ROLE reader; GRANT ALL ON shop.* TO viewd@localhost WITH GRANT OPTION"
	sql_mariadb "GRANT SELECT ON mysql.* TO viewd@localhost"
fi
both="SELECT TO web$(pick '' @localhost), $(account 'Web Team')$(pick '' ', anywhere, reader')"

# ---- without the key ----
views ''
start_viewd
ok "the views are there" wait_until "is_fresh v && is_fresh w"
fails "nobody else reads them" reads web v
[ $engine = mariadb ] || is "... which is said once" "$(grep -c "only its owner can read it; grants = SELECT TO ROLE" "$T/viewd.log")" 1

# ---- with it ----
views "$both"
out=$(viewctl plan --reload 2>&1)
ok "reloaded" viewctl reload
ok "one account reads" wait_until "reads web v && reads web w"
ok "... and another, whose name is quoted" wait_until "reads 'Web Team' v && reads 'Web Team' w"
ok "the log tells why" wait_until "grep -q \"view 'v', reindex (.*grants\" '$T/viewd.log'"
unlike "nothing was made anew" "$(cat "$T/viewd.log")" "view '[vw]', replace"
viewctl refresh v w --wait >"$T/out" 2>&1
ok "kept over refreshes" eval "reads web v && reads web w"
views "$both" 'SELECT n, n + 1 AS m FROM src' table
viewctl reload
ok "kept when it is made anew" wait_until "grep -q \"view 'v', replace\" '$T/viewd.log' && reads 'Web Team' v"
is "... with the new columns" "$(sql "SELECT max(m) FROM v")" 3

# ---- taken away by somebody ----
revoke()
{
	if [ $engine = postgresql ]; then
		sql_pg "REVOKE SELECT ON v FROM web"
	else
		sql_mariadb "REVOKE SELECT ON shop.v FROM web@localhost"
	fi
}
revoke
fails "a right is taken away" reads web v
like "plan tells it" "$(viewctl plan 2>&1)" 'v .*reindex.*grants'
ok "put back" viewctl create v
ok "... so that it reads" reads web v
revoke
stop_viewd
start_viewd
ok "put back at a start" wait_until "reads web v"
ok "... without more" wait_until "field_is v state ACTIVE"
unlike "then nothing is left to do" "$(viewctl plan v 2>&1)" 'reindex|replace|refuse'

# ---- what cannot be ----
for bad in 'web' 'SELECT TO' 'EVERYTHING TO web' 'SELECT TO web,'; do
	views "$bad"
	out=$("$VIEWD_BUILD/viewctl" plan -c "$T/viewd.conf" 2>&1)
	like "refused: $bad" "$out" "grants '.*' cannot be understood"
done
views "SELECT TO nobody_$(pick here here@localhost)"
viewctl reload >"$T/out" 2>&1
ok "an account that is not there: told" wait_until "field_is v state FAILED"
like "... by the key" "$(field v error.message)" 'grants: SELECT TO .*nobody_here|grants: .*nobody_here'
ok "... and the object stays as it is" reads web v
[ $engine = mariadb ] || finish

# ---- an account that may not see the grants of others ----
stop_viewd
sql_mariadb "REVOKE SELECT ON mysql.* FROM viewd@localhost"
views 'SELECT TO late@localhost'
start_viewd
ok "unseen: an account that is not there is told" wait_until field_is v state FAILED
fails "... again, when nothing has changed" viewctl create v
sql_mariadb "CREATE USER late@localhost"
viewctl create v w >"$T/out" 2>&1
ok "... and gets its right when it is there" reads late v
sed -i 's/^\[view w\]/[view renamed]\nrenamed_from = w/' "$T/viewd.conf"
ok "a section is renamed" viewctl reload
ok "... its object is there" wait_until field_is renamed state ACTIVE
ok "... with its grants" wait_until reads late renamed

# ---- an account that may make accounts ----
stop_viewd
sql_mariadb "GRANT ALL ON *.* TO viewd@localhost WITH GRANT OPTION"
views 'SELECT TO mistyped@localhost'
start_viewd
ok "a mighty account: told" wait_until field_is v state FAILED
is "... and nobody was made" "$(sql_mariadb "SELECT count(*) FROM mysql.user WHERE user = 'mistyped'")" 0
finish
