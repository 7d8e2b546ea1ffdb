#!/bin/bash
# SPDX-License-Identifier: MIT
# The lines of README's section Install, from source, as they stand there, in a mount namespace in which they may write
# where they like. What is left out: lines that need the network, or a running systemd (its units are verified instead).
# The short form installs the present build; VIEWD_LONG=1 builds as the line says.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

[ "$(id -u)" -eq 0 ] || skip_all "only root installs"
unshare -m true 2>/dev/null || skip_all "no mount namespaces here"

# section HEADING: the code blocks below a line of README that begins so, up to the next text.
section()
{
	awk -v head="$1" 'index($0, head) == 1 { on = 1 } on && /^    / { print substr($0, 5); seen = 1 } on && seen && /^[^ ]/ { exit }' \
		"$VIEWD_SRC/README.md"
}
section "From source" >"$T/lines"
like "README says how to build" "$(cat "$T/lines")" "configure && make && make install"
like "... and how to start" "$(cat "$T/lines")" "systemctl .*viewd"

prefix=$(sed -n 's/^prefix = //p' "$VIEWD_BUILD/Makefile")
made=no
[ -n "${VIEWD_LONG:-}" ] || [ -e "$prefix" ] || { mkdir -p "$prefix" && made=yes; }
cat >"$T/inside.sh" <<'END'
set -u
layer()
{
	mkdir -p "$T/layers$1/up" "$T/layers$1/work" "$1"
	mount -t overlay overlay -o "lowerdir=$1,upperdir=$T/layers$1/up,workdir=$T/layers$1/work" "$1" 2>/dev/null
}
mount -t tmpfs tmpfs "$T/layers" || exit 77
for dir in /etc /usr/local /var/lib; do layer "$dir" || exit 77; done
[ -n "${VIEWD_LONG:-}" ] || [ "$prefix" = /usr/local ] || mount -t tmpfs tmpfs "$prefix" || exit 77
mount -t tmpfs tmpfs /run
rm -rf /etc/viewd

systemctl()
{
	echo "systemctl $*"
}
build()
{
	if [ -n "${VIEWD_LONG:-}" ]; then
		mkdir "$T/source" && git -C "$VIEWD_SRC" archive HEAD | tar -x -C "$T/source" && cd "$T/source" && eval "$1"
	else
		make -s -C "$VIEWD_BUILD" install sysusersdir=/usr/local/lib/sysusers.d tmpfilesdir=/usr/local/lib/tmpfiles.d \
			systemdsystemunitdir=/usr/local/lib/systemd/system
	fi
}
cd "$VIEWD_SRC"
while read -r line; do
	case $line in
	tools/install-deps.sh*) continue ;;
	./autogen.sh*) build "$line" >"$T/build.log" 2>&1 ;;
	*) eval "$line" ;;
	esac || { echo "failed: $line" && exit 1; }
	echo "done: $line"
done <"$T/lines"
ls -l /etc/viewd/viewd.conf
getent passwd viewd
hash -r
PATH=/usr/local/bin:/usr/local/sbin:$prefix/bin:$prefix/sbin:$PATH
systemd-analyze verify --man=no /usr/local/lib/systemd/system/viewd.service && echo "unit: good"

# Root asks with the service's files: databases and files are to answer as they answer the service.
mkdir /var/lib/shop
sqlite3 /var/lib/shop/shop.db "PRAGMA journal_mode = wal; CREATE TABLE sale (n integer)"
printf '[database shop]\nurl = sqlite:////var/lib/shop/shop.db\n[view v]\ndatabase = shop\nmethod = table\ndefinition = SELECT n FROM sale\n' >/etc/viewd/shop.conf
for command in doctor plan list; do viewctl $command -c /etc/viewd/shop.conf 2>&1 | sed "s/^/$command: /"; done
cp /etc/viewd/shop.conf /run/own.conf
viewctl doctor -c /run/own.conf 2>&1 | sed "s/^/own: /"

install -d -o viewd -g viewd -m 0750 /run/viewd
install -d -o viewd -g viewd -m 0700 /var/lib/viewd
setpriv --reuid=viewd --regid=viewd --clear-groups "$(command -v viewd)" 2>/run/first.log &
pid=$!
until grep -q "ready:" /run/first.log; do
	kill -0 $pid 2>/dev/null || { cat /run/first.log && exit 1; }
	read -rt 0.02 <> <(:)
done
cat /run/first.log
viewctl info | grep version && echo "viewctl: good"
viewctl status
setpriv --reuid=65534 --regid=65534 --clear-groups "$(command -v viewctl)" status 2>&1
setpriv --reuid=65534 --regid=65534 --groups="$(getent group viewd | cut -d: -f3)" "$(command -v viewctl)" status && echo "member: good"
kill $pid
wait $pid
echo "ends with $?"
END
mkdir -p "$T/layers"
chmod 755 "$T"
out=$(T=$T prefix=$prefix VIEWD_SRC=$VIEWD_SRC VIEWD_BUILD=$VIEWD_BUILD unshare -m bash "$T/inside.sh" 2>&1 {tap_fd}>&- {nap_fd}<&-)
status=$?
[ $made = no ] || rmdir "$prefix"
[ $status -ne 77 ] || skip_all "no overlays here"
comment "$out"
is "every line works" "$status" 0
like "... the user is there" "$out" "^viewd:"
like "... the configuration is the group's" "$out" "-rw-r----- .* root viewd .*/etc/viewd/viewd.conf"
like "... the unit starts it" "$out" "systemctl .*enable --now viewd"
like "the unit is right" "$out" "unit: good"
like "root asks what the service lacks: told what user viewd lacks" "$out" "doctor: -- missing: user 'viewd' may not write directory '/var/lib/shop'"
like "... a plan says it" "$out" "plan: .*user 'viewd' may not write"
like "... with files of his own root is who he is" "$out" "own: -- nothing is missing"
like "the first start waits" "$out" "ready: 0 views"
like "viewctl finds it" "$out" "viewctl: good"
like "... and tells that there is no view yet" "$out" "no views: "
like "outside the group: told which one" "$out" "join group viewd"
like "... a member may look" "$out" "member: good"
like "it ends in order" "$out" "ends with 0"
finish
