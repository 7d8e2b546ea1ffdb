#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on PostgreSQL, as an ordinary role that owns the database. Arguments go to the suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

plugin=$VIEWD_BUILD/.libs/viewd_postgresql.so
[ -e "$plugin" ] || skip_all "the dialect is not built"
start_pg -c fsync=off
# The role's name is also that of the state schema, which "$user" would put in front.
client="env PGOPTIONS=-csearch_path=public $pg_client/psql -X -qAt -v ON_ERROR_STOP=1 -h $pg_dir"
export VIEWD_CONTRACT_PLUGIN=$plugin
export VIEWD_CONTRACT_URL="postgresql://viewd@/contract?host=$pg_dir"
export VIEWD_CONTRACT_SQL="$client -U viewd contract"
export VIEWD_CONTRACT_RESET="$client -U postgres postgres -c 'DROP DATABASE IF EXISTS contract WITH (FORCE)' \
	-c 'CREATE DATABASE contract OWNER viewd' && $client -U viewd contract \
	-c \"CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level1', deterministic = false)\""
export VIEWD_CONTRACT_QUOTE='"'
export VIEWD_CONTRACT_STATE=viewd.
export VIEWD_CONTRACT_ALIKE='text COLLATE alike'
export VIEWD_CONTRACT_LOCK='BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE'
export VIEWD_CONTRACT_REQUEST="SELECT viewd.request_refresh('v')"
export VIEWD_CONTRACT_DURING=refresh:filled
export VIEWD_CONTRACT_BEGINS=yes
ok "contract on PostgreSQL $(pg_db=postgres sql_pg 'SHOW server_version')" "$VIEWD_BUILD/tests/contract/contract" "$@"
finish
