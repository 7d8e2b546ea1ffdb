#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Prints files as C: the table page_files of daemon/ctl/page/files.h.
#
#	tools/embed.sh FILE...
set -eu
[ $# -gt 0 ] || { sed -n 's/^#	//p' "$0" >&2 && exit 2; }

# The type of a file, by the end of its name.
type_of()
{
	case $1 in
	*.css) echo 'text/css; charset=utf-8' ;;
	*.js) echo 'text/javascript; charset=utf-8' ;;
	*.svg) echo 'image/svg+xml' ;;
	*) echo "embed: what is $1?" >&2 && exit 1 ;;
	esac
}

printf '/* Made by tools/embed.sh. */\n#include "ctl/page/files.h"\n'
n=0
for file; do
	n=$((n + 1))
	printf 'static const unsigned char bytes_%d[] = {\n' $n
	od -An -v -tu1 "$file" | sed 's/  *\([0-9][0-9]*\)/\1,/g'
	echo '};'
done
echo 'const struct page_file page_files[] = {'
n=0
for file; do
	n=$((n + 1))
	printf '\t{"/%s", "%s", bytes_%d, sizeof bytes_%d},\n' "${file##*/}" "$(type_of "$file")" $n $n
done
printf '\t{NULL, NULL, NULL, 0},\n};\n'
