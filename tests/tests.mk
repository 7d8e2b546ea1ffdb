# One fragment a test group; each adds to check_PROGRAMS and TESTS (unit), or to TESTS and EXTRA_DIST (scripts).

# make check runs all; check-unit, check-lint, check-system one layer.
TEST_EXTENSIONS = .sh
# A test that hangs ends with a failure instead. Each log ends with the time its test took.
LOG_COMPILER = $(srcdir)/tests/support/timed 600
SH_LOG_COMPILER = $(srcdir)/tests/support/timed 1500
EXTRA_DIST += tests/support/timed
AM_TESTS_ENVIRONMENT = \
	VIEWD_SRC='$(abs_top_srcdir)'; export VIEWD_SRC; \
	VIEWD_BUILD='$(abs_top_builddir)'; export VIEWD_BUILD; \
	CC='$(CC)'; export CC; \
	LINT_CFLAGS='$(PQ_CFLAGS) $(MYSQL_CFLAGS) $(SQLITE_CFLAGS) $(TALLOC_CFLAGS) $(JANSSON_CFLAGS) $(CUNIT_CFLAGS)'; \
	export LINT_CFLAGS;

.PHONY: print-tests check-unit check-lint check-system
print-tests:
	@printf '%s\n' $(TESTS)
check-unit check-lint check-system:
	@layer=$@; $(MAKE) check TESTS="`printf '%s\n' $(TESTS) | grep \"^tests/$${layer#check-}/\" | tr '\n' ' '`"

# Libraries of every unit test unless it sets its own prog_LDADD = $(LDADD) more.
LDADD = libharness.la libviewd.la $(TALLOC_LIBS) $(CUNIT_LIBS)

if HAVE_CUNIT
noinst_LTLIBRARIES += libharness.la
else
check_LTLIBRARIES += libharness.la
endif
libharness_la_SOURCES = \
	tests/support/harness.c tests/support/harness.h tests/support/harness_private.h \
	tests/support/harness_files.c \
	tests/support/harness_log.c
libharness_la_LIBADD = libviewd.la

# Stands in for systemd in system tests.
check_PROGRAMS += tests/support/notify
tests_support_notify_LDADD =

check_PROGRAMS += tests/unit/support/test_harness
TESTS += tests/unit/support/test_harness

# make -j starts them in this order: what takes long, mostly waiting, comes first.
include tests/postgresql/postgresql.mk
include tests/mysql/mysql.mk
include tests/unit/plugins.mk
EXTRA_DIST += tests/system/lib.sh tests/system/lib-mysql.sh tests/system/00-servers.sh
TESTS += tests/system/00-servers.sh
include tests/system/system.mk
include tests/lint/lint.mk
include tests/unit/base.mk
include tests/unit/conf.mk
include tests/unit/core.mk
include tests/unit/ctl.mk
include tests/unit/sched.mk

# Data directories of the test servers.
clean-local:
	rm -rf tests/cache
