#!/bin/bash
# SPDX-License-Identifier: MIT
# Files of at most 500 lines, functions of at most 60, structs of at most 25 members, folders of at most 13 sources.
# Exceptions are named here, each with its reason.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

max_file=500
max_function=60
max_members=25
max_sources=13

# FILE: or FILE:FUNCTION, then the reason.
exceptions()
{
	cat <<-END
		plugins/viewd_dialect.h:viewd_dialect: one member a function that the daemon calls, and the groups
		plugins/viewd_types.h:viewd_view_spec: one member a key of a [view] section that a dialect needs
		daemon/conf/conf.h:conf_view: one member a key of a [view] section
		daemon/core/model/view_status.h:view_status: one member a field of status
	END
}

# In house style a function's body is between a { and a } that stand alone in the first column.
measure()
{
	sources "$1" daemon plugins tests docs | (cd "$1" && xargs -r awk -v max_file="$max_file" -v max_function="$max_function" '
		function ends() { if (lines > max_file) printf "%s: %d lines\n", file, lines }
		FNR == 1 { ends(); file = FILENAME; start = 0 }
		{ lines = FNR }
		/^[A-Za-z].*\(/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
		/^\{/ { start = FNR }
		/^\}/ && start {
			if (FNR - start - 1 > max_function)
				printf "%s:%s: %d lines\n", file, name, FNR - start - 1
			start = 0
		}
		END { ends() }')
}

# members ROOT: structs with more members than that. What stands in braces inside is one member.
members()
{
	sources "$1" daemon plugins | (cd "$1" && xargs -r awk -v max="$max_members" '
		FNR == 1 { inside = 0 }
		/^(typedef )?(struct|union) [a-z_]* ?\{/ { name = $2; n = 0; depth = 0; inside = 1; comment = 0; next }
		inside && /^\}/ { if (n > max) printf "%s:%s: %d members\n", FILENAME, name, n; inside = 0 }
		inside {
			line = $0
			if (comment) { if (line !~ /\*\//) next; sub(/^.*\*\//, "", line); comment = 0 }
			gsub(/\/\*[^*]*(\*+[^*\/][^*]*)*\*+\//, "", line)
			if (line ~ /\/\*/) { comment = 1; sub(/\/\*.*/, "", line) }
			gsub(/[^{}();,]/, "", line)
			for (i = 1; i <= length(line); i++) {
				c = substr(line, i, 1)
				if (c ~ /[{(]/) depth++
				else if (c ~ /[})]/) depth--
				else if (depth == 0) n++
			}
		}')
}

# folders ROOT: those with more sources than that.
folders()
{
	sources "$1" daemon plugins | grep '\.c$' | sed 's|/[^/]*$||' | sort | uniq -c | awk -v max="$max_sources" '$1 > max { printf "%s: %d sources\n", $2, $1 }'
}

sizes()
{
	{ measure "$1" && members "$1" && folders "$1"; } | grep -vF "$(exceptions | sed 's/: .*/:/')"
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
{ printf 'struct wide {\n' && yes $'\tint (*a)(int b, int c); /* x, y; */' | head -n 20 && printf '\tint a, b;\n\tstruct {\n\t\tint c, d, e;\n\t} f;\n\tint c, d, *e;\n};\n'; } |
	fixture daemon/wide.h
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14; do echo | fixture "plugins/crowd/f$i.c"; done
expect_found "a struct of 26 members" '^daemon/wide.h:wide: 26 members' sizes "$T/bad"
expect_found "a folder of 14 sources" '^plugins/crowd: 14 sources' sizes "$T/bad"
rm -r "$T/bad/daemon/f.c" "$T/bad/daemon/long.h" "$T/bad/daemon/wide.h" "$T/bad/plugins/crowd"
expect_clean "self-test: a function of 60 lines is accepted" sizes "$T/bad"
expect_clean "no file over $max_file lines, no function over $max_function, no struct over $max_members members, no folder over $max_sources sources" sizes "$VIEWD_SRC"
expect_clean "exceptions name existing files" stale_exceptions
finish
