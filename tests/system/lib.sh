# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh: what system tests share. A test looks like this:
#
#	#!/bin/bash
#	# What this test proves, in a line.
#	. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
#
#	start_pg
#	sql_pg 'CREATE TABLE t(id int)'
#	conf <<-END
#		[database shop]
#		url = $pg_url
#	END
#	start_viewd
#	ok "the view appears" wait_until "viewctl status v | grep -q ACTIVE"
#	is "and is empty" "$(sql_pg 'SELECT count(*) FROM v')" 0
#	finish
#
# and tests/system/system.mk names it in TESTS and EXTRA_DIST. By hand: VIEWD_BUILD=BUILDDIR tests/system/NN-name.sh
# (after make check TESTS= there); VIEWD_KEEP=1 keeps the directory. A line "# sanitizers: yes" in a test asks for a
# second run under ASan and UBSan in tools/check.sh.
#
# $T is the test's own directory (short: it holds unix sockets). Everything started here is stopped by its pid at exit.
# No test sleeps: wait_until asks again until the deadline.

set -u
: "${VIEWD_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
T=$(mktemp -d "${TMPDIR:-/tmp}/viewd.XXXXXX")
chmod 755 "$T" # the servers run as users of their own
export LC_ALL=C.UTF-8 TZ=UTC
unset PGHOST PGPORT PGUSER PGDATABASE PGPASSWORD PGSERVICE PGOPTIONS NOTIFY_SOCKET JOURNAL_STREAM

n_tests=0
n_failed=0
finished=no
pids=()
WAIT=${WAIT:-60} # seconds until wait_until gives up: only a failure takes that long, however slow the machine

exec {tap_fd}>&1 # the exit trap may run while the output of a command is caught

# ---- verdicts ----

# report STATUS NAME: one TAP line; returns STATUS.
report()
{
	n_tests=$((n_tests + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' $n_tests "$2"
		return 0
	fi
	n_failed=$((n_failed + 1))
	printf 'not ok %d - %s\n' $n_tests "$2"
	return 1
}

comment()
{
	printf '%s\n' "$*" | sed 's/^/#   /'
}

# A command given as one word is shell text, otherwise its words are the command.
run()
{
	if [ $# -eq 1 ]; then eval "$1"; else "$@"; fi
}

# ok NAME COMMAND...: the command succeeds. Its output is shown when it does not.
ok()
{
	local name=$1 out status
	shift
	out=$(run "$@" 2>&1)
	status=$?
	report $status "$name" && return
	comment "$* -> exit status $status"
	comment "$out"
	return 1
}

# fails NAME COMMAND...: the command does not succeed.
fails()
{
	local name=$1 out
	shift
	out=$(run "$@" 2>&1) || { report 0 "$name" && return; }
	report 1 "$name"
	comment "$* -> succeeded"
	comment "$out"
	return 1
}

# exits NAME STATUS COMMAND...: the command ends with exactly this status.
exits()
{
	local name=$1 want=$2 out status
	shift 2
	out=$(run "$@" 2>&1)
	status=$?
	[ $status -eq "$want" ]
	report $? "$name" && return
	comment "$* -> exit status $status, expected $want"
	comment "$out"
	return 1
}

# is NAME ACTUAL EXPECTED
is()
{
	[ "$2" = "$3" ]
	report $? "$1" && return
	comment "is:       $2"
	comment "expected: $3"
	return 1
}

# like NAME ACTUAL REGEX (extended, anywhere in the text)
like()
{
	grep -qE -- "$3" <<<"$2"
	report $? "$1" && return
	comment "is:             $2"
	comment "expected match: $3"
	return 1
}

# unlike NAME ACTUAL REGEX
unlike()
{
	! grep -qE -- "$3" <<<"$2"
	report $? "$1" && return
	comment "is:         $2"
	comment "unexpected: $3"
	return 1
}

# skip_all REASON: nothing can be tested here.
skip_all()
{
	printf '1..0 # SKIP %s\n' "$1"
	finished=yes
	exit 77
}

# Something the test needs went wrong; there is no point in going on.
die()
{
	report 1 "$*"
	finished=yes
	exit 1
}

# Last line of every test. A test that ends without it has failed.
finish()
{
	finished=yes
	printf '1..%d\n' $n_tests
	exit $((n_failed > 0))
}

# ---- waiting ----

exec {nap_fd}<> <(:)
# nap [SECONDS]
nap()
{
	read -rt "${1:-0.02}" -u "$nap_fd"
	return 0
}

# wait_until COMMAND...: until it succeeds; 1 after $WAIT seconds. Asking starts programs, so a long wait asks less often.
wait_until()
{
	local deadline=$((SECONDS + WAIT)) asked=0
	until run "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		asked=$((asked + 1))
		case $asked in
		[1-9]) nap ;;
		1[0-9]) nap 0.05 ;;
		*) nap 0.1 ;;
		esac
	done
}

