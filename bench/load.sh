#!/bin/bash
# SPDX-License-Identifier: MIT
# 10,000 views in 100 files: time from exec to READY against iniparser alone, memory a view, a reload without changes, idle wake-ups.
set -eu
: "${VIEWD_BUILD:=$PWD}" "${VIEWS:=10000}" "${FILES:=100}" "${PAIRS:=5}" "${IDLE:=10}"
T=$(mktemp -d "${TMPDIR:-/tmp}/viewd-bench.XXXXXX")
trap 'rm -rf "$T"' EXIT
mkdir "$T/conf.d" "$T/plugins" "$T/state"
install -m 755 "$VIEWD_BUILD/tests/plugins/.libs/viewd_fake.so" "$T/plugins/"
head_of()
{
	printf '[viewd]\ninclude = %s\ncontrol_socket = %s/sock\nplugin_dir = %s/plugins\nstate_dir = %s/state\n' "$1" "$T" "$T" "$T"
	printf 'log_level = warning\n[database d]\nurl = "fake://d?control=%s/control"\n' "$T"
}
head_of 'conf.d/*.conf' >"$T/many.conf"
head_of 'none.d/*.conf' >"$T/empty.conf"
awk -v dir="$T/conf.d" -v views="$VIEWS" -v files="$FILES" 'BEGIN {
	for (i = 0; i < views; i++) {
		file = sprintf("%s/%03d.conf", dir, int(i * files / views))
		printf "[view sales_of_region_%05d]\ndatabase = d\nmethod = table\n", i >file
		printf "definition = SELECT region, sum(amount) AS total, count(*) AS n FROM t_orders_%03d\n", i % 500 >file
		printf "every = 1h\nunique_key = region\nindex_total = (total DESC)\ndescription = how much was sold in region %d\n\n", i >file
	}
}'
touch "$T/control"

value() { awk -v key="$2" '$1 == key { print $2 }' "$1"; }
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
clock_us() { date +%s%N | sed 's/...$//'; }

for i in $(seq "$PAIRS"); do
	start=$(clock_us)
	"$VIEWD_BUILD/bench/iniload" "$T/many.conf" "$T"/conf.d/*.conf
	echo $(($(clock_us) - start)) >>"$T/ini.us"
	"$VIEWD_BUILD/bench/ready" - 0 "$VIEWD_BUILD/viewd" -c "$T/many.conf" >"$T/run.$i"
	value "$T/run.$i" ready_us >>"$T/viewd.us"
done
"$VIEWD_BUILD/bench/ready" - 0 "$VIEWD_BUILD/viewd" -c "$T/empty.conf" >"$T/empty"
sed "0,/^every = 1h/s//every = 2h/" "$T/conf.d/000.conf" >"$T/other"
for i in $(seq "$PAIRS"); do
	start=$(clock_us)
	"$VIEWD_BUILD/viewd" --check -c "$T/many.conf" >"$T/checked"
	echo $(($(clock_us) - start)) >>"$T/check.us"
done
READY_OTHER=$T/other READY_FILE=$T/conf.d/000.conf "$VIEWD_BUILD/bench/ready" "$T/control" "$IDLE" "$VIEWD_BUILD/viewd" -c "$T/many.conf" >"$T/full"

ini=$(median <"$T/ini.us") ready=$(median <"$T/viewd.us")
printf 'load: %d views in %d files: iniparser alone %d ms, exec to READY %d ms, ratio %s (at most 3)\n' "$VIEWS" "$FILES" \
	$((ini / 1000)) $((ready / 1000)) "$(awk -v a="$ready" -v b="$ini" 'BEGIN { printf "%.2f", a / b }')"
printf 'load: settled after %d ms\n' $(($(value "$T/full" settled_us) / 1000))
full=$(value "$T/full" rss_kib) empty=$(value "$T/empty" rss_kib) objects=$(($(value "$T/control.before" bytes) / 1024))
printf 'load: resident %d KiB, of which the database in memory %d KiB; empty configuration %d KiB: %s KiB a view (at most 2)\n' "$full" \
	"$objects" "$empty" "$(awk -v a=$((full - empty - objects)) -v n="$VIEWS" 'BEGIN { printf "%.2f", a / n }')"
printf 'load: a reload without changes %d ms, again %d ms, resident afterwards %d KiB\n' $(($(value "$T/full" reload_us) / 1000)) \
	$(($(value "$T/full" reload_again_us) / 1000)) "$(value "$T/full" rss_after_reloads_kib)"
check=$(median <"$T/check.us") changed=$(value "$T/full" reload_changed_us)
printf 'load: reading and checking the files alone %d ms, a reload with one changed section %d ms: %d ms beyond it (at most 100)\n' \
	$((check / 1000)) $((changed / 1000)) $(((changed - check) / 1000))
printf 'load: calls that reached a connection during it: %d (must be 0)\n' "$(paste "$T/control.before" "$T/control.after" |
	awk '$1 !~ /^check_|^bytes/ { n += $4 - $2 } END { print n + 0 }')"
printf 'load: wake-ups of the idle loop in %d s: %d\n' "$IDLE" "$(value "$T/full" idle_wakeups)"
