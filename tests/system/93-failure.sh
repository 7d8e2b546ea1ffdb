#!/bin/bash
# SPDX-License-Identifier: MIT
# on_failure: a program is told of a failure; it gets facts and no secrets, cannot hold anything up, and leaves nothing behind.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

# The program knows its place from its own name: it inherits nothing.
cat >"$T/tell" <<-END
	#!/bin/bash
	told=$T/told.\$VIEWD_VIEW
	{ printf 'args:'; printf ' <%s>' "\$@"; echo; env; readlink /proc/\$\$/fd/*; echo "files: \$(ulimit -Sn)"; } >"\$told.new"
	mv "\$told.new" "\$told"
	echo "\$VIEWD_VIEW \$VIEWD_STATE \$VIEWD_ERROR_CLASS \$VIEWD_CONSECUTIVE_ERRORS" >>"$T/calls"
END
cat >"$T/hang" <<-END
	#!/bin/bash
	trap '' TERM
	tail -f /dev/null &
	echo "\$\$ \$!" >>"$T/hanging"
	mkdir "$T/inside.\$\$"
	while :; do wait; done
END
chmod 755 "$T/tell" "$T/hang"

# view NAME PROGRAM: a view that can be refreshed until break_it NAME.
view()
{
	sql_sqlite "$T/lite.db" "CREATE TABLE $1_src(n)"
	printf '[view %s]\ndatabase = lite\nmethod = table\ndefinition = SELECT abs(n) AS n FROM %s_src\n%s\n\n' "$1" "$1" "$2"
}

break_it()
{
	local name
	for name; do sql_sqlite "$T/lite.db" "INSERT INTO ${name}_src VALUES (-9223372036854775808)"; done
}

views=$(view told "on_failure = $T/tell 'two words' \"\" \$VIEWD_VIEW \`id\`
owner = the shop
description = what is in it"
view quiet ''
view absent "on_failure = $T/nowhere"
view bad "on_failure = /bin/false"
for i in 1 2 3 4 5 6; do view "hang$i" "on_failure = $T/hang"; done)
conf <<<"[database lite]
url = sqlite:///$T/lite.db

$views
[view unmade]
database = lite
method = table
definition = SELECT n FROM not_there
on_failure = $T/tell"
sed -i '2i on_failure_timeout = 1s' "$T/viewd.conf"
viewd_env=(PGPASSWORD=secret-of-viewd CREDENTIALS_DIRECTORY="$T/creds" HOME="$T")
ulimit -Sn 777
trap '' CHLD # handed down to viewd
start_viewd
trap - CHLD
ok "the views are there" wait_until "is_fresh told && is_fresh hang6"

# ---- what it is told ----
break_it told
fails "a refresh fails" viewctl refresh told --wait
ok "its program is told" wait_until test -e "$T/told.told"
is "... with the words of the file, which no shell has read" "$(head -n 1 "$T/told.told")" \
	"args: <two words> <> <\$VIEWD_VIEW> <\`id\`>"
for fact in VIEWD_VIEW=told VIEWD_DATABASE=lite 'VIEWD_RELATION="told"' VIEWD_RESULT=FAILED VIEWD_TRIGGER=MANUAL \
	VIEWD_ERROR_CLASS=query 'VIEWD_OWNER=the shop' 'VIEWD_DESCRIPTION=what is in it' "HOME=$T"; do
	ok "... $fact" grep -qxF -- "$fact" "$T/told.told"
done
like "... the message" "$(grep ^VIEWD_ERROR_MESSAGE "$T/told.told")" 'integer overflow'
like "... times" "$(grep ^VIEWD_LAST_SUCCESS_TIME= "$T/told.told")" '=20[0-9-]+T[0-9:.]+Z$'
unlike "... and nothing of what viewd was given itself" "$(cat "$T/told.told")" 'secret-of-viewd|CREDENTIALS|NOTIFY_SOCKET'
unlike "... nor any of its files" "$(cat "$T/told.told")" '^(socket:|anon_inode:)|lite\.db|state$'
is "... and the limit of open files is what viewd has been given, not what it has raised it to" \
	"$(grep ^files: "$T/told.told")" 'files: 777'
ok "a view that cannot be set up is told of, too" wait_until test -e "$T/told.unmade"
is "... as a failure, the first one, of no run" "$(grep -E '^VIEWD_(RESULT|CONSECUTIVE_ERRORS|TRIGGER)=' "$T/told.unmade" | sort)" \
	"VIEWD_CONSECUTIVE_ERRORS=1
VIEWD_RESULT=FAILED"
is "one failure is told once" "$(grep -c '^told ' "$T/calls")" 1
calls()
{
	[ "$(grep -c "^$1 " "$T/calls")" = "$2" ]
}
for i in 2 3; do
	viewctl refresh told --wait >"$T/out" 2>&1
	ok "and each one ($i)" wait_until calls told "$i"
done
break_it quiet
fails "a view without the key" viewctl refresh quiet --wait
fails "... is told to nobody" test -e "$T/told.quiet"
sql_sqlite "$T/lite.db" "DROP TABLE told"
viewctl refresh told --wait >"$T/out" 2>&1
ok "a view that is missing is told of as well" wait_until "grep -q '^told MISSING' '$T/calls'"

# ---- programs that fail ----
break_it absent bad
fails "a view whose program is not there" viewctl refresh absent --wait
fails "a view whose program fails" viewctl refresh bad --wait
ok "the log has the first" wait_until "grep -q \"view 'absent', on_failure: .*cannot be started\" '$T/viewd.log'"
ok "... and the second" wait_until "grep -q \"view 'bad', on_failure: /bin/false ended with status 1\" '$T/viewd.log'"

# ---- programs that do not end ----
break_it hang1 hang2 hang3 hang4 hang5 hang6
for i in 1 2 3 4 5 6; do viewctl refresh "hang$i" --wait >"$T/out" 2>&1; done
ok "programs that hang are begun" wait_until '[ "$(wc -l <"$T/hanging")" -ge 4 ]'
is "four at once" "$(wc -l <"$T/hanging")" 4
ok "status answers meanwhile" timeout 1 "$VIEWD_BUILD/viewctl" -s "$T/control.sock" status
ok "they are ended when their time is over, and the next begin" wait_until '[ "$(wc -l <"$T/hanging")" -ge 6 ]'
ok "... which is logged" wait_until "grep -q \"view 'hang1', on_failure: .*was ended (not done after 1s)\" '$T/viewd.log'"
alive()
{
	local pid
	for pid in $(cat "$T/hanging"); do ! is_running "$pid" || return 0; done
	return 1
}
ok "all of them go, with what they have started" wait_until '! alive'
is "no zombie stays" "$(ps -o stat= --ppid "$viewd_pid" | grep -c Z)" 0

viewctl refresh hang1 --wait >"$T/out" 2>&1
ok "another one" wait_until '[ "$(wc -l <"$T/hanging")" -ge 7 ]'
sed -i 's/^on_failure_timeout = .*/on_failure_timeout = 1h/' "$T/viewd.conf"
from=$SECONDS
stop_viewd
is "viewd stops while one runs" $? 0
ok "... within seconds" test $((SECONDS - from)) -lt 8
ok "... and it has gone" wait_until '! alive'

# ---- under the shipped unit ----
# allowed SET: its system calls, without those of the sets that the unit takes away.
allowed()
{
	systemd-analyze syscall-filter "$1" 2>"$T/err" | sed -n 's/^ *\([@a-z0-9_-]\+\)$/\1/p' | while read -r call; do
		case $call in
		"$1") ;;
		@*) allowed "$call" ;;
		*) echo "$call" ;;
		esac
	done
}
if command -v systemd-analyze >/dev/null; then
	sets=$(sed -n 's/^SystemCallFilter=//p' "$VIEWD_SRC/systemd/viewd.service.in")
	is "its filter is the one that is looked at here" "$sets" "@system-service
