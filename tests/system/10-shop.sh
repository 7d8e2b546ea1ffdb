#!/bin/bash
# SPDX-License-Identifier: MIT
# sanitizers: yes
# The shop example: figures per category are right after every step and become right without anybody asking.
. "${VIEWD_SRC:-.}/tests/system/lib-engine.sh" || exit 1

start_engine
sql <"$examples/shop/schema-$dialect.sql"
sql <"$examples/shop/seed.sql"
cp -r "$examples/shop" "$T/shop"

# Without on_change first, so that nothing becomes fresh by itself.
sed -i -E '/^(on_change|max_staleness) = /d' "$T/shop/shop.conf"
configure()
{
	{
		printf '[viewd]\ncontrol_socket = %s\nplugin_dir = %s\nstate_dir = %s\ninclude = shop/shop.conf\n\n' \
			"$T/control.sock" "$VIEWD_BUILD/.libs" "$T/state"
		printf '[database shop]\nurl = %s\n' "$db_url"
	} >"$T/viewd.conf"
}
configure
number=$(pick 'round(%s::numeric, 2)' 'round(%s, 2)' "printf('%%.2f', %s)")
figures="SELECT category, product_count"
for column in avg_price min_price max_price; do
	# shellcheck disable=SC2059 # the format is ours
	figures="$figures, $(printf "$number" $column)"
done
figures="$figures FROM category_stats ORDER BY category"
others='Books|2|42.99|39.99|45.99
Clothing|2|39.99|19.99|59.99
'
kitchen='
Kitchen|2|69.99|49.99|89.99'

start_viewd
ok "the view becomes fresh" wait_until is_fresh category_stats
rows_are "seed: four categories" "$figures" "${others}Electronics|3|526.66|79.99|999.99$kitchen"
is "the stored rows equal the definition" "$(viewctl verify category_stats >/dev/null && echo yes)" yes
like "the declared index exists" "$(sql "$(pick \
	"SELECT indexdef FROM pg_indexes WHERE tablename = 'category_stats'" \
	"SELECT column_name FROM information_schema.statistics WHERE table_name = 'category_stats'" \
	"SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'category_stats'")")" product_count

sql "INSERT INTO products (name, category, price, in_stock) VALUES ('New Product', 'Electronics', 199.99, $(pick true true 1))"
ok "refresh --wait succeeds" viewctl refresh category_stats --wait
rows_are "a new product" "$figures" "${others}Electronics|4|444.99|79.99|999.99$kitchen"

sql "UPDATE products SET in_stock = $(pick false false 0) WHERE name = 'Laptop'"
rows_are "a change made past the application: still the old figures" "$figures" \
	"${others}Electronics|4|444.99|79.99|999.99$kitchen"
fails "verify sees the difference" viewctl verify category_stats
ok "refresh --wait succeeds again" viewctl refresh category_stats --wait
rows_are "and the figures are right" "$figures" "${others}Electronics|3|259.99|79.99|499.99$kitchen"

cp "$examples/shop/shop.conf" "$T/shop/shop.conf"
ok "the example as it is is put in force" viewctl reload
sql "DELETE FROM products WHERE category = 'Books'"
rows_become "a category disappears by itself" "$figures" "Clothing|2|39.99|19.99|59.99
Electronics|3|259.99|79.99|499.99$kitchen"
sql "UPDATE products SET price = 20.01 WHERE name = 'Jeans'"
rows_become "a price edited by hand arrives by itself" "$figures" "Clothing|2|20.00|19.99|20.01
Electronics|3|259.99|79.99|499.99$kitchen"

# As a table whose rows are compared: what is not different is not written.
sed -i 's/^method = .*/method = table\nrefresh_mode = diff/' "$T/shop/shop.conf"
ok "refresh_mode = diff is put in force" viewctl reload
ok "the table is fresh" viewctl refresh category_stats --wait
sql "UPDATE products SET price = 20.03 WHERE name = 'Jeans'"
rows_become "a diff brings the change" "$figures" "Clothing|2|20.01|19.99|20.03
Electronics|3|259.99|79.99|499.99$kitchen"
ok "it was a diff" wait_until field_is category_stats action DIFF
is "one row was written, in place of another" "$(field category_stats rows_written)" 2
viewctl refresh category_stats --wait >/dev/null
is "nothing changed: nothing is written" "$(field category_stats action) $(field category_stats rows_written)" "NO_DATA 0"
sed -i '/^unique_key/d' "$T/shop/shop.conf"
like "without a key it is refused at load" "$(viewctl reload 2>&1)" "a diff finds rows by their unique_key, and none is set"
ok "the status tells of success" field_is category_stats result SUCCEEDED
stop_viewd
is "viewd stops in order" $? 0
finish
