#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on PostgreSQL, as an ordinary role that owns the database. Arguments go to the suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/contract/lib-postgresql.sh"

[ -e "$plugin" ] || skip_all "the dialect is not built"
start_pg -c fsync=off
contract_on "postgresql://viewd@/contract?host=$pg_dir"
ok "contract on PostgreSQL $(pg_db=postgres sql_pg 'SHOW server_version')" "$VIEWD_BUILD/tests/contract/contract" "$@"
finish