~@privileged @resources"
	allowed @system-service | sort -u >"$T/yes"
	{ allowed @privileged; allowed @resources; } | sort -u >"$T/no"
	comm -23 "$T/yes" "$T/no" >"$T/calls.allowed"
	for call in clone clone3 vfork execve setpgid dup2 close_range prlimit64 pipe2 rt_sigaction rt_sigprocmask pidfd_open poll kill wait4; do
		ok "it lets a program be started, waited for and ended: $call" grep -qx $call "$T/calls.allowed"
	done
else
	comment "no systemd-analyze: the unit's filter is not looked at"
fi

# ---- the key ----
for line in 'on_failure = mail root|no absolute path' "on_failure = /bin/x 'a|no command line"; do
	sed "s@^on_failure = /bin/false@${line%|*}@" "$T/viewd.conf" >"$T/bad.conf"
	out=$("$VIEWD_BUILD/viewctl" check -c "$T/bad.conf" 2>&1)
	is "a bad line is refused (${line%|*})" $? 1
	like "... and told why" "$out" "\\[view bad\\] on_failure: .*${line#*|}"
done
: >"$T/mode600"
chmod 600 "$T/mode600"
for program in "$T/nowhere" "$T/mode600" "$T"; do
	printf '[viewd]\nplugin_dir = %s/.libs\n[database lite]\nurl = sqlite:///%s/lite.db\n[view v]\ndatabase = lite\ndefinition = SELECT 1 AS n\non_failure = %s x\n' "$VIEWD_BUILD" "$T" "$program" >"$T/lone.conf"
	out=$("$VIEWD_BUILD/viewctl" check -c "$T/lone.conf" 2>&1)
	is "viewctl check refuses a program that cannot be run (${program#"$T"})" $? 1
	like "... with its place" "$out" "lone.conf:8: \[view v\] on_failure: $program cannot be run \\("
	ok "... viewd --check, which the unit asks before a start, does not" "$VIEWD_BUILD/viewd" --check -c "$T/lone.conf"
done
sed -i "s@^on_failure = .*@on_failure = $T/nowhere@" "$T/viewd.conf"
start_viewd
ok "viewd starts without it" viewctl status
like "... and warns" "$(cat "$T/viewd.log")" "on_failure: $T/nowhere cannot be run \\(No such file"
ok "a reload goes through as well" viewctl reload
stop_viewd
finish
