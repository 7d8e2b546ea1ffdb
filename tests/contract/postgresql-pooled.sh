#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on PostgreSQL behind pgbouncer in transaction mode, where each transaction may get another session. Arguments go to the
# suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-pooler.sh"
. "$VIEWD_SRC/tests/contract/lib-postgresql.sh"

[ -e "$plugin" ] || skip_all "the dialect is not built"
need_pooler
start_pg -c fsync=off
start_pooler transaction "$pg_dir"
# A database is another one each time: the pool's sessions with the last one have ended.
contract_on "postgresql://viewd@/contract?host=$T/pooler&port=6432" "kill -HUP $pooler_pid"
ok "contract on PostgreSQL behind a pooler in transaction mode" "$VIEWD_BUILD/tests/contract/contract" "$@"
finish
