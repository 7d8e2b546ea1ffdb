#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on SQLite, once in WAL mode and once with a rollback journal. Arguments go to the suite (-k PATTERN).
command -v sqlite3 >/dev/null || { echo "1..0 # SKIP no sqlite3"; exit 77; }
build=${VIEWD_BUILD:-.}
plugin=$build/.libs/viewd_sqlite.so
[ -e "$plugin" ] || { echo "1..0 # SKIP the dialect is not built"; exit 77; }
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
status=0
for journal in wal delete; do
	export VIEWD_CONTRACT_PLUGIN=$plugin
	export VIEWD_CONTRACT_URL=sqlite:///$dir/contract.db
	export VIEWD_CONTRACT_SQL="sqlite3 -batch -bail -cmd '.timeout 5000' $dir/contract.db"
	export VIEWD_CONTRACT_RESET="rm -f $dir/contract.db*; sqlite3 $dir/contract.db 'PRAGMA journal_mode = $journal' >/dev/null"
	export VIEWD_CONTRACT_QUOTE='"'
	export VIEWD_CONTRACT_ALIKE='text COLLATE NOCASE'
	export VIEWD_CONTRACT_LOCK='BEGIN IMMEDIATE'
	export VIEWD_CONTRACT_DURING=refresh:staged
	export VIEWD_CONTRACT_BEGINS=yes
	export VIEWD_CONTRACT_TRUNCATE='DELETE FROM'
	export VIEWD_CONTRACT_CASCADE='PRAGMA foreign_keys = on; '
	echo "# journal_mode = $journal"
	"$build/tests/contract/contract" "$@" || status=1
done
exit $status
