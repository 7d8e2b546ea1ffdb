# Fuzz targets: their seeds run in `make check`; `make fuzz [FUZZ_TIME=seconds]` lets libFuzzer search (needs clang); so does check-long.
fuzz_replays = tests/fuzz/replay_analysis tests/fuzz/replay_ctl tests/fuzz/replay_ini tests/fuzz/replay_span tests/fuzz/replay_sql tests/fuzz/replay_state
check_PROGRAMS += $(fuzz_replays)
TESTS += $(fuzz_replays)
tests_fuzz_replay_ctl_SOURCES = tests/fuzz/fuzz_ctl.c tests/fuzz/replay.c
tests_fuzz_replay_ctl_CPPFLAGS = $(AM_CPPFLAGS) $(TALLOC_CFLAGS) -DFUZZ_SEEDS='"ctl"'
tests_fuzz_replay_ctl_LDADD = libviewd.la $(TALLOC_LIBS)
tests_fuzz_replay_ini_SOURCES = tests/fuzz/fuzz_ini.c tests/fuzz/replay.c
tests_fuzz_replay_ini_CPPFLAGS = $(AM_CPPFLAGS) $(TALLOC_CFLAGS) -DFUZZ_SEEDS='"ini"'
tests_fuzz_replay_ini_LDADD = libviewd.la $(TALLOC_LIBS)
analysis_fuzz = tests/unit/plugins/analysis_facts.c tests/unit/plugins/analysis_support.c
tests_fuzz_replay_analysis_SOURCES = tests/fuzz/fuzz_analysis.c tests/fuzz/replay.c $(analysis_fuzz) $(plugins_support)
tests_fuzz_replay_analysis_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_SEEDS='"analysis"'
tests_fuzz_replay_analysis_LDADD = libviewd_sql.la libviewd_base.la $(TALLOC_LIBS) $(LIBMD_LIBS)
tests_fuzz_replay_span_SOURCES = tests/fuzz/fuzz_span.c tests/fuzz/replay.c
tests_fuzz_replay_span_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_SEEDS='"span"'
tests_fuzz_replay_span_LDADD = libviewd_base.la
tests_fuzz_replay_sql_SOURCES = tests/fuzz/fuzz_sql.c tests/fuzz/replay.c $(plugins_support)
tests_fuzz_replay_sql_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_SEEDS='"sql"'
tests_fuzz_replay_sql_LDADD = libviewd_sql.la libviewd_base.la $(TALLOC_LIBS) $(LIBMD_LIBS)
fuzz_readers = tests/fuzz/readers.c tests/fuzz/readers.h tests/unit/plugins/fake_db.c tests/unit/plugins/fake_db.h
tests_fuzz_replay_state_SOURCES = tests/fuzz/fuzz_state.c tests/fuzz/replay.c $(fuzz_readers) $(plugins_support)
tests_fuzz_replay_state_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_SEEDS='"state"'
tests_fuzz_replay_state_LDADD = libviewd_sql.la libviewd_base.la $(TALLOC_LIBS) $(LIBMD_LIBS)
if DIALECT_POSTGRESQL
check_PROGRAMS += tests/fuzz/replay_answers
TESTS += tests/fuzz/replay_answers
tests_fuzz_replay_answers_SOURCES = tests/fuzz/fuzz_answers.c tests/fuzz/replay.c plugins/postgresql/postgresql.c $(fuzz_readers)
tests_fuzz_replay_answers_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS) -DFUZZ_SEEDS='"answers"'
tests_fuzz_replay_answers_LDADD = libviewd_postgresql.la libviewd_sql.la libviewd_base.la $(PQ_LIBS) $(TALLOC_LIBS) $(LIBMD_LIBS)
fuzz_answers = fuzz-answers
endif
EXTRA_DIST += tests/fuzz/seeds tests/fuzz/run.sh

