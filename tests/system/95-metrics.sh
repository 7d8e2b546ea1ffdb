#!/bin/bash
# SPDX-License-Identifier: MIT
# A real Prometheus scrapes a real daemon: metrics, alert rules, the dashboard's expressions; the address comes and goes with the files.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

# free_port: one that nobody listens on at the moment, below those that the system hands out.
free_port()
{
	local port
	for ((port = 20000 + RANDOM % 10000; ; port++)); do
		(exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
	done
	printf '%s\n' "$port"
}

port=$(free_port)
base=http://127.0.0.1:$port
sql_sqlite "$T/shop.db" 'PRAGMA journal_mode = wal; CREATE TABLE sold (what TEXT, n INTEGER); INSERT INTO sold VALUES (1, 2)' >"$T/sql.out"
configure()
{
	conf <<-END
		[database shop]
		url = sqlite:///$T/shop.db
		$1
		[view totals]
		database = shop
		method = table
		on_change = yes
		max_staleness = 5m
		definition = SELECT what, sum(n) AS n FROM sold GROUP BY what
		[view broken]
		database = shop
		method = table
		max_retries = 0
		definition = SELECT nothing FROM nowhere
	END
	[ -z "${2:-}" ] || sed -i "s|^\[viewd\]|[viewd]\\n$2|" "$T/viewd.conf"
}

answers()
{
	curl -sf -o "$T/answer" "$base${1:-/healthz}"
}

# ---- the address, by the files ----
configure ''
start_viewd
ok "the view is fresh" wait_until is_fresh totals
fails "nobody listens unless asked to" answers
ok "the socket has the same paths" curl -sf -o "$T/answer" --unix-socket "$T/control.sock" http://x/metrics
configure '' "http_listen = 127.0.0.1:$port"
ok "a reload opens the address" viewctl reload
ok "... and it answers" answers
is "... that it is not ready while a view is FAILED" "$(curl -s -o /dev/null -w '%{http_code}' "$base/readyz")" 503
like "a strange Host is refused" "$(curl -s -H 'Host: evil.example' "$base/v1/status")" 'evil.example.*is not served here'
like "a change is refused" "$(curl -s -d '{}' "$base/v1/refresh")" '"class":"usage".*takes GET'
like "what is no HTTP is told so in JSON" "$(curl -s -H "X: $(head -c 20000 /dev/zero | tr '\0' x)" "$base/healthz")" '"error":\{"class":"usage"'

other=$(free_port)
sed "s|$T/control.sock|$T/occupier.sock|; s|127.0.0.1:$port|127.0.0.1:$other|; s|$T/shop.db|$T/elsewhere.db|; s|$T/state|$T/state2|" \
	"$T/viewd.conf" >"$T/occupier.conf"
sql_sqlite "$T/elsewhere.db" 'CREATE TABLE sold (what TEXT, n INTEGER)'
start_process "$T/occupier.log" "$VIEWD_BUILD/viewd" -c "$T/occupier.conf"
occupier=$started
ok "another viewd has another address" wait_until curl -sf -o "$T/answer" "http://127.0.0.1:$other/healthz"
configure '' "http_listen = 127.0.0.1:$other"
exits "a reload to an address in use is refused" 1 viewctl reload
like "... with file, line and key" "$(viewctl reload 2>&1)" \
	"viewd.conf:2: \[viewd\] http_listen: nobody can listen on 127.0.0.1:$other \(Address already in use\)"
ok "... and the old address answers" answers
stop_viewd
start_viewd
ok "at a start it is logged" log_has "viewd.conf:2: \[viewd\] http_listen: nobody can listen on 127.0.0.1:$other .*views are kept"
ok "... and the views are kept" wait_until is_fresh totals
stop_process "$occupier"
configure '' "http_listen = 127.0.0.1:$port"
ok "back to the first address" viewctl reload
ok "... which answers" answers

# ---- the text ----
is "collectors that ask for it get OpenMetrics" \
	"$(curl -s -H 'Accept: application/openmetrics-text' -o "$T/open.txt" -w '%{content_type}' "$base/metrics")" \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"
is "... to its end" "$(tail -n 1 "$T/open.txt")" "# EOF"
like "a failed view is seen" "$(curl -s "$base/metrics")" 'viewd_view_state\{database="shop",view="broken",state="FAILED"\} 1'
if ! command -v promtool >/dev/null || ! command -v prometheus >/dev/null; then
	comment "SKIP: no prometheus installed, so neither promtool nor a scrape nor the dashboard is tried"
	finish
fi
curl -s "$base/metrics" >"$T/metrics.txt"
exits "promtool finds nothing wrong with the metrics" 0 "promtool check metrics <$T/metrics.txt"
ok "promtool finds nothing wrong with the rules" promtool check rules "$VIEWD_SRC/conf/prometheus/viewd.rules.yml"
ok "the rules fire when they should" promtool test rules "$VIEWD_SRC/conf/prometheus/viewd.rules.test.yml"

# ---- a real Prometheus ----
prom=$(free_port)
mkdir "$T/prometheus"
sed "s|127.0.0.1:7432|127.0.0.1:$port|; s|15s|1s|" "$VIEWD_SRC/conf/prometheus/prometheus.yml" >"$T/prometheus/prometheus.yml"
cp "$VIEWD_SRC/conf/prometheus/viewd.rules.yml" "$T/prometheus/"
start_process "$T/prometheus/server.log" prometheus --config.file="$T/prometheus/prometheus.yml" --storage.tsdb.path="$T/prometheus/data" \
	--web.listen-address="127.0.0.1:$prom"

# query EXPRESSION: how many series it yields.
query()
{
	curl -s --data-urlencode "query=$1" "http://127.0.0.1:$prom/api/v1/query" | jq '.data.result | length'
}

has_data()
{
	[ "$(query "$1")" -gt 0 ]
}

write_and_wait()
{
	sql_sqlite "$T/shop.db" 'INSERT INTO sold VALUES (3, 4)'
	viewctl wait totals && has_data "$1"
}

ok "Prometheus scrapes it" wait_until has_data 'up{job="viewd"} == 1'
ok "... and counts what happens" wait_until write_and_wait 'rate(viewd_database_rows_written_total[1m]) > 0'
ok "... by action" wait_until write_and_wait 'rate(viewd_database_runs_total{result="SUCCEEDED"}[1m]) > 0'
is "each view has a lag or is UNKNOWN" "$(query 'viewd_view_freshness unless on (view) viewd_view_lag_seconds unless on (view) viewd_view_freshness{freshness="UNKNOWN"}')" 0
n=0
while IFS= read -r expression; do
	n=$((n + 1))
	expression=${expression//\$database/.*}
	expression=${expression//\$__rate_interval/1m}
	ok "the dashboard's expression $n has data" wait_until has_data "$expression"
done < <(jq -r '.panels[].targets[].expr' "$VIEWD_SRC/conf/grafana/viewd.json")
ok "the dashboard has expressions" test "$n" -gt 15

configure '' 'http_listen = off'
ok "a reload closes the address" viewctl reload
fails "... and nobody answers" answers
ok "Prometheus notices" wait_until has_data 'up{job="viewd"} == 0'
finish
