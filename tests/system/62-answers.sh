#!/bin/bash
# SPDX-License-Identifier: MIT
# A server whose answers have another number of columns than was asked for, or no row, or nothing but NULL: viewd says so, and lives.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
[ -e "$VIEWD_BUILD/.libs/viewd_postgresql.so" ] || skip_all "the dialect is not built"
command -v python3 >/dev/null || skip_all "python3 is not installed"

start_process "$T/server.log" python3 "$VIEWD_SRC/tests/support/short_answers.py" "$T/.s.PGSQL.5432" "$T/connections"
wait_until test -S "$T/.s.PGSQL.5432"
conf <<-END
	[database strange]
	url = postgresql://viewd@/shop?host=$T
	[view totals]
	database = strange
	on_change = yes
	retry_backoff = 10ms
	retry_max_backoff = 20ms
	max_consecutive_errors = 0
	definition = SELECT 1 AS n
END
start_viewd
# Each number of columns, with a value, with NULL, and without a row.
answered() { [ "$(wc -l <"$T/connections")" -ge 80 ]; }
connects() { viewctl refresh totals --wait; answered; }
ok "it is asked 80 times" wait_until connects
ok "viewd lives" is_running "$viewd_pid"
like "... and says what was wrong" "$(viewctl --json status totals | jq -r '.[0].error.message')" 'answer about the session|tells nothing of the session'
ok "... by the number of columns, too" log_has 'answer about .* has [0-9]+ columns'
stop_viewd
is "viewd ends as it should" $? 0
finish
