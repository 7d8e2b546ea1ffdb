# Tests of the PostgreSQL dialect against a real server: each program has run.sh start one.
if DIALECT_POSTGRESQL
check_LTLIBRARIES += libpgtest.la
libpgtest_la_SOURCES = plugins/postgresql/postgresql.c tests/postgresql/pg_support.c tests/postgresql/pg_support.h \
	tests/postgresql/pg_watch_support.c tests/postgresql/pg_watch_support.h
libpgtest_la_CPPFLAGS = $(AM_CPPFLAGS) -DVIEWD_DIALECT_STATIC=postgresql $(PQ_CFLAGS)
libpgtest_la_LIBADD = libviewd_postgresql.la libviewd_sql.la libviewd.la libharness.la $(PQ_LIBS) $(TALLOC_LIBS) $(LIBMD_LIBS)

pg_programs = tests/postgresql/test_pg_choose tests/postgresql/test_pg_conn tests/postgresql/test_pg_refresh tests/postgresql/test_pg_replace \
	tests/postgresql/test_pg_readers tests/postgresql/test_pg_turns tests/postgresql/test_pg_updates tests/postgresql/test_pg_watch tests/postgresql/test_pg_flood \
	tests/postgresql/test_pg_gaps tests/postgresql/test_pg_others tests/postgresql/test_pg_roles tests/postgresql/test_pg_walk \
	tests/postgresql/test_pg_writers tests/postgresql/test_pg_polls tests/postgresql/test_pg_logs tests/postgresql/test_pg_rolls \
	tests/postgresql/test_pg_sums tests/postgresql/test_pg_tops tests/postgresql/test_pg_pieces tests/postgresql/test_pg_diff tests/postgresql/test_pg_harmless
check_PROGRAMS += $(pg_programs)
EXTRA_DIST += tests/postgresql/capture.sh tests/postgresql/flood.sh tests/postgresql/run.sh tests/contract/postgresql.sh \
	tests/contract/postgresql-pooled.sh tests/contract/lib-postgresql.sh
TESTS += $(pg_programs) tests/postgresql/capture.sh tests/postgresql/flood.sh tests/contract/postgresql.sh \
	tests/contract/postgresql-pooled.sh

tests_postgresql_test_pg_choose_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_choose_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_conn_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_conn_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_diff_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_diff_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_flood_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_flood_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_gaps_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_gaps_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_harmless_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_harmless_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_logs_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_logs_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_pieces_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_pieces_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_polls_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_polls_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_sums_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_sums_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_tops_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_tops_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_rolls_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_rolls_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_readers_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_readers_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_refresh_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_refresh_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_replace_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_replace_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_others_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_others_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_roles_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_roles_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_turns_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_turns_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_updates_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_updates_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_walk_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_walk_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_watch_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_watch_LDADD = libpgtest.la $(LDADD)
tests_postgresql_test_pg_writers_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
tests_postgresql_test_pg_writers_LDADD = libpgtest.la $(LDADD)
endif
