#!/bin/bash
# SPDX-License-Identifier: MIT
# run.sh PROGRAM [ARG...]: runs a test of the MySQL dialect against a MariaDB server of its own. What is said about the binary log is tried
# with a plain log, and with one that is encrypted and has checksums.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

logged=(--log-bin=binlog --binlog-format=ROW --server-id=7)
encrypted=(--binlog-checksum=CRC32 --log-bin-compress=ON --encrypt-binlog=ON --plugin-load-add=file_key_management)

# make_keys: and a certificate, where openssl is.
make_keys()
{
	if openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls.key" -out "$T/tls.crt" -days 2 -subj /CN=here >"$T/openssl.log" 2>&1; then
		chmod 644 "$T/tls.key"
		logged+=("--ssl-cert=$T/tls.crt" "--ssl-key=$T/tls.key")
	fi
	printf '1;%064d\n' 0 >"$T/keys"
	chmod 644 "$T/keys"
	encrypted+=(--file-key-management-filename="$T/keys")
}

# run_on NAME [OPTION...]: the program, with a server that has these options.
run_on()
{
	mariadb_name=$1 start_mariadb "${@:2}"
	VIEWD_TEST_MARIADB=$mariadb_dir ok "${program[0]##*/} ($1)" "${program[@]}"
}

program=("$@")
case ${1##*/} in
*_binlog* | *_look*)
	make_keys
	run_on logged "${logged[@]}"
	run_on encrypted "${logged[@]}" "${encrypted[@]}"
	;;
*_depends* | *_harmless*) run_on logged "${logged[@]}" ;;
*) run_on plain ;;
esac
finish
