#!/bin/bash
# SPDX-License-Identifier: MIT
# Servers that talk TLS only, over TCP: a certificate that is verified is enough, one of another authority or for another host, and a
# connection without TLS, are told clearly and not tried over and over, until what was wrong is put right.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

command -v openssl >/dev/null || skip_all "openssl is not installed"

# authority NAME: a self-signed certificate in $T/NAME.crt.
authority()
{
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$T/$1.key" -out "$T/$1.crt" -days 2 -subj "/CN=$1" >>"$T/openssl.log" 2>&1
}
# certificate NAME AUTHORITY SUBJECT-ALT-NAMES
certificate()
{
	openssl req -newkey rsa:2048 -nodes -keyout "$T/$1.key" -out "$T/$1.csr" -subj "/CN=$1" >>"$T/openssl.log" 2>&1 &&
		openssl x509 -req -in "$T/$1.csr" -CA "$T/$2.crt" -CAkey "$T/$2.key" -CAcreateserial -days 2 \
			-extfile <(echo "subjectAltName = $3") -out "$T/$1.crt" >>"$T/openssl.log" 2>&1
}
authority ours && authority theirs && certificate here ours "DNS:localhost,IP:127.0.0.1" && certificate there ours "DNS:elsewhere.invalid" ||
	die "no certificates"
[ "$(id -u)" -ne 0 ] || chown "$(pick postgres mysql '')": "$T"/*.key

for _ in 1 2 3 4 5; do
	port=$((RANDOM % 20000 + 10000)) # below those that are given to connections
	(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
done
case $engine in
postgresql)
	export PGPORT=$port
	options=(-c listen_addresses=127.0.0.1 -c "port=$port" -c ssl=on -c "ssl_cert_file=$T/server.crt" -c "ssl_key_file=$T/server.key")
	;;
mariadb)
	options=(--skip-networking=0 --bind-address=127.0.0.1 "--port=$port" --require-secure-transport=ON "--ssl-cert=$T/server.crt"
		"--ssl-key=$T/server.key")
	;;
esac

# start_with CERTIFICATE: the server, again with that one if it runs.
start_with()
{
	case ${server_pid:+$engine} in
	postgresql) stop_pg ;;
	mariadb) stop_mariadb ;;
	esac
	cp -p "$T/$1.crt" "$T/server.crt"
	cp -p "$T/$1.key" "$T/server.key"
	start_engine "${options[@]}"
}

start_with here
case $engine in
postgresql)
	sql_pg "ALTER ROLE viewd SET search_path = public"
	printf '%s\n' 'local all all trust' 'hostssl shop viewd 127.0.0.1/32 trust' >"$pg_dir/data/pg_hba.conf"
	sql_pg 'SELECT pg_reload_conf()' >"$T/reload.out"
	;;
mariadb) sql_mariadb "CREATE USER viewd@127.0.0.1 REQUIRE SSL; GRANT ALL ON shop.* TO viewd@127.0.0.1" ;;
esac
sql "CREATE TABLE src (n integer PRIMARY KEY)"
# Attempts are counted on the way.
start_process "$T/proxy.log" "$VIEWD_BUILD/tests/support/proxy" tcp:0 "tcp:$port" "$T/proxy"
net()
{
	"$VIEWD_BUILD/tests/support/proxy" -c "$T/proxy" "$@"
}
wait_until net open || die "the proxy does not start"
url=$(pick postgresql mariadb '')://viewd@127.0.0.1:$(net port)/shop
cp "$T/ours.crt" "$T/ca.crt"
conf <<-END_CONF
	[database shop]
	url = $url?$(pick 'sslmode=verify-full&sslrootcert=ca.crt' 'ssl_ca=ca.crt&ssl_verify_server_cert=yes' '')
	[database bare]
	url = $(pick postgresql mariadb '')://viewd@127.0.0.1:$port/shop$(pick '?sslmode=disable' '' '')
	[view followed]
	database = shop
	method = table
	unique_key = n
	on_change = yes
	capture = trigger
	definition = SELECT n FROM src
	[view bare_one]
	database = bare
	definition = SELECT n FROM src
END_CONF

n=0
change()
{
	n=$((n + 1))
	sql "INSERT INTO src VALUES ($n)"
}
follows()
{
	[ "$(sql 'SELECT count(*) FROM followed')" = $n ] && is_fresh followed
}
told()
{
	viewctl --json status "$1" | jq -r '.[0].error | "\(.class) \(.message)"' | grep -qE "$2"
}
# refused NAME TEXT: what is told, and how often it was tried.
refused()
{
	local tried
	ok "$1: told so" wait_until told followed "^auth .*($2)"
	tried=$(net accepted)
	fails "$1: a refresh by hand is told" viewctl refresh followed --wait
	ok "$1: not tried over and over" test $(($(net accepted) - tried)) -le 2
}
again()
{
	change
	ok "$1: a refresh by hand finds it well" wait_until "viewctl refresh followed --wait"
	ok "$1: followed" wait_until follows
}
start_viewd
ok "verified: the view is there" wait_until is_fresh followed
change
ok "verified: followed" wait_until follows
ok "without TLS: told so" wait_until told bare_one "^auth .*$(pick 'no encryption' 'Access denied' '')"

cp "$T/theirs.crt" "$T/ca.crt"
start_with here
refused "another authority" 'certificate verify failed|unable to get local issuer certificate'
cp "$T/ours.crt" "$T/ca.crt"
again "our authority"
start_with there
refused "a certificate for another host" "$(pick 'does not match host name' 'Validation of SSL server certificate failed' '')"
start_with here
again "a certificate for this host"
case $engine in
postgresql) options+=(-c ssl=off) ;;
mariadb) options+=(--skip-ssl --require-secure-transport=OFF) ;;
esac
start_with here
refused "a server without TLS" "$(pick 'server does not support SSL' 'does not (support|offer) it' '')"

# Nothing is verified, but TLS is wanted.
stop_viewd
[ $engine != mariadb ] || sql_mariadb "ALTER USER viewd@127.0.0.1 REQUIRE NONE"
sed -i "s#^url = $url?.*#url = $url?$(pick 'sslmode=require' 'ssl=yes' '')#" "$T/viewd.conf"
start_viewd
ok "a server without TLS: not talked to" wait_until told followed "^auth .*$(pick 'server does not support SSL' 'TLS is wanted' '')"
finish
