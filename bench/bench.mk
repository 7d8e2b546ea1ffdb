# make bench: what loading, reloading and refreshing cost. Not part of make check: numbers depend on the machine, so they are ratios of
# runs that alternate, or limits with a wide margin.
bench_programs = bench/engine bench/iniload bench/probe bench/ready
bench_scripts = engine load refresh latency writers writers-mariadb writers-sqlite storm idle
EXTRA_PROGRAMS += $(bench_programs) $(engine_benches)
CLEANFILES += $(bench_programs) $(engine_benches)
EXTRA_DIST += bench/README.md bench/lib.sh $(bench_scripts:%=bench/%.sh)
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

# One program an engine: refreshes through viewd against the same SQL sent by a client, and how soon changes are seen.
engine_benches =
inserts_sources = bench/inserts.c tests/support/sqlclient.c tests/support/sqlclient.h
latency_sources = bench/latency.c tests/support/sqlclient.c tests/support/sqlclient.h
refresh_sources = bench/refresh.c tests/support/sqlclient.c tests/support/sqlclient.h
if DIALECT_SQLITE
engine_benches += bench/refresh-sqlite
bench_refresh_sqlite_SOURCES = $(refresh_sources) tests/support/sqlclient_sqlite.c
bench_refresh_sqlite_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_refresh_sqlite_LDADD = $(SQLITE_LIBS)
engine_benches += bench/latency-sqlite
bench_latency_sqlite_SOURCES = $(latency_sources) tests/support/sqlclient_sqlite.c
bench_latency_sqlite_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_latency_sqlite_LDADD = $(SQLITE_LIBS)
engine_benches += bench/inserts-sqlite
bench_inserts_sqlite_SOURCES = $(inserts_sources) tests/support/sqlclient_sqlite.c
bench_inserts_sqlite_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_inserts_sqlite_LDADD = $(SQLITE_LIBS)
endif
if DIALECT_POSTGRESQL
engine_benches += bench/refresh-postgresql
bench_refresh_postgresql_SOURCES = $(refresh_sources) tests/support/sqlclient_postgresql.c
bench_refresh_postgresql_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
bench_refresh_postgresql_LDADD = $(PQ_LIBS)

engine_benches += bench/latency-postgresql
bench_latency_postgresql_SOURCES = $(latency_sources) tests/support/sqlclient_postgresql.c
bench_latency_postgresql_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
bench_latency_postgresql_LDADD = $(PQ_LIBS)
engine_benches += bench/inserts-postgresql
bench_inserts_postgresql_SOURCES = $(inserts_sources) tests/support/sqlclient_postgresql.c
bench_inserts_postgresql_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
bench_inserts_postgresql_LDADD = $(PQ_LIBS)
endif
if DIALECT_MYSQL
engine_benches += bench/refresh-mariadb
bench_refresh_mariadb_SOURCES = $(refresh_sources) tests/support/sqlclient_mysql.c
bench_refresh_mariadb_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
bench_refresh_mariadb_LDADD = $(MYSQL_LIBS)
engine_benches += bench/latency-mariadb
bench_latency_mariadb_SOURCES = $(latency_sources) tests/support/sqlclient_mysql.c
bench_latency_mariadb_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
bench_latency_mariadb_LDADD = $(MYSQL_LIBS)
engine_benches += bench/inserts-mariadb
bench_inserts_mariadb_SOURCES = $(inserts_sources) tests/support/sqlclient_mysql.c
bench_inserts_mariadb_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
bench_inserts_mariadb_LDADD = $(MYSQL_LIBS)
endif
