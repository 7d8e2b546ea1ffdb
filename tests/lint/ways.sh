#!/bin/bash
# SPDX-License-Identifier: MIT
# Documents name files and functions that exist: the numbered lists "The way of ..." in docs/architecture.md, and each path
# and each function with its file ("`name` in `path`") in the guides and decisions. The guide for dialects names every hook.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

# Folders that a path in a document may be relative to, besides the document's own.
roots='. daemon daemon/core daemon/conf daemon/ctl plugins plugins/common plugins/common/incremental plugins/common/analysis tests docs'

# found ROOT DOCUMENT PATH: the files that the path stands for. A path may have * for a name.
found()
{
	local root
	# A name without a folder is one of a room that the sentence names.
	if [[ $3 != */* ]]; then
		find "$1/daemon" "$1/plugins" "$1/tests" "$1/docs" -name "$3" 2>/dev/null
		return
	fi
	for root in $roots "$(dirname "$2")"; do
		compgen -G "$1/$root/$3" && return
	done
}

# defined FUNCTION FILE...: does one of them define it, in house style?
defined()
{
	local function=$1
	shift
	grep -qE "^[A-Za-z].*[ *]$function\(" "$@"
}

# sentences FILE: its text in one line each paragraph or item, so that a name and its file stand together. Examples are left out.
sentences()
{
	awk '
		/^(    |```)/ && !item { next }
		/^ *([0-9]+\.|-) |^#|^\||^$/ { if (text != "") print text; text = ""; item = /^ *([0-9]+\.|-) / }
		{ sub(/^ +/, ""); text = text (text == "" ? "" : " ") $0 }
		END { if (text != "") print text }' "$1"
}

# pairs FILE: "NAME PATH" of each "`NAME` in `PATH`".
pairs()
{
	local pattern='`([a-z][a-z0-9_]*)(\(\))?` in( the)? `([A-Za-z0-9_/.*-]+\.[ch])`'
	grep -oE "$pattern" "$1" | sed -E "s/$pattern/\1 \4/" | sort -u
}

# names ROOT: files that are not there, and files that do not have the name which a document looks for there. NAME stands for any name.
names()
{
	local document path name files
	(cd "$1" && find ./*.md docs plugins -name '*.md' 2>/dev/null | sed 's|^\./||' | sort) | while read -r document; do
		sentences "$1/$document" >"$T/sentences"
		grep -oE '`[a-z0-9_*-]+(/[A-Za-z0-9_*.-]+)+\.(c|h|sh|mk|md|py)`' "$T/sentences" | tr -d '`' | grep -v NAME | sort -u | while read -r path; do
			[ -n "$(found "$1" "$document" "$path")" ] || echo "$document: $path is not there"
		done
		pairs "$T/sentences" | while read -r name path; do
			mapfile -t files < <(found "$1" "$document" "$path")
			[ "${#files[@]}" -gt 0 ] && grep -qw "$name" "${files[@]}" || echo "$document: $path has no $name"
		done
	done
}

# ways ROOT: steps of the numbered ways whose function is not defined in the file that they name, or nowhere.
ways()
{
	local document=docs/architecture.md name path files
	awk '/^#/ { way = /^### The way of / } way' "$1/$document" >"$T/part"
	sentences "$T/part" >"$T/ways"
	[ -s "$T/ways" ] || echo "$document: there is no way"
	pairs "$T/ways" | while read -r name path; do
		mapfile -t files < <(found "$1" "$document" "$path")
		[ "${#files[@]}" -gt 0 ] && defined "$name" "${files[@]}" || echo "$document: $path does not define $name"
	done
	grep -oE '`[a-z]+(_[a-z0-9]+)+`' "$T/ways" | tr -d '`' | sort -u | while read -r name; do
		(cd "$1" && grep -rqwE --include='*.[ch]' "$name" daemon plugins) || echo "$document: nothing is called $name"
	done
	grep -oE '`[a-z0-9_]+\.[ch]`' "$T/ways" | tr -d '`' | sort -u | while read -r name; do
		[ -n "$(found "$1" "$document" "$name")" ] || echo "$document: $name is not there"
	done
}

# hooks ROOT: hooks of a dialect that the guide does not name.
hooks()
{
	local guide=$1/docs/plugin-guide.md name
	grep -oE '`[^`]+`' "$guide" 2>/dev/null | grep -oE '[a-z_]+' | sort -u >"$T/words"
	(cd "$1/plugins" && cat common/conn/db.h common/conn/incremental_ops.h viewd_dialect.h 2>/dev/null) | awk '
		/^struct (db_([a-z]+_)?ops|viewd_dialect) \{/ { inside = 1 }
		/^\}/ { inside = 0 }
		inside && match($0, /\(\*[a-z_]+\)\(/) { print substr($0, RSTART + 2, RLENGTH - 4) }' | sort -u |
		comm -23 - "$T/words" | sed 's|^|docs/plugin-guide.md does not name the hook |'
}

fixture daemon/core/flow/wave.c <<<$'void wave_start(int a)\n{\n\twave_ready(a);\n}'
fixture docs/architecture.md <<'END'
### The way of one change

1. `wave_begin` in `flow/wave.c` begins a wave, as
   `wave_start` in
   `flow/wave.c` does. `flow/tide.c` follows. `wave_ready` in `flow/wave.c` ends it.
2. `turn_about` goes on, by `gone.c`.
END
expect_found "a name that its file does not have" 'architecture.md: flow/wave.c has no wave_begin' names "$T/bad"
expect_found "a file that is gone" 'architecture.md: flow/tide.c is not there' names "$T/bad"
expect_found "a function that its file calls only" 'architecture.md: flow/wave.c does not define wave_ready' ways "$T/bad"
expect_found "a function that nobody has" 'nothing is called turn_about' ways "$T/bad"
expect_found "a file of no folder that is gone" 'gone.c is not there' ways "$T/bad"
fixture plugins/common/conn/db.h <<<$'struct db_refresh_ops {\n\tbool (*swap)(int a);\n\tbool (*sink)(void);\n};'
fixture docs/plugin-guide.md <<<'| `refresh.swap` | exchanges names |'
expect_found "a hook that the guide does not name" 'does not name the hook sink' hooks "$T/bad"
fixture docs/architecture.md <<<$'### The way of one change\n\n1. `wave_start` in\n   `flow/wave.c` begins.'
expect_clean "self-test: a name may stand in the next line" names "$T/bad"
expect_clean "self-test: a function where it is said to be" ways "$T/bad"
expect_clean "the guide for dialects names every hook" hooks "$VIEWD_SRC"
expect_clean "documents name files and what is in them" names "$VIEWD_SRC"
expect_clean "the ways name functions where they are" ways "$VIEWD_SRC"
finish
