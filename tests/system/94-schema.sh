#!/bin/bash
# SPDX-License-Identifier: MIT
# The JSON schemas that come with the documentation hold: for what status says of views in many states, and for configurations. What they do not
# name is refused.
. "${VIEWD_SRC:-.}/tests/system/lib.sh" || exit 1
command -v sqlite3 >/dev/null || skip_all "no sqlite3"
python3 -c 'import jsonschema' 2>/dev/null || skip_all "no python3-jsonschema"
docs=$VIEWD_BUILD/docs

# valid SCHEMA: the JSON on standard input is what the schema says; else the reason.
valid()
{
	python3 -c 'import json, sys, jsonschema
schema = json.load(open(sys.argv[1]))
jsonschema.Draft7Validator.check_schema(schema)
for error in jsonschema.Draft7Validator(schema).iter_errors(json.load(sys.stdin)):
    sys.exit("%s: %s" % (list(error.path), error.message))' "$docs/$1" 2>&1
}

# conf_json FILE: its sections as JSON.
conf_json()
{
	python3 -c 'import configparser, json, sys
ini = configparser.ConfigParser(interpolation=None, delimiters="=", inline_comment_prefixes=None, default_section="no defaults")
ini.read(sys.argv[1])
print(json.dumps({s.lower(): dict(ini[s]) for s in ini.sections()}))' "$1"
}

sql_sqlite "$T/app.db" 'CREATE TABLE src (n integer PRIMARY KEY, g integer NOT NULL); INSERT INTO src VALUES (1, 1), (2, 1)'
conf <<-END
	[database app]
	url = sqlite:///$T/app.db

	[view-defaults]
	database = app
	method = table

	[view fresh]
	definition = SELECT n, g FROM src
	on_change = yes
	description = a view
	owner = somebody

	[view kept]
	definition = SELECT g, count(*) AS n FROM src GROUP BY g
	refresh_mode = incremental
	on_change = yes
	every = 1h

	[view above]
	definition = SELECT n FROM fresh
	refresh_group = both

	[view plain]
	method = simple
	definition = SELECT n, random() AS r FROM src

	[view broken]
	definition = SELECT abs(n) AS n FROM src WHERE n > 0
	max_retries = 0

	[view lost]
	definition = SELECT nothing FROM src

	[view off]
	enabled = no
	definition = SELECT n FROM src
END
start_viewd
ok "the views are there" wait_until "is_fresh fresh && is_fresh kept && field_is lost state FAILED"
sql_sqlite "$T/app.db" 'INSERT INTO src VALUES (-9223372036854775808, 2); UPDATE src SET g = 3 WHERE n = 1'
viewctl refresh above --wait >"$T/above.out"
viewctl pause plain >"$T/pause.out"
viewctl --json status >"$T/status.json"
is "there are views in several states" "$(jq -r 'map(.state) | unique | join(" ")' "$T/status.json")" "ACTIVE DISABLED FAILED PAUSED"
is "what status says is what its schema says" "$(valid status.schema.json <"$T/status.json")" ""
is "... and for one view" "$(viewctl --json status kept | valid status.schema.json)" ""
is "... and over the socket" "$(curl -s --unix-socket "$T/control.sock" http://x/v1/status | valid status.schema.json)" ""
is "the fields are those of the contract, in its order" "$(jq -r '.items.required | .[:11] | join(" ")' "$docs/status.schema.json")" \
	"name database relation method refresh_mode state activity trigger action result last_refresh_time"
is "... and the manual has them all" "$(jq -r '.items.required[]' "$docs/status.schema.json" | while read -r f; do
	grep -qx "\.B $f" "$docs/man/viewctl.1" || echo "$f"
done)" ""

# The first of some words stands for null, and is not said.
is "... and says of each list of words what it is" "$(grep -B1 -E '^[A-Za-z_]+,$' "$docs/man/viewctl.1" | grep -A1 -E '\.$' | grep -E ',$')" ""

# A schema that allows everything would be right, too.
like "a field more is refused" "$(jq '.[0].more = 1' "$T/status.json" | valid status.schema.json)" "more"
like "... inside of a source, too" "$(jq '(.[] | select(.name == "fresh") | .sources[0].more) = 1' "$T/status.json" | valid status.schema.json)" "more"
like "... and of an error" "$(jq '(.[] | select(.name == "lost") | .error.more) = 1' "$T/status.json" | valid status.schema.json)" "more"
like "a field less is refused" "$(jq 'del(.[0].rows)' "$T/status.json" | valid status.schema.json)" "rows"
like "another word is refused" "$(jq '.[0].state = "FINE"' "$T/status.json" | valid status.schema.json)" "FINE"
like "another type is refused" "$(jq '.[0].rows = "1"' "$T/status.json" | valid status.schema.json)" "rows"

is "the configuration of this test is what its schema says" "$(conf_json "$T/viewd.conf" | valid viewd.conf.schema.json)" ""
for file in "$VIEWD_SRC"/conf/examples/*/*.conf "$VIEWD_SRC"/conf/examples/viewd.conf; do
	is "... and so is ${file#"$VIEWD_SRC"/}" "$(conf_json "$file" | valid viewd.conf.schema.json)" ""
done
# The sample has every key that there is.
sed 's/^;\(\[.*\]\)$/\1/; s/^;\([a-zA-Z_]* = .*\)/\1/' "$VIEWD_BUILD/conf/viewd.conf.sample" |
	sed 's/_NAME = /_name = /; s/_DIALECT = /_sqlite = /; s/^\[\(database\|view\) NAME\]/[\1 name]/; /^[a-z_]* = $/d' >"$T/sample.conf"
is "... and so is every key of the sample, with its default" "$(conf_json "$T/sample.conf" | valid viewd.conf.schema.json)" ""
ok "... which are many" test "$(conf_json "$T/sample.conf" | jq '[.[] | length] | add')" -gt 40
like "an unknown key is refused" "$(jq -n '{"view v": {refresh_mod: "full"}}' | valid viewd.conf.schema.json)" "refresh_mod"
like "an unknown section is refused" "$(jq -n '{"views": {}}' | valid viewd.conf.schema.json)" "views"
like "an unknown word is refused" "$(jq -n '{"view v": {refresh_mode: "ful"}}' | valid viewd.conf.schema.json)" "ful"
like "a duration without a unit is refused" "$(jq -n '{"view v": {every: "30"}}' | valid viewd.conf.schema.json)" "30"
like "a view's own key is refused in the defaults" "$(jq -n '{"view-defaults": {relation: "x"}}' | valid viewd.conf.schema.json)" "relation"
finish
