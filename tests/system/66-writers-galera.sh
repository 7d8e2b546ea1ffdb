#!/bin/bash
# SPDX-License-Identifier: MIT
# Two nodes of a Galera cluster. A writer has many rows in the logs of changes and is not ended yet, while viewd takes off what others
# have written. Rows that come from the other node have numbers between his. A lock of his on more than his own rows would end him.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-galera.sh"

need_galera
for n in 1 2; do start_listening $n; done
sql_on 1 "CREATE USER viewd@127.0.0.1; GRANT ALL ON shop.* TO viewd@127.0.0.1; GRANT PROCESS ON *.* TO viewd@127.0.0.1;
	CREATE TABLE source (id INT PRIMARY KEY, v INT NOT NULL); INSERT INTO source SELECT seq, 0 FROM seq_1_to_8000"
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
END

view_is()
{
	[ "$(sql_on 1 "SELECT v FROM doubled WHERE id = 8000")" = "$1" ]
}
# next_change VALUE: it is in the view, so viewd has looked at all rows of the logs. What the second node writes has low numbers.
next_change()
{
	sql_on 2 "UPDATE source SET v = $1 WHERE id = 8000"
	wait_until view_is $((2 * $1))
}

start_viewd
ok "the view is there" wait_until viewctl wait doubled --timeout 30s
for i in 1 2; do ok "a change is noticed ($i)" next_change "$i"; done
ok "it is kept incrementally" wait_until "viewctl why doubled | grep -q 'the last refresh was INCREMENTAL'"

mkfifo "$T/writer"
exec {writer}<>"$T/writer"
start_process "$T/writer.log" bash -c "exec mariadb --no-defaults -NBn --socket=${galera_dir[1]}/sock -uroot shop <$T/writer"
echo "START TRANSACTION; UPDATE source SET v = v + 1 WHERE id <= 2000; SELECT 'written';" >&"$writer"
ok "a writer changes many rows, and goes on" wait_until "grep -q written $T/writer.log"
ok "viewd looks at the logs meanwhile" next_change 3
for i in {1..20}; do sql_on 2 "UPDATE source SET v = v + 1 WHERE id BETWEEN 4001 + 100 * $i AND 4100 + 100 * $i AND id < 8000"; done
ok "so does it while another node writes" next_change 4
echo "COMMIT; SELECT 'done', v FROM source WHERE id = 1;" >&"$writer"
ok "the writer commits" wait_until "grep -q 'ERROR\|done' $T/writer.log"
is "and is not ended" "$(grep 'ERROR\|done' "$T/writer.log")" "done	1"
ok "the view has his rows" wait_until '[ "$(sql_on 1 "SELECT SUM(v) FROM doubled WHERE id <= 2000")" = 4000 ]'
finish
