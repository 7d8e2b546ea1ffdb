#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh NAME MAX_LEN COMPILER ARGS...: builds the fuzz target NAME and searches for $FUZZ_TIME seconds, from its seeds and what earlier runs
# found; an input that breaks something stays in tests/fuzz/found.
set -e
name=$1 max_len=$2
shift 2
mkdir -p "tests/fuzz/found/$name"
"$@" -o "tests/fuzz/fuzz_$name"
"tests/fuzz/fuzz_$name" -max_total_time="${FUZZ_TIME:-30}" -timeout=5 -max_len="$max_len" -artifact_prefix=tests/fuzz/found/ \
	"tests/fuzz/found/$name" "${VIEWD_SRC:-.}/tests/fuzz/seeds/$name" >"tests/fuzz/fuzz_$name.log" 2>&1 || {
	tail -n 60 "tests/fuzz/fuzz_$name.log"
	echo "not ok - fuzz_$name"
	exit 1
}
echo "ok - fuzz_$name: $(tail -n 1 "tests/fuzz/fuzz_$name.log")"
