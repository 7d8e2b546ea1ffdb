#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs tests that are written for MariaDB with Debian sid's MySQL server, which is fetched into the build directory and run beside the
# installed system, with libraries of its own.
#
#	tools/other-mysql.sh BUILDDIR [TEST...]
#	tools/other-mysql.sh --fetch BUILDDIR    only fetches it, and prints its directory of programs (VIEWD_MYSQLBIN); 77: it cannot
#
# BUILDDIR: where `make check TESTS=` was run. TEST: names below tests/ without .sh (default: all that are listed here).
set -euo pipefail
. "$(dirname "$0")/other-lib.sh"
[ $# -ge 1 ] || { sed -n 's/^#	//p' "$0"; exit 2; }
fetch_only=no
[ "$1" != --fetch ] || { fetch_only=yes; shift; }
VIEWD_BUILD=$(cd "$1" && pwd)
VIEWD_SRC=$(cd "$(dirname "$0")/.." && pwd)
shift
[ $# -gt 0 ] || set -- contract/mysql system/11-league system/18-drop system/24-changes system/30-readers system/47-onesource system/48-wait system/50-reload \
	system/66-group system/67-prepared system/70-lifecycle system/77-returned system/80-deps

place=$VIEWD_BUILD/tests/cache/mysql-sid

# A package manager of its own, which believes that nothing is installed, and asks nobody twice.
write_apt_conf()
{
	mkdir -p "$place"/apt/{state/lists/partial,cache/archives/partial,parts}
	echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" >"$place/apt/sources"
	: >"$place/apt/status"
	cat >"$place/apt/conf" <<-END
		Dir::State "$place/apt/state";
		Dir::State::status "$place/apt/status";
		Dir::Cache "$place/apt/cache";
		Dir::Etc::sourcelist "$place/apt/sources";
		Dir::Etc::sourceparts "$place/apt/parts";
		Dir::Etc::preferencesparts "$place/apt/parts";
		APT::Architecture "amd64";
		APT::Install-Recommends "false";
		APT::Sandbox::User "root";
		Acquire::Retries "0";
		Acquire::http::Timeout "15";
	END
}

# Programs that start the loader of the fetched C library; each becomes the server itself, so that signals reach it.
write_programs()
{
	local program tree=$place/tree
	mkdir -p "$place/bin"
	for program in sbin/mysqld bin/mysql bin/mysqldump bin/mysqlbinlog; do
		cat >"$place/bin/${program#*/}" <<-END
			#!/bin/sh
			exec $tree/usr/lib64/ld-linux-x86-64.so.2 --library-path $tree/usr/lib/x86_64-linux-gnu $tree/usr/$program "\$@"
		END
		chmod +x "$place/bin/${program#*/}"
	done
}

fetch()
{
	local packages
	write_apt_conf
	export APT_CONFIG=$place/apt/conf
	apt-get -q update || return
	# The server is a program, and needs none of what others are for.
	packages=$(apt-get -s install mysql-server-core mysql-client-core | awk '/^Inst/ { print $2 }' | grep -v perl) || return
	mkdir -p "$place/deb" "$place/tree"
	# shellcheck disable=SC2086 # a list of words
	(cd "$place/deb" && apt-get -q download $packages) || return
	for package in "$place"/deb/*.deb; do
		dpkg -x "$package" "$place/tree" || return
	done
	write_programs
	rm -rf "$place/deb" "$place/apt"
	"$place/bin/mysqld" --version || return
	touch "$place/made"
}

mkdir -p "$place"
(
	flock 9
	[ -e "$place/made" ] || fetch >"$place/fetch.log" 2>&1
) 9>"$place/lock" || {
	echo "MySQL cannot be fetched from Debian sid ($place/fetch.log)" >&2
	exit 77
}
[ $fetch_only = no ] || { echo "$place/bin"; exit 0; }

export VIEWD_BUILD VIEWD_SRC VIEWD_MYSQLBIN=$place/bin engine=mariadb
run_tests "$place" "$@"
