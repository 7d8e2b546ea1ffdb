#!/bin/bash
# SPDX-License-Identifier: MIT
# Every tracked file is in the distribution, and every test file is run.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# Only for those who work in the repository.
not_distributed='^(\.gitignore|\.gitattributes|\.github/.*)$'

# missing TRACKED-LIST DISTRIBUTED-LIST, both sorted
missing()
{
	comm -23 "$1" "$2" | grep -vE "$not_distributed" | sed 's/$/ is not in the distribution/'
}

# not_run FILES-LIST TESTS-LIST: test files that no list of tests names.
not_run()
{
	grep -E '^tests/(unit/.*/test_[^/]*\.c|(system|lint)/[^/]*\.sh)$' "$1" | grep -vE '/lib[^/]*\.sh$' | sed 's/\.c$//' |
		sort | comm -23 - "$2" | sed 's/$/ is not in TESTS/'
}

printf '%s\n' README.md forgotten.c tests/unit/base/test_forgotten.c >"$T/tracked"
printf '%s\n' README.md tests/unit/base/test_forgotten.c >"$T/dist"
: >"$T/tests"
expect_found "a file that make dist forgets" '^forgotten.c is not' missing "$T/tracked" "$T/dist"
expect_found "a test that nobody runs" 'test_forgotten is not in TESTS' not_run "$T/tracked" "$T/tests"

git -c safe.directory='*' -C "$VIEWD_SRC" ls-files >"$T/files" 2>/dev/null || skip_all "not a git checkout"
sort "$T/files" >"$T/tracked"
# The make that runs this test must not pass its jobs and overrides on.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
# One script a topic, one test an engine.
make -s -C "$VIEWD_BUILD" print-tests | sed -E "p; s/-(sqlite|postgresql|mariadb)\\.sh$/.sh/" | sort -u >"$T/tests"
make -s -C "$VIEWD_BUILD" distdir distdir="$T/d" top_distdir="$T/d" >"$T/make.log" 2>&1 ||
	sed 's/^/# /' "$T/make.log"
(cd "$T/d" && find . -type f | sed 's@^\./@@' | sort) >"$T/dist"
expect_clean "every tracked file is in the distribution" missing "$T/tracked" "$T/dist"
expect_clean "every test file is run" not_run "$T/tracked" "$T/tests"
finish
