#!/bin/sh
# SPDX-License-Identifier: MIT
# The installed contract suite on the dialect that stands here. Arguments go to the suite: -k PATTERN runs some tests.
cd "$(dirname "$0")" || exit 1
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
db=$dir/contract.db
export VIEWD_CONTRACT_PLUGIN="$PWD/viewd_litemini.so"
export VIEWD_CONTRACT_URL="litemini:///$db"
export VIEWD_CONTRACT_SQL="sqlite3 -batch -bail -cmd '.timeout 5000' $db"
export VIEWD_CONTRACT_RESET="rm -f $db*; sqlite3 $db 'PRAGMA journal_mode = wal' >/dev/null"
export VIEWD_CONTRACT_QUOTE='"'
export VIEWD_CONTRACT_LOCK='BEGIN IMMEDIATE'
export VIEWD_CONTRACT_ALIKE='text COLLATE NOCASE'
contract=$(${PKG_CONFIG:-pkg-config} --variable=contract viewd-dialect) || exit 1
"$contract" "$@"
