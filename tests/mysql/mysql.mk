# Tests of the MySQL dialect against a real server: each program has run.sh start one.
if DIALECT_MYSQL
check_LTLIBRARIES += libmytest.la
libmytest_la_SOURCES = plugins/mysql/mysql.c tests/mysql/my_incremental.c tests/mysql/my_incremental.h tests/mysql/my_support.c tests/mysql/my_support.h
libmytest_la_CPPFLAGS = $(AM_CPPFLAGS) -DVIEWD_DIALECT_STATIC=mysql $(MYSQL_CFLAGS)
libmytest_la_LIBADD = libviewd_mysql.la libviewd_sql.la libviewd.la libharness.la $(MYSQL_LIBS) $(TALLOC_LIBS) $(LIBMD_LIBS)

my_programs = tests/mysql/test_my_away tests/mysql/test_my_binlog tests/mysql/test_my_binlog_stream tests/mysql/test_my_capture \
	tests/mysql/test_my_cluster tests/mysql/test_my_compared tests/mysql/test_my_cost tests/mysql/test_my_crash \
	tests/mysql/test_my_depends tests/mysql/test_my_errors tests/mysql/test_my_harmless tests/mysql/test_my_ids tests/mysql/test_my_incremental tests/mysql/test_my_logs \
	tests/mysql/test_my_look tests/mysql/test_my_readers tests/mysql/test_my_rolls tests/mysql/test_my_session \
	tests/mysql/test_my_settings tests/mysql/test_my_writers
check_PROGRAMS += $(my_programs) tests/mysql/server_kill
EXTRA_DIST += tests/mysql/run.sh tests/mysql/server_kill.sh tests/mysql/other.sh
TESTS += $(my_programs) tests/mysql/server_kill.sh tests/mysql/other.sh

tests_mysql_test_my_away_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_away_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_binlog_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_binlog_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_binlog_stream_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_binlog_stream_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_capture_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_capture_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_cluster_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_cluster_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_compared_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_compared_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_cost_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_cost_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_crash_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_crash_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_depends_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_depends_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_errors_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_errors_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_harmless_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_harmless_LDADD = libmytest.la $(LDADD) -lpthread
tests_mysql_test_my_ids_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_ids_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_incremental_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_incremental_LDADD = libmytest.la $(LDADD) -lpthread
tests_mysql_test_my_logs_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_logs_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_look_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_look_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_readers_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_readers_LDADD = libmytest.la $(LDADD) -lpthread
tests_mysql_test_my_rolls_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_rolls_LDADD = libmytest.la $(LDADD) -lpthread
tests_mysql_test_my_session_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_session_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_settings_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_settings_LDADD = libmytest.la $(LDADD)
tests_mysql_test_my_writers_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_test_my_writers_LDADD = libmytest.la $(LDADD)
tests_mysql_server_kill_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS)
tests_mysql_server_kill_LDADD = libmytest.la $(LDADD)
endif
