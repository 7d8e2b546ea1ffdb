#!/bin/bash
# SPDX-License-Identifier: MIT
# The server is killed at the failpoints of refresh, create and replace; after its restart the view is the old or the new one, whole.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

program=$VIEWD_BUILD/tests/mysql/server_kill
start_mariadb --innodb-flush-log-at-trx-commit=1
export VIEWD_TEST_MARIADB=$mariadb_dir

# scene CHANGE METHODS PLACE...
scene()
{
	export VIEWD_TEST_CHANGE=$1 VIEWD_TEST_METHODS=$2 VIEWD_TEST_PLACE VIEWD_TEST_SERVER
	shift 2
	for VIEWD_TEST_PLACE; do
		VIEWD_TEST_SERVER=$mariadb_pid
		ok "$VIEWD_TEST_CHANGE $VIEWD_TEST_METHODS: begin" "$program" -k begin
		ok "killed at $VIEWD_TEST_PLACE" "$program" -k run
		stop_process "$mariadb_pid" KILL
		start_mariadb --innodb-flush-log-at-trx-commit=1
		ok "whole after the restart" "$program" -k check
	done
}

scene swap tt mysql:staged mysql:filled mysql:renamed refresh:recorded
scene refresh tt mysql:filled refresh:emptied refresh:recorded
scene create tt mysql:intended mysql:renamed
scene replace tt mysql:filled mysql:intended mysql:renamed mysql:dropped
scene replace st mysql:renamed
scene replace ts mysql:intended mysql:renamed
finish
