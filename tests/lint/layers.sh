#!/bin/bash
# SPDX-License-Identifier: MIT
# Includes point to lower layers only:
# base <- loop, sched <- conf, plugin <- work <- core <- sys <- reload <- ctl <- daemon <- main;
# inside core: model <- plan <- flow, exec <- engine <- turn, and report beside engine. Calls point the same way: the
# linker's view of each folder's objects shows which symbols it takes from which other folder.
# inside conf: read <- schema <- snapshot <- load, and conf.h is the face; inside ctl: text <- command <- answer <- metrics
# <- page <- call <- serve;
# inside client: print <- what lies beside it.
# inside plugins/common: text <- sqltext <- analysis <- conn <- generate <- state <- depends <- capture <- objects <-
# incremental <- refresh; inside a dialect: conn <- objects <- depends <- capture <- incremental <- watch <- refresh; what lies beside these folders
# stands on top of them.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# The functions below answer in variables, without a process for each of a thousand files.

# rooms FILE: in rooms, the rooms of core that a file of core may use. engine.h and runtime.h are the face that everybody
# knows.
rooms()
{
	local face='(engine|runtime)\.h'
	case $1 in
	daemon/core/model/*) rooms="$face|model/" ;;
	daemon/core/plan/*) rooms="$face|model/|plan/" ;;
	daemon/core/exec/*) rooms="$face|model/|plan/|exec/" ;;
	daemon/core/flow/*) rooms="$face|model/|plan/|flow/" ;;
	daemon/core/report/*) rooms="$face|model/|plan/|exec/|flow/|report/" ;;
	daemon/core/engine/*) rooms="$face|model/|plan/|exec/|flow/|engine/" ;;
	daemon/core/turn/*) rooms="$face|model/|plan/|exec/|flow/|engine/|turn/" ;;
	daemon/core/offline/*) rooms="$face|model/|plan/|offline/" ;;
	daemon/core/*) rooms="" ;;
	esac
}

# up_to ROOM ROOMS...: in list, those rooms from the first to ROOM, as alternatives; all of them when ROOM is none of them.
up_to()
{
	local room=$1
	list=
	shift
	while [ $# -gt 0 ]; do
		list+=${list:+|}$1
		[ "$1" != "$room" ] || break
		shift
	done
}

# room_of FILE: in folder and room, the second and the third part of its path.
room_of()
{
	folder=${1#*/} room=
	[[ $folder != */* ]] || room=${folder#*/}
	folder=${folder%%/*} room=${room%%/*}
}

# cut_rooms FILE ROOM...: in rooms, what a file of a folder that is cut in this order may use of it. What lies beside the
# rooms stands on top.
cut_rooms()
{
	local folder room list
	room_of "$1"
	shift
	[[ $room != *.[ch] ]] || room=
	up_to "$room" "$@"
	rooms="$folder/($list)/"
}

# plugin_rooms FILE: in rooms, what a file of a plugin may use of its own folder.
plugin_rooms()
{
	local folder room list
	room_of "$1"
	case $folder in
	common)
		up_to "$room" text sqltext analysis conn generate state depends capture objects incremental refresh
		rooms="common/($list)/"
		;;
	*)
		up_to "$room" conn objects depends capture incremental watch refresh
		rooms="$folder/((pg|my)\.h|($list)/)|common/"
		;;
	esac
	[[ $room != *.[ch] ]] || rooms+="|$folder/"
}

# allowed FILE: in pattern, the folders (or headers) that this file may include, as an extended regular expression.
allowed()
{
	local rooms= may=
	case $1 in
	daemon/base/*) may='base/|viewd_dialect\.h' ;;
	daemon/loop/*) may='base/|loop/|viewd_dialect\.h' ;;
	daemon/conf/conf.h) may='base/|viewd_dialect\.h' ;;
	daemon/conf/*)
		cut_rooms "$1" read schema snapshot load
		may="base/|conf/conf\\.h|$rooms|sched/(cron|zone)\\.h|viewd_dialect\\.h"
		;;
	daemon/sched/*) may='base/|sched/|viewd_dialect\.h' ;;
	daemon/plugin/*) may='base/|loop/|plugin/|viewd_dialect\.h' ;;
	daemon/work/*) may='base/|loop/|conf/|plugin/|sched/|work/|viewd_dialect\.h' ;;
	daemon/core/*)
		rooms "$1"
		may="base/|loop/|conf/|plugin/|sched/|work/|core/($rooms)|viewd_dialect\\.h"
		;;
	daemon/ctl/text/*) may='base/|ctl/text/|viewd_dialect\.h' ;;
	daemon/ctl/command/*) may='base/|ctl/(text|command)/|viewd_dialect\.h' ;;
	daemon/ctl/*)
		cut_rooms "$1" text command answer metrics page call serve
		may="base/|loop/|conf/|plugin/|sched/|work/|core/|$rooms|reload\\.h|viewd_dialect\\.h"
		;;
	daemon/sys/*) may='base/|loop/|conf/|plugin/|sched/|work/|core/|sys/|viewd_dialect\.h' ;;
	# viewctl: the command table it shares with the daemon, and what works without one (check, render, uninstall).
	daemon/client/print/*) may='base/|ctl/command/|client/print/|viewd_dialect\.h' ;;
	daemon/client/*)
		may='base/|conf/|plugin/|core/(offline/(offline|explain|doctor|import|orphans|plan)|exec/uninstall_run)\.h|ctl/(command/|text/json_(err|text|explain)\.h|answer/json_planned\.h)|client/|work/program\.h|viewd_dialect\.h'
		;;
	daemon/reload.* | daemon/reload_plan.*) may='base/|loop/|conf/|plugin/|sched/|work/|core/|sys/|reload(_plan)?\.h|viewd_dialect\.h' ;;
	daemon/main.c) may='base/|daemon\.h' ;;
	daemon/*) may='[a-z]+/|daemon\.h|reload\.h|viewd_dialect\.h' ;;
	plugins/viewd_dialect.h) may='viewd_types\.h' ;;
	plugins/viewd_types.h) may='nothing' ;;
	plugins/*)
		plugin_rooms "$1"
		may="$rooms|base/(err|clock|kind|macros|span|utf8|words)\\.h|viewd_dialect\\.h"
		;;
	esac
	pattern="^($may)"
}

layers()
{
	local file included pattern seen
	(cd "$1" && grep -rHoE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' daemon plugins 2>/dev/null) |
		sed 's/:[^"]*"\(.*\)"$/ \1/' | sort | while read -r file included; do
		[ "$file" = "${seen:-}" ] || { seen=$file && allowed "$file"; }
		[ "$included" = config.h ] || [[ $included =~ $pattern ]] || echo "$file includes $included"
	done
}

# objects ROOT: those below whose source there is; others are left over from an older tree.
objects()
{
	local object file
	(cd "$1" && find daemon plugins -path '*/.libs/*-*.o' 2>/dev/null | sort) | while read -r object; do
		file=${object##*/}
		file=${object%/.libs/*}/${file#*-}
		[ -e "$VIEWD_SRC/${file%.o}.c" ] || [ "$1" != "$VIEWD_BUILD" ] || continue
		echo "$object"
	done
}

# symbols ROOT: "FILE defines|needs SYMBOL" of the objects below, FILE without the suffix.
symbols()
{
	objects "$1" | (cd "$1" && xargs -r nm -A --) | awk '
		$2 !~ /^[TDRBU]$/ { next }
		{
			file = $1
			sub(/:.*/, "", file)
			sub(/\/\.libs\/[a-z_]*-/, "/", file)
			sub(/\.o$/, "", file)
			print file, $2 == "U" ? "needs" : "defines", $3
		}'
}

