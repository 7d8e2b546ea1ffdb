#!/bin/bash
# SPDX-License-Identifier: MIT
# Includes point to lower layers only:
# base <- loop, sched <- conf, plugin <- work <- core <- sys <- reload <- ctl <- daemon <- main.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh"

# allowed FILE: the folders (or headers) that this file may include, as an extended regular expression.
allowed()
{
	case $1 in
	daemon/base/*) echo 'base/|viewd_dialect\.h' ;;
	daemon/loop/*) echo 'base/|loop/|viewd_dialect\.h' ;;
	daemon/conf/*) echo 'base/|conf/|sched/(cron|zone)\.h|viewd_dialect\.h' ;;
	daemon/sched/*) echo 'base/|sched/|viewd_dialect\.h' ;;
	daemon/plugin/*) echo 'base/|loop/|plugin/|viewd_dialect\.h' ;;
	daemon/work/*) echo 'base/|loop/|conf/|plugin/|sched/|work/|viewd_dialect\.h' ;;
	daemon/core/*) echo 'base/|loop/|conf/|plugin/|sched/|work/|core/|viewd_dialect\.h' ;;
	daemon/ctl/*) echo 'base/|loop/|conf/|plugin/|sched/|work/|core/|ctl/|reload\.h|viewd_dialect\.h' ;;
	daemon/sys/*) echo 'base/|loop/|conf/|plugin/|sched/|work/|core/|sys/|viewd_dialect\.h' ;;
	# viewctl: the command table it shares with the daemon, and what works without one (check, render, uninstall).
	daemon/client/*) echo 'base/|conf/|plugin/|core/(offline|leave_run)\.h|ctl/(args|commands|json_text)\.h|client/|viewd_dialect\.h' ;;
	daemon/reload.*) echo 'base/|loop/|conf/|plugin/|sched/|work/|core/|sys/|reload\.h|viewd_dialect\.h' ;;
	daemon/main.c) echo 'base/|daemon\.h' ;;
	daemon/*) echo '[a-z]+/|daemon\.h|reload\.h|viewd_dialect\.h' ;;
	plugins/common/*) echo 'common/|base/(err|check|clock|span)\.h|viewd_dialect\.h' ;;
	plugins/viewd_dialect.h) echo 'nothing' ;;
	plugins/*) echo "$(cut -d/ -f2 <<<"$1")/|common/|base/(err|check|clock|span)\\.h|viewd_dialect\\.h" ;;
	esac
}

layers()
{
	local file included pattern seen
	(cd "$1" && grep -rHoE --include='*.[ch]' '^[[:space:]]*#[[:space:]]*include[[:space:]]*"[^"]*"' daemon plugins 2>/dev/null) |
		sed 's/:[^"]*"\(.*\)"$/ \1/' | sort | while read -r file included; do
		[ "$file" = "${seen:-}" ] || seen=$file pattern="^($(allowed "$file"))"
		[ "$included" = config.h ] || [[ $included =~ $pattern ]] || echo "$file includes $included"
	done
}

fixture daemon/base/bad.c <<<'#include "core/engine.h"'
fixture daemon/conf/bad.c <<<'#include "loop/loop.h"'
fixture plugins/sqlite/bad.c <<<'#include "mysql/mysql.h"'
fixture plugins/mysql/bad.c <<<'# include "base/log.h"'
expect_found "base must not include core" 'base/bad.c includes core/engine.h' layers "$T/bad"
expect_found "conf must not include loop" 'conf/bad.c includes loop/loop.h' layers "$T/bad"
expect_found "a dialect must not include another" 'sqlite/bad.c includes mysql/mysql.h' layers "$T/bad"
expect_found "a plugin must not include the daemon's log" 'mysql/bad.c includes base/log.h' layers "$T/bad"
expect_clean "includes point to lower layers" layers "$VIEWD_SRC"
finish
