#!/bin/bash
# SPDX-License-Identifier: MIT
# The MySQL dialect against MariaDB servers of its own. Arguments: the programs to run (default: all of this directory). What is said
# about the binary log is tried with a plain log, and with one that is encrypted and has checksums.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

# run_on NAME PROGRAM
run_on()
{
	VIEWD_TEST_MARIADB=$mariadb_dir ok "${2##*/} ($1)" "$2"
}

start_mariadb
plain=$mariadb_dir
logged=(--log-bin=binlog --binlog-format=ROW --server-id=7)
if openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/tls.key" -out "$T/tls.crt" -days 2 -subj /CN=here >"$T/openssl.log" 2>&1; then
	chmod 644 "$T/tls.key"
	logged+=("--ssl-cert=$T/tls.crt" "--ssl-key=$T/tls.key")
fi
mariadb_name=logged start_mariadb "${logged[@]}"
log=$mariadb_dir
printf '1;%064d\n' 0 >"$T/keys"
chmod 644 "$T/keys"
mariadb_name=encrypted start_mariadb "${logged[@]}" --binlog-checksum=CRC32 --log-bin-compress=ON --encrypt-binlog=ON \
	--plugin-load-add=file_key_management --file-key-management-filename="$T/keys"
encrypted=$mariadb_dir
[ $# -gt 0 ] || set -- "$VIEWD_BUILD"/tests/mysql/test_my_*
for program; do
	case $program in
	*.o | *.log | *.trs) ;;
	*_binlog* | *_look*)
		mariadb_dir=$log run_on "binary log" "$program"
		mariadb_dir=$encrypted run_on "encrypted binary log" "$program"
		;;
	*_depends* | *_harmless*) mariadb_dir=$log run_on "binary log" "$program" ;;
	*) mariadb_dir=$plain run_on plain "$program" ;;
	esac
done
finish