# calls ROOT: calls and uses of variables between files that the rules for includes forbid. A dialect's table of
# functions (NAME_ops) is known to its connections: that is how recipes reach every folder.
calls()
{
	local from to symbol pattern seen
	symbols "$1" | awk '$2 == "defines" {at[$3] = $1} $2 == "needs" {from[++n] = $1; what[n] = $3}
		END {for (i = 1; i <= n; i++) if (what[i] in at && at[what[i]] != from[i]) print from[i], at[what[i]], what[i]}' |
		sort | while read -r from to symbol; do
		[ "$from" = "${seen:-}" ] || { seen=$from && allowed "$from.c"; }
		to=${to#plugins/}
		[[ ${to#daemon/}.h =~ $pattern ]] || [[ $symbol == *_ops ]] || [[ $to =~ ^daemon/core/(life|commands)$ ]] ||
			echo "$from calls $symbol of $to"
	done
}

fixture daemon/base/bad.c <<<'#include "core/engine.h"'
fixture daemon/conf/bad.c <<<'#include "loop/loop.h"'
fixture plugins/sqlite/bad.c <<<'#include "mysql/mysql.h"'
fixture plugins/mysql/bad.c <<<'# include "base/log.h"'
fixture plugins/mysql/conn/bad.c <<<'#include "mysql/refresh/swap.h"'
fixture plugins/common/text/bad.c <<<'#include "common/state/state.h"'
fixture daemon/core/model/bad.c <<<'#include "core/turn/turn.h"'
expect_found "a lower room must not include a higher one" 'model/bad.c includes core/turn/turn.h' layers "$T/bad"
mkdir -p "$T/bad/daemon/core/plan/.libs" "$T/bad/daemon/core/engine/.libs"
echo 'void engine_up(void); void plan_bad(void); void plan_bad(void) { engine_up(); }' |
	${CC:-cc} -c -x c -o "$T/bad/daemon/core/plan/.libs/libviewd_la-bad.o" -
echo 'void engine_up(void); void engine_up(void) {}' |
	${CC:-cc} -c -x c -o "$T/bad/daemon/core/engine/.libs/libviewd_la-up.o" -
expect_found "a lower room must not call a higher one" \
	'core/plan/bad calls engine_up of daemon/core/engine/up' calls "$T/bad"
mkdir -p "$T/bad/plugins/sqlite/conn/.libs" "$T/bad/plugins/sqlite/watch/.libs"
echo 'void watch_up(void); void conn_bad(void); void conn_bad(void) { watch_up(); }' |
	${CC:-cc} -c -x c -o "$T/bad/plugins/sqlite/conn/.libs/viewd_sqlite_la-bad.o" -
echo 'void watch_up(void); void watch_up(void) {}' |
	${CC:-cc} -c -x c -o "$T/bad/plugins/sqlite/watch/.libs/viewd_sqlite_la-up.o" -
expect_found "a dialect's sessions must not call its watch" \
	'sqlite/conn/bad calls watch_up of sqlite/watch/up' calls "$T/bad"
expect_found "a dialect's sessions must not include its refreshes" \
	'mysql/conn/bad.c includes mysql/refresh/swap.h' layers "$T/bad"
expect_found "texts must not include the state" 'text/bad.c includes common/state/state.h' layers "$T/bad"
expect_found "base must not include core" 'base/bad.c includes core/engine.h' layers "$T/bad"
expect_found "conf must not include loop" 'conf/bad.c includes loop/loop.h' layers "$T/bad"
expect_found "a dialect must not include another" 'sqlite/bad.c includes mysql/mysql.h' layers "$T/bad"
expect_found "a plugin must not include the daemon's log" 'mysql/bad.c includes base/log.h' layers "$T/bad"
fixture daemon/conf/schema/bad.c <<<'#include "conf/load/load.h"'
fixture daemon/ctl/call/bad.c <<<'#include "ctl/serve/server.h"'
fixture daemon/client/print/bad.c <<<'#include "client/http.h"'
expect_found "keys must not include the loading of files" 'schema/bad.c includes conf/load/load.h' layers "$T/bad"
expect_found "commands must not include the server" 'call/bad.c includes ctl/serve/server.h' layers "$T/bad"
expect_found "printing must not include the connection" 'print/bad.c includes client/http.h' layers "$T/bad"
mkdir -p "$T/bad/daemon/conf/read/.libs" "$T/bad/daemon/conf/load/.libs"
echo 'void load_up(void); void read_bad(void); void read_bad(void) { load_up(); }' |
	${CC:-cc} -c -x c -o "$T/bad/daemon/conf/read/.libs/libviewd_la-bad.o" -
echo 'void load_up(void); void load_up(void) {}' |
	${CC:-cc} -c -x c -o "$T/bad/daemon/conf/load/.libs/libviewd_la-up.o" -
expect_found "the reading of files must not call what builds on it" \
	'conf/read/bad calls load_up of daemon/conf/load/up' calls "$T/bad"
expect_clean "includes point to lower layers" layers "$VIEWD_SRC"
expect_clean "calls point to lower layers" calls "$VIEWD_BUILD"
finish
