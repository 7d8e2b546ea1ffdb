# make bench: what loading, reloading and refreshing cost. Not part of make check: numbers depend on the machine, so they are ratios of
# runs that alternate, or limits with a wide margin.
bench_programs = bench/engine bench/iniload bench/ready
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += bench/README.md bench/engine.sh bench/latency.sh bench/load.sh bench/writers.sh bench/refresh.sh
bench_engine_LDADD = tests/plugins/libfake.la libviewd.la $(TALLOC_LIBS)
bench_iniload_LDADD = $(INIPARSER_LIBS)
bench_iniload_CPPFLAGS = $(AM_CPPFLAGS) $(INIPARSER_CFLAGS)
bench_ready_LDADD =

.PHONY: bench
bench: viewd $(bench_programs) $(refresh_programs) $(capture_benches) tests/support/notify tests/plugins/viewd_fake.la
	VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/engine.sh
	VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/load.sh
	@printf '%-11s %-22s %11s %10s %10s %8s %10s\n' engine statement size 'direct ms' 'viewd ms' ratio 'added ms'
	@for program in $(refresh_programs); do \
		VIEWD_SRC='$(abs_top_srcdir)' VIEWD_BUILD='$(abs_top_builddir)' engine=$${program#*-} $(srcdir)/bench/refresh.sh || exit 1; \
	done
	@for program in $(capture_benches); do \
		for script in latency writers; do \
			VIEWD_SRC='$(abs_top_srcdir)' VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/$$script.sh || exit 1; \
		done; \
	done

# Refreshes through viewd against the same SQL sent by a client, one program an engine.
EXTRA_PROGRAMS += $(refresh_programs)
CLEANFILES += $(refresh_programs)
refresh_programs =
capture_benches =
EXTRA_PROGRAMS += $(capture_benches)
CLEANFILES += $(capture_benches)
refresh_sources = bench/refresh.c tests/support/sqlclient.c tests/support/sqlclient.h
if DIALECT_SQLITE
refresh_programs += bench/refresh-sqlite
bench_refresh_sqlite_SOURCES = $(refresh_sources) tests/support/sqlclient_sqlite.c
bench_refresh_sqlite_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
bench_refresh_sqlite_LDADD = $(SQLITE_LIBS)
endif
if DIALECT_POSTGRESQL
refresh_programs += bench/refresh-postgresql
bench_refresh_postgresql_SOURCES = $(refresh_sources) tests/support/sqlclient_postgresql.c
bench_refresh_postgresql_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
bench_refresh_postgresql_LDADD = $(PQ_LIBS)

# What noticing changes costs writers, and how soon they are seen.
bench_latency_SOURCES = bench/latency.c tests/support/sqlclient.c tests/support/sqlclient.h tests/support/sqlclient_postgresql.c
bench_latency_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
bench_latency_LDADD = $(PQ_LIBS)
capture_benches += bench/latency
endif
if DIALECT_MYSQL
refresh_programs += bench/refresh-mariadb
bench_refresh_mariadb_SOURCES = $(refresh_sources) tests/support/sqlclient_mysql.c
bench_refresh_mariadb_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
bench_refresh_mariadb_LDADD = $(MYSQL_LIBS)
endif
