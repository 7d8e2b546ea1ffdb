#!/bin/bash
# SPDX-License-Identifier: MIT
# Third-party headers stay behind their files, threads and programs behind one each; functions that invite overruns are not called.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# Header (regular expression), then the files that may include it (regular expression).
walls()
{
	cat <<-'END'
		(iniparser/)?(iniparser|dictionary)\.h	daemon/conf/read/ini\.c
		(event2/.*|event)\.h	daemon/(loop/loop\.c|ctl/serve/server_?[a-z]*\.[ch])
		(glib|gio|glib-object)\.h	daemon/(sched/zone|base/command)\.c
		systemd/.*	daemon/sys/(notify|journal)\.c
		(pthread|threads)\.h	daemon/work/(file_hints|worker|spool)\.c
		dlfcn\.h	daemon/plugin/loader\.c
		libsmartcols/.*	daemon/client/print/table\.c
		curl/.*	daemon/(client|ctl)/[a-z_]*http[a-z_]*\.c
		(libpq-fe|postgres_ext|libpq/.*)\.?h?	plugins/postgresql/.*
		(mysql|mariadb)(/.*|\.h)	plugins/mysql/.*
		(mysqld_error|errmsg)\.h	plugins/mysql/.*
		sqlite3\.h	plugins/sqlite/.*
		pg_query(/.*)?\.h	plugins/common/analysis/reading/parse\.c
		jansson\.h	(daemon/(client|ctl)/.*|plugins/common/analysis/reading/(parse|read)\.h)
		(sha2|md5|sha512|sha256|rmd160)\.h	plugins/common/text/[a-z_]+\.c
	END
}

third_party()
{
	local header files
	walls | while IFS=$'\t' read -r header files; do
		(cd "$1" && grep -rnE --include='*.[ch]' "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]${header}[>\"]" daemon plugins 2>/dev/null) |
			grep -vE "^$files:"
	done
	(cd "$1" && grep -rlE --include='*.[ch]' '#[[:space:]]*include[[:space:]]*<(sha2|md5|sha512|sha256)\.h>' daemon plugins 2>/dev/null) |
		sed 1d | sed 's/$/: a second file that includes libmd/'
}

banned='strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|atoll|atof|system|popen|gets|tmpnam|tempnam|mktemp'

# The compiler may inline a call away, so the source is searched as well as the objects.
banned_calls()
{
	(cd "$1" && grep -rnE --include='*.[ch]' "(^|[^A-Za-z0-9_.>\"])($banned)[[:space:]]*\(" daemon plugins 2>/dev/null) |
		grep -vE ':[0-9]+:[[:space:]]*(/?\*|//)'
}

# calls ROOT SYMBOLS: the objects that call functions of these names (regular expression).
calls()
{
	(cd "$1" && find daemon plugins -name '*.o' 2>/dev/null | sort | xargs -r nm -Au) | sed -nE "s@^([^:]*): *[Uw] ($2)\$@\\1 calls \\2@p"
}

banned_symbols()
{
	calls "$1" "($banned)|__($banned)_chk"
}

thread_symbols()
{
	calls "$1" 'pthread_create|thrd_create' | grep -vE '/(libviewd_la-)?worker\.o '
}

program_symbols()
{
	calls "$1" '(v?fork|posix_spawnp?|exec[vl]p?e?)' | grep -vE '/(libviewd_la-)?program\.o '
}

# Values of an answer are read where readers have checked their number.
unread_answers()
{
	calls "$1" 'PQgetvalue' | grep -vE '/(libviewd_postgresql_la-)?exec\.o '
}

fixture daemon/core/bad.c <<-'END'
	#include <pthread.h>
	#include <event2/event.h>
	#include <stdio.h>
	#include <stdlib.h>
	#include <string.h>
	#include <unistd.h>
	void *start(void *x) { return x; }
	int bad(char *to, const char *from)
	{
		pthread_t t;
		(void)fork();
		strcpy(to, from);
		return system(to) + atoi(from) + pthread_create(&t, NULL, start, NULL);
	}
END
fixture plugins/mysql/bad.c <<<'#include <sqlite3.h>'
${CC:-cc} -w -O2 -c -o "$T/bad/daemon/core/bad.o" "$T/bad/daemon/core/bad.c"
expect_found "libevent outside its files" 'core/bad.c:2:' third_party "$T/bad"
expect_found "pthread outside its file" 'core/bad.c:1:' third_party "$T/bad"
expect_found "another dialect's client library" 'mysql/bad.c:1:' third_party "$T/bad"
expect_found "a banned call in the source" 'core/bad.c:13:.*atoi' banned_calls "$T/bad"
expect_found "a banned call in an object" 'core/bad.o calls (__)?strcpy' banned_symbols "$T/bad"
expect_found "a thread started elsewhere" 'core/bad.o calls pthread_create' thread_symbols "$T/bad"
expect_found "a program started elsewhere" 'core/bad.o calls fork' program_symbols "$T/bad"
mkdir -p "$T/bad/plugins/postgresql"
echo 'char *PQgetvalue(void *res, int row, int column); char *f(void *r); char *f(void *r) { return PQgetvalue(r, 0, 3); }' |
	${CC:-cc} -c -x c -o "$T/bad/plugins/postgresql/bad.o" -
expect_found "a value that is read unchecked" 'postgresql/bad.o calls PQgetvalue' unread_answers "$T/bad"
expect_clean "values are read where their number was checked" unread_answers "$VIEWD_BUILD"
expect_clean "third-party headers stay behind their files" third_party "$VIEWD_SRC"
expect_clean "no banned call in the source" banned_calls "$VIEWD_SRC"
expect_clean "no banned call in an object" banned_symbols "$VIEWD_BUILD"
expect_clean "threads start in one file" thread_symbols "$VIEWD_BUILD"
expect_clean "programs start in one file" program_symbols "$VIEWD_BUILD"
finish