# The sources are compiled again, watched by sanitizers and counting branches.
FUZZ_CC = clang
FUZZ_TIME = 30
FUZZ_FLAGS = -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(DEFS) $(AM_CPPFLAGS) \
	-UVIEWD_PLUGIN_DIR -DVIEWD_PLUGIN_DIR='""' -I.
fuzz_run = FUZZ_TIME=$(FUZZ_TIME) VIEWD_SRC=$(srcdir) $(srcdir)/tests/fuzz/run.sh
fuzz_compile = $(FUZZ_CC) $(FUZZ_FLAGS)
fuzz_base = $(srcdir)/daemon/base/*.c
fuzz_conf = $(srcdir)/daemon/conf/*/*.c $(srcdir)/daemon/sched/cron.c $(srcdir)/daemon/sched/zone.c $(GLIB_CFLAGS) $(INIPARSER_CFLAGS)
fuzz_conf_libs = $(TALLOC_LIBS) $(GLIB_LIBS) $(LIBMD_LIBS) $(INIPARSER_LIBS)
fuzz_sql = $(srcdir)/plugins/common/*.c $(srcdir)/plugins/common/*/*.c $(srcdir)/plugins/common/*/*/*.c
fuzz_sql_libs = $(TALLOC_LIBS) $(LIBMD_LIBS) $(PG_QUERY_LIBS) $(JANSSON_LIBS)
fuzz_fake = $(srcdir)/tests/fuzz/readers.c $(srcdir)/tests/unit/plugins/fake_db.c
.PHONY: fuzz fuzz-analysis fuzz-ctl fuzz-ini fuzz-span fuzz-sql fuzz-state fuzz-answers
fuzz: fuzz-analysis fuzz-ctl fuzz-ini fuzz-span fuzz-sql fuzz-state $(fuzz_answers)
fuzz-analysis:
	@$(fuzz_run) analysis 2048 $(fuzz_compile) $(srcdir)/tests/fuzz/fuzz_analysis.c $(srcdir)/tests/unit/plugins/analysis_facts.c \
		$(srcdir)/tests/unit/plugins/analysis_support.c $(srcdir)/tests/unit/plugins/plugins_support.c $(fuzz_base) $(fuzz_sql) \
		$(fuzz_sql_libs)
fuzz-ctl:
	@$(fuzz_run) ctl 2048 $(fuzz_compile) $(srcdir)/tests/fuzz/fuzz_ctl.c $(srcdir)/daemon/ctl/command/*.c \
		$(srcdir)/daemon/ctl/text/json_text.c $(fuzz_base) $(fuzz_conf) $(JANSSON_LIBS) $(fuzz_conf_libs)
fuzz-ini:
	@$(fuzz_run) ini 8192 $(fuzz_compile) $(srcdir)/tests/fuzz/fuzz_ini.c $(fuzz_base) $(fuzz_conf) $(fuzz_conf_libs)
fuzz-span:
	@$(fuzz_run) span 64 $(fuzz_compile) $(srcdir)/tests/fuzz/fuzz_span.c $(fuzz_base)
fuzz-sql:
	@$(fuzz_run) sql 4096 $(fuzz_compile) $(srcdir)/tests/fuzz/fuzz_sql.c $(srcdir)/tests/unit/plugins/plugins_support.c $(fuzz_base) \
		$(fuzz_sql) $(fuzz_sql_libs)
fuzz-state:
	@$(fuzz_run) state 4096 $(fuzz_compile) $(srcdir)/tests/fuzz/fuzz_state.c $(srcdir)/tests/unit/plugins/plugins_support.c $(fuzz_fake) \
		$(fuzz_base) $(fuzz_sql) $(fuzz_sql_libs)
fuzz-answers:
	@$(fuzz_run) answers 4096 $(fuzz_compile) $(PQ_CFLAGS) $(srcdir)/tests/fuzz/fuzz_answers.c $(fuzz_fake) $(fuzz_base) $(fuzz_sql) \
		$(srcdir)/plugins/postgresql/*.c $(srcdir)/plugins/postgresql/*/*.c $(PQ_LIBS) $(fuzz_sql_libs)
