#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Shows viewd at work, from a bare Debian 12 (as root, or with sudo for the packages): builds it, starts it on a small
# SQLite database, changes data and watches the view follow.
#
#	tools/demo.sh           show, then clean up
#	tools/demo.sh --keep    leave viewd running and say how to look around and stop it
#
# Builds under build/demo; VIEWD_DEMO_BUILD=DIR shows the build there as it is instead.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
build=${VIEWD_DEMO_BUILD:-$src/build/demo}
keep=no
case ${1-} in
'') ;;
--keep) keep=yes ;;
-h | --help) sed -n 's/^#	//p' "$0" && exit 0 ;;
*) sed -n 's/^#	//p' "$0" >&2 && exit 2 ;;
esac

bold=
plain=
[ ! -t 1 ] || { bold=$(printf "\033[1m") && plain=$(printf "\033[0m"); }
say()
{
	printf "\n%s%s%s\n" "$bold" "$*" "$plain"
}

# Shows a command as a user would type it, then runs it.
show()
{
	local word line=
	for word; do
		case $word in
		*[!a-zA-Z0-9_./=-]*) line="$line \"$word\"" ;;
		*) line="$line $word" ;;
		esac
	done
	printf '$%s\n' "$line"
	"$@"
}

# quietly LOG COMMAND...: the output matters only when it fails.
quietly()
{
	local log=$1
	shift
	"$@" >"$log" 2>&1 || {
		cat "$log" >&2
		printf 'demo: failed: %s\n' "$*" >&2
		exit 1
	}
}

build_it()
{
	local sudo
	"$src/tools/install-deps.sh"
	command -v sqlite3 >/dev/null || {
		sudo=$([ "$(id -u)" -eq 0 ] || echo sudo)
		$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends sqlite3
	}
	[ ! -e "$src/config.status" ] || build=$src # configured here: nothing is built beside it
	mkdir -p "$build"
	[ -x "$src/configure" ] || quietly "$build/demo.log" "$src/autogen.sh"
	cd "$build"
	[ -f Makefile ] || quietly demo.log "$src/configure" -q
	quietly demo.log make -s -j"$(nproc)"
	echo "built in $build"
}

say "1. Packages and build"
if [ -n "${VIEWD_DEMO_BUILD:-}" ]; then
	echo "uses $build"
else
	build_it
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/viewd-demo.XXXXXX")
daemon=
finish()
{
	local status=$?
	[ $status -eq 0 ] || cat "$dir/viewd.log" >&2 || :
	[ $keep = yes ] && [ $status -eq 0 ] && exit 0
	[ -z "$daemon" ] || { kill "$daemon" && wait "$daemon"; } 2>/dev/null || :
	rm -rf "$dir"
	exit $status
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# The daemon and its clients as commands of their usual names, so that what is shown can be typed.
export PATH=$build:$PATH VIEWD_SOCKET=$dir/control.sock
stats()
{
	show sqlite3 -cmd '.timeout 5000' -column -header "$dir/shop.db" \
		'SELECT category, product_count, round(avg_price, 2) AS avg_price FROM category_stats ORDER BY category'
}
change()
{
	show sqlite3 -cmd '.timeout 5000' "$dir/shop.db" "$1"
}

# until_true SQL: asks until it is true, at most ten seconds.
until_true()
{
	local deadline=$((SECONDS + 10))
	until [ "$(sqlite3 -cmd '.timeout 5000' "$dir/shop.db" "SELECT $1" 2>/dev/null)" = 1 ]; do
		[ $SECONDS -lt $deadline ] || { echo "demo: the view did not become fresh" >&2; exit 1; }
		read -rt 0.05 <> <(:) || :
	done
}

say "2. A shop's database, and a view described in a file"
sqlite3 "$dir/shop.db" <"$src/conf/examples/shop/schema-sqlite.sql"
sqlite3 "$dir/shop.db" <"$src/conf/examples/shop/seed.sql"
cp -r "$src/conf/examples/shop" "$dir/"
cat >"$dir/viewd.conf" <<-END_CONF
	[viewd]
	control_socket = $dir/control.sock
	plugin_dir = $build/.libs
	state_dir = $dir/state
	include = shop/shop.conf

	[database shop]
	url = sqlite:///$dir/shop.db
END_CONF
grep -v '^;' "$dir/shop/shop.conf"
grep -v '^--' "$dir/shop/category_stats.sql"

say "3. viewd creates and fills it"
echo "\$ viewd -c $dir/viewd.conf"
viewd -c "$dir/viewd.conf" >"$dir/viewd.log" 2>&1 &
daemon=$!
until_true "count(*) > 0 FROM category_stats"
stats

say "4. The application changes its data, in plain SQL, and tells nobody"
change "UPDATE products SET in_stock = 0 WHERE name = 'Laptop'"
change "INSERT INTO products (name, category, price) VALUES ('Atlas', 'Maps', 25)"
until_true "EXISTS (SELECT 1 FROM category_stats WHERE category = 'Maps')"
echo "... the view has followed:"
stats

say "5. What viewd says about it"
show viewctl status
show viewctl graph
show viewctl verify category_stats

if [ $keep = yes ]; then
	disown "$daemon"
	say "viewd goes on running (process $daemon)"
	cat <<-END_TEXT
		look around:  $build/viewctl -s $dir/control.sock status --watch
		              $build/viewctl -s $dir/control.sock show category_stats
		              $build/viewctl -s $dir/control.sock help
		its files:    $dir
		change data:  sqlite3 $dir/shop.db
		stop:         kill $daemon; rm -r $dir
	END_TEXT
else
	say "Done; everything is stopped and removed. tools/demo.sh --keep leaves it running."
fi
