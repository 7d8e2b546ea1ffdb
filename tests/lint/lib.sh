# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# lib.sh: what lints share. A lint is a function that prints one line a problem. Each script first shows on a small bad
# tree that the lint can find something (expect_found), then runs it on the project (expect_clean).

set -u
: "${VIEWD_SRC:=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}" "${VIEWD_BUILD:=$PWD}"
T=$(mktemp -d "${TMPDIR:-/tmp}/viewd-lint.XXXXXX")
trap 'rm -rf "$T"' EXIT
export LC_ALL=C.UTF-8
n=0
failed=0

verdict()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		printf 'ok %d - %s\n' $n "$2"
	else
		printf 'not ok %d - %s\n' $n "$2"
		failed=1
	fi
}

# expect_clean NAME COMMAND...: it prints nothing.
expect_clean()
{
	local name=$1 problems
	shift
	problems=$("$@" 2>&1)
	[ -z "$problems" ]
	verdict $? "$name"
	[ -z "$problems" ] || printf '%s\n' "$problems" | head -n 50 | sed 's/^/#   /'
}

# expect_found NAME REGEX COMMAND...: one of the printed lines matches.
expect_found()
{
	local name=$1 regex=$2 problems
	shift 2
	problems=$("$@" 2>&1)
	grep -qE -- "$regex" <<<"$problems"
	verdict $? "self-test: $name"
}

# fixture PATH: writes stdin to a file of the bad tree $T/bad.
fixture()
{
	mkdir -p "$T/bad/$(dirname "$1")"
	cat >"$T/bad/$1"
}

# sources ROOT FOLDER...: the C files below, relative to ROOT.
sources()
{
	(cd "$1" && shift && find "$@" -name '*.[ch]' 2>/dev/null | sort)
}

skip_all()
{
	printf '1..0 # SKIP %s\n' "$1"
	exit 77
}

finish()
{
	printf '1..%d\n' $n
	exit $failed
}
