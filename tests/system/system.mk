# tests: system/system

# The same on every engine: NN-name.sh becomes one test an engine, NN-name-ENGINE.sh.
engine_scripts = \
	tests/system/10-shop.sh \
	tests/system/11-league.sh
engine_tests = \
	tests/system/10-shop-sqlite.sh tests/system/10-shop-postgresql.sh tests/system/10-shop-mariadb.sh \
	tests/system/11-league-sqlite.sh tests/system/11-league-postgresql.sh tests/system/11-league-mariadb.sh

$(engine_tests): Makefile
	@$(MKDIR_P) tests/system
	@name='$@'; engine=$${name##*-}; \
	printf '#!/bin/sh\nengine=%s\nexport engine\nexec "$$VIEWD_SRC/%s.sh"\n' "$${engine%.sh}" "$${name%-*}" >$@
	@chmod +x $@

TESTS += $(engine_tests)
CLEANFILES += $(engine_tests)
EXTRA_DIST += $(engine_scripts) tests/system/engine.sh

# The examples are tested, so they are shipped and checked together.
examples = \
	conf/examples/viewd.conf \
	conf/examples/shop/shop.conf conf/examples/shop/category_stats.sql conf/examples/shop/seed.sql \
	conf/examples/shop/schema-postgresql.sql conf/examples/shop/schema-mysql.sql conf/examples/shop/schema-sqlite.sql \
	conf/examples/league/league.conf conf/examples/league/leaderboard-postgresql.sql \
	conf/examples/league/leaderboard-mysql.sql conf/examples/league/leaderboard-sqlite.sql \
	conf/examples/league/schema-postgresql.sql conf/examples/league/schema-mysql.sql \
	conf/examples/league/schema-sqlite.sql conf/examples/league/seed-postgresql.sql \
	conf/examples/league/seed-mysql.sql conf/examples/league/seed-sqlite.sql
EXTRA_DIST += $(examples)
