#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on MariaDB, as an account that has no more than the manual asks for; what is about noticing changes once more in
# each way there is. Arguments go to the suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

plugin=$VIEWD_BUILD/.libs/viewd_mysql.so
[ -e "$plugin" ] || skip_all "the dialect is not built"

# Names of tables that viewd has made and that have no primary key: asked before each test throws away what the last one has made.
keyless="SELECT t.TABLE_NAME FROM information_schema.TABLES t LEFT JOIN information_schema.TABLE_CONSTRAINTS k
	ON k.TABLE_SCHEMA = t.TABLE_SCHEMA AND k.TABLE_NAME = t.TABLE_NAME AND k.CONSTRAINT_TYPE = 'PRIMARY KEY'
	WHERE t.TABLE_SCHEMA = 'contract' AND t.TABLE_TYPE = 'BASE TABLE' AND k.CONSTRAINT_NAME IS NULL
	AND (t.TABLE_COMMENT LIKE 'viewd:%' OR t.TABLE_NAME LIKE 'viewd$_%' ESCAPE '$')"

# contract NAME [ARGUMENTS...]: the suite on the server that runs.
contract()
{
	local name=$1 root="mariadb --no-defaults -uroot -S $mariadb_dir/sock"
	shift
	$root <<-END || die "the account cannot be made"
		DROP USER IF EXISTS contract@localhost;
		CREATE USER contract@localhost IDENTIFIED BY 'pass word';
		GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW,
			CREATE TEMPORARY TABLES, CREATE ROUTINE, ALTER ROUTINE, EXECUTE ON contract.* TO contract@localhost;
		GRANT PROCESS, REPLICATION SLAVE, $tells ON *.* TO contract@localhost;
		DROP USER IF EXISTS owner@localhost;
		CREATE USER owner@localhost;
		GRANT ALL ON contract.* TO owner@localhost;
		$owners
	END
	cat >"$T/sql" <<-END
		#!/bin/bash
		set -o pipefail
		mariadb --no-defaults -uowner -S $mariadb_dir/sock ${init[*]@Q} --default-character-set=utf8mb4 --batch --skip-column-names --unbuffered --raw contract | sed -u 's/\\t/|/g; s/NULL//g'
	END
	chmod +x "$T/sql"
	export VIEWD_CONTRACT_URL="mysql://contract:pass%20word@/contract?unix_socket=$mariadb_dir/sock"
	cat >"$T/reset" <<-END
		#!/bin/bash
		$root -Ne "${keyless//$/\\$}; DROP DATABASE IF EXISTS contract; CREATE DATABASE contract CHARACTER SET utf8mb4" >>$T/keyless
	END
	chmod +x "$T/reset"
	: >"$T/keyless"
	export VIEWD_CONTRACT_RESET=$T/reset
	ok "$name on $($root -Ne 'SELECT version()')" "$VIEWD_BUILD/tests/contract/contract" "$@"
	is "all tables of viewd had a primary key" "$(sort -u "$T/keyless" | tr '\n' ' ')" ""
}

tells="BINLOG MONITOR" owners=
if is_mysql; then
	# Tests make tables without keys, whatever viewd is told.
	owners="GRANT SESSION_VARIABLES_ADMIN ON *.* TO owner@localhost;"
	tells="REPLICATION CLIENT"
	export VIEWD_CONTRACT_LACKS="groups incremental"
fi
export VIEWD_CONTRACT_PLUGIN=$plugin
export VIEWD_CONTRACT_SQL=$T/sql
export VIEWD_CONTRACT_QUOTE='`'
export VIEWD_CONTRACT_ALIKE='varchar(20) COLLATE utf8mb4_general_ci'
export VIEWD_CONTRACT_LOCK='LOCK TABLES held WRITE'
export VIEWD_CONTRACT_DURING=refresh:filled
export VIEWD_CONTRACT_BEGINS=yes

# A server as strict as a cluster: keys are wanted, transactions have names, row images are short.
init=()
strict=()
if is_mysql; then
	strict=(--sql-require-primary-key=ON --sql-generate-invisible-primary-key=ON --gtid-mode=ON --enforce-gtid-consistency=ON
		--binlog-row-image=MINIMAL --server-id=7)
fi

mariadb_name=plain start_mariadb
contract "contract" "$@"
stop_mariadb
all=("$@")
[ $# -gt 0 ] || set -- -k capture:
! is_mysql || init=(--init-command="SET SESSION sql_require_primary_key = 0, sql_generate_invisible_primary_key = 0")
mariadb_name=logged start_mariadb --log-bin=binlog --binlog-format=ROW --log-bin-trust-function-creators=ON "${strict[@]}"
! is_mysql || contract "contract, strict" "${all[@]}"
modes="binlog trigger"
[ -z "${VIEWD_LONG-}" ] || modes="$modes poll" # takes minutes: it looks every two seconds
for VIEWD_CONTRACT_CAPTURE in $modes; do
	export VIEWD_CONTRACT_CAPTURE
	contract "capture = $VIEWD_CONTRACT_CAPTURE" "$@"
done
finish
