#!/bin/bash
# SPDX-License-Identifier: MIT
# A source that is written without pause: its writers leave no log rows, and nothing is lost, whoever dies and whenever.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

[ -x "$pg_client/pgbench" ] || skip_all "pgbench is not installed"
options=(-c fsync=on -c max_prepared_transactions=4)
start_pg "${options[@]}"
sql_pg 'CREATE TABLE sale (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, amount int); CREATE TABLE quiet (id int)'
sql_pg 'GRANT SELECT, TRIGGER ON sale, quiet TO viewd; GRANT CREATE ON SCHEMA public TO viewd'
conf <<CONF
[database shop]
url = $pg_url
[view-defaults]
database = shop
on_change = yes
capture = trigger
[view totals]
method = table
unique_key = one
definition = SELECT 1 AS one, count(*) AS n, coalesce(sum(amount), 0) AS total FROM sale
[view quiets]
method = materialized
definition = SELECT count(*) AS n FROM quiet
CONF
follows()
{
	[ "$(sql_pg 'SELECT n FROM public.totals' 2>/dev/null)" = "$(sql_pg 'SELECT count(*) FROM sale' 2>/dev/null)" ]
}
quiets_follow()
{
	[ "$(sql_pg 'SELECT n FROM public.quiets' 2>/dev/null)" = "$(sql_pg 'SELECT count(*) FROM quiet' 2>/dev/null)" ]
}
flag_is_up()
{
	[ "$(sql_pg "SELECT bool_or(pg_sequence_last_value(('viewd.flood_' || id)::regclass) IS NOT NULL) FROM viewd.sources WHERE id > 0" 2>/dev/null)" = t ]
}
flag_is_down()
{
	! flag_is_up
}
no_flood()
{
	[ "$(sql_pg 'SELECT count(*) FROM viewd.sources WHERE flood IS NOT NULL' 2>/dev/null)" = 0 ] && ! flag_is_up
}
echo 'INSERT INTO sale (amount) VALUES (1)' >"$T/insert.sql"
# flood SECONDS: in the background, its pid in $flood.
flood()
{
	start_process "$T/pgbench.log" "$pg_client/pgbench" -n -h "$pg_dir" -U postgres -c 8 -j 2 -R 3000 -T "$1" -f "$T/insert.sql" shop
	flood=$started
}
# prepare NAME: one row in a transaction that is left prepared.
prepare()
{
	sql_pg "BEGIN; INSERT INTO sale (amount) VALUES (1); PREPARE TRANSACTION '$1'" >/dev/null
}
# hold: a writer in a transaction that stays open until it is told to go on (release).
hold()
{
	mkfifo "$T/writer"
	start_process "$T/writer.log" "$pg_client/psql" -X -qAt -h "$pg_dir" -U postgres -d shop -f "$T/writer"
	writer=$started
	exec {writer_fd}>"$T/writer"
	echo "BEGIN; INSERT INTO sale (amount) VALUES (1); SELECT pg_advisory_lock(42);" >&"$writer_fd"
	wait_until "[ \"\$(sql_pg \"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 42\")\" = 1 ]"
}
release()
{
	printf 'COMMIT;\n\\q\n' >&"$writer_fd"
	exec {writer_fd}>&-
	wait_until "! is_running $writer"
	rm "$T/writer"
}

start_viewd
wait_until follows
flood 300
ok "a flood begins" wait_until flag_is_up
hold
prepare one
sql_pg 'INSERT INTO quiet VALUES (1)'
ok "others are noticed meanwhile" wait_until quiets_follow
stop_process "$flood"
ok "it ends" wait_until flag_is_down
ok "and is followed" wait_until follows
fails "but is not over while one who wrote in it has not ended" no_flood
release
ok "his commit is noticed" wait_until follows
sql_pg "COMMIT PREPARED 'one'"
ok "that of a prepared transaction too" wait_until follows
ok "now it is over" wait_until no_flood
is "and verified" "$(viewctl verify totals >/dev/null; echo $?)" 0

# A stranger who takes the lock that only a sleeping watcher has would have writers notify, and then nothing can be prepared.
mkfifo "$T/stranger"
start_process "$T/stranger.log" "$pg_client/psql" -X -qAt -h "$pg_dir" -U postgres -d shop -f "$T/stranger"
stranger=$started
exec {stranger_fd}>"$T/stranger"
echo 'SELECT pg_advisory_lock(508574398309);' >&"$stranger_fd"
wait_until "[ \"\$(sql_pg \"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = (SELECT pid FROM pg_stat_activity
	WHERE application_name = 'psql' AND query LIKE '%508574398309%' AND pid <> pg_backend_pid())\")\" = 1 ]"
prepare stranger
is "a stranger's lock fails no PREPARE" "$(sql_pg "SELECT gid FROM pg_prepared_xacts")" stranger
sql_pg "COMMIT PREPARED 'stranger'"
ok "... and what was prepared is noticed" wait_until follows
exec {stranger_fd}>&-
wait_until "! is_running $stranger"