# ---- processes ----

# start_process LOG COMMAND...: in the background, output to LOG, pid in $started.
start_process()
{
	local log=$1
	shift
	"$@" >>"$log" 2>&1 {nap_fd}<&- {tap_fd}>&- &
	started=$!
	pids+=("$started")
}

is_running()
{
	kill -0 "$1" 2>/dev/null
}

# is_ours PID: is a process that this test has started still there? Numbers are used again, on some machines after 32,768 processes: the
# one of a process that has ended may be anybody's. A subshell, which makes a template, has children of its own.
is_ours()
{
	local stat
	# Cleanup runs in a trap, where "return" alone gives the status from before it.
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# shellcheck disable=SC2086 # words
	set -- ${stat##*) }
	[ "$1" != Z ] && { [ "$2" = $$ ] || [ "$2" = "$BASHPID" ]; }
}

# stop_process PID [SIGNAL]: and waits; its exit status, or 137 when it had to be killed.
stop_process()
{
	! is_ours "$1" || kill -s "${2:-TERM}" "$1" 2>/dev/null
	wait_until "! is_ours $1" || kill -s KILL "$1"
	wait "$1" 2>/dev/null
}

# as_user USER COMMAND...: database servers refuse to run as root.
as_user()
{
	local user=$1
	shift
	if [ "$(id -u)" -eq 0 ]; then
		exec setpriv --reuid="$user" --regid="$user" --init-groups -- "$@"
	fi
	exec "$@"
}

show_tail()
{
	[ -s "$1" ] || return
	printf '# ---- %s\n' "${1#"$T"/}"
	tail -n "$2" "$1" | sed 's/^/# | /'
}

stop_all()
{
	local i
	for ((i = ${#pids[@]} - 1; i >= 0; i--)); do
		! is_ours "${pids[i]}" || WAIT=10 stop_process "${pids[i]}" "${stop_signal[${pids[i]}]:-TERM}"
	done
}

cleanup()
{
	local status=$? log
	exec >&"$tap_fd"
	stop_all
	if [ $finished = no ]; then
		printf 'not ok %d - the test ended early (exit status %d)\n' $((n_tests + 1)) $status
		n_failed=$((n_failed + 1))
	fi
	if [ $n_failed -gt 0 ]; then
		for log in "$T"/*.conf; do show_tail "$log" 100; done
		for log in "$T"/viewd*.log; do show_tail "$log" 100; done
		for log in "$T"/*/server.log; do show_tail "$log" 40; done
	fi
	if [ -n "${VIEWD_KEEP:-}" ]; then
		printf '# kept %s\n' "$T"
	else
		rm -rf "$T"
	fi
	if [ $n_failed -gt 0 ]; then exit 1; fi
	exit $status
}
declare -A stop_signal
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# ---- templates: a data directory is made once and copied ----

# template NAME MAKER: prints the directory that holds template NAME; MAKER DIR creates it the first time.
template()
{
	local cache=$VIEWD_BUILD/tests/cache/$1
	mkdir -p "${cache%/*}"
	(
		# A subshell has no traps, and the shell around it does not know what was started here.
		pids=()
		trap stop_all EXIT
		trap 'exit 1' HUP INT TERM
		flock 9
		[ ! -e "$cache" ] || exit 0
		"$2" "$T/template" >"$T/template.log" 2>&1 || {
			sed 's/^/# /' "$T/template.log" >&2
			exit 1
		}
		mv "$T/template" "$cache.new" && mv "$cache.new" "$cache"
	) 9>"$cache.lock" || return
	printf '%s\n' "$cache"
}

# ---- PostgreSQL ----

# The newest installed server: Debian keeps it out of PATH. VIEWD_PGBIN names another one's directory of programs (CONTRIBUTING.md);
# clients that are not there are those of the installed one.
pg_client=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
pg_bin=${VIEWD_PGBIN:-$pg_client}
[ -x "$pg_bin/postgres" ] || pg_bin=$(dirname "$(command -v postgres || echo /nowhere/postgres)")
[ ! -x "$pg_bin/psql" ] || pg_client=$pg_bin

pg_run()
{
	(as_user postgres "$@")
}

pg_spawn()
{
	start_process "$pg_dir/server.log" as_user postgres "$pg_bin/postgres" -D "$pg_dir/data" -k "$pg_dir" \
		-c listen_addresses= -c fsync=off -c shared_buffers=16MB -c max_connections=40 -c log_lock_waits=on \
		-c "log_line_prefix=%m [%p] %a %u " "$@"
	pg_pid=$started
	stop_signal[$pg_pid]=INT
	wait_until "$pg_client/pg_isready" -q -h "$pg_dir"
}

# Role viewd (may log in, no superuser) and database shop that belongs to it.
pg_make_template()
{
	local pg_dir=$1
	mkdir -p "$pg_dir"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$pg_dir"
	pg_run "$pg_bin/initdb" -D "$pg_dir/data" -U postgres -A trust --no-sync --wal-segsize=1 \
		--locale=C.UTF-8 -E UTF8 || return
	pg_spawn || return
	pg_db=postgres sql_pg 'CREATE ROLE viewd LOGIN' && pg_db=postgres sql_pg 'CREATE DATABASE shop OWNER viewd'
	stop_process "$pg_pid" INT
}

# start_pg [SERVER-OPTIONS...]: a server on a unix socket in $pg_dir with $pg_url (role viewd, database shop).
# After stop_pg or kill_pg it starts the same data again. $pg_name chooses among several servers (default pg).
start_pg()
{
	local source
	[ -x "$pg_bin/postgres" ] || skip_all "no PostgreSQL server installed"
	pg_dir=$T/${pg_name:-pg}
	if [ ! -d "$pg_dir" ]; then
		source=$(template "pg-$("$pg_bin/postgres" -V | tr -cd '0-9.')" pg_make_template) ||
			die "PostgreSQL template cannot be made"
		cp -a "$source" "$pg_dir"
		: >"$pg_dir/server.log"
	fi
	pg_spawn "$@" || die "PostgreSQL does not start"
	# shellcheck disable=SC2034 # for the tests
	pg_url="postgresql://viewd@/shop?host=$pg_dir"
}

stop_pg()
{
	stop_process "$pg_pid" INT
}

# pg_standby DIR: a streaming standby of the running server, in DIR; $pg_dir and $pg_pid are then the standby's. Made by hand, since
# pg_basebackup serves no server that is newer than itself.
pg_standby()
{
	local start="pg_start_backup('standby', true, false)" stop="pg_stop_backup(false)" primary=$pg_dir
	if [ "$(sql_pg 'SHOW server_version_num')" -ge 150000 ]; then
		start="pg_backup_start('standby', true)" stop="pg_backup_stop()"
	fi
	mkdir -p "$1"
	: >"$1/server.log"
	sql_pg >"$1/label" <<-END || die "no base backup"
		SET client_min_messages = warning;
		SELECT NULL FROM $start \\g $1/where
		\\! cp -a $primary/data $1/data
		SELECT labelfile FROM $stop
	END
	rm -f "$1/data/postmaster.pid"
	mv "$1/label" "$1/data/backup_label"
	echo "primary_conninfo = 'host=$primary user=postgres'" >>"$1/data/postgresql.auto.conf"
	touch "$1/data/standby.signal"
	[ "$(id -u)" -ne 0 ] || chown -R postgres: "$1"
	pg_dir=$1
	pg_spawn || die "the standby does not start"
}

# The server's processes work in its data directory; orphaned ones keep it locked until they notice.
pg_is_gone()
{
	! readlink /proc/[0-9]*/cwd 2>/dev/null | grep -qxF "$pg_dir/data"
}

# Kills the server; its sessions die when they notice, which this waits for.
kill_pg()
{
	stop_process "$pg_pid" KILL
	wait_until pg_is_gone
}

# sql_pg [PSQL-OPTIONS...] [SQL]: as $pg_user (default postgres) in $pg_db (default shop); without SQL from stdin.
sql_pg()
{
	local sql=()
	if [ $# -gt 0 ]; then
		sql=(-c "${*: -1}")
		set -- "${@:1:$#-1}"
	fi
	"$pg_client/psql" -X -qAt -v ON_ERROR_STOP=1 -h "$pg_dir" -U "${pg_user:-postgres}" -d "${pg_db:-shop}" "$@" "${sql[@]}"
}

# ---- MariaDB, or MySQL ----

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-mysql.sh"

# ---- SQLite ----

# sql_sqlite FILE [SQL]: waits for locks as an application would.
sql_sqlite()
{
	local file=$1
	shift
	sqlite3 -batch -cmd '.timeout 5000' "$file" "$@"
}

# ---- viewd ----

# conf [FILE]: writes stdin to $T/viewd.conf (or FILE) behind a [viewd] section that keeps to $T.
conf()
{
	{
		printf '[viewd]\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\n\n' \
			"$T/control.sock" "$VIEWD_BUILD/.libs" "$T/state"
		cat
	} >"${1:-$T/viewd.conf}"
	mkdir -p "$T/state"
}

# spawn_viewd [ARGS...]: starts the daemon without waiting; log in $T/viewd.log, its notifications in $T/notify.log.
# $viewd_env: assignments for its environment (array). $VIEWD_WRAP: a program to run it under.
spawn_viewd()
{
	if [ ! -S "$T/notify.sock" ]; then
		start_process "$T/notify-helper.log" "$VIEWD_BUILD/tests/support/notify" "$T/notify.sock" "$T/notify.log"
		wait_until test -S "$T/notify.sock" || die "the notify helper does not start"
	fi
	: >"$T/notify.log"
	# shellcheck disable=SC2086 # VIEWD_WRAP is words
	start_process "$T/viewd.log" env NOTIFY_SOCKET="$T/notify.sock" "${viewd_env[@]}" ${VIEWD_WRAP:-} \
		"$VIEWD_BUILD/viewd" "$@"
	viewd_pid=$started
}
viewd_env=()

viewd_is_up()
{
	grep -qx READY=1 "$T/notify.log" || ! is_running "$viewd_pid"
}

# start_viewd [CONF [ARGS...]]: starts it and waits until it says READY=1. Failing that the test ends.
start_viewd()
{
	spawn_viewd -c "${1:-$T/viewd.conf}" "${@:2}"
	wait_until viewd_is_up
	grep -qx READY=1 "$T/notify.log" || die "viewd does not become ready"
}

# Stops viewd; its exit status is 0 after an orderly end.
stop_viewd()
{
	stop_process "$viewd_pid" TERM
}

kill_viewd()
{
	stop_process "$viewd_pid" KILL
}

viewctl()
{
	"$VIEWD_BUILD/viewctl" -s "$T/control.sock" "$@"
}

# member NAME: of the first view in the JSON of stdin. A start of jq costs more than all else in a question that is asked again and
# again, so it does only what is not one plain value.
member()
{
	local json value
	json=$(cat)
	value=${json#*$'\n    "'"$1"'": '}
	value=${value%%$'\n'*}
	value=${value%,}
	case $value in
	\{* | \[* | *\\* | "$json") jq -r ".[0].$1" <<<"$json" ;;
	*) value=${value#\"} && printf '%s\n' "${value%\"}" ;;
	esac
}

# field VIEW NAME: one field of the view's JSON status ("null" when unknown).
field()
{
	viewctl --json status "$1" | member "$2"
}

# field_is VIEW NAME VALUE: for wait_until.
field_is()
{
	[ "$(field "$1" "$2")" = "$3" ]
}

# A jq function: a view is as fresh as it can be told: FRESH, or UNKNOWN for want of somebody who hears what it reads.
as_fresh_as_can_be='def as_fresh_as_can_be: .freshness == "FRESH" or (.freshness == "UNKNOWN" and
	(.sources == [] or any(.sources[]; .heard_by == null and .reason != "following it is not set up")));'

# is_fresh VIEW: it is there and its last refresh went well (for wait_until).
is_fresh()
{
	local json
	json=$(viewctl --json status "$1")
	[ "$(member state <<<"$json") $(member result <<<"$json")" = "ACTIVE SUCCEEDED" ] || return
	case $(member freshness <<<"$json") in
	FRESH) ;;
	UNKNOWN) jq -e "$as_fresh_as_can_be.[0] | as_fresh_as_can_be" <<<"$json" >"$T/jq.log" ;;
	*) false ;;
	esac
}

# log_has REGEX: viewd has logged it (extended regular expression).
log_has()
{
	grep -qE -- "$1" "$T/viewd.log"
}

# notified REGEX: a whole line that viewd told the service manager.
notified()
{
	grep -qxE -- "$1" "$T/notify.log"
}
