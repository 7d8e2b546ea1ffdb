# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154 # $pg_dir and the like come from lib.sh
#
# lib-postgresql.sh: the contract suite on a PostgreSQL server that lib.sh has started.

plugin=$VIEWD_BUILD/.libs/viewd_postgresql.so

# contract_on URL [COMMAND]: tells the suite where the database is. COMMAND is run whenever it has been made anew.
contract_on()
{
	# The role's name is also that of the state schema, which "$user" would put in front.
	local client="env PGOPTIONS=-csearch_path=public $pg_client/psql -X -qAt -v ON_ERROR_STOP=1 -h $pg_dir"
	export VIEWD_CONTRACT_PLUGIN=$plugin
	export VIEWD_CONTRACT_URL=$1
	export VIEWD_CONTRACT_SQL="$client -U viewd contract"
	export VIEWD_CONTRACT_RESET="$client -U postgres postgres -c 'DROP DATABASE IF EXISTS contract WITH (FORCE)' \
		-c 'CREATE DATABASE contract OWNER viewd' && $client -U viewd contract \
		-c \"CREATE COLLATION alike (provider = icu, locale = 'und-u-ks-level1', deterministic = false)\"${2:+ && $2}"
	export VIEWD_CONTRACT_QUOTE='"'
	export VIEWD_CONTRACT_STATE=viewd.
	export VIEWD_CONTRACT_ALIKE='text COLLATE alike'
	export VIEWD_CONTRACT_LOCK='BEGIN; LOCK TABLE held IN ACCESS EXCLUSIVE MODE'
	export VIEWD_CONTRACT_REQUEST="SELECT viewd.request_refresh('v')"
	export VIEWD_CONTRACT_DURING=refresh:filled
	export VIEWD_CONTRACT_BEGINS=yes
}
