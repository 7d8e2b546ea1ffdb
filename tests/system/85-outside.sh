#!/bin/bash
# SPDX-License-Identifier: MIT
# A dialect lives outside the tree: the example of the plugin guide is built in a directory of its own from what `make install` has put
# there, passes the installed contract suite, and viewd keeps views with it.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

command -v sqlite3 >/dev/null || skip_all "no sqlite3"
export PKG_CONFIG=pkg-config
$PKG_CONFIG --exists sqlite3 || skip_all "no header of SQLite"

# The make that runs this test must not pass its jobs and overrides on.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES GNUMAKEFLAGS
root=$T/root
ok "make install" make -s -C "$VIEWD_BUILD" install DESTDIR="$root"

# As if the prefix were below $root.
pc=$(find "$root" -name viewd-dialect.pc)
like "viewd-dialect.pc is installed" "$pc" '/pkgconfig/viewd-dialect.pc$'
sed -i -E "s@^([a-z_]+=)/@\1$root/@" "$pc"
export PKG_CONFIG_PATH=${pc%/*}
plugin_dir=$($PKG_CONFIG --variable=plugin_dir viewd-dialect)
viewd=$(find "$root" -type f -name viewd -perm -u+x)

cp -r "$VIEWD_SRC/docs/examples/dialect" "$T/mine"
chmod -R u+w "$T/mine"
cd "$T/mine" || die "no copy of the example"
ok "the example builds with nothing but pkg-config" make -s CC="${CC:-cc}" CFLAGS="-O1 -Wall -Wextra -Werror"
is "and exports one symbol" "$(nm -D --defined-only viewd_litemini.so | awk '{print $NF}')" viewd_dialect
ok "make install puts it where viewd looks" make -s install

# Each test that is skipped has a reason which the dialect's own struct tells.
make -s check >"$T/contract.log" 2>&1
is "the installed contract suite passes" $? 0 || comment "$(grep -A9 '^not ok' "$T/contract.log")"
like "most of it is run" "$(grep '^ok' "$T/contract.log" | grep -vc '# SKIP')" '^[3-9][0-9]$'
is "what is skipped needs what it does not have" "$(sed -n 's/^ok.*# SKIP //p' "$T/contract.log" | sort -u)" \
	"auto does not begin by itself
the dialect does not explain
the dialect does not notice changes
the dialect does not refresh incrementally
the dialect does not tell types"

sqlite3 "$T/shop.db" "PRAGMA journal_mode = wal; CREATE TABLE src (id integer PRIMARY KEY, n integer); INSERT INTO src VALUES (1, 10), (2, 20)" \
	>"$T/journal_mode"
conf <<-END
	[database shop]
	url = litemini:///$T/shop.db

	[view totals]
	database = shop
	method = table
	every = 200ms
	definition = SELECT count(*) AS rows, sum(n) AS total FROM src
	definition_litemini = SELECT count(*) AS rows, sum(n) + 1 AS total FROM src
END
sed -i "s@^plugin_dir = .*@plugin_dir = $plugin_dir@" "$T/viewd.conf"
ok "viewd --check takes it" "$viewd" --check -c "$T/viewd.conf"
sed 's/every.*/on_change = yes/' "$T/viewd.conf" >"$T/follows.conf"
exits "but not on_change, which it lacks" 78 "$viewd" --check -c "$T/follows.conf"
start_viewd
total()
{
	[ "$(sqlite3 "$T/shop.db" 'SELECT total FROM totals')" = "$1" ]
}
ok "the view is made, by the definition of the dialect" wait_until total 31
sqlite3 "$T/shop.db" "INSERT INTO src VALUES (3, 30)"
ok "and refreshed by its schedule" wait_until total 61
like "status tells of it" "$(viewctl status totals)" 'ACTIVE'
stop_viewd
is "viewd stops in good order" $? 0

cd "$T" || exit 1
ok "make uninstall" make -s -C "$VIEWD_BUILD" uninstall DESTDIR="$root"
is "leaves what others have installed" "$(find "$root" -type f -printf '%f\n')" viewd_litemini.so
finish
