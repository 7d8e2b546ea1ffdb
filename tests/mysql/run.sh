#!/bin/bash
# SPDX-License-Identifier: MIT
# The MySQL dialect against a MariaDB server of its own. Arguments: the programs to run (default: all of this directory).
. "${VIEWD_SRC:-.}/tests/system/lib.sh"

start_mariadb
export VIEWD_TEST_MARIADB=$mariadb_dir
[ $# -gt 0 ] || set -- "$VIEWD_BUILD"/tests/mysql/test_my_*
for program; do
	case $program in *.o | *.log | *.trs) continue ;; esac
	ok "${program##*/}" "$program"
done
finish
