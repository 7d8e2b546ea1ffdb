#!/bin/bash
# SPDX-License-Identifier: MIT
# Files of at most 500 lines, functions of at most 60. Exceptions are named here, each with its reason.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh"

max_file=500
max_function=60

# FILE: or FILE:FUNCTION, then the reason.
exceptions()
{
	cat <<-END
		plugins/viewd_dialect.h: the plugin contract is one header on purpose
	END
}

# In house style a function's body is between a { and a } that stand alone in the first column.
measure()
{
	local file
	sources "$1" daemon plugins tests | while read -r file; do
		awk -v file="$file" -v max_file="$max_file" -v max_function="$max_function" '
			/^[A-Za-z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
			/^\{/ { start = NR }
			/^\}/ && start {
				if (NR - start - 1 > max_function)
					printf "%s:%s: %d lines\n", file, name, NR - start - 1
				start = 0
			}
			END { if (NR > max_file) printf "%s: %d lines\n", file, NR }' "$1/$file"
	done
}

sizes()
{
	measure "$1" | grep -vF "$(exceptions | sed 's/: .*/:/')"
}

stale_exceptions()
{
	exceptions | sed 's/: .*//' | while read -r name; do
		[ -e "$VIEWD_SRC/${name%%:*}" ] || echo "exception for $name, which is gone"
	done
}

{ printf 'void long_one(void)\n{\n' && yes $'\tx();' | head -n 61 && printf '}\n'; } | fixture daemon/f.c
{ printf 'void good_one(void)\n{\n' && yes $'\tx();' | head -n 60 && printf '}\n'; } | fixture daemon/g.c
yes '/* x */' | head -n 501 | fixture daemon/long.h
expect_found "a function of 61 lines" '^daemon/f.c:long_one: 61 lines' sizes "$T/bad"
expect_found "a file of 501 lines" '^daemon/long.h: 501 lines' sizes "$T/bad"
rm "$T/bad/daemon/f.c" "$T/bad/daemon/long.h"
expect_clean "self-test: a function of 60 lines is accepted" sizes "$T/bad"
expect_clean "no file over $max_file lines, no function over $max_function" sizes "$VIEWD_SRC"
expect_clean "exceptions name existing files" stale_exceptions
finish
