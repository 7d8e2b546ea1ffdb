#!/bin/bash
# SPDX-License-Identifier: MIT
# The dialect on MySQL, where it can be fetched: a part of the contract here, all suites that know MySQL in make check-long.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

"$VIEWD_SRC/tools/other-mysql.sh" --fetch "$VIEWD_BUILD" >"$T/where" 2>"$T/why" || skip_all "$(cat "$T/why")"
VIEWD_MYSQLBIN=$(cat "$T/where")
export VIEWD_MYSQLBIN engine=mariadb
if [ -n "${VIEWD_LONG-}" ]; then
	ok "all suites" "$VIEWD_SRC/tools/other-mysql.sh" "$VIEWD_BUILD"
else
	ok "views are refreshed" "$VIEWD_SRC/tests/contract/mysql.sh" -k refreshes:
fi
finish
