#!/bin/bash
# SPDX-License-Identifier: MIT
# The daemon and what dialects share name no engine: what is true of one comes from its dialect. Comments may, and the
# strings of the files below, for the reason that stands behind each.
# shellcheck disable=SC2317 # called through expect_*
. "${VIEWD_SRC:-.}/tests/lint/lib.sh" || exit 1

names='postgres|pgsql|psql|libpq|mysql|mariadb|sqlite'

# FILE, then the reason. Only strings of these files may name engines.
documentation()
{
	cat <<-'END'
		daemon/conf/schema/schema_database.c	what a URL looks like
		daemon/conf/schema/schema_view.c	which engines have what a key asks for
		plugins/common/analysis/reading/mask.c	the grammar that reads definitions of every engine
		plugins/common/analysis/reading/parse.c	likewise
	END
}

# code FILE: its text with comments blanked, line by line; with "strings", blanks what stands in strings as well.
code()
{
	awk -v drop_strings="${2:-}" '{
		out = ""
		n = length($0)
		for (i = 1; i <= n; i++) {
			c = substr($0, i, 1)
			two = substr($0, i, 2)
			if (comment) {
				if (two == "*/") { comment = 0; i++ }
			} else if (quote != "") {
				if (c == "\\") { out = out (drop_strings ? "" : substr($0, i, 2)); i++ }
				else { out = out (drop_strings && c != quote ? "" : c); if (c == quote) quote = "" }
			} else if (two == "/*") { comment = 1; i++ }
			else if (two == "//") break
			else { out = out c; if (c == "\"" || c == "\047") quote = c }
		}
		print out
	}' "$1"
}

# named ROOT: those files of stdin that have one of the names anywhere; the rest need no closer look.
named()
{
	(cd "$1" && xargs -r grep -liE -- "$names")
}

engines()
{
	local file
	sources "$1" daemon plugins/common plugins/viewd_dialect.h plugins/viewd_types.h | named "$1" | while read -r file; do
		code "$1/$file" "$(documentation | cut -f1 | grep -qx "$file" && echo strings)" |
			grep -niE "$names" | sed "s|^|$file:|"
	done
}

stale_exceptions()
{
	documentation | cut -f1 | while read -r file; do
		[ -n "$(code "$VIEWD_SRC/$file" | grep -iE "$names")" ] || echo "$file needs no exception"
	done
}

fixture daemon/core/word.c <<<'static const char *const words[] = {"MariaDB"};'
fixture daemon/core/name.h <<<'void open_sqlite(void); /* fine */'
fixture plugins/common/text/if.c <<-'END'
	/* of PostgreSQL,
	 * of MySQL */ bool is_postgresql;
END
fixture daemon/conf/schema/schema_view.c <<-'END'
	static const char *doc = "MySQL \"alone\" has it, and /* is no comment";
	static int mysql_only;
END
expect_found "an engine in a message" '^daemon/core/word.c:1:.*MariaDB' engines "$T/bad"
expect_found "an engine in a name" '^daemon/core/name.h:1:void open_sqlite' engines "$T/bad"
expect_found "an engine behind a comment" '^plugins/common/text/if.c:2:.*is_postgresql' engines "$T/bad"
expect_found "an engine in the code of a documentation table" 'schema_view.c:2:.*mysql_only' engines "$T/bad"
fixture daemon/core/word.c <<<'/* MariaDB and "SQLite" */ int i; // psql'
fixture daemon/core/name.h <<<'void open_engine(void); /* sqlite */'
fixture plugins/common/text/if.c <<<'const char *s = "/*"; /* PostgreSQL */'
fixture daemon/conf/schema/schema_view.c <<<'static const char *doc = "MySQL \"alone\" has it";'
expect_clean "self-test: comments and documentation are accepted" engines "$T/bad"
expect_clean "no code names an engine" engines "$VIEWD_SRC"
expect_clean "each exception is needed" stale_exceptions
finish
