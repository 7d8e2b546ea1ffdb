#!/bin/bash
# SPDX-License-Identifier: MIT
# Each header compiles alone, and has include guards.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# alone ROOT HEADER: it compiles, also when it is included twice.
alone()
{
	local out
	# shellcheck disable=SC2086 # CC and the flags are words
	out=$(printf '#include "%s"\n#include "%s"\n' "$1/$2" "$1/$2" |
		${CC:-cc} -std=gnu17 -fsyntax-only -Wall -Wextra -Werror -D_GNU_SOURCE -I"$1/daemon" -I"$1/plugins" -I"$1/tests" \
			${LINT_CFLAGS:-} -x c - 2>&1) || sed "s@^@$2: @" <<<"$out"
}
export -f alone

# Each line of a problem is shorter than what a pipe takes at once, so those of several compilers do not mix.
headers()
{
	sources "$1" daemon plugins tests | grep '\.h$' | xargs -P "$(nproc)" -I '{}' bash -c 'alone "$@"' alone "$1" '{}'
}

fixture daemon/needs.h <<<'void f(size_t n);'
fixture daemon/unguarded.h <<<'struct twice { int a; };'
expect_found "a header that needs another" '^daemon/needs.h: .*size_t' headers "$T/bad"
expect_found "a header without guards" '^daemon/unguarded.h: .*redefinition' headers "$T/bad"
expect_clean "each header compiles alone" headers "$VIEWD_SRC"
finish
