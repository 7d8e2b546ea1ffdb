#!/bin/bash
# SPDX-License-Identifier: MIT
# Refreshes a second through the engine: independent views, and one chain.
set -eu
: "${VIEWD_BUILD:=$PWD}"
T=$(mktemp -d "${TMPDIR:-/tmp}/viewd-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT
views()
{
	printf '[viewd]\nlog_level = warning\n[database d]\nurl = fake://d\nmax_concurrent_refreshes = 4\n'
	awk -v chain="$1" 'BEGIN {
		for (i = 0; i < 1000; i++)
			printf "[view v%d]\ndatabase = d\nmethod = table\ndefinition = SELECT * FROM %s\n", i, (chain && i > 0 ? "v" (i - 1) : "t_x")
	}'
}
views 0 >"$T/flat.conf"
views 1 >"$T/chain.conf"
printf 'independent, '
"$VIEWD_BUILD/bench/engine" "$T/flat.conf" 3
printf 'one chain, '
"$VIEWD_BUILD/bench/engine" "$T/chain.conf" 3
