#!/bin/bash
# SPDX-License-Identifier: MIT
# Comments begin with their subject. A comment that begins with a pronoun or goes on from nothing is a riddle: the reader
# has to find out what it is about.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# First words that name nothing.
words='What|It|Its|So|These|Those|They|Their|Likewise|Here|This|That|Then|Who|Whose|Whoever|He|She|Else|And|Or|But|Also|Of|Nor|Neither'

# riddles ROOT: comments of C that begin so, on a line of their own, and the head of a file without a name of its own; comments
# of scripts, behind a line that is none. Words of SQL do not count (OR, AND).
riddles()
{
	(
		cd "$1" || exit
		find bench daemon docs plugins tests -name '*.[ch]' 2>/dev/null | sort | xargs -r awk -v words="^($words)$" '
			function check(text) {
				sub(/^[ \t]*(\/\*\*?|\/\/|\*)[ \t]*/, "", text)
				sub(/[^A-Za-z].*$/, "", text)
				if (text ~ words) print FILENAME ":" FNR ": begins with " text
			}
			FNR == 1 { head = 0 }
			FNR == 1 && /SPDX/ && !/\*\// { head = 1; next }
			head && /\*\// { head = 0; next }
			head == 1 && /^ \* [A-Za-z]/ { check($0); head = 2 }
			/^[ \t]*(\/\*|\/\/)/ { check($0) }'
		find Makefile.am bench plugins tests tools -name '*.sh' -o -name '*.mk' -o -name Makefile.am 2>/dev/null | sort |
			xargs -r awk -v words="^($words)$" '
			FNR == 1 { comment = 0 }
			/^[ \t]*#[^!]/ && !/SPDX|shellcheck/ {
				text = $0
				sub(/^[ \t]*#[ \t]*/, "", text)
				sub(/[^A-Za-z].*$/, "", text)
				if (!comment && text ~ words) print FILENAME ":" FNR ": begins with " text
				comment = 1
				next
			}
			{ comment = 0 }'
	)
}

fixture daemon/a.c <<<$'/* SPDX-License-Identifier: MIT */\n/* What never was has not vanished. */\nint a;'
fixture daemon/b.c <<<$'int b(void)\n{\n\t/* It was told before. */\n\treturn 0;\n}'
fixture tests/c.c <<<$'/* SPDX-License-Identifier: MIT\n *\n * What a view depends on.\n */'
fixture tests/d.sh <<<$'#!/bin/bash\n# Who asks is told.\ntrue'
expect_found "a comment that begins with What" '^daemon/a.c:2: begins with What' riddles "$T/bad"
expect_found "a comment inside a function" '^daemon/b.c:3: begins with It' riddles "$T/bad"
expect_found "the head of a file" '^tests/c.c:3: begins with What' riddles "$T/bad"
expect_found "a comment of a script" '^tests/d.sh:2: begins with Who' riddles "$T/bad"
rm -r "$T/bad"
fixture daemon/e.c <<<$'/* SPDX-License-Identifier: MIT\n *\n * e.c: what a view depends on.\n * It goes on.\n */\n/* Whatever: fine.\n * So it goes on. */\nint e; /* it is one */'
fixture tests/f.sh <<<$'#!/bin/bash\n# SPDX-License-Identifier: MIT\n# A line.\n# It goes on.\ntrue'
expect_clean "self-test: sentences may go on" riddles "$T/bad"
expect_clean "comments begin with their subject" riddles "$VIEWD_SRC"
finish
