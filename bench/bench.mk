# make bench: what loading, reloading and refreshing cost. Not part of make check: numbers depend on the machine, so they are ratios of
# runs that alternate, or limits with a wide margin.
bench_programs = bench/engine bench/iniload bench/ready
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += bench/README.md bench/engine.sh bench/load.sh bench/refresh.sh
bench_engine_LDADD = tests/plugins/libfake.la libviewd.la $(TALLOC_LIBS)
bench_iniload_LDADD = $(INIPARSER_LIBS)
bench_iniload_CPPFLAGS = $(AM_CPPFLAGS) $(INIPARSER_CFLAGS)
bench_ready_LDADD =

.PHONY: bench
bench: viewd $(bench_programs) $(refresh_programs) tests/support/notify tests/plugins/viewd_fake.la
	VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/engine.sh
	VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/load.sh
	@printf '%-11s %-22s %11s %10s %10s %8s %10s\n' engine statement size 'direct ms' 'viewd ms' ratio 'added ms'
	@for program in $(refresh_programs); do \
		VIEWD_SRC='$(abs_top_srcdir)' VIEWD_BUILD='$(abs_top_builddir)' engine=$${program#*-} $(srcdir)/bench/refresh.sh || exit 1; \
	done

# Refreshes through viewd against the same SQL sent by a client, one program an engine.
EXTRA_PROGRAMS += $(refresh_programs)
CLEANFILES += $(refresh_programs)
refresh_programs =
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
endif
if DIALECT_MYSQL
refresh_programs += bench/refresh-mariadb
bench_refresh_mariadb_SOURCES = $(refresh_sources) tests/support/sqlclient_mysql.c
bench_refresh_mariadb_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
bench_refresh_mariadb_LDADD = $(MYSQL_LIBS)
endif
