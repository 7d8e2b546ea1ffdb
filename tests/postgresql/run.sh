#!/bin/bash
# SPDX-License-Identifier: MIT
# The PostgreSQL dialect against a server of its own. Arguments: the programs to run (default: all of this directory).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

# Nobody else cleans a table while a test looks who does.
start_pg -c max_connections=50 -c autovacuum=off
export VIEWD_TEST_PG="host=$pg_dir"
[ $# -gt 0 ] || set -- "$VIEWD_BUILD"/tests/postgresql/test_pg_*
for program; do
	case $program in *.o | *.log | *.trs) continue ;; esac
	ok "${program##*/}" "$program"
done
finish
