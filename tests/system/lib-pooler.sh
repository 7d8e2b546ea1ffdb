# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $T and the like come from lib.sh
#
# lib-pooler.sh: pgbouncer in front of PostgreSQL, for tests that have sourced lib.sh.

need_pooler()
{
	PATH=$PATH:/usr/sbin command -v pgbouncer >/dev/null || skip_all "pgbouncer is not installed"
	mkdir -p "$T/pooler"
	printf '"%s" ""\n' viewd postgres >"$T/pooler/users"
	[ "$(id -u)" -ne 0 ] || chown postgres: "$T/pooler"
}

# pooler_files MODE HOST: what pgbouncer reads.
pooler_files()
{
	cat >"$T/pooler/ini" <<-END
		[databases]
		* = host=$2
		[pgbouncer]
		listen_addr =
		unix_socket_dir = $T/pooler
		auth_type = trust
		auth_file = $T/pooler/users
		pool_mode = $1
		default_pool_size = 12
		server_login_retry = 0.1
		ignore_startup_parameters = options
	END
}

start_pooler()
{
	pooler_files "$@"
	start_process "$T/pooler/server.log" as_user postgres env PATH="$PATH:/usr/sbin" pgbouncer "$T/pooler/ini"
	pooler_pid=$started
	wait_until "$pg_client/pg_isready" -q -h "$T/pooler" -p 6432
}

stop_pooler()
{
	stop_process "$pooler_pid" KILL
	rm -f "$T/pooler/.s.PGSQL.6432"*
}

# pooled SQL: as an application behind the pooler.
pooled()
{
	"$pg_client/psql" -X -qAt -v ON_ERROR_STOP=1 -h "$T/pooler" -p 6432 -U viewd -d shop -c "$1"
}
