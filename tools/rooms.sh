#!/bin/bash
# SPDX-License-Identifier: MIT
# rooms.sh [BUILD]: prints for the folders that are cut into rooms which room uses which other one, with the number of calls (symbols
# the linker sees) and of includes, and whether there is a circle. BUILD is a finished build tree; default: the current folder.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
build=${1:-$PWD}
T=$(mktemp -d "${TMPDIR:-/tmp}/viewd-rooms.XXXXXX")
trap 'rm -rf "$T"' EXIT
export LC_ALL=C
status=0

# symbols UNDER: "FILE defines|needs SYMBOL". A dialect's table of functions (NAME_ops) is known to all of it.
symbols()
{
	(cd "$build" && find "$1" -path '*/.libs/*.o' | sort) | while read -r object; do
		file=$(sed 's|/\.libs/[a-z_]*-|/|; s|\.o$||' <<<"$object")
		[ -e "$src/$file.c" ] || continue
		nm "$build/$object" | awk -v f="$file" '$NF ~ /_ops$/ {next} $2 ~ /^[TDRB]$/ {print f, "defines", $3} $1 == "U" {print f, "needs", $2}'
	done
}

# rooms UNDER: what stands in UNDER itself is the face: declarations that every folder knows, and what stands on top of all.
rooms()
{
	local under=$1 room
	room='function room(f) { f = substr(f, length(under) + 2); return f ~ /\// ? substr(f, 1, index(f, "/") - 1) : "face" }'
	symbols "$under" >"$T/symbols"
	[ -s "$T/symbols" ] || { echo "rooms.sh: no objects below $build/$under; run make first" >&2; exit 1; }
	awk -v under="$under" "$room"'$2 == "defines" {at[$3] = $1} $2 == "needs" {n++; from[n] = $1; what[n] = $3}
		END {for (i = 1; i <= n; i++) if (what[i] in at && room(from[i]) != room(at[what[i]])) print room(from[i]), room(at[what[i]])}' \
		"$T/symbols" | sort | uniq -c | awk '{print $2, $3, "calls", $1}' >"$T/edges"
	(cd "$src" && grep -roE --include='*.[ch]' "^#include \"${under#*/}/[^\"]+\"" "$under") | sed "s|:#include \"| ${under%%/*}/|; s/\"\$//" |
		awk -v under="$under" "$room"'room($1) != room($2) {print room($1), room($2)}' | sort | uniq -c | awk '{print $2, $3, "includes", $1}' >>"$T/edges"
	echo "$under"
	awk '{n[$1 " " $2 " " $3] = $4; e[$1 " " $2]} END {for (k in e) {split(k, p, " ");
		printf "  %-8s -> %-8s %4d calls %4d includes\n", p[1], p[2], n[k " calls"], n[k " includes"]}}' "$T/edges" | sort
	awk '$1 != "face" && $2 != "face" {print $1, $2}' "$T/edges" | tsort >/dev/null 2>"$T/circle" || true
	if [ -s "$T/circle" ]; then
		printf "  circle: %s\n" "$(sed -n 's/^tsort: //p' "$T/circle" | grep -v loop | tr "\n" " ")"
		status=1
	else
		echo "  no circle"
	fi
}

for folder in daemon/core daemon/conf daemon/ctl daemon/client plugins/common plugins/postgresql plugins/mysql plugins/sqlite; do
	[ ! -d "$build/$folder" ] || rooms "$folder"
done
exit $status
