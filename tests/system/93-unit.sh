#!/bin/bash
# SPDX-License-Identifier: MIT
# The shipped unit under a real systemd: viewd gets ready, on_failure runs as user viewd with the facts of the failure,
# and the service stops in order. systemd is the first process of namespaces of its own, in an overlay of this machine's
# files whose /tmp, /run and /var/tmp are its own, and knows of no units but those it is given: nothing outside changes.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

[ "$(id -u)" -eq 0 ] || skip_all "only root makes namespaces"
[ -x /lib/systemd/systemd ] || skip_all "no systemd here"
[ -e "$VIEWD_BUILD/.libs/viewd_sqlite.so" ] || skip_all "built without SQLite"
groups=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
[ -n "$groups" ] || skip_all "no cgroups of version 2 here"
mkdir "$groups/viewd-test.$$" 2>/dev/null || skip_all "no cgroups of version 2 to make here"
cgroup=$groups/viewd-test.$$
unshare -m -p -u -i -C -f true 2>/dev/null || { rmdir "$cgroup" && skip_all "no namespaces here"; }

mkdir -p "$T/layers" "$T/state" "$T/inst"
make -s -C "$VIEWD_BUILD" install DESTDIR="$T/inst" >"$T/install.log" 2>&1 || { rmdir "$cgroup" && die "it cannot be installed"; }
unit=$(find "$T/inst" -path '*/system/viewd.service')
plugins=$(dirname "$(find "$T/inst" -name viewd_sqlite.so)")

cat >"$T/inside.sh" <<'END'
set -eu
cannot() # WHY: read outside
{
	echo "$1" >"$T/state/cannot"
	exit 1
}
mount --make-rprivate /
mount -t tmpfs tmpfs "$T/layers"
mkdir "$T/layers/up" "$T/layers/work" "$T/layers/tree"
tree=$T/layers/tree
mount -t overlay overlay -o "lowerdir=/,upperdir=$T/layers/up,workdir=$T/layers/work" "$tree" || cannot "no overlay of the files here"
for dir in tmp var/tmp run dev sys; do mount -t tmpfs tmpfs "$tree/$dir"; done
mount -t proc proc "$tree/proc"
for name in sys sysrq-trigger; do # the settings of the kernel are everybody's
	[ -e "$tree/proc/$name" ] || continue
	mount --bind "$tree/proc/$name" "$tree/proc/$name"
	mount -o remount,bind,ro "$tree/proc/$name"
done
mkdir -p "$tree/sys/fs/cgroup" "$tree/run/units/viewd.service.d" "$tree/opt/viewd" "$tree/etc/viewd" "$tree/var/lib/viewd"
mount -t cgroup2 cgroup2 "$tree/sys/fs/cgroup" || cannot "no cgroups of version 2 in namespaces here"
while read -r name major minor; do
	mknod -m 666 "$tree/dev/$name" c "$major" "$minor"
done <<-LIST
	null 1 3
	zero 1 5
	full 1 7
	random 1 8
	urandom 1 9
	tty 5 0
	ptmx 5 2
LIST
mkdir "$tree/dev/pts" "$tree/dev/shm" "$tree/dev/mqueue" "$tree/dev/hugepages"

