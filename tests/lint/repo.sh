#!/bin/bash
# SPDX-License-Identifier: MIT
# The contents of the repository: sources only, nothing that belongs to one machine, nothing left to do, every source licensed.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

repo=$VIEWD_SRC
# The owner of a checkout may be another user than the one who tests.
tracked()
{
	git -c safe.directory='*' -C "$repo" ls-files | while read -r file; do
		[ ! -e "$repo/$file" ] || printf '%s\n' "$file"
	done
}

search()
{
	git -c safe.directory='*' -C "$repo" grep -nIE "$@"
}

# on REGEX COMMAND...: runs it with the names of the tracked files that match: one process, not one a file.
on()
{
	local regex=$1
	shift
	(cd "$repo" && tracked | grep -E "$regex" | xargs -r -d '\n' "$@")
}

# The brackets keep these lines from finding themselves.
machine_paths()
{
	search '(^|[^a-z])/[w]ork/|/[h]ome/[a-z]|/[r]oot/|/tmp/([w]t|b)/'
}

generated()
{
	# The example that is built outside the tree has a Makefile of its own.
	tracked | grep -E '(^|/)(configure|config\.(h|h\.in|status|log)|Makefile(\.in)?|aclocal\.m4|libtool|core)$' |
		grep -vx docs/examples/dialect/Makefile
	tracked | grep -E '\.(o|lo|la|so|a|trs|log|gcno|gcda|orig|rej|swp|db|sqlite)$|~$'
	on '^docs/screenshots/.*\.png$' stat -c '%s %n' | awk '$1 > 150000 { print $2 " is larger than 150 kB" }'
	on . grep -LI . | grep -vE '^docs/screenshots/.*\.png$' | while read -r file; do
		[ ! -s "$repo/$file" ] || echo "$file is binary"
	done
}

unfinished()
{
	search '\b(TO[D]O|FIX[M]E|X[X]X|HA[C]K)\b'
}

unlicensed()
{
	on '\.([ch]|sh|m4)$' grep -LPz '\A(.*\n){0,4}.*SPDX-License-Identifier: MIT' | sed 's/$/ has no SPDX line/'
}

untidy()
{
	search '[ 	]+$' -- '*.[ch]' '*.sh' '*.mk' '*.am' '*.ac' '*.m4'
	on '\.([ch]|sh)$' grep -LPz '\n\z' | while read -r file; do
		[ ! -s "$repo/$file" ] || echo "$file does not end with a newline"
	done
	on . grep -lPz '\A#!' | while read -r file; do
		[ -x "$repo/$file" ] || echo "$file has #! but is not executable"
	done
}

# A table that is too wide becomes a list, an example is broken. A tab in C is four columns.
wide()
{
	on '\.([ch]|md)$' awk '
		length($0) <= 30 { next }
		FILENAME ~ /\.[ch]$/ {
			while (at = index($0, "\t"))
				$0 = substr($0, 1, at - 1) substr("    ", (at - 1) % 4 + 1) substr($0, at + 1)
		}
		length($0) > 120 { print FILENAME ":" FNR ": " length($0) " columns" }'
}

command -v git >/dev/null || skip_all "no git"
git -c safe.directory='*' -C "$repo" ls-files >/dev/null 2>&1 || skip_all "not a git checkout"

good=$repo
repo=$T/bad
mkdir "$repo"
git init -q "$repo"
fixture notes.txt <<<"see /home""/somebody/notes"
fixture a.o <<<'x'
printf 'a\0b' | fixture picture
head -c 150001 /dev/zero | fixture docs/screenshots/large.png
fixture later.c <<<"/* TO""DO */ "
fixture tool.sh <<<'#!/bin/sh'
printf '%0121d\n' 0 | fixture wide.md
printf '| %0117d |\n' 0 | fixture table.md
printf '    %0117d\n' 0 | fixture example.md
printf '\t%0117d\n' 0 | fixture wide.c
printf 'int i;' | fixture open.c
printf '\n\n\n\n\n/* SPDX-License-Identifier: MIT */\n' | fixture far.c
git -C "$repo" add -A
expect_found "a path of one machine" '^notes.txt:1:' machine_paths
expect_found "a generated file" '^a.o$' generated
expect_found "a binary" '^picture is binary' generated
expect_found "a large picture" '^docs/screenshots/large.png is larger' generated
expect_found "work left to do" '^later.c:1:' unfinished
expect_found "a source without a licence line" '^later.c has no SPDX' unlicensed
expect_found "a licence line that comes too late" '^far.c has no SPDX' unlicensed
expect_found "a last line without its end" '^open.c does not end' untidy
expect_found "trailing blanks" '^later.c:1:' untidy
expect_found "a line of text that is too wide" '^wide.md:1: 121 columns' wide
expect_found "a row of a table that is too wide" '^table.md:1: 121 columns' wide
expect_found "an example that is too wide" '^example.md:1: 121 columns' wide
expect_found "a line of code that is too wide" '^wide.c:1: 121 columns' wide
expect_found "a script that cannot run" '^tool.sh has #!' untidy
repo=$good
expect_clean "no path of one machine" machine_paths
expect_clean "no generated file, no binary" generated
expect_clean "nothing marked as left to do" unfinished
expect_clean "every source names its licence" unlicensed
expect_clean "no text is wider than 120 columns" wide
expect_clean "no trailing blanks, scripts are executable" untidy
finish
