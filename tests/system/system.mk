# tests: system/system

# The same on every engine: NN-name.sh becomes one test an engine, NN-name-ENGINE.sh.
engine_scripts = \
	tests/system/10-shop.sh \
	tests/system/11-league.sh \
	tests/system/15-import.sh \
	tests/system/16-doctor.sh \
	tests/system/18-drop.sh \
	tests/system/19-plan.sh \
	tests/system/20-faults.sh \
	tests/system/21-network.sh \
	tests/system/22-server.sh \
	tests/system/23-limits.sh \
	tests/system/24-changes.sh \
	tests/system/25-host.sh \
	tests/system/27-tls.sh \
	tests/system/30-readers.sh \
	tests/system/35-group.sh \
	tests/system/40-crash.sh \
	tests/system/45-two.sh \
	tests/system/46-late.sh \
	tests/system/47-onesource.sh \
	tests/system/48-wait.sh \
	tests/system/50-reload.sh \
	tests/system/61-hostile.sh \
	tests/system/70-lifecycle.sh \
	tests/system/71-grants.sh \
	tests/system/75-leave.sh \
	tests/system/76-emptied.sh \
	tests/system/77-returned.sh \
	tests/system/78-adopt.sh \
	tests/system/79-renamed.sh \
	tests/system/80-deps.sh \
	tests/system/81-orphans.sh \
	tests/system/82-matrix.sh \
	tests/system/83-why.sh \
	tests/system/84-explain.sh \
	tests/system/86-incremental.sh \
	tests/system/87-refused.sh \
	tests/system/89-staleness.sh \
	tests/system/68-without.sh
engine_tests = \
	tests/system/10-shop-sqlite.sh tests/system/10-shop-postgresql.sh tests/system/10-shop-mariadb.sh \
	tests/system/11-league-sqlite.sh tests/system/11-league-postgresql.sh tests/system/11-league-mariadb.sh \
	tests/system/15-import-sqlite.sh tests/system/15-import-postgresql.sh tests/system/15-import-mariadb.sh \
	tests/system/16-doctor-sqlite.sh tests/system/16-doctor-postgresql.sh tests/system/16-doctor-mariadb.sh \
	tests/system/18-drop-sqlite.sh tests/system/18-drop-postgresql.sh tests/system/18-drop-mariadb.sh \
	tests/system/19-plan-sqlite.sh tests/system/19-plan-postgresql.sh tests/system/19-plan-mariadb.sh \
	tests/system/20-faults-sqlite.sh tests/system/20-faults-postgresql.sh tests/system/20-faults-mariadb.sh \
	tests/system/21-network-postgresql.sh tests/system/21-network-mariadb.sh \
	tests/system/22-server-postgresql.sh tests/system/22-server-mariadb.sh \
	tests/system/23-limits-postgresql.sh tests/system/23-limits-mariadb.sh \
	tests/system/24-changes-sqlite.sh tests/system/24-changes-postgresql.sh tests/system/24-changes-mariadb.sh \
	tests/system/25-host-sqlite.sh tests/system/25-host-postgresql.sh tests/system/25-host-mariadb.sh \
	tests/system/27-tls-postgresql.sh tests/system/27-tls-mariadb.sh \
	tests/system/30-readers-sqlite.sh tests/system/30-readers-postgresql.sh tests/system/30-readers-mariadb.sh \
	tests/system/35-group-sqlite.sh tests/system/35-group-postgresql.sh tests/system/35-group-mariadb.sh \
	tests/system/40-crash-sqlite.sh tests/system/40-crash-postgresql.sh tests/system/40-crash-mariadb.sh \
	tests/system/45-two-sqlite.sh tests/system/45-two-postgresql.sh tests/system/45-two-mariadb.sh \
	tests/system/46-late-postgresql.sh tests/system/46-late-mariadb.sh \
	tests/system/47-onesource-sqlite.sh tests/system/47-onesource-postgresql.sh tests/system/47-onesource-mariadb.sh \
	tests/system/48-wait-sqlite.sh tests/system/48-wait-postgresql.sh tests/system/48-wait-mariadb.sh \
	tests/system/50-reload-sqlite.sh tests/system/50-reload-postgresql.sh tests/system/50-reload-mariadb.sh \
	tests/system/61-hostile-sqlite.sh tests/system/61-hostile-postgresql.sh tests/system/61-hostile-mariadb.sh \
	tests/system/70-lifecycle-sqlite.sh tests/system/70-lifecycle-postgresql.sh tests/system/70-lifecycle-mariadb.sh \
	tests/system/71-grants-sqlite.sh tests/system/71-grants-postgresql.sh tests/system/71-grants-mariadb.sh \
	tests/system/75-leave-sqlite.sh tests/system/75-leave-postgresql.sh tests/system/75-leave-mariadb.sh \
	tests/system/76-emptied-sqlite.sh tests/system/76-emptied-postgresql.sh tests/system/76-emptied-mariadb.sh \
	tests/system/77-returned-sqlite.sh tests/system/77-returned-postgresql.sh tests/system/77-returned-mariadb.sh \
	tests/system/78-adopt-sqlite.sh tests/system/78-adopt-postgresql.sh tests/system/78-adopt-mariadb.sh \
	tests/system/79-renamed-sqlite.sh tests/system/79-renamed-postgresql.sh tests/system/79-renamed-mariadb.sh \
	tests/system/80-deps-sqlite.sh tests/system/80-deps-postgresql.sh tests/system/80-deps-mariadb.sh \
	tests/system/81-orphans-sqlite.sh tests/system/81-orphans-postgresql.sh tests/system/81-orphans-mariadb.sh \
	tests/system/82-matrix-sqlite.sh tests/system/82-matrix-postgresql.sh tests/system/82-matrix-mariadb.sh \
	tests/system/83-why-sqlite.sh tests/system/83-why-postgresql.sh tests/system/83-why-mariadb.sh \
	tests/system/84-explain-sqlite.sh tests/system/84-explain-postgresql.sh tests/system/84-explain-mariadb.sh \
	tests/system/86-incremental-sqlite.sh tests/system/86-incremental-postgresql.sh \
	tests/system/86-incremental-mariadb.sh \
	tests/system/87-refused-sqlite.sh tests/system/87-refused-postgresql.sh tests/system/87-refused-mariadb.sh \
	tests/system/89-staleness-sqlite.sh tests/system/89-staleness-postgresql.sh tests/system/89-staleness-mariadb.sh \
	tests/system/68-without-postgresql.sh tests/system/68-without-mariadb.sh