cp -a "$T/inst/." "$tree/opt/viewd"
systemd-sysusers --root="$tree" "$(find "$T/inst" -path '*sysusers.d/viewd.conf')"
mount --bind "$T/state" "$tree/var/lib/viewd"
for target in sysinit basic shutdown; do printf '[Unit]\nDefaultDependencies=no\n' >"$tree/run/units/$target.target"; done
printf '[Unit]\nWants=viewd.service driver.service\n' >"$tree/run/units/first.target"
printf '[Unit]\nAfter=viewd.service\n[Service]\nExecStart=/opt/viewd/driver\n' >"$tree/run/units/driver.service"
sed -E 's@^(Exec[A-Za-z]*=)/@\1/opt/viewd/@' "$unit" >"$tree/run/units/viewd.service"
printf '[Service]\nStandardError=append:/var/lib/viewd/viewd.log\n' >"$tree/run/units/viewd.service.d/log.conf"
cp "$T/viewd.conf" "$tree/etc/viewd/viewd.conf"
cp "$T/told" "$T/driver" "$tree/opt/viewd"
chroot "$tree" chown -R viewd:viewd /var/lib/viewd
cd "$tree"
mkdir old
pivot_root . old # nothing of this machine can be reached from here on
umount -l old
exec chroot . env -i container=viewd-test SYSTEMD_UNIT_PATH=/run/units SYSTEMD_GENERATOR_PATH=/run/none \
	SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/run/none PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	/lib/systemd/systemd --system --unit=first.target
END
# Asks systemd from inside, where its socket is.
cat >"$T/driver" <<'END'
#!/bin/sh
shown() { systemctl show viewd -p ActiveState,SubState,Result --value | paste -sd' '; }
shown >/var/lib/viewd/started
read -r line </var/lib/viewd/go
systemctl stop viewd
shown >/var/lib/viewd/stopped
END
cat >"$T/told" <<'END'
#!/bin/sh
{ id -un; id -gn; env; echo "args: $*"; } >/var/lib/viewd/told.new && mv /var/lib/viewd/told.new /var/lib/viewd/told
END
chmod 755 "$T/told" "$T/driver"
mkfifo "$T/state/go"
cat >"$T/viewd.conf" <<-END
	[viewd]
	plugin_dir = /opt/viewd${plugins#"$T/inst"}
	[database lite]
	url = sqlite:////var/lib/viewd/lite.db
	[view total]
	database = lite
	method = table
	definition = SELECT abs(n) AS n FROM src
	on_failure = /opt/viewd/told 'two words'
END
sql_sqlite "$T/state/lite.db" "PRAGMA journal_mode = wal; CREATE TABLE src (n integer); INSERT INTO src VALUES (-9223372036854775808)" >/dev/null
chmod 755 "$T"

start_process "$T/boot.log" env T="$T" unit="$unit" sh -c 'echo $$ >"$1/cgroup.procs" && exec unshare -m -p -u -i -C -f --kill-child bash "$T/inside.sh"' sh "$cgroup"
systemd=$started
clean_cgroup()
{
	find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null
	[ ! -e "$cgroup" ]
}
wait_until "[ -s '$T/state/started' ] || ! is_running $systemd"
if [ -e "$T/state/cannot" ]; then
	wait_until clean_cgroup
	skip_all "$(cat "$T/state/cannot")"
fi
ok "the service is ready" test -s "$T/state/started"
is "... as systemd says" "$(cat "$T/state/started")" "success active running"
ok "a failure is told under the unit" wait_until test -e "$T/state/told"
is "... as user and group viewd" "$(head -n 2 "$T/state/told")" "viewd
viewd"
for fact in VIEWD_VIEW=total VIEWD_DATABASE=lite VIEWD_RESULT=FAILED VIEWD_ERROR_CLASS=query 'args: two words'; do
	ok "... $fact" grep -qxF -- "$fact" "$T/state/told"
done
like "... the error" "$(cat "$T/state/told")" '^VIEWD_ERROR_MESSAGE=.*integer overflow'
unlike "... and not what systemd gives viewd" "$(cat "$T/state/told")" 'NOTIFY_SOCKET|CREDENTIALS|WATCHDOG'
unlike "... without a word in the log" "$(cat "$T/state/viewd.log")" 'on_failure'
echo stop >"$T/state/go"
ok "systemctl stop" wait_until test -s "$T/state/stopped"
is "... ends it in order" "$(cat "$T/state/stopped")" "success inactive dead"
# systemd is not asked to shut down, which would be about mounts: its namespaces end with it.
stop_process "$systemd" KILL
ok "nothing of it is left" wait_until clean_cgroup
finish
