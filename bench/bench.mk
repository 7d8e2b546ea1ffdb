# make bench: what loading, reloading and refreshing cost. Not part of make check: numbers depend on the machine, so they are ratios of
# runs that alternate, or limits with a wide margin.
bench_programs = bench/engine bench/iniload bench/probe bench/ready
bench_scripts = engine load scrape refresh latency writers writers-mariadb writers-sqlite storm idle many tpch keyed shares
EXTRA_PROGRAMS += $(bench_programs) $(engine_benches)
CLEANFILES += $(bench_programs) $(engine_benches)
EXTRA_DIST += bench/README.md bench/lib.sh bench/tpch/indexes.sql bench/tpch/queries.sql bench/tpch/schema.sql $(bench_scripts:%=bench/%.sh)
bench_engine_LDADD = tests/plugins/libfake.la libviewd.la $(TALLOC_LIBS)
bench_iniload_LDADD = $(INIPARSER_LIBS)
bench_iniload_CPPFLAGS = $(AM_CPPFLAGS) $(INIPARSER_CFLAGS)
bench_probe_LDADD =
bench_ready_LDADD =

# A script alone: make bench BENCHES=latency. One that finds no server here says so and is passed over.
.PHONY: bench
bench: viewd viewctl $(bench_programs) $(engine_benches) tests/support/notify tests/plugins/viewd_fake.la
	@for script in $${BENCHES:-$(bench_scripts)}; do \
		VIEWD_SRC='$(abs_top_srcdir)' VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/$$script.sh || [ $$? -eq 77 ] || exit 1; \
	done

# One program an engine (views.c: the dialect's library without the daemon): refreshes through viewd against the same SQL sent by a client, and how soon changes are seen.
engine_benches =
bench_views = bench/views.c bench/views.h
if DIALECT_SQLITE
engine_benches += bench/refresh-sqlite bench/latency-sqlite bench/inserts-sqlite bench/tpch-sqlite bench/changes-sqlite
bench_refresh_sqlite_SOURCES = bench/refresh.c
bench_refresh_sqlite_LDADD = libsqlclient_sqlite.la
bench_latency_sqlite_SOURCES = bench/latency.c
bench_latency_sqlite_LDADD = libsqlclient_sqlite.la
bench_inserts_sqlite_SOURCES = bench/inserts.c
bench_inserts_sqlite_LDADD = libsqlclient_sqlite.la
bench_tpch_sqlite_SOURCES = bench/tpch.c $(bench_views)
bench_tpch_sqlite_LDADD = libsqlclient_sqlite.la libviewd.la $(TALLOC_LIBS) -ldl -lpthread
bench_changes_sqlite_SOURCES = bench/changes.c $(bench_views)
bench_changes_sqlite_LDADD = $(bench_tpch_sqlite_LDADD)
endif
if DIALECT_POSTGRESQL
engine_benches += bench/refresh-postgresql bench/latency-postgresql bench/inserts-postgresql bench/tpch-postgresql bench/changes-postgresql
bench_refresh_postgresql_SOURCES = bench/refresh.c
bench_refresh_postgresql_LDADD = libsqlclient_postgresql.la
bench_latency_postgresql_SOURCES = bench/latency.c
bench_latency_postgresql_LDADD = libsqlclient_postgresql.la
bench_inserts_postgresql_SOURCES = bench/inserts.c
bench_inserts_postgresql_LDADD = libsqlclient_postgresql.la
bench_tpch_postgresql_SOURCES = bench/tpch.c $(bench_views)
bench_tpch_postgresql_LDADD = libsqlclient_postgresql.la libviewd.la $(TALLOC_LIBS) -ldl -lpthread
bench_changes_postgresql_SOURCES = bench/changes.c $(bench_views)
bench_changes_postgresql_LDADD = $(bench_tpch_postgresql_LDADD)
endif
if DIALECT_MYSQL
engine_benches += bench/refresh-mariadb bench/latency-mariadb bench/inserts-mariadb bench/tpch-mariadb bench/changes-mariadb
bench_refresh_mariadb_SOURCES = bench/refresh.c
bench_refresh_mariadb_LDADD = libsqlclient_mariadb.la
bench_latency_mariadb_SOURCES = bench/latency.c
bench_latency_mariadb_LDADD = libsqlclient_mariadb.la
bench_inserts_mariadb_SOURCES = bench/inserts.c
bench_inserts_mariadb_LDADD = libsqlclient_mariadb.la
bench_tpch_mariadb_SOURCES = bench/tpch.c $(bench_views)
bench_tpch_mariadb_LDADD = libsqlclient_mariadb.la libviewd.la $(TALLOC_LIBS) -ldl -lpthread
bench_changes_mariadb_SOURCES = bench/changes.c $(bench_views)
bench_changes_mariadb_LDADD = $(bench_tpch_mariadb_LDADD)
endif
