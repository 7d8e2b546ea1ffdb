#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh PROGRAM [ARG...]: runs a test of the PostgreSQL dialect against a server of its own.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

# Nobody else cleans a table while a test looks who does.
start_pg -c max_connections=50 -c autovacuum=off
export VIEWD_TEST_PG="host=$pg_dir"
ok "${1##*/}" "$@"
finish
