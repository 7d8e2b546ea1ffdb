# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $T and the like come from lib.sh
#
# lib-group.sh: a group of MySQL servers that replicate to each other (Group Replication) on this machine, for tests that
# have sourced lib.sh. Members are numbered from 1. Only MySQL has it (tools/other-mysql.sh).

group_base=$((10000 + $$ % 560 * 40)) # ports, below those that the system gives to clients
group_name=6a0f7c1e-0000-4000-8000-000000000001
group_dir=()
group_pid=()

need_group()
{
	is_mysql || skip_all "Group Replication is MySQL's"
	[ -e "$VIEWD_MYSQLBIN/../tree/usr/lib/mysql/plugin/group_replication.so" ] || skip_all "this MySQL has no group_replication.so"
}

# sql_on MEMBER [CLIENT-OPTIONS...] SQL: as root.
sql_on()
{
	local mariadb_dir=${group_dir[$1]}
	shift
	sql_mariadb "$@"
}

# member_state MEMBER: what it says of itself: ONLINE, RECOVERING, ERROR, OFFLINE.
member_state()
{
	mariadb_db='' sql_on "$1" "SELECT MEMBER_STATE FROM performance_schema.replication_group_members WHERE MEMBER_ID = @@server_uuid"
}

is_online()
{
	[ "$(member_state "$1")" = ONLINE ]
}

# may_write MEMBER: it is the primary, or one of them.
may_write()
{
	[ "$(mariadb_db='' sql_on "$1" "SELECT @@super_read_only")" = 0 ]
}

member_port()
{
	echo $((group_base + $1 * 10))
}

# start_member MEMBER [SERVER-OPTIONS...]: the server alone; join_group makes it a member.
start_member()
{
	local n=$1 port seeds
	shift
	port=$(member_port "$n")
	seeds=127.0.0.1:$(($(member_port 1) + 1)),127.0.0.1:$(($(member_port 2) + 1)),127.0.0.1:$(($(member_port 3) + 1))
	mariadb_name=member$n start_mariadb --skip-networking=0 --bind-address=127.0.0.1 --port="$port" --report-host=127.0.0.1 --report-port="$port" \
		--performance-schema=ON --server-id="$n" --log-bin=binlog --gtid-mode=ON --enforce-gtid-consistency=ON --log-replica-updates=ON \
		--log-bin-trust-function-creators=ON --plugin-load-add=group_replication.so --loose-group-replication-start-on-boot=OFF \
		--loose-group-replication-group-name=$group_name --loose-group-replication-local-address=127.0.0.1:$((port + 1)) \
		--loose-group-replication-group-seeds="$seeds" --loose-group-replication-recovery-get-public-key=ON "$@"
	group_dir[n]=$mariadb_dir
	group_pid[n]=$mariadb_pid
}

# join_group MEMBER: the first one begins the group. Again after stop or kill.
join_group()
{
	local n=$1 member begins=ON
	for member in "${!group_pid[@]}"; do
		[ "$member" = "$n" ] || ! is_running "${group_pid[member]}" || begins=OFF
	done
	mariadb_db='' sql_on "$n" "SET SESSION sql_log_bin = OFF; CREATE USER IF NOT EXISTS group_member@127.0.0.1 IDENTIFIED BY 'member';
		GRANT REPLICATION SLAVE, BACKUP_ADMIN, CONNECTION_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO group_member@127.0.0.1"
	mariadb_db='' sql_on "$n" "SET GLOBAL group_replication_bootstrap_group = $begins; START GROUP_REPLICATION USER = 'group_member', PASSWORD = 'member';
		SET GLOBAL group_replication_bootstrap_group = OFF" || die "member $n does not join"
	wait_until is_online "$n" || die "member $n is $(member_state "$n")"
}

# member_url MEMBER...: how viewd reaches it, or them in this order.
member_url()
{
	local hosts='' n
	for n; do
		hosts=$hosts,127.0.0.1:$(member_port "$n")
	done
	echo "mysql://viewd:secret@${hosts#,}/shop"
}
