#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Installs what viewd needs on Debian 12, as root or through sudo.
#
#	tools/install-deps.sh          packages to build and run viewd
#	tools/install-deps.sh --test   ... and to run its whole test suite (tools/check.sh calls this)
#	tools/install-deps.sh --long   ... and what only make check-long needs
#	tools/install-deps.sh --list [--test | --long]   print the package names and stop
#
# Safe to repeat: does nothing when everything is there. Database servers are installed for the tests, but not started,
# and no cluster is created for them.
set -eu

build="build-essential autoconf automake libtool pkg-config git xz-utils
	libevent-dev libglib2.0-dev libpq-dev libmariadb-dev libmariadb-dev-compat libsqlite3-dev libiniparser-dev libjansson-dev
	libcurl4-openssl-dev libsystemd-dev libsmartcols-dev libtalloc-dev uthash-dev libmd-dev libpg-query-dev tzdata"
test="postgresql-15 mariadb-server mariadb-client sqlite3 libcunit1-dev valgrind libc6-dbg clang clang-format libclang-rt-14-dev
	curl jq systemd openssl pgbouncer prometheus chromium
	python3-jsonschema graphviz"

long="gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user-static"

usage()
{
	sed -n 's/^#	//p' "$0"
	exit "$1"
}

wanted=$build
list=no
for arg; do
	case $arg in
	--test) wanted="$build $test" ;;
	--long) wanted="$build $test $long" ;;
	--list) list=yes ;;
	-h | --help) usage 0 ;;
	*) usage 2 >&2 ;;
	esac
done
# shellcheck disable=SC2086 # the lists are words
if [ $list = yes ]; then
	printf '%s\n' $wanted
	exit 0
fi

missing=
for p in $wanted; do
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] || missing="$missing $p"
done
if [ -z "$missing" ]; then
	echo "install-deps: nothing to install"
	exit 0
fi

as_root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "install-deps: run as root, or install sudo (missing:$missing)" >&2
		exit 1
	}
	as_root=sudo
fi

# Files that stand there for the time of the installation only. Files that exist already are the administrator's.
policy=/usr/sbin/policy-rc.d
nocluster=/etc/postgresql-common/createcluster.d/viewd-install-deps.conf
made=
cleanup()
{
	# shellcheck disable=SC2086 # paths without blanks
	[ -z "$made" ] || $as_root rm -f $made
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

if [ ! -e $policy ]; then
	printf '#!/bin/sh\n# Start no service while packages are installed (viewd tools/install-deps.sh).\nexit 101\n' |
		$as_root tee $policy >/dev/null
	made="$made $policy"
	$as_root chmod 755 $policy
fi
if [ ! -e $nocluster ]; then
	$as_root mkdir -p "$(dirname $nocluster)"
	echo 'create_main_cluster = false' | $as_root tee $nocluster >/dev/null
	made="$made $nocluster"
fi

# sudo drops the environment, env does not.
apt()
{
	$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=120 "$@"
}

echo "install-deps: installing$missing"
# shellcheck disable=SC2086 # a list of words
{
	# A fresh image has no package lists at all.
	apt-get -s install --no-install-recommends $missing >/dev/null 2>&1 || apt update
	# Lists older than the archive name versions that are gone.
	apt install --no-install-recommends $missing || {
		apt update
		apt install --no-install-recommends $missing
	}
}
