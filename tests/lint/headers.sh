#!/bin/bash
# SPDX-License-Identifier: MIT
# Each header compiles alone, and has include guards.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh"

headers()
{
	local header
	# shellcheck disable=SC2086 # CC and the flags are words
	sources "$1" daemon plugins tests | grep '\.h$' | while read -r header; do
		printf '#include "%s"\n#include "%s"\n' "$1/$header" "$1/$header" >"$T/alone.c"
		${CC:-cc} -std=gnu17 -fsyntax-only -Wall -Wextra -Werror -D_GNU_SOURCE -I"$1/daemon" -I"$1/plugins" -I"$1/tests" \
			${LINT_CFLAGS:-} "$T/alone.c" >"$T/out" 2>&1 || sed "s@^@$header: @" "$T/out"
	done
}

fixture daemon/needs.h <<<'void f(size_t n);'
fixture daemon/unguarded.h <<<'struct twice { int a; };'
expect_found "a header that needs another" '^daemon/needs.h: .*size_t' headers "$T/bad"
expect_found "a header without guards" '^daemon/unguarded.h: .*redefinition' headers "$T/bad"
expect_clean "each header compiles alone" headers "$VIEWD_SRC"
finish
