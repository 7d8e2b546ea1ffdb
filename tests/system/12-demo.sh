#!/bin/bash
# SPDX-License-Identifier: MIT
# tools/demo.sh shows what it promises and leaves nothing behind; with --keep it leaves viewd running.
# tools/check.sh and tools/cross-arm64.sh say what to do in a tree in which they cannot build.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
export VIEWD_DEMO_BUILD=$VIEWD_BUILD TMPDIR=$T

demo()
{
	"$VIEWD_SRC/tools/demo.sh" "$@" >"$T/demo.out" 2>&1 {nap_fd}<&- {tap_fd}>&-
}

ok "the demonstration runs" demo
like "the laptop is counted at first" "$(cat "$T/demo.out")" '^Electronics +3 +526.66'
like "the view follows" "$(cat "$T/demo.out")" '^Electronics +2 +289.99'
like "the status tells of success" "$(cat "$T/demo.out")" '^category_stats +shop +ACTIVE .*SUCCEEDED'
like "the graph shows the source" "$(cat "$T/demo.out")" 'products +source'
is "nothing is left behind" "$(find "$T" -name 'viewd-demo.*')" ""
fails "not even the daemon" pgrep -f "viewd -c $T/viewd-demo"

ok "it runs with --keep" demo --keep
pid=$(sed -n 's/^stop: *kill \([0-9]*\);.*/\1/p' "$T/demo.out")
socket=$(sed -n 's/^look around:.* -s \([^ ]*\) .*/\1/p' "$T/demo.out")
ok "then viewd goes on and answers" "$VIEWD_BUILD/viewctl" -s "$socket" status
kill "$pid"
ok "and stops when told so" wait_until "! is_running $pid"
exits "an unknown option is a usage error" 2 demo --nonsense

mkdir -p "$T/tree/tools"
cp "$VIEWD_SRC"/tools/*.sh "$T/tree/tools"
: >"$T/tree/config.status"
for tool in check cross-arm64; do
	exits "$tool in a tree that was configured in place" 2 "$T/tree/tools/$tool.sh" --no-deps
	like "... says what to do" "$("$T/tree/tools/$tool.sh" --no-deps 2>&1)" "make distclean"
done
is "... and leaves it as it is" "$(ls "$T/tree")" "config.status
tools"
finish
