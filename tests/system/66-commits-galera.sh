#!/bin/bash
# SPDX-License-Identifier: MIT
# Three nodes of a Galera cluster, with a view that is kept incrementally. Each commit on a node waits until that one has carried out
# what was committed before on any node. So what need not be one transaction is none.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
for n in 1 2 3; do start_listening $n; done
sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1; GRANT PROCESS ON *.* TO viewd@127.0.0.1;
	CREATE TABLE source (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO source SELECT seq, 0 FROM seq_1_to_5000"
conf <<-END
	[database shop]
	url = mariadb://viewd@127.0.0.1:$(node_port 1)/shop
	[view doubled]
	database = shop
	method = table
	on_change = yes
	unique_key = id
	refresh_mode = incremental
	definition = SELECT id, v * 2 AS v FROM source
	[view keyless]
	database = shop
	method = table
	on_change = yes
	definition = SELECT NULLIF(id % 7, 0) AS k, v FROM source
END

logged()
{
	sql_on 2 "SET SESSION wsrep_sync_wait = 1; SELECT count(*) FROM viewd_change_1 WHERE viewd_sign IN (-1, 1)"
}
# status NAME: of the node by way of which viewd writes.
status()
{
	sql_on 1 "SHOW GLOBAL STATUS LIKE '$1'" | cut -f2
}
is_tidy()
{
	viewctl wait doubled --timeout 30s && [ "$(logged)" = 0 ]
}
view_is()
{
	[ "$(sql_on 3 "SELECT sum(v) FROM doubled")" = "$1" ]
}

start_viewd
ok "the view is there" wait_until viewctl wait doubled --timeout 30s
for i in 1 2; do
	sql_on 2 "UPDATE source SET v = v + 1 WHERE id = 1"
	ok "a change of one row is noticed ($i)" wait_until view_is $((2 * i))
done
ok "it is kept incrementally" wait_until "viewctl why doubled | grep -q 'the last refresh was INCREMENTAL'"
are_fresh()
{
	viewctl wait doubled --timeout 30s && viewctl wait keyless --timeout 30s
}
ok "so is a view without a key, which has equal rows" wait_until are_fresh
numbers_of_keyless()
{
	sql_on 3 "SET SESSION wsrep_sync_wait = 1; SELECT COUNT(*), SUM(viewd_pk) FROM keyless"
}
keyless=$(numbers_of_keyless)
numbers=$(sql_on 3 "SELECT SUM(viewd_pk * id) FROM doubled")
commits=$(status wsrep_replicated) bytes=$(status wsrep_replicated_bytes)
ok "another node changes many rows" sql_on 2 "UPDATE source SET v = v + 1"
ok "they are noticed" wait_until view_is 10004
ok "and what the log has of them is removed" wait_until is_tidy
commits=$(($(status wsrep_replicated) - commits)) bytes=$(($(status wsrep_replicated_bytes) - bytes))
comment "$commits write sets of $bytes bytes"
ok "by few rows at a time" test "$commits" -ge 20
ok "which go to the other nodes together" test "$bytes" -lt 2000000
is "rows of the view are changed where they are" "$(sql_on 3 "SELECT SUM(viewd_pk * id) FROM doubled")" "$numbers"
ok "all of them" viewctl verify doubled
ok "the view without a key has them" wait_until are_fresh
is "where rows were" "$(numbers_of_keyless)" "$keyless"
ok "all of them, too" viewctl verify keyless
sql_on 2 "DELETE FROM source WHERE id <= 100; UPDATE source SET v = v + 1 WHERE id <= 300"
ok "rows go" wait_until are_fresh
ok "which are as many as there should be" viewctl verify keyless
sql_on 2 "INSERT INTO source SELECT seq, 7 FROM seq_6001_to_6200; UPDATE source SET v = v + 1 WHERE id <= 200"
ok "rows come" wait_until are_fresh
ok "which are as many as there should be, too" viewctl verify keyless

# Rows that triggers leave are taken off by transactions as well.
ok "refreshes end" viewctl pause doubled keyless
commits=$(status wsrep_replicated)
for i in {1..600}; do echo "UPDATE source SET v = v + 1 WHERE id = $((1000 + i));"; done >"$T/changes.sql"
ok "a writer commits all the time" sql_on 2 "source $T/changes.sql"
commits=$(($(status wsrep_replicated) - commits))
comment "$commits write sets for 600 changes"
ok "many changes are taken off together" test "$commits" -le 30
finish
