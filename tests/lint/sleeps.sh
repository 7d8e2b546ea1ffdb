#!/bin/bash
# SPDX-License-Identifier: MIT
# Tests wait for events, never for time to pass.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

sleeps()
{
	(
		cd "$1" || exit
		grep -rnE --include='*.[ch]' '(^|[^A-Za-z0-9_"])(u|nano|clock_nano)?sleep[[:space:]]*\(' tests
		grep -rnE --include='*.sh' '(^|[;&|({]|[[:space:]](do|then|else)|[[:space:]]!)[[:space:]]*(/bin/)?sleep[[:space:]]+[0-9$."]' tests
	) | grep -vE ':[0-9]+:[[:space:]]*(/?\*|#|//)'
}

fixture tests/a.c <<<$'\tusleep(100);'
fixture tests/b.sh <<<'while true; do sleep 1; done'
fixture tests/c.sh <<<$'\tsleep 0.1'
expect_found "usleep in C" 'tests/a.c:1:' sleeps "$T/bad"
expect_found "sleep in a loop" 'tests/b.sh:1:' sleeps "$T/bad"
expect_found "sleep on a line" 'tests/c.sh:1:' sleeps "$T/bad"
rm -r "$T/bad"
fixture tests/d.sh <<<"sql_pg 'SELECT pg_sleep(1)' # a slow query is not a sleep 1 second test"
expect_clean "self-test: a slow query is accepted" sleeps "$T/bad"
mkdir "$T/tree" && cp -r "$VIEWD_SRC/tests" "$T/tree/" && rm "$T/tree/tests/lint/sleeps.sh"
expect_clean "no test sleeps" sleeps "$T/tree"
finish
