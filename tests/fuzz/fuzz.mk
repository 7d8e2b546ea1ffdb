# Fuzz targets: their seeds run in `make check`; `make fuzz [FUZZ_TIME=seconds]` lets libFuzzer search (needs clang).
check_PROGRAMS += tests/fuzz/replay_ctl tests/fuzz/replay_ini tests/fuzz/replay_span
TESTS += tests/fuzz/replay_ctl tests/fuzz/replay_ini tests/fuzz/replay_span
tests_fuzz_replay_ctl_SOURCES = tests/fuzz/fuzz_ctl.c tests/fuzz/replay.c
tests_fuzz_replay_ctl_CPPFLAGS = $(AM_CPPFLAGS) $(TALLOC_CFLAGS) -DFUZZ_SEEDS='"ctl"'
tests_fuzz_replay_ctl_LDADD = libviewd.la $(TALLOC_LIBS)
tests_fuzz_replay_ini_SOURCES = tests/fuzz/fuzz_ini.c tests/fuzz/replay.c
tests_fuzz_replay_ini_CPPFLAGS = $(AM_CPPFLAGS) $(TALLOC_CFLAGS) -DFUZZ_SEEDS='"ini"'
tests_fuzz_replay_ini_LDADD = libviewd.la $(TALLOC_LIBS)
tests_fuzz_replay_span_SOURCES = tests/fuzz/fuzz_span.c tests/fuzz/replay.c
tests_fuzz_replay_span_CPPFLAGS = $(AM_CPPFLAGS) -DFUZZ_SEEDS='"span"'
tests_fuzz_replay_span_LDADD = libviewd_base.la
EXTRA_DIST += tests/fuzz/seeds

FUZZ_CC = clang
FUZZ_TIME = 30
FUZZ_FLAGS = -std=gnu17 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined $(DEFS) $(AM_CPPFLAGS) \
	$(TALLOC_CFLAGS) -I.
.PHONY: fuzz
fuzz:
	@mkdir -p tests/fuzz/found/ctl tests/fuzz/found/ini tests/fuzz/found/span
	$(FUZZ_CC) $(FUZZ_FLAGS) -o tests/fuzz/fuzz_ini $(srcdir)/tests/fuzz/fuzz_ini.c $(srcdir)/daemon/conf/*.c \
		$(srcdir)/daemon/base/*.c $(TALLOC_LIBS) -liniparser
	$(FUZZ_CC) $(FUZZ_FLAGS) -o tests/fuzz/fuzz_span $(srcdir)/tests/fuzz/fuzz_span.c $(srcdir)/daemon/base/*.c
	$(FUZZ_CC) $(FUZZ_FLAGS) -DVIEWD_PLUGIN_DIR='""' -o tests/fuzz/fuzz_ctl $(srcdir)/tests/fuzz/fuzz_ctl.c \
		$(srcdir)/daemon/ctl/args*.c $(srcdir)/daemon/ctl/commands.c $(srcdir)/daemon/ctl/json_text.c \
		$(srcdir)/daemon/conf/*.c $(srcdir)/daemon/base/*.c $(TALLOC_LIBS) $(JANSSON_LIBS) -liniparser
	tests/fuzz/fuzz_ctl -max_total_time=$(FUZZ_TIME) -timeout=5 -max_len=2048 -artifact_prefix=tests/fuzz/found/ \
		tests/fuzz/found/ctl $(srcdir)/tests/fuzz/seeds/ctl
	tests/fuzz/fuzz_ini -max_total_time=$(FUZZ_TIME) -timeout=5 -max_len=8192 -artifact_prefix=tests/fuzz/found/ \
		tests/fuzz/found/ini $(srcdir)/tests/fuzz/seeds/ini
	tests/fuzz/fuzz_span -max_total_time=$(FUZZ_TIME) -timeout=5 -max_len=64 -artifact_prefix=tests/fuzz/found/ \
		tests/fuzz/found/span $(srcdir)/tests/fuzz/seeds/span
