#!/bin/bash
# SPDX-License-Identifier: MIT
# A table whose rows are in shards of other names, mostly on other servers: nothing on it tells of their changes. So no
# trigger is made, no counter is believed, and the view is UNKNOWN by name. The list of such tables is a stand-in of the
# same name and columns as that of Citus.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1

start_pg
sql_pg <<-'END_SQL'
	SET allow_system_table_mods = on;
	CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass NOT NULL, partmethod "char" NOT NULL, partkey text,
		colocationid integer NOT NULL DEFAULT 0, repmodel "char" NOT NULL DEFAULT 's', autoconverted boolean NOT NULL DEFAULT false);
	GRANT SELECT ON pg_catalog.pg_dist_partition TO PUBLIC;
	RESET allow_system_table_mods;
	CREATE FUNCTION pg_catalog.citus_truncate_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	SET ROLE viewd;
	CREATE SCHEMA app;
	CREATE TABLE app.spread (id integer PRIMARY KEY, amount integer NOT NULL);
	CREATE TABLE app.plain (id integer PRIMARY KEY, amount integer NOT NULL);
	CREATE TABLE app.later (id integer PRIMARY KEY, amount integer NOT NULL);
	INSERT INTO app.spread VALUES (1, 10); INSERT INTO app.plain VALUES (1, 1); INSERT INTO app.later VALUES (1, 5);
	RESET ROLE;
END_SQL

# spread TABLE: what create_distributed_table leaves in the catalogue.
spread()
{
	sql_pg "INSERT INTO pg_catalog.pg_dist_partition VALUES ('app.$1', 'h', 'id')" &&
		sql_pg "CREATE TRIGGER truncate_trigger_$RANDOM AFTER TRUNCATE ON app.$1 FOR EACH STATEMENT
			EXECUTE FUNCTION pg_catalog.citus_truncate_trigger()"
}
spread spread

view()
{
	printf '[view %s]\ndatabase = shop\nrelation = app.%s\nmethod = table\non_change = yes\n%s\ndefinition = %s\n' "$1" "$1" "$2" "$3"
}
{
	printf '[database shop]\nurl = %s\n' "$pg_url"
	view sum_spread "capture = auto" "SELECT sum(amount) AS n FROM app.spread"
	view sum_trigger "capture = trigger" "SELECT sum(amount) AS n FROM app.spread"
	view sum_poll "capture = poll" "SELECT sum(amount) AS n FROM app.spread"
	view by_key "refresh_mode = auto" "SELECT id, sum(amount) AS n FROM app.spread GROUP BY id"
	view sum_plain "capture = auto" "SELECT sum(amount) AS n FROM app.plain"
	view both "capture = auto" "SELECT sum(p.amount + s.amount) AS n FROM app.plain p JOIN app.spread s USING (id)"
	view sum_later "capture = auto" "SELECT sum(amount) AS n FROM app.later"
} | conf
start_viewd
built()
{
	[ "$(viewctl --json status | jq -r '[.[] | select(.result == "SUCCEEDED")] | length')" = 7 ]
}
ok "all views are made" wait_until built
triggers()
{
	sql_pg "SELECT count(*) FROM pg_trigger WHERE tgrelid = 'app.$1'::regclass AND NOT tgisinternal AND tgname LIKE 'viewd%'"
}
is_set_up()
{
	[ "$(viewctl --json status "$1" | jq -r '.[0] | .freshness, any(.sources[]; .reason == "following it is not set up")' | tr '\n' ' ')" = "UNKNOWN false " ]
}
for v in sum_spread sum_trigger sum_poll by_key both; do
	ok "$v is UNKNOWN" wait_until is_set_up "$v"
	like "... and says why" "$(viewctl why "$v")" "\"spread\", heard by nothing: its rows are in shards"
	is "... in JSON too" "$(viewctl --json status "$v" | jq -r '.[0] | .is_stale, (.sources[] | select(.name | contains("spread")) | .heard_by)')" "null
null"
done
is "no trigger was put on it" "$(triggers spread)" 0
ok "a table that is here is followed as ever" wait_until is_fresh sum_plain
is "... by triggers" "$(viewctl --json status sum_plain | jq -r '.[0].sources[0].heard_by')" trigger
like "one that cannot be incremental says so" "$(viewctl explain by_key)" "in shards"
sql_pg "UPDATE app.spread SET amount = 20"
ok "who waits gets what is there" viewctl wait sum_spread --timeout 30s
is "... now" "$(sql_pg 'SELECT n FROM app.sum_spread')" 20
sql_pg "UPDATE app.plain SET amount = 2"
both_follow()
{
	[ "$(sql_pg 'SELECT n FROM app.both')" = 22 ]
}
ok "what changes here is still heard beside it" wait_until both_follow

# ---- a table becomes one ----
ok "an ordinary table is heard" wait_until is_fresh sum_later
is "... by triggers" "$(viewctl --json status sum_later | jq -r '.[0].sources[0].heard_by')" trigger
spread later
ok "who asks after it was spread is not told that it is fresh" "viewctl wait sum_later --timeout 30s"
ok "... and it is UNKNOWN" wait_until field_is sum_later freshness UNKNOWN
like "... by name" "$(viewctl why sum_later)" "\"later\", heard by nothing: its rows are in shards"
stop_viewd
finish
