# make bench: what loading, reloading and refreshing cost. Not part of make check: numbers depend on the machine, so they are ratios of
# runs that alternate, or limits with a wide margin.
bench_programs = bench/engine bench/iniload bench/ready
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += bench/README.md bench/engine.sh bench/load.sh
bench_engine_LDADD = tests/plugins/libfake.la libviewd.la $(TALLOC_LIBS)
bench_iniload_LDADD = $(INIPARSER_LIBS)
bench_iniload_CPPFLAGS = $(AM_CPPFLAGS) $(INIPARSER_CFLAGS)
bench_ready_LDADD =

.PHONY: bench
bench: viewd $(bench_programs) tests/plugins/viewd_fake.la
	VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/engine.sh
	VIEWD_BUILD='$(abs_top_builddir)' $(srcdir)/bench/load.sh
