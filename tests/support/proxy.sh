# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $engine, $pg_dir and the like come from lib-engine.sh
#
# proxy.sh: a bad network for lib-engine.sh's servers. start_proxy, then viewd's url is $proxy_url; `net COMMAND...` makes trouble
# (tests/support/proxy.c tells what there is), the application goes past it.

# start_proxy [NAME]: a proxy before the running engine; $proxy_url, and net() tells this one until another is started.
start_proxy()
{
	proxy=$T/proxy-${1:-net}
	local upstream
	upstream=$(pick "${pg_dir:-}/.s.PGSQL.5432" "${mariadb_dir:-}/sock" '')
	start_process "$proxy.log" "$VIEWD_BUILD/tests/support/proxy" tcp:0 "$upstream" "$proxy"
	wait_until net open || die "the proxy does not start"
	proxy_url=$(pick postgresql mariadb '')://viewd@127.0.0.1:$(net port)/shop
}

net()
{
	"$VIEWD_BUILD/tests/support/proxy" -c "$proxy" "$@"
}

# For wait_until.
net_struck()
{
	[ "$(net hits)" -ge "$1" ]
}
