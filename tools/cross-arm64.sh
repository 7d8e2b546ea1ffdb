#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Builds viewd for arm64 with Debian's cross compiler, and runs the unit tests under qemu-user. Part of make check-long.
#
#	tools/cross-arm64.sh
#
# Needs the packages of tools/install-deps.sh --long, and the network for the libraries of arm64: apt fetches them into a
# tree of its own, so that the machine's own packages stay as they are. Builds under build/arm64 (VIEWD_ARM64_DIR says
# otherwise). The last line is "N passed, N failed"; exit status 77 when a tool is missing.
set -eu
src=$(cd "$(dirname "$0")/.." && pwd)
out=${VIEWD_ARM64_DIR:-$src/build/arm64}
root=$out/root
host=aarch64-linux-gnu
export CONFIG_SHELL=/bin/sh

if [ -e "$src/config.status" ]; then
	echo "cross-arm64: $src was configured in place: run \"make distclean\" there, and this again" >&2
	exit 2
fi
for tool in $host-gcc qemu-aarch64-static apt-get dpkg-deb; do
	command -v "$tool" >/dev/null || { echo "cross-arm64: no $tool here (tools/install-deps.sh --long)" >&2 && exit 77; }
done

# An apt that knows of no package but those of arm64, and has nothing installed.
apt_of_arm64()
{
	local apt=$out/apt
	mkdir -p "$apt/etc/apt" "$apt/var/lib/apt/lists/partial" "$apt/var/cache/apt/archives/partial" "$apt/var/lib/dpkg"
	: >"$apt/var/lib/dpkg/status"
	[ -e "$apt/apt.conf" ] || cat >"$apt/apt.conf" <<-END
		Dir::State "$apt/var/lib/apt";
		Dir::State::status "$apt/var/lib/dpkg/status";
		Dir::Cache "$apt/var/cache/apt";
		APT::Architecture "arm64";
		APT::Architectures { "arm64"; };
		APT::Install-Recommends "false";
		APT::Sandbox::User "";
	END
	APT_CONFIG=$apt/apt.conf apt-get -q "$@"
}

# The libraries that viewd is built with, and what they need. Packages of this release put files below /lib as well as /usr/lib.
make_root()
{
	local packages dir deb
	packages=$("$src/tools/install-deps.sh" --list | grep -E -- '-dev$|-compat$|^tzdata$')
	apt_of_arm64 update
	# shellcheck disable=SC2086 # names
	apt_of_arm64 -y --download-only install libc6-dev libgcc-12-dev libcunit1-dev $packages
	rm -rf "$root" && mkdir -p "$root"
	for dir in bin lib sbin; do
		mkdir -p "$root/usr/$dir" && ln -s "usr/$dir" "$root/$dir"
	done
	for deb in "$out"/apt/var/cache/apt/archives/*.deb; do
		dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$root" --keep-directory-symlink --no-same-owner --exclude=./dev
	done
	: >"$root/made"
}

build()
{
	mkdir -p "$out/build"
	cd "$out/build"
	PKG_CONFIG_LIBDIR=$root/usr/lib/$host/pkgconfig:$root/usr/share/pkgconfig PKG_CONFIG_SYSROOT_DIR=$root \
		"$src/configure" -q --host=$host --enable-failpoints --with-sysroot="$root" \
		CC="$(command -v ccache) $host-gcc --sysroot=$root" CFLAGS="-g -O1"
	make -s -k -j"$(nproc)" RUN_BUILT="$run" all
	make -s -k -j"$(nproc)" RUN_BUILT="$run" check TESTS=
}

# Can the test run on another machine? Not one that starts itself, or compiles plugins.
can_run_there()
{
	case $1 in
	tests/unit/support/test_harness | tests/unit/core/test_loader) return 1 ;;
	esac
}

# The programs are of another machine: libtool's wrappers are for this one.
test_all()
{
	local passed=0 failed=0 name log=$out/test.log n
	for name in $(make -s print-tests | grep '^tests/unit/'); do
		can_run_there "$name" || { printf 'skipped %s\n' "$name" && continue; }
		if VIEWD_SRC=$src VIEWD_BUILD=$PWD timeout 600 ./libtool --mode=execute $run "./$name" >"$log" 2>&1; then
			n=$(grep -c '^ok ' "$log" || true)
			passed=$((passed + n))
			printf 'ok     %s (%d)\n' "$name" "$n"
		else
			failed=$((failed + 1))
			printf 'FAILED %s\n' "$name"
			grep -v '^ok ' "$log" | tail -n 40 | sed 's/^/  | /'
		fi
	done
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" -eq 0 ]
}

run="qemu-aarch64-static -L $root"
[ -x "$src/configure" ] || "$src/autogen.sh"
[ -e "$root/made" ] || make_root
build
test_all
