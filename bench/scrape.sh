#!/bin/bash
# SPDX-License-Identifier: MIT
# 10,000 views: how long a scrape of all metrics takes, the page, and how long status of one view takes meanwhile; memory a view with
# its last hours kept.
set -eu
: "${VIEWD_BUILD:=$PWD}" "${VIEWS:=10000}" "${ROUNDS:=9}"
T=$(mktemp -d "${TMPDIR:-/tmp}/viewd-bench.XXXXXX")
mkdir "$T/plugins" "$T/state"
install -m 755 "$VIEWD_BUILD/tests/plugins/.libs/viewd_fake.so" "$T/plugins/"
{
	printf '[viewd]\ncontrol_socket = %s/sock\nplugin_dir = %s/plugins\nstate_dir = %s/state\nlog_level = warning\n' "$T" "$T" "$T"
	printf '[database d]\nurl = "fake://d?control=%s/control"\nmax_concurrent_refreshes = 8\n' "$T"
	awk -v views="$VIEWS" 'BEGIN { for (i = 0; i < views; i++)
		printf "[view sales_of_region_%05d]\ndatabase = d\nmethod = table\ndefinition = SELECT region FROM t_orders_%03d\n", i, i % 500 }'
} >"$T/viewd.conf"
touch "$T/control"
"$VIEWD_BUILD/viewd" -c "$T/viewd.conf" &
pid=$!
trap 'kill $pid; wait $pid || true; rm -rf "$T"' EXIT
exec {nap_fd}<> <(:)
nap() { read -rt 0.1 -u "$nap_fd" || true; }
ask() { curl -s -o "${2:-/dev/null}" -w '%{time_total}\n' --unix-socket "$T/sock" "http://x$1"; }
until [ -S "$T/sock" ] && ask /v1/info "$T/info" >"$T/time" && [ "$(jq .runs "$T/info")" -ge "$VIEWS" ]; do nap; done
median() { sort -n | awk '{ v[NR] = $1 * 1000 } END { printf "%.1f ms (longest %.1f ms)", v[int((NR + 1) / 2)], v[NR] }'; }
rss() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }

cpu() { awk '{ print ($14 + $15) * 1000 / hz }' hz="$(getconf CLK_TCK)" "/proc/$pid/stat"; }
before=$(cpu)
for ((i = 0; i < ROUNDS; i++)); do ask /metrics "$T/metrics"; done >"$T/scrape"
worked=$(awk -v a="$before" -v b="$(cpu)" -v n="$ROUNDS" 'BEGIN { printf "%.1f", (b - a) / n }')
for ((i = 0; i < 20; i++)); do ask /v1/status?view=sales_of_region_00001; done >"$T/alone"
(while [ -e "$T/metrics" ]; do ask /metrics "$T/metrics.2" >>"$T/beside"; done) &
loop=$!
for ((i = 0; i < 40; i++)); do ask /v1/status?view=sales_of_region_00001; done >"$T/meanwhile"
rm "$T/metrics.2"
mv "$T/metrics" "$T/metrics.txt"
wait $loop
for ((i = 0; i < ROUNDS; i++)); do
	start=$(date +%s%N)
	"$VIEWD_BUILD/viewctl" -s "$T/sock" status >"$T/status"
	echo "$start $(date +%s%N)" | awk '{ print ($2 - $1) / 1e9 }'
done >"$T/all"
for ((i = 0; i < ROUNDS; i++)); do ask /v1/status; done >"$T/answer"
printf 'scrape: %d views, %d lines, %d KiB: %s, of which viewd worked %s ms (at most 100 ms)\n' "$VIEWS" "$(wc -l <"$T/metrics.txt")" \
	$(($(wc -c <"$T/metrics.txt") / 1024)) "$(median <"$T/scrape")" "$worked"
printf 'scrape: status of one view: %s; while scrapes go on: %s\n' "$(median <"$T/alone")" "$(median <"$T/meanwhile")"
printf 'scrape: viewctl status of all %d views: %s (at most 150 ms), of which the daemon answers in %s\n' \
	"$(($(wc -l <"$T/status") - 1))" "$(median <"$T/all")" "$(median <"$T/answer")"
printf 'scrape: resident %d KiB (the last hours of a view: tests/unit/core/test_past)\n' "$(rss)"