$(engine_tests): Makefile
	@$(MKDIR_P) tests/system
	@name='$@'; engine=$${name##*-}; \
	printf '#!/bin/sh\nengine=%s\nexport engine\nexec "$$VIEWD_SRC/%s.sh"\n' "$${engine%.sh}" "$${name%-*}" >$@
	@chmod +x $@

TESTS += $(engine_tests)
CLEANFILES += $(engine_tests)
EXTRA_DIST += $(engine_scripts) tests/system/82-matrix-postgresql.rows tests/system/82-matrix-mariadb.rows tests/system/82-matrix-sqlite.rows \
	tests/system/lib-browser.sh tests/system/lib-engine.sh tests/system/lib-faults.sh tests/system/lib-galera.sh tests/system/lib-group.sh tests/system/lib-pooler.sh

# Random writers against everything that may go wrong: SQLite in make check, all engines in make check-long.
model_tests = tests/model/model-sqlite.sh tests/model/model-postgresql.sh tests/model/model-mariadb.sh
$(model_tests): Makefile
	@$(MKDIR_P) tests/model
	@name='$@'; engine=$${name##*-}; \
	printf '#!/bin/sh\nengine=%s\nexport engine\nexec "$$VIEWD_SRC/tests/model/model.sh"\n' "$${engine%.sh}" >$@
	@chmod +x $@
TESTS += tests/model/model-sqlite.sh
CLEANFILES += $(model_tests)
EXTRA_DIST += tests/model/model.sh tests/model/ddl.sh tests/model/writers.sh

# Views of many shapes, refreshed incrementally and compared by bytes.
shapes_tests =
shapes_sources = tests/model/shapes/compare.c tests/model/shapes/files.c tests/model/shapes/main.c \
	tests/model/shapes/run.c tests/model/shapes/shapes.h tests/model/shapes/world.c tests/model/shapes/writes.c
EXTRA_DIST += tests/model/shapes/shapes.sh tests/model/shapes/shapes.tables tests/model/shapes/shapes.views \
	tests/model/shapes/shapes.writes
if DIALECT_SQLITE
shapes_tests += tests/model/shapes-sqlite.sh
check_PROGRAMS += tests/model/shapes-sqlite
tests_model_shapes_sqlite_SOURCES = $(shapes_sources)
tests_model_shapes_sqlite_LDADD = libsqlclient_sqlite.la libviewd.la $(TALLOC_LIBS) -ldl -lpthread
endif
if DIALECT_POSTGRESQL
shapes_tests += tests/model/shapes-postgresql.sh
check_PROGRAMS += tests/model/shapes-postgresql
tests_model_shapes_postgresql_SOURCES = $(shapes_sources)
tests_model_shapes_postgresql_LDADD = libsqlclient_postgresql.la libviewd.la $(TALLOC_LIBS) -ldl -lpthread
endif
if DIALECT_MYSQL
shapes_tests += tests/model/shapes-mariadb.sh
check_PROGRAMS += tests/model/shapes-mariadb
tests_model_shapes_mariadb_SOURCES = $(shapes_sources)
tests_model_shapes_mariadb_LDADD = libsqlclient_mariadb.la libviewd.la $(TALLOC_LIBS) -ldl -lpthread
endif
$(shapes_tests): Makefile
	@$(MKDIR_P) tests/model
	@name='$@'; engine=$${name##*-}; \
	printf '#!/bin/sh\nengine=%s\nexport engine\nexec "$$VIEWD_SRC/tests/model/shapes/shapes.sh"\n' "$${engine%.sh}" >$@
	@chmod +x $@
TESTS += $(shapes_tests)
CLEANFILES += $(shapes_tests)

# Writers, and kills of whatever there is, against incremental views: in make check-long.
fire_tests =
EXTRA_DIST += tests/model/fire/fire.sh tests/model/fire/fire.tables tests/model/fire/fire.writes
if DIALECT_SQLITE
fire_tests += tests/model/fire-sqlite.sh
check_PROGRAMS += tests/model/fire-sqlite tests/model/waits-sqlite
tests_model_fire_sqlite_SOURCES = tests/model/fire/writer.c
tests_model_fire_sqlite_LDADD = libsqlclient_sqlite.la
tests_model_waits_sqlite_SOURCES = tests/model/fire/waits.c
tests_model_waits_sqlite_LDADD = libsqlclient_sqlite.la
endif
if DIALECT_POSTGRESQL
fire_tests += tests/model/fire-postgresql.sh
check_PROGRAMS += tests/model/fire-postgresql tests/model/waits-postgresql
tests_model_fire_postgresql_SOURCES = tests/model/fire/writer.c
tests_model_fire_postgresql_LDADD = libsqlclient_postgresql.la
tests_model_waits_postgresql_SOURCES = tests/model/fire/waits.c
tests_model_waits_postgresql_LDADD = libsqlclient_postgresql.la
endif
if DIALECT_MYSQL
fire_tests += tests/model/fire-mariadb.sh
check_PROGRAMS += tests/model/fire-mariadb tests/model/waits-mariadb
tests_model_fire_mariadb_SOURCES = tests/model/fire/writer.c
tests_model_fire_mariadb_LDADD = libsqlclient_mariadb.la
tests_model_waits_mariadb_SOURCES = tests/model/fire/waits.c
tests_model_waits_mariadb_LDADD = libsqlclient_mariadb.la
endif
$(fire_tests): Makefile
	@$(MKDIR_P) tests/model
	@name='$@'; engine=$${name##*-}; \
	printf '#!/bin/sh\nengine=%s\nexport engine\nexec "$$VIEWD_SRC/tests/model/fire/fire.sh"\n' "$${engine%.sh}" >$@
	@chmod +x $@
CLEANFILES += $(fire_tests)

# A cluster of three nodes under fire: in make check-long.
EXTRA_DIST += tests/model/galera/galera.sh
cluster_tests =
if DIALECT_MYSQL
cluster_tests += tests/model/galera/galera.sh
check_PROGRAMS += tests/model/galera-client
tests_model_galera_client_SOURCES = tests/model/galera/client.c
tests_model_galera_client_LDADD = libsqlclient_mariadb.la
endif

# Tests that have one form only.
system_tests = \
	tests/system/12-demo.sh \
	tests/system/13-install.sh \
	tests/system/14-user.sh \
	tests/system/17-guides.sh \
	tests/system/26-files.sh \
	tests/system/28-pooler.sh \
	tests/system/29-version.sh \
	tests/system/31-lease-postgresql.sh \
	tests/system/49-failover.sh \
	tests/system/60-badinput.sh \
	tests/system/63-watch-mariadb.sh \
	tests/system/64-look-mariadb.sh \
	tests/system/65-keys-mariadb.sh \
	tests/system/66-balancer-galera.sh tests/system/66-commits-galera.sh tests/system/66-crowded-galera.sh \
	tests/system/66-galera.sh tests/system/66-group.sh \
	tests/system/66-shards-postgresql.sh tests/system/66-writers-galera.sh \
	tests/system/67-hidden-mariadb.sh tests/system/67-prepared.sh \
	tests/system/69-cluster-mariadb.sh \
	tests/system/69-positions-mariadb.sh \
	tests/system/69-silence-mariadb.sh \
	tests/system/32-standby-postgresql.sh tests/system/33-standby-lines-postgresql.sh \
	tests/system/34-restored-sqlite.sh tests/system/62-answers.sh \
	tests/system/85-outside.sh \
	tests/system/88-unflushed.sh \
	tests/system/90-control.sh \
	tests/system/91-hooks.sh \
	tests/system/92-log.sh \
	tests/system/93-failure.sh \
	tests/system/93-unit.sh \
	tests/system/94-schema.sh \
	tests/system/95-metrics.sh \
	tests/system/96-page.sh \
	tests/system/97-graph.sh \
	tests/system/98-terminal.sh \
	tests/system/99-escapes.sh
TESTS += $(system_tests)
EXTRA_DIST += $(system_tests) tools/demo.sh tools/screenshots.sh

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

# A client, one library an engine, and one in a tight loop.
sqlclient_sources = tests/support/sqlclient.c tests/support/sqlclient.h
if DIALECT_SQLITE
check_LTLIBRARIES += libsqlclient_sqlite.la
libsqlclient_sqlite_la_SOURCES = $(sqlclient_sources) tests/support/sqlclient_sqlite.c
libsqlclient_sqlite_la_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
libsqlclient_sqlite_la_LIBADD = $(SQLITE_LIBS)
check_PROGRAMS += tests/support/reader-sqlite
tests_support_reader_sqlite_SOURCES = tests/support/reader.c
tests_support_reader_sqlite_LDADD = libsqlclient_sqlite.la
endif
if DIALECT_POSTGRESQL
check_LTLIBRARIES += libsqlclient_postgresql.la
libsqlclient_postgresql_la_SOURCES = $(sqlclient_sources) tests/support/sqlclient_postgresql.c
libsqlclient_postgresql_la_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
libsqlclient_postgresql_la_LIBADD = $(PQ_LIBS)
check_PROGRAMS += tests/support/reader-postgresql
tests_support_reader_postgresql_SOURCES = tests/support/reader.c
tests_support_reader_postgresql_LDADD = libsqlclient_postgresql.la
endif
if DIALECT_MYSQL
check_LTLIBRARIES += libsqlclient_mariadb.la
libsqlclient_mariadb_la_SOURCES = $(sqlclient_sources) tests/support/sqlclient_mysql.c
libsqlclient_mariadb_la_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
libsqlclient_mariadb_la_LIBADD = $(MYSQL_LIBS)
check_PROGRAMS += tests/support/reader-mariadb
tests_support_reader_mariadb_SOURCES = tests/support/reader.c
tests_support_reader_mariadb_LDADD = libsqlclient_mariadb.la
endif

# The long form of the tests that have one: more rounds, more data.
.PHONY: check-long
check-long: $(model_tests) $(fire_tests)
	VIEWD_LONG=1 $(MAKE) check TESTS="`printf '%s\n' $(TESTS) $(model_tests) $(fire_tests) $(cluster_tests) | grep -E '^tests/(system|postgresql|mysql|contract|model|unit/core/test_model)' | \
		sort -u | tr '\n' ' '`" SH_LOG_COMPILER='$(srcdir)/tests/support/timed 3600' LOG_COMPILER='$(srcdir)/tests/support/timed 3600'
	$(MAKE) fuzz
	[ -e $(srcdir)/config.status ] || VIEWD_CHECK_DIR='$(abs_builddir)/sanitized' $(srcdir)/tools/check.sh --no-deps --stage servers
	VIEWD_ARM64_DIR='$(abs_builddir)/arm64' $(srcdir)/tools/cross-arm64.sh || [ $$? -eq 77 ]

# A bad network.
check_PROGRAMS += tests/support/proxy
tests_support_proxy_SOURCES = tests/support/proxy.c tests/support/proxy.h tests/support/proxy_address.c tests/support/proxy_link.c
tests_support_proxy_LDADD =
EXTRA_DIST += tests/support/balancer.py tests/support/proxy.sh tests/support/refuser.py tests/support/short_answers.py tests/FAULTS.md