flood 300
wait_until flag_is_up
hold
prepare two
# A slow machine's flood may end at any time, so viewd is stopped first, at a moment when there is one.
caught_in_a_flood()
{
	flag_is_up && kill -STOP "$viewd_pid" || return
	flag_is_up || ! kill -CONT "$viewd_pid"
}
wait_until caught_in_a_flood
kill_viewd
stop_process "$flood"
sql_pg 'INSERT INTO sale (amount) VALUES (1)'
ok "killed in a flood it leaves the flag up" flag_is_up
start_viewd
ok "the next one ends it" wait_until flag_is_down
ok "and refreshes what was not noticed" wait_until follows
release
ok "a commit of that time is noticed" wait_until follows
sql_pg "COMMIT PREPARED 'two'"
ok "and that of a prepared transaction" wait_until follows
ok "then it is over" wait_until no_flood

# The server dies in a flood: prepared transactions survive it.
flood 300
wait_until flag_is_up
prepare three
kill_pg
start_pg "${options[@]}"
ok "after the server's death it follows" wait_until follows
sql_pg "COMMIT PREPARED 'three'"
ok "and notices what was prepared before" wait_until follows
ok "and is over" wait_until no_flood

# Without any flood: the log row of a prepared transaction dies with the server.
prepare four
kill_pg
start_pg "${options[@]}"
wait_until follows
sql_pg 'INSERT INTO sale (amount) VALUES (1)'
ok "an ordinary change goes on being noticed" wait_until follows
sql_pg "COMMIT PREPARED 'four'"
ok "a transaction that was prepared before the log was lost is noticed" wait_until follows
ok "and waited for no longer" wait_until no_flood

# A part of it on another server: there it is written without a transaction id of this one, unless the trigger gets it one.
sql_pg "CREATE TABLE there (id int); CREATE EXTENSION postgres_fdw; CREATE SERVER loop FOREIGN DATA WRAPPER postgres_fdw OPTIONS
	(host '$pg_dir', dbname 'shop'); CREATE USER MAPPING FOR postgres SERVER loop OPTIONS (user 'postgres');
	CREATE USER MAPPING FOR viewd SERVER loop OPTIONS (user 'postgres', password_required 'false')"
sql_pg "CREATE FOREIGN TABLE far () INHERITS (quiet) SERVER loop OPTIONS (table_name 'there'); GRANT SELECT, TRIGGER ON far TO viewd"
stop_viewd
start_viewd
has_its_function()
{
	sql_pg "SELECT count(*), count(*) FILTER (WHERE p.prosrc LIKE '%pg_current_xact_id%') FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
		WHERE g.tgrelid IN ('quiet'::regclass, 'far'::regclass) AND p.proname ~ '^note_[0-9]+$'" | grep -qx '2|2'
}
ok "a source with a foreign part has a function of its own" wait_until has_its_function
sql_pg 'INSERT INTO far VALUES (1)'
ok "a write there is noticed" wait_until quiets_follow
kill_viewd
for _ in 1 2; do
	sql_pg "DO 'BEGIN FOR i IN 1..14000 LOOP INSERT INTO quiet VALUES (i); END LOOP; END'"
done
ok "its log is bounded while viewd is away" test "$(sql_pg "SELECT pg_relation_size('viewd.changes') / 8192")" -le 65
mkfifo "$T/far"
start_process "$T/far.log" "$pg_client/psql" -X -qAt -h "$pg_dir" -U postgres -d shop -f "$T/far"
far=$started
exec {far_fd}>"$T/far"
echo "BEGIN; INSERT INTO far VALUES (2); SELECT pg_advisory_lock(43);" >&"$far_fd"
wait_until "[ \"\$(sql_pg \"SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 43\")\" = 1 ]"
start_viewd
ok "the next viewd refreshes it" wait_until quiets_follow
fails "and waits for who has written there" no_flood
printf 'COMMIT;\n\\q\n' >&"$far_fd"
exec {far_fd}>&-
wait_until "! is_running $far"
ok "his commit is noticed" wait_until quiets_follow
ok "then it is over" wait_until no_flood

if grep -q VIEWD_FAILPOINT "$VIEWD_BUILD/viewd"; then
	for place in recorded begun released ended; do
		stop_viewd
		flood 300
		viewd_env=("VIEWD_FAILPOINT=flood:$place:kill")
		spawn_viewd -c "$T/viewd.conf"
		viewd_env=()
		case $place in
		released | ended)
			wait_until flag_is_up
			stop_process "$flood"
			;;
		esac
		ok "it is killed at $place" wait_until "! is_running $viewd_pid"
		is_running "$flood" && stop_process "$flood"
		sql_pg 'INSERT INTO sale (amount) VALUES (1)'
		start_viewd
		ok "killed at $place: it follows" wait_until follows
		ok "killed at $place: it is over" wait_until no_flood
	done
fi
finish
