#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on MariaDB, as an account that has no more than the manual asks for; what is about noticing changes once more in
# each way there is. Arguments go to the suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh"

plugin=$VIEWD_BUILD/.libs/viewd_mysql.so
[ -e "$plugin" ] || skip_all "the dialect is not built"

# contract NAME [ARGUMENTS...]: the suite on the server that runs.
contract()
{
	local name=$1 root="mariadb --no-defaults -uroot -S $mariadb_dir/sock"
	shift
	$root <<-END || die "the account cannot be made"
		CREATE OR REPLACE USER contract@localhost IDENTIFIED BY 'pass word';
		GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW,
			CREATE TEMPORARY TABLES, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON contract.* TO contract@localhost;
		GRANT PROCESS, REPLICATION SLAVE, BINLOG MONITOR ON *.* TO contract@localhost;
	END
	cat >"$T/sql" <<-END
		#!/bin/bash
		set -o pipefail
		$root --default-character-set=utf8mb4 --batch --skip-column-names --unbuffered --raw contract | sed -u 's/\\t/|/g; s/NULL//g'
	END
	chmod +x "$T/sql"
	export VIEWD_CONTRACT_URL="mysql://contract:pass%20word@/contract?unix_socket=$mariadb_dir/sock"
	export VIEWD_CONTRACT_RESET="$root -e 'CREATE OR REPLACE DATABASE contract CHARACTER SET utf8mb4'"
	ok "$name on $($root -Ne 'SELECT version()')" "$VIEWD_BUILD/tests/contract/contract" "$@"
}

export VIEWD_CONTRACT_PLUGIN=$plugin
export VIEWD_CONTRACT_SQL=$T/sql
export VIEWD_CONTRACT_QUOTE='`'
export VIEWD_CONTRACT_ALIKE='varchar(20) COLLATE utf8mb4_general_ci'
export VIEWD_CONTRACT_LOCK='LOCK TABLES held WRITE'
export VIEWD_CONTRACT_DURING=refresh:filled
export VIEWD_CONTRACT_BEGINS=yes

mariadb_name=plain start_mariadb
contract "contract" "$@"
stop_mariadb
[ $# -gt 0 ] || set -- -k capture:
mariadb_name=logged start_mariadb --log-bin=binlog --binlog-format=ROW --log-bin-trust-function-creators=ON
modes="binlog trigger"
[ -z "${VIEWD_LONG-}" ] || modes="$modes poll" # takes minutes: it looks every two seconds
for VIEWD_CONTRACT_CAPTURE in $modes; do
	export VIEWD_CONTRACT_CAPTURE
	contract "capture = $VIEWD_CONTRACT_CAPTURE" "$@"
done
finish
