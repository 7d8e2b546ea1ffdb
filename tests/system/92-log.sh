#!/bin/bash
# SPDX-License-Identifier: MIT
# A log that nobody reads, or that is closed, is in nobody's way: viewd starts, answers, refreshes and stops; read again, nothing is missing.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
command -v sqlite3 >/dev/null || skip_all "no sqlite3"

sqlite3 "$T/app.db" 'PRAGMA journal_mode = wal; CREATE TABLE src (n integer); INSERT INTO src VALUES (1)' >"$T/made"
conf <<-END_CONF
	[database shop]
	url = sqlite:///$T/app.db

	[view v]
	database = shop
	definition = SELECT n FROM src
END_CONF
full_pipe()
{
	rm -f "$T/viewd.log"
	mkfifo "$T/viewd.log"
	exec 7<>"$T/viewd.log"
	dd if=/dev/zero bs=4096 count=16 >&7 2>"$T/dd.log"
}

full_pipe
start_viewd
ok "nobody reads the log: viewd starts" viewctl status
ok "... refreshes" viewctl refresh v --wait
for ((i = 0; i < 21; i++)); do
	curl -s -o "$T/status.out" -w "%{time_total}\n" --unix-socket "$T/control.sock" http://x/v1/status
done | sort -n >"$T/times"
comment "21 status requests: median $(sed -n 11p "$T/times") s, longest $(tail -n 1 "$T/times") s"
ok "... and answers in under 100 ms" test "$(sed -n 11p "$T/times" | tr -d . | cut -c1-5)" -lt 01000
start_process "$T/read.log" cat "$T/viewd.log"
ok "read again: the log tells from the beginning" wait_until grep -aq "ready: 1 views" "$T/read.log"
stop_viewd
is "... and to the end" $?:"$(grep -ac 'viewd: info: stopping' "$T/read.log")" 0:1
exec 7>&-

full_pipe
start_viewd
from=$SECONDS
stop_viewd
is "nobody reads the log: viewd stops in order" $? 0
ok "... within seconds" test $((SECONDS - from)) -lt 8
exec 7>&-
rm "$T/viewd.log"

start_process "$T/out" env NOTIFY_SOCKET="$T/notify.sock" sh -c 'exec "$@" 2>&-' sh "$VIEWD_BUILD/viewd" -c "$T/viewd.conf"
viewd_pid=$started
: >"$T/notify.log"
ok "stderr is closed: viewd starts" wait_until viewd_is_up
is "... and gives its number to nothing else" "$(readlink "/proc/$viewd_pid/fd/2")" /dev/null
ok "... and refreshes" viewctl refresh v --wait
stop_viewd
is "... and stops in order" $? 0

# ---- what is said last ----
sed -i "s@^control_socket = .*@control_socket = $T/nowhere/control.sock@" "$T/viewd.conf"
"$VIEWD_BUILD/viewd" -c "$T/viewd.conf" >"$T/broken" 2>&1
is "a start that fails exits with 1" $? 1
like "... and was told why" "$(tail -n 1 "$T/broken")" '^viewd: error: cannot start \(control socket: '
if [ ! -e /run/systemd/journal/socket ]; then
	JOURNAL_STREAM=$(stat -c %d:%i "$T/broken") "$VIEWD_BUILD/viewd" -c "$T/viewd.conf" >"$T/out" 2>"$T/broken"
	like "a journal whose socket is not to be seen has what it has otherwise" "$(tail -n 1 "$T/broken")" '^<3>cannot start \(control socket: '
fi

# ---- whoever read it is gone before the first line ----
sed -i '1a nonsense = 1' "$T/viewd.conf"
"$VIEWD_BUILD/viewd" -c "$T/viewd.conf" >"$T/broken" 2>&1
status=$?
like "a bad file is told" "$(cat "$T/broken")" 'viewd: error: .*nonsense'
mkfifo "$T/pipe"
exec 7<>"$T/pipe" 8>"$T/pipe" 7>&-
for check in "" --check; do
	"$VIEWD_BUILD/viewd" -c "$T/viewd.conf" $check 2>&8
	is "nobody can read: the same exit status ($status${check:+, $check})" $? $status
done
finish
