# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $T and the like come from lib.sh
#
# lib-galera.sh: a Galera cluster on this machine, for tests that have sourced lib.sh. Nodes are numbered from 1.

galera_provider=/usr/lib/galera/libgalera_smm.so
galera_base=$((10000 + $$ % 560 * 40)) # ports, below those that the system gives to clients
galera_dir=()
galera_pid=()

need_galera()
{
	! is_mysql || skip_all "Galera is MariaDB's"
	[ -e $galera_provider ] || skip_all "no galera-4 installed"
	command -v rsync >/dev/null || skip_all "no rsync, by which a node gets its first contents"
}

# sql_on NODE [CLIENT-OPTIONS...] SQL: as root.
sql_on()
{
	local mariadb_dir=${galera_dir[$1]}
	shift
	sql_mariadb "$@"
}

# synced NODE: it takes statements.
synced()
{
	[ "$(mariadb_db='' sql_on "$1" "SHOW STATUS LIKE 'wsrep_local_state_comment'" | cut -f2)" = Synced ]
}

# start_node NODE [SERVER-OPTIONS...]: the first one begins the cluster, others join it. Again after stop or kill.
start_node()
{
	local n=$1 port address=gcomm:// member
	shift
	port=$((galera_base + n * 10))
	for member in "${!galera_pid[@]}"; do
		[ "$member" = "$n" ] || ! is_running "${galera_pid[member]}" || address=gcomm://127.0.0.1:$((galera_base + member * 10))
	done
	mariadb_name=node$n start_mariadb --wsrep-on=ON --wsrep-provider=$galera_provider --wsrep-cluster-name=test --wsrep-cluster-address=$address \
		--wsrep-node-name="node$n" --wsrep-node-address=127.0.0.1:$port --server-id="$n" --log-bin-trust-function-creators=ON --binlog-format=ROW --innodb-autoinc-lock-mode=2 \
		--wsrep-sst-method=rsync --wsrep-sst-receive-address=127.0.0.1:$((port + 3)) \
		--wsrep-provider-options="base_port=$port;gmcast.listen_addr=tcp://127.0.0.1:$port;ist.recv_addr=127.0.0.1:$((port + 2));gcache.size=16M" "$@"
	galera_dir[n]=$mariadb_dir
	galera_pid[n]=$mariadb_pid
	wait_until synced "$n" || die "node $n does not join"
}

# start_listening NODE [SERVER-OPTIONS...]: such a node that is reached by a port as well, so that one URL can name several.
start_listening()
{
	local n=$1
	shift
	start_node "$n" --skip-networking=0 --bind-address=127.0.0.1 --port="$(node_port "$n")" "$@"
}
node_port()
{
	echo $((galera_base + $1 * 10 + 5))
}

# node_url NODE: how viewd reaches it.
node_url()
{
	echo "mariadb://viewd@/shop?unix_socket=${galera_dir[$1]}/sock"
}
