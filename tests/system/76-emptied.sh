#!/bin/bash
# SPDX-License-Identifier: MIT
# A view that becomes empty has changed: what reads it follows, in every mode.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
# More rows than the first round leaves, or its end would look like what was there before.
sql "CREATE TABLE src (id integer PRIMARY KEY); INSERT INTO src VALUES (1), (2), (3)"
conf_database shop <<-END
	[view-defaults]
	database = shop
	method = table
	on_change = yes

	[view keyed]
	unique_key = id
	definition = SELECT id FROM src

	[view reads_keyed]
	definition = SELECT id FROM keyed

	[view last]
	definition = SELECT id FROM reads_keyed
END
start_viewd
for rows in 1 0 2 0; do
	sql "DELETE FROM src"
	for ((i = 1; i <= rows; i++)); do sql "INSERT INTO src VALUES ($i)"; done
	rows_become "$rows rows come through" "SELECT count(*) FROM last" $rows
done
ok "all are equal to their definitions" viewctl verify --all
finish
