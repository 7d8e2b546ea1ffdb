# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $T and the like come from lib.sh
#
# lib-mysql.sh: MariaDB servers for lib.sh; MySQL ones in their place where VIEWD_MYSQLBIN names the directory of mysqld
# (tools/other-mysql.sh). What tests say with the word mariadb is then said to MySQL.

family=mariadb
mariadbd=$(PATH=$PATH:/usr/sbin command -v mariadbd)
if [ -n "${VIEWD_MYSQLBIN-}" ]; then
	family=mysql
	mariadbd=$VIEWD_MYSQLBIN/mysqld
fi

# is_mysql: are the servers MySQL's?
is_mysql()
{
	[ $family = mysql ]
}

# Words for which the two families have different ones: the right to ask where the binary log is, statements about it.
# shellcheck disable=SC2034 # for the tests
binlog_monitor='BINLOG MONITOR' reset_binlog='RESET MASTER' show_binlog='SHOW MASTER STATUS'
if is_mysql; then
	# shellcheck disable=SC2034
	binlog_monitor='REPLICATION CLIENT' reset_binlog='RESET BINARY LOGS AND GTIDS' show_binlog='SHOW BINARY LOG STATUS'
fi

# Options of every server. Nothing waits for the disk: what a killed server has written is still in the system's memory.
mysql_own_options=(--skip-networking --innodb-log-file-size=8M --innodb-flush-method=nosync --debug-no-sync --skip-sync-frm)
if is_mysql; then
	mysql_own_options=(--skip-networking --mysqlx=OFF --innodb-redo-log-capacity=16M --innodb-flush-method=nosync --skip-log-bin
		--performance-schema=OFF --secure-file-priv=NULL
		--lc-messages-dir="$VIEWD_MYSQLBIN/../tree/usr/share/mysql" --plugin-dir="$VIEWD_MYSQLBIN/../tree/usr/lib/mysql/plugin")
fi

mariadb_spawn()
{
	# A directory of its own for temporary files: a server that starts removes what others keep in a shared one.
	mkdir -p "$mariadb_dir/tmp"
	[ "$(id -u)" -ne 0 ] || chown mysql: "$mariadb_dir/tmp"
	start_process "$mariadb_dir/server.log" as_user mysql "$mariadbd" --no-defaults --datadir="$mariadb_dir/data" \
		--socket="$mariadb_dir/sock" --tmpdir="$mariadb_dir/tmp" --pid-file="$mariadb_dir/pid" --skip-name-resolve \
		--innodb-buffer-pool-size=32M --innodb-flush-log-at-trx-commit=2 --innodb-use-native-aio=0 \
		--character-set-server=utf8mb4 --lc-messages=en_US "${mysql_own_options[@]}" "$@"
	mariadb_pid=$started
	mariadb_db='' wait_until "sql_mariadb 'SELECT 1'"
}

# initialise DIR: an empty data directory.
initialise()
{
	if is_mysql; then
		as_user mysql "$mariadbd" --no-defaults --initialize-insecure --datadir="$1/data" --tmpdir="$1/tmp" \
			--innodb-use-native-aio=0 "${mysql_own_options[@]}" --innodb-redo-log-capacity=64M
	fi
	as_user mysql mariadb-install-db --no-defaults --datadir="$1/data" --tmpdir="$1/tmp" --skip-test-db \
		--auth-root-authentication-method=normal --innodb-log-file-size=8M --innodb-use-native-aio=0
}

# User viewd@localhost with every right on database shop.
mariadb_make_template()
{
	local mariadb_dir=$1
	mkdir -p "$mariadb_dir/data" "$mariadb_dir/tmp"
	[ "$(id -u)" -ne 0 ] || chown -R mysql: "$mariadb_dir"
	(initialise "$mariadb_dir") || return
	mariadb_spawn || return
	mariadb_db='' sql_mariadb "CREATE DATABASE shop; CREATE USER viewd@localhost; GRANT ALL ON shop.* TO viewd@localhost"
	stop_process "$mariadb_pid"
}

# start_mariadb [SERVER-OPTIONS...]: a server on a unix socket in $mariadb_dir with $mariadb_url (user viewd, database shop);
# no binary log unless asked (--log-bin=binlog). Otherwise as start_pg; $mariadb_name chooses among several.
start_mariadb()
{
	local source
	[ -x "$mariadbd" ] || skip_all "no MariaDB server installed"
	mariadb_dir=$T/${mariadb_name:-mariadb}
	if [ ! -d "$mariadb_dir" ]; then
		source=$(template "$family-$("$mariadbd" -V | sed 's/.*Ver \([0-9.]*\).*/\1/')" mariadb_make_template) ||
			die "MariaDB template cannot be made"
		cp -a "$source" "$mariadb_dir"
		: >"$mariadb_dir/server.log"
		rm -f "$mariadb_dir/data/auto.cnf" # each server has a name of its own
	fi
	mariadb_spawn "$@" || die "MariaDB does not start"
	# shellcheck disable=SC2034 # for the tests
	mariadb_url="mariadb://viewd@/shop?unix_socket=$mariadb_dir/sock"
}

stop_mariadb()
{
	stop_process "$mariadb_pid"
}

kill_mariadb()
{
	stop_process "$mariadb_pid" KILL
}

# sql_mariadb [CLIENT-OPTIONS...] [SQL]: as $mariadb_user (default root) in $mariadb_db (default shop).
sql_mariadb()
{
	local sql=()
	if [ $# -gt 0 ]; then
		sql=(-e "${*: -1}")
		set -- "${@:1:$#-1}"
	fi
	mariadb --no-defaults -NB --socket="$mariadb_dir/sock" -u "${mariadb_user:-root}" --database="${mariadb_db-shop}" \
		"$@" "${sql[@]}"
}
