#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Builds Debian packages of the commit that is checked out, and tries them. Works on a bare Debian 12, as root.
#
#	tools/build-deb.sh              build, lintian, and a trial in a fresh chroot
#	tools/build-deb.sh --no-trial   build and lintian only
#
# The packages are left in build/deb (VIEWD_DEB_DIR says otherwise). The trial installs them in a chroot that debootstrap makes:
# unit, first start with the configuration that is shipped, upgrade, removal, purge.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
out=${VIEWD_DEB_DIR:-$src/build/deb}
trial=yes
while [ $# -gt 0 ]; do
	case $1 in
	--no-trial) trial=no ;;
	-h | --help) sed -n 's/^#	//p' "$0" && exit 0 ;;
	*) sed -n 's/^#	//p' "$0" >&2 && exit 2 ;;
	esac
	shift
done

work=$(mktemp -d "${TMPDIR:-/tmp}/viewd-deb.XXXXXX")
cleanup()
{
	! mountpoint -q "$work/tree/proc" || umount "$work/tree/proc"
	rm -rf --one-file-system "$work"
}
trap cleanup EXIT

need()
{
	local missing=() p
	for p; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing+=("$p")
	done
	[ ${#missing[@]} -eq 0 ] ||
		DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 install --no-install-recommends "${missing[@]}"
}

build()
{
	mkdir -p "$out" "$work/viewd"
	git -C "$src" archive HEAD | tar -x -C "$work/viewd"
	cd "$work/viewd"
	dpkg-buildpackage -b -us -uc
	rm -f "$out"/*.deb
	cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out"
	cd "$src"
	lintian --allow-root --fail-on error,warning "$out"/*.changes
}

# ---- the trial ----

# in_chroot COMMAND...: fails as the command does.
in_chroot()
{
	chroot "$work/tree" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

die()
{
	echo "build-deb: $*" >&2
	exit 1
}

# has_mode "OWNER GROUP MODE KIND" FILE: in the chroot.
has_mode()
{
	local is
	is=$(in_chroot stat -c '%U %G %a %F' "$2") || die "$2 is not there"
	[ "$is" = "$1" ] || die "$2 is $is, not $1"
}

# The packages as the next version would be.
make_next_version()
{
	local deb
	mkdir -p "$work/tree/next"
	for deb in "$work/tree/debs"/*.deb; do
		rm -rf "$work/one"
		dpkg-deb -R "$deb" "$work/one"
		sed -i -E 's/^(Version: .*)/\1+next/; s/\(= ([^)]*)\)/(= \1+next)/g' "$work/one/DEBIAN/control"
		dpkg-deb --root-owner-group -b "$work/one" "$work/tree/next" >/dev/null
	done
}

# Starts viewd with the configuration that is shipped; it must wait, answer, and end with 0.
first_start()
{
	in_chroot bash -euc '
		install -d -o viewd -g viewd -m 0750 /run/viewd /var/lib/viewd
		setpriv --reuid=viewd --regid=viewd --clear-groups viewd -c /etc/viewd/viewd.conf 2>/tmp/first.log &
		until grep -q "ready:" /tmp/first.log; do
			kill -0 $! 2>/dev/null || { cat /tmp/first.log; exit 1; }
			viewctl status >/dev/null 2>&1 || true
		done
		viewctl status
		kill $!
		wait $!
		cat /tmp/first.log'
}

try()
{
	echo "build-deb: trial in a fresh chroot"
	debootstrap --variant=minbase bookworm "$work/tree" >"$work/debootstrap.log" 2>&1 ||
		{ tail -n 20 "$work/debootstrap.log" && die "debootstrap fails"; }
	mount -t proc proc "$work/tree/proc"
	printf '#!/bin/sh\nexit 101\n' >"$work/tree/usr/sbin/policy-rc.d" && chmod 755 "$work/tree/usr/sbin/policy-rc.d"
	mkdir "$work/tree/debs" && cp "$out"/*.deb "$work/tree/debs" && rm -f "$work/tree/debs"/*-dbgsym_*
	in_chroot sh -ec 'apt-get -q -y update; apt-get -q -y --no-install-recommends install systemd /debs/*.deb' >"$work/install.log" 2>&1 ||
		{ tail -n 30 "$work/install.log" && die "the packages cannot be installed"; }
	in_chroot sh -ec 'getent passwd viewd; getent group viewd; viewctl --version; viewd --version' ||
		die "the user viewd, or a program, is not there"
	has_mode "root viewd 750 directory" /etc/viewd
	has_mode "root root 644 regular file" /etc/viewd/viewd.conf
	in_chroot systemd-analyze verify --man=no /lib/systemd/system/viewd.service || die "the unit is wrong"
	first_start
	make_next_version
	in_chroot sh -ec 'echo "; changed by hand" >>/etc/viewd/viewd.conf; dpkg -i /next/*.deb >/tmp/upgrade.log 2>&1 || { cat /tmp/upgrade.log; exit 1; }
		grep -q "changed by hand" /etc/viewd/viewd.conf' || die "the upgrade fails"
	has_mode "root root 644 regular file" /etc/viewd/viewd.conf
	in_chroot dpkg --remove viewd-postgresql viewd-mysql viewd-sqlite viewd-dev viewd-doc viewd >"$work/remove.log" 2>&1 ||
		{ cat "$work/remove.log" && die "the packages cannot be removed"; }
	in_chroot sh -ec 'test -e /etc/viewd/viewd.conf; test ! -e /usr/sbin/viewd' || die "after removal: the configuration is gone, or the daemon is not"
	in_chroot dpkg --purge viewd || die "the packages cannot be purged"
	if in_chroot sh -ec 'find / -xdev -name "*viewd*" -not -path "/debs*" -not -path "/next*" -not -path "/proc/*" -not -path "/var/log/*" | grep .'; then
		die "after the purge this is left"
	fi
	echo "build-deb: installed, started, upgraded, removed and purged"
}

need build-essential debhelper lintian git
# shellcheck disable=SC2046 # the list is words
need $("$src/tools/install-deps.sh" --list) libcunit1-dev
build
[ $trial = no ] || { need debootstrap && try; }
