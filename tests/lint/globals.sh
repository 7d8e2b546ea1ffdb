#!/bin/bash
# SPDX-License-Identifier: MIT
# No mutable globals: state hangs from an object that is passed down. The exceptions are named with their reasons.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# OBJECT:SYMBOL (regular expression), then the reason.
exceptions()
{
	cat <<-'END'
		daemon/base/[a-z_-]*log\.o:.*	level and sink, set at start and on reload
		daemon/base/[a-z_-]*failpoint\.o:.*	counters of a test build
	END
}

# Constants that hold addresses live in .data.rel.ro, which the linker makes read-only.
globals()
{
	(cd "$1" && find daemon plugins -name '*.o' 2>/dev/null | sort | xargs -r objdump -t) | awk '
		/:[[:space:]]+file format / { object = $1; sub(/:$/, "", object); sub(/\.libs\//, "", object) }
		/ O / {
			for (i = 2; i < NF; i++)
				if ($i ~ /^(\.t?data|\.t?bss|\*COM\*)/ && $i !~ /^\.data\.rel\.ro/)
					print object ":" $NF
		}' | sed -E 's/\.[0-9]+$//' | sort -u | grep -vE "^($(exceptions | cut -f1 | paste -sd'|'))\$"
}

fixture daemon/core/bad.c <<-'END'
	static int counter;
	static const char *word = "changes";
	static const char *const fixed[] = {"does", "not"};
	const char *next(void) { return counter++ > 1 ? word++ : fixed[counter]; }
END
${CC:-cc} -w -O0 -fPIC -c -o "$T/bad/daemon/core/bad.o" "$T/bad/daemon/core/bad.c"
expect_found "a counter" '^daemon/core/bad.o:counter$' globals "$T/bad"
expect_found "a pointer that may change" '^daemon/core/bad.o:word$' globals "$T/bad"
rm "$T/bad/daemon/core/bad.o"
fixture daemon/core/good.c <<<'static const char *const fixed[] = {"does", "not"}; const char *const *get(void) { return fixed; }'
${CC:-cc} -w -O0 -fPIC -c -o "$T/bad/daemon/core/good.o" "$T/bad/daemon/core/good.c"
expect_clean "self-test: a table of constants is accepted" globals "$T/bad"
expect_clean "no mutable globals" globals "$VIEWD_BUILD"
finish
