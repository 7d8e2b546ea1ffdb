#!/bin/bash
# SPDX-License-Identifier: MIT
# The guides from-sqlalchemy-vieworm.md, from-cron.md, leaving.md, from-scenic.md and from-django-and-alembic.md, as they stand there: their files are made, their
# commands run in order, and each succeeds. What differs here: where sockets, plugins and servers are.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

# steps GUIDE: "file NAME", "section NAME" or "run" and the lines of each code block, every line indented by a blank.
steps()
{
	awk '
		function begin(line, part)
		{
			if (line ~ /^\$ /) kind = "run"
			else if (match(text, /Add to the section of `[^`]*`/)) { split(substr(text, RSTART), part, "`"); kind = "section " part[2] }
			else if (text ~ /^`[a-z_.]+`/) { split(text, part, "`"); kind = "file " part[2] }
			else kind = "text"
			print kind
			blank = ""
		}
		/^[^ ]/ { text = $0; kind = "" }
		/^$/ { blank = " " }
		/^    / {
			line = substr($0, 5)
			if (kind == "" || (line ~ /^\$ / && kind != "run")) begin(line)
			if (blank != "" && kind != "run") print blank
			print " " line
			blank = ""
		}' "$VIEWD_SRC/docs/$1"
}

viewd()
{
	adapt
	exec "$VIEWD_BUILD/viewd" "$@" 2>>"$T/viewd.log"
}

viewctl()
{
	adapt
	case " $* " in
	*" import "*) "$VIEWD_BUILD/viewctl" "$@" -c "$T/plugins.conf" ;;
	*" -c "* | *" -s "*) "$VIEWD_BUILD/viewctl" "$@" ;;
	*) "$VIEWD_BUILD/viewctl" -s "$PWD/control.sock" "$@" ;;
	esac
}

# The paths of this build, in the file of the guide.
adapt()
{
	[ -s viewd.conf ] && ! grep -q plugin_dir viewd.conf || return
	grep -q '^\[viewd\]' viewd.conf || sed -i '1i [viewd]\ncontrol_socket = control.sock\nstate_dir = state\n' viewd.conf
	sed -i "s|^\[viewd\]|&\nplugin_dir = $VIEWD_BUILD/.libs|" viewd.conf
}

# take KIND NAME TEXT: one step.
take()
{
	local command line
	case $1 in
	file) printf '%s\n' "$3" >"$2" ;;
	section) sed -i "/^\[view $2\]/r /dev/stdin" viewd.conf <<<"$3" ;;
	run)
		command=
		while IFS= read -r line; do
			[[ $line != '$ '* ]] || [ -z "$command" ] || try "$command"
			[[ $line == '$ '* ]] && command=${line#'$ '} || command+=$'\n'$line
		done <<<"$3"
		try "$command"
		;;
	esac
}

try()
{
	local command=${1//\/run\/postgresql/$T\/pg} status
	eval "$command" >out 2>&1 {tap_fd}>&- {nap_fd}<&-
	status=$?
	[ "${command: -1}" != '&' ] && [[ $command != *'&  '* ]] || { daemon=$! && pids+=("$daemon") && wait_until "grep -q ready: $T/viewd.log"; }
	ok "$guide: ${1%%$'\n'*}" test $status -eq 0 || comment "$(cat out)"
}

# follow GUIDE: in a directory of its own, which is kept for what follows.
follow()
{
	local kind='' name='' text='' line
	guide=$1
	while IFS= read -r line; do
		if [[ $line == ' '* ]]; then
			text+=${text:+$'\n'}${line# }
			continue
		fi
		[ -z "$kind" ] || take "$kind" "$name" "$text"
		read -r kind name <<<"$line"
		text=
	done < <(steps "$1" && echo end)
}

printf '[viewd]\nplugin_dir = %s\n' "$VIEWD_BUILD/.libs" >"$T/plugins.conf"

# ---- from-sqlalchemy-vieworm.md ----
mkdir "$T/orm" && cd "$T/orm" || die "no directory"
follow from-sqlalchemy-vieworm.md
is "the rows that the guide tells" "$(sql_sqlite shop.db "SELECT product_count, max_price FROM product_stats_view WHERE category = 'Electronics'")" "2|499.99"
stop_process "$daemon"
: >"$T/viewd.log"

# ---- from-cron.md, then leaving.md ----
[ -x "$pg_bin/postgres" ] || { finish; }
start_pg
pg_user=viewd sql_pg "CREATE TABLE products (category text, price numeric, in_stock bool); INSERT INTO products VALUES ('a', 1, true);
	CREATE MATERIALIZED VIEW category_stats AS SELECT category, count(*) AS products FROM products WHERE in_stock GROUP BY category;
	CREATE UNIQUE INDEX ON category_stats (category)"
mkdir "$T/cron" && cd "$T/cron" || die "no directory"
follow from-cron.md
ok "the view is taken over" wait_until "viewctl --json status category_stats | jq -se '.[0][0] | .state == \"ACTIVE\" and .freshness == \"FRESH\"'"
pg_user=viewd sql_pg "INSERT INTO products VALUES ('b', 2, true)"
ok "... and follows" viewctl wait category_stats --timeout 60s
is "... its source" "$(sql_pg "SELECT count(*) FROM category_stats")" 2
(
	# Without a daemon the second command of the guide would have something to do; here the first has left nothing.
	follow leaving.md
	[ $n_failed -eq 0 ]
) >"$T/leaving.out" 2>&1
is "leaving.md" "$(grep -c '^not ok' "$T/leaving.out")" 0
[ "$(grep -c '^not ok' "$T/leaving.out")" -eq 0 ] || comment "$(cat "$T/leaving.out")"
is "viewd has left" "$(sql_pg "SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'viewd%'")" 0
is "the view stays" "$(sql_pg "SELECT count(*) FROM category_stats")" 2
stop_process "$daemon"

# ---- from-scenic.md ----
: >"$T/viewd.log"
sql_pg "CREATE ROLE app LOGIN; GRANT app TO viewd; GRANT CREATE ON SCHEMA public TO app, viewd"
pg_user=app sql_pg "CREATE TABLE sales (day date, price numeric); INSERT INTO sales VALUES ('2026-01-01', 5);
	CREATE MATERIALIZED VIEW daily_sales AS SELECT day, sum(price) AS total FROM sales GROUP BY day;
	CREATE UNIQUE INDEX ON daily_sales (day)"
mkdir "$T/scenic" && cd "$T/scenic" || die "no directory"
follow from-scenic.md
is "what the migration has made is kept" "$(sql_pg "SELECT n FROM daily_sales")" 1
pg_user=app sql_pg "INSERT INTO sales VALUES ('2026-01-01', 6)"
ok "... and follows" viewctl wait daily_sales --timeout 60s
is "... its source" "$(sql_pg "SELECT total, n FROM daily_sales")" "11|2"
stop_process "$daemon"

# ---- from-django-and-alembic.md ----
: >"$T/viewd.log"
pg_user=app sql_pg "CREATE TABLE stock (item text, pieces integer); INSERT INTO stock VALUES ('apple', 5);
	CREATE MATERIALIZED VIEW stock_levels AS SELECT item, sum(pieces) AS pieces FROM stock GROUP BY item"
mkdir "$T/django" && cd "$T/django" || die "no directory"
follow from-django-and-alembic.md
is "the view has the rows of a migrated table" "$(pg_user=app sql_pg "SELECT item, pieces FROM stock_levels ORDER BY item" | tr '\n' ' ')" "apple|5 pear|7 "
stop_process "$daemon"
finish
