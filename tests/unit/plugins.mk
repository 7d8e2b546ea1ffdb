# tests: unit/plugins

# The contract: one program, run on each engine by a script of its own. It is installed (plugins/dialect.mk).
tests_contract_contract_SOURCES = \
	tests/contract/auto.c tests/contract/capture.c \
	tests/contract/depends.c \
	tests/contract/groups.c \
	tests/contract/contract.c tests/contract/contract.h \
	tests/contract/diffs.c \
	tests/contract/explains.c \
	tests/contract/incremental.c \
	tests/contract/kept.c tests/contract/kept.h tests/contract/logs.c tests/contract/learnt.c tests/contract/handed.c \
	tests/contract/limits.c \
	tests/contract/objects.c \
	tests/contract/refreshes.c \
	tests/contract/replace.c \
	tests/contract/columns.c tests/contract/rows.c \
	tests/contract/safety.c \
	tests/contract/support.c \
	tests/contract/words.c
tests_contract_contract_LDADD = $(LDADD) -ldl -lpthread
EXTRA_DIST += tests/contract/sqlite.sh
if DIALECT_SQLITE
TESTS += tests/contract/sqlite.sh
endif
EXTRA_DIST += tests/contract/mysql.sh
if DIALECT_MYSQL
TESTS += tests/contract/mysql.sh
endif

# Tests of the library that dialects share, without a dialect.
plugins_unit_tests = \
	tests/unit/plugins/test_analysis \
	tests/unit/plugins/test_analysis_split \
	tests/unit/plugins/test_analysis_texts \
	tests/unit/plugins/test_analysis_tpch \
	tests/unit/plugins/test_giving_up \
	tests/unit/plugins/test_incremental \
	tests/unit/plugins/test_sums \
	tests/unit/plugins/test_answers \
	tests/unit/plugins/test_ident \
	tests/unit/plugins/test_lexer \
	tests/unit/plugins/test_render \
	tests/unit/plugins/test_url
check_PROGRAMS += $(plugins_unit_tests)
TESTS += $(plugins_unit_tests)
tests_unit_plugins_test_answers_SOURCES = tests/unit/plugins/test_answers.c tests/unit/plugins/fake_db.c tests/unit/plugins/fake_db.h \
	$(plugins_support)
tests_unit_plugins_test_answers_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_ident_SOURCES = tests/unit/plugins/test_ident.c $(plugins_support)
tests_unit_plugins_test_lexer_SOURCES = tests/unit/plugins/test_lexer.c $(plugins_support)
tests_unit_plugins_test_ident_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_lexer_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_url_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_render_LDADD = $(LDADD) -ldl
analysis_support = tests/unit/plugins/analysis_facts.c tests/unit/plugins/analysis_facts.h \
	tests/unit/plugins/analysis_support.c tests/unit/plugins/analysis_support.h
tests_unit_plugins_test_analysis_SOURCES = tests/unit/plugins/test_analysis.c $(analysis_support) $(plugins_support)
tests_unit_plugins_test_analysis_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_analysis_split_SOURCES = tests/unit/plugins/test_analysis_split.c $(analysis_support) $(plugins_support)
tests_unit_plugins_test_analysis_split_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_analysis_texts_SOURCES = tests/unit/plugins/test_analysis_texts.c $(analysis_support) $(plugins_support)
tests_unit_plugins_test_analysis_texts_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_analysis_tpch_SOURCES = tests/unit/plugins/test_analysis_tpch.c $(analysis_support) $(plugins_support)
tests_unit_plugins_test_analysis_tpch_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_sums_SOURCES = tests/unit/plugins/test_sums.c $(analysis_support) $(plugins_support)
tests_unit_plugins_test_sums_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_giving_up_SOURCES = tests/unit/plugins/test_giving_up.c
tests_unit_plugins_test_giving_up_LDADD = $(plugins_ldadd)
tests_unit_plugins_test_incremental_SOURCES = tests/unit/plugins/test_incremental.c $(analysis_support) $(plugins_support)
tests_unit_plugins_test_incremental_LDADD = $(plugins_ldadd)
plugins_support = tests/unit/plugins/plugins_support.c tests/unit/plugins/plugins_support.h
plugins_ldadd = libviewd_sql.la $(LDADD) $(LIBMD_LIBS)

# Tests of SQLite's own.
if DIALECT_SQLITE
sqlite_unit_tests = tests/unit/plugins/test_sqlite tests/unit/plugins/test_sqlite_live tests/unit/plugins/test_sqlite_watch \
	tests/unit/plugins/test_sqlite_marks tests/unit/plugins/test_sqlite_files \
	tests/unit/plugins/test_sqlite_definitions tests/unit/plugins/test_sqlite_depends tests/unit/plugins/test_sqlite_logs \
	tests/unit/plugins/test_sqlite_rolls tests/unit/plugins/test_sqlite_tops
check_PROGRAMS += $(sqlite_unit_tests)
TESTS += $(sqlite_unit_tests)
sqlite_fixture = tests/unit/plugins/sqlite_fixture.c tests/unit/plugins/sqlite_fixture.h
tests_unit_plugins_test_sqlite_SOURCES = tests/unit/plugins/test_sqlite.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_definitions_SOURCES = tests/unit/plugins/test_sqlite_definitions.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_definitions_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_definitions_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_depends_SOURCES = tests/unit/plugins/test_sqlite_depends.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_depends_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_depends_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_files_SOURCES = tests/unit/plugins/test_sqlite_files.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_files_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_files_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_live_SOURCES = tests/unit/plugins/test_sqlite_live.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_live_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_live_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_rolls_SOURCES = tests/unit/plugins/test_sqlite_rolls.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_tops_SOURCES = tests/unit/plugins/test_sqlite_tops.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_tops_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_tops_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_rolls_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_rolls_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_logs_SOURCES = tests/unit/plugins/test_sqlite_logs.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_logs_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_logs_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_marks_SOURCES = tests/unit/plugins/test_sqlite_marks.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_marks_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_marks_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
tests_unit_plugins_test_sqlite_watch_SOURCES = tests/unit/plugins/test_sqlite_watch.c $(sqlite_fixture)
tests_unit_plugins_test_sqlite_watch_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
tests_unit_plugins_test_sqlite_watch_LDFLAGS = $(AM_LDFLAGS) -Wl,--export-dynamic-symbol=inotify_add_watch
tests_unit_plugins_test_sqlite_watch_LDADD = $(LDADD) $(SQLITE_LIBS) -ldl
endif
