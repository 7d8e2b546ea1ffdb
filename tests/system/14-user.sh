#!/bin/bash
# SPDX-License-Identifier: MIT
# A plain user's viewd: files below the XDG directories without a word about them, viewctl finds them, and who may not
# connect is told what to do.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

[ -e "$VIEWD_BUILD/.libs/viewd_sqlite.so" ] || skip_all "built without SQLite"
user=()
[ "$(id -u)" -ne 0 ] || user=(setpriv --reuid=1 --regid=1 --clear-groups)
"${user[@]}" test -x "$VIEWD_BUILD/.libs/viewd_sqlite.so" || skip_all "the build cannot be read by another user"

# as_plain COMMAND...: as that user, with a home of his own and without what this shell has set.
user+=(env -i PATH="$PATH" LC_ALL=C.UTF-8 HOME="$T/alice" XDG_RUNTIME_DIR="$T/run" NOTIFY_SOCKET="$T/notify.sock")
as_plain()
{
	"${user[@]}" "$@"
}
plain_viewctl()
{
	as_plain "$VIEWD_BUILD/viewctl" "$@"
}

mkdir -p "$T/alice/.config/viewd" "$T/run"
chmod 700 "$T/run"
sql_sqlite "$T/alice/shop.db" "PRAGMA journal_mode = wal; CREATE TABLE sale (amount integer); INSERT INTO sale VALUES (3), (4)" >/dev/null
cat >"$T/alice/.config/viewd/viewd.conf" <<-END
	[viewd]
	plugin_dir = $VIEWD_BUILD/.libs

	[database shop]
	url = sqlite:///$T/alice/shop.db

	[view total]
	database = shop
	definition = SELECT sum(amount) AS total FROM sale
END
[ "$(id -u)" -ne 0 ] || chown -R 1:1 "$T/alice" "$T/run"

start_process "$T/notify-helper.log" "$VIEWD_BUILD/tests/support/notify" "$T/notify.sock" "$T/notify.log"
wait_until test -S "$T/notify.sock"
chmod 777 "$T/notify.sock"
like "before it runs: told where it is looked for" "$(plain_viewctl status 2>&1)" "$T/run/viewd/control.sock.*No such file"
start_process "$T/viewd.log" "${user[@]}" "$VIEWD_BUILD/viewd"
viewd_pid=$started
wait_until viewd_is_up
ok "starts without arguments" grep -qx READY=1 "$T/notify.log"
ok "viewctl finds it" wait_until "plain_viewctl --json status total | jq -se '.[0][0].result == \"SUCCEEDED\"'"
ok "... the socket is in the runtime directory" test -S "$T/run/viewd/control.sock"
ok "... the state is in the home" test -d "$T/alice/.local/state/viewd"
ok "a pause is kept there" "plain_viewctl pause total && ls $T/alice/.local/state/viewd/*"
ok "check without arguments reads the same file" "plain_viewctl check | grep -F $T/alice/.config/viewd/viewd.conf"
like "show tells the file" "$(plain_viewctl show total)" "alice/.config/viewd/viewd.conf:"
sed -i "/^plugin_dir/a control_socket = $T/run/other.sock" "$T/alice/.config/viewd/viewd.conf"
plain_viewctl -s "$T/run/viewd/control.sock" reload >/dev/null
like "viewctl asks the socket that the file names" "$(plain_viewctl status 2>&1)" "not reachable on '$T/run/other.sock'"
like "\$VIEWD_SOCKET wins" "$(as_plain VIEWD_SOCKET="$T/run/viewd/control.sock" "$VIEWD_BUILD/viewctl" status)" "total"
stop_viewd
is "ends in order" $? 0

# ---- a unit of its own ----
mkdir "$T/run/unit" "$T/alice/kept"
[ "$(id -u)" -ne 0 ] || chown 1:1 "$T/run/unit" "$T/alice/kept"
sed -i '/^control_socket/d' "$T/alice/.config/viewd/viewd.conf"
: >"$T/notify.log"
unit=(RUNTIME_DIRECTORY="$T/run/unit" STATE_DIRECTORY="$T/alice/kept")
start_process "$T/viewd.log" "${user[@]}" "${unit[@]}" "$VIEWD_BUILD/viewd"
viewd_pid=$started
wait_until viewd_is_up
ok "under systemd it uses the unit's directories" test -S "$T/run/unit/control.sock"
ok "... and viewctl in the unit finds it" as_plain "${unit[@]}" "$VIEWD_BUILD/viewctl" pause total
ok "... a pause is kept there" "ls $T/alice/kept/*"
stop_viewd
is "ends in order" $? 0
mkdir "$T/run/shop"
like "viewctl in the unit of another service does not look there" \
	"$(as_plain RUNTIME_DIRECTORY="$T/run/shop" "$VIEWD_BUILD/viewctl" status 2>&1)" "/run/viewd/control.sock"

# ---- shut out ----
if [ "$(id -u)" -eq 0 ]; then
	install -d -m 0750 -g adm "$T/shut"
	like "outside the group: told which one" "$(plain_viewctl -s "$T/shut/control.sock" status 2>&1)" "join group adm: usermod -a -G adm daemon"
	exits "... not reachable" 3 plain_viewctl -s "$T/shut/control.sock" status
fi
finish
