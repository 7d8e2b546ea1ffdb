#!/bin/bash
# SPDX-License-Identifier: MIT
# The layout of C is the formatter's. Texts of SQL and tables stand between "clang-format off" and "clang-format on".
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# Other versions of the formatter decide otherwise.
version=14

unformatted()
{
	(
		cd "$1" || exit
		find . -name '*.[ch]' -not -path './build*' -print0 |
			xargs -0 -P "$(nproc)" -n 40 clang-format --dry-run 2>&1 |
			sed -n 's/^\([^ ]*:[0-9]*\):[0-9]*: warning: code should be clang-formatted.*/\1: not as clang-format has it/p' |
			sort -u
	)
}

clang-format --version 2>/dev/null | grep -q "version $version\." || skip_all "no clang-format $version"
cp "$VIEWD_SRC/.clang-format" "$T/"
fixture a.c <<<'int f(int a){return a;}'
fixture b.c <<<$'int g(int a)\n{\n    return a;\n}'
expect_found "a function on one line" 'a.c:1:' unformatted "$T/bad"
expect_found "blanks for a tab" 'b.c:[23]:' unformatted "$T/bad"
rm -r "$T/bad"
fixture c.c <<<$'int h(int a)\n{\n\treturn a;\n}\n/* clang-format off */\nint   table[] = {1,\n 2};\n/* clang-format on */'
expect_clean "self-test: a table between off and on" unformatted "$T/bad"
mkdir "$T/tree"
for folder in bench daemon docs plugins tests; do
	[ ! -d "$VIEWD_SRC/$folder" ] || cp -r "$VIEWD_SRC/$folder" "$T/tree/"
done
expect_clean "every source is formatted" unformatted "$T/tree"
finish
