#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on PostgreSQL behind pgbouncer in transaction mode, where each transaction may get another session. Arguments go to the
# suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
. "$VIEWD_SRC/tests/system/lib-pooler.sh"

plugin=$VIEWD_BUILD/.libs/viewd_postgresql.so
[ -e "$plugin" ] || skip_all "the dialect is not built"
need_pooler
start_pg -c fsync=off
start_pooler transaction "$pg_dir"
client="env PGOPTIONS=-csearch_path=public $pg_client/psql -X -qAt -v ON_ERROR_STOP=1 -h $pg_dir"
export VIEWD_CONTRACT_PLUGIN=$plugin
export VIEWD_CONTRACT_URL="postgresql://viewd@/contract?host=$T/pooler&port=6432"
export VIEWD_CONTRACT_SQL="$client -U viewd contract"
# A database is another one each time: the pool's sessions with the last one have ended.
export VIEWD_CONTRACT_RESET="$client -U postgres postgres -c 'DROP DATABASE IF EXISTS contract WITH (FORCE)' \
	-c 'CREATE DATABASE contract OWNER viewd' && $client -U viewd contract \
	-c \"CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level1', deterministic = false)\" && kill -HUP $pooler_pid"
export VIEWD_CONTRACT_QUOTE='"'
export VIEWD_CONTRACT_STATE=viewd.
export VIEWD_CONTRACT_ALIKE='text COLLATE alike'
export VIEWD_CONTRACT_LOCK='BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE'
export VIEWD_CONTRACT_REQUEST="SELECT viewd.request_refresh('v')"
export VIEWD_CONTRACT_DURING=refresh:filled
export VIEWD_CONTRACT_BEGINS=yes
ok "contract on PostgreSQL behind a pooler in transaction mode" "$VIEWD_BUILD/tests/contract/contract" "$@"
finish
