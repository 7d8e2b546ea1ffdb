#!/bin/bash
# SPDX-License-Identifier: MIT
# A plugin exports one symbol: viewd_dialect.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

exports()
{
	local so names
	find "$1/.libs" -name 'viewd_*.so' 2>/dev/null | sort | while read -r so; do
		names=$(nm -D --defined-only "$so" | awk '{print $NF}' | paste -sd' ')
		[ "$names" = viewd_dialect ] || echo "${so##*/} exports: ${names:-nothing}"
	done
}

mkdir -p "$T/bad/.libs"
printf 'const int viewd_dialect = 1; int helper(void) { return 2; }\n' >"$T/two.c"
${CC:-cc} -shared -fPIC -o "$T/bad/.libs/viewd_two.so" "$T/two.c"
printf 'static int x; int viewd_dialect(void); int *keep(void) __attribute__((visibility("hidden"))); int *keep(void) { return &x; }\n' >"$T/none.c"
${CC:-cc} -shared -fPIC -o "$T/bad/.libs/viewd_none.so" "$T/none.c"
expect_found "a plugin that exports a helper" '^viewd_two.so exports: .*helper' exports "$T/bad"
expect_found "a plugin that exports nothing" '^viewd_none.so exports: nothing' exports "$T/bad"
expect_clean "each plugin exports viewd_dialect only" exports "$VIEWD_BUILD"
finish
