#!/bin/bash
# SPDX-License-Identifier: MIT
# The contract suite on MariaDB, as an account that has no more than the manual asks for. Arguments go to the suite (-k PATTERN).
. "${VIEWD_SRC:-.}/tests/system/lib.sh"

plugin=$VIEWD_BUILD/.libs/viewd_mysql.so
[ -e "$plugin" ] || skip_all "the dialect is not built"
start_mariadb
root="mariadb --no-defaults -uroot -S $mariadb_dir/sock"
$root <<-END || die "the account cannot be made"
	CREATE OR REPLACE USER contract@localhost IDENTIFIED BY 'pass word';
	GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, ALTER, INDEX, REFERENCES, TRIGGER, CREATE VIEW, SHOW VIEW,
		CREATE TEMPORARY TABLES ON contract.* TO contract@localhost;
END
cat >"$T/sql" <<-END
	#!/bin/bash
	set -o pipefail
	$root --default-character-set=utf8mb4 --batch --skip-column-names --unbuffered --raw contract | sed -u 's/\\t/|/g; s/NULL//g'
END
chmod +x "$T/sql"
export VIEWD_CONTRACT_PLUGIN=$plugin
export VIEWD_CONTRACT_URL="mysql://contract:pass%20word@/contract?unix_socket=$mariadb_dir/sock"
export VIEWD_CONTRACT_SQL=$T/sql
export VIEWD_CONTRACT_RESET="$root -e 'CREATE OR REPLACE DATABASE contract CHARACTER SET utf8mb4'"
export VIEWD_CONTRACT_QUOTE='`'
export VIEWD_CONTRACT_LOCK='LOCK TABLES held WRITE'
ok "contract on $($root -Ne 'SELECT version()')" "$VIEWD_BUILD/tests/contract/contract" "$@"
finish
