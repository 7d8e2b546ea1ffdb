# Manual pages and the sample configuration; their option parts come from the tables the parser uses. Programs of another machine are run
# by RUN_BUILT (tools/cross-arm64.sh).

noinst_PROGRAMS += docs/describe
docs_describe_SOURCES = docs/describe.c
docs_describe_LDADD = libviewd.la
described_plugins = $(pkglib_LTLIBRARIES:%.la=.libs/%.so)

docs/man/viewd.conf.5: $(srcdir)/docs/man/viewd.conf.5.head $(srcdir)/docs/man/viewd.conf.5.tail \
		docs/describe$(EXEEXT) $(pkglib_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) docs/man && { cat $(srcdir)/docs/man/viewd.conf.5.head && \
	$(RUN_BUILT) docs/describe$(EXEEXT) man $(described_plugins) && \
	cat $(srcdir)/docs/man/viewd.conf.5.tail; } > $@.tmp && mv $@.tmp $@

docs/man/viewctl.1: $(srcdir)/docs/man/viewctl.1.head $(srcdir)/docs/man/viewctl.1.tail \
		viewctl$(EXEEXT) docs/describe$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && { cat $(srcdir)/docs/man/viewctl.1.head && $(RUN_BUILT) ./viewctl$(EXEEXT) --man-commands && \
	$(RUN_BUILT) docs/describe$(EXEEXT) status-man && \
	cat $(srcdir)/docs/man/viewctl.1.tail; } > $@.tmp && mv $@.tmp $@

conf/viewd.conf.sample: docs/describe$(EXEEXT) $(pkglib_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) conf && $(RUN_BUILT) docs/describe$(EXEEXT) sample $(described_plugins) > $@.tmp && mv $@.tmp $@

docs/viewd.conf.schema.json: docs/describe$(EXEEXT) $(pkglib_LTLIBRARIES)
	$(AM_V_GEN)$(RUN_BUILT) docs/describe$(EXEEXT) schema $(described_plugins) > $@.tmp && mv $@.tmp $@

docs/status.schema.json: docs/describe$(EXEEXT)
	$(AM_V_GEN)$(RUN_BUILT) docs/describe$(EXEEXT) status-schema > $@.tmp && mv $@.tmp $@

dist_man_MANS = docs/man/viewd.8
nodist_man_MANS = docs/man/viewctl.1 docs/man/viewd.conf.5
nodist_doc_DATA = conf/viewd.conf.sample docs/viewd.conf.schema.json docs/status.schema.json
CLEANFILES += docs/man/viewctl.1 docs/man/viewd.conf.5 $(nodist_doc_DATA)
EXTRA_DIST += \
	docs/adr/001-one-recipe-per-verb.md \
	docs/adr/002-change-capture.md \
	docs/adr/003-refresh-groups.md \
	docs/adr/004-small-tables.md \
	docs/adr/005-dependencies.md \
	docs/adr/006-log-queue.md \
	docs/adr/007-leaving-and-returning.md \
	docs/adr/008-incremental-nodes.md \
	docs/adr/009-change-logs.md \
	docs/adr/010-affected-keys.md \
	docs/adr/011-choosing-a-refresh.md \
	docs/adr/012-waking-the-watch.md \
	docs/adr/013-counts-that-end.md \
	docs/adr/014-commits-of-others.md \
	docs/adr/015-floods.md \
	docs/adr/016-bounded-log-postgresql.md \
	docs/adr/017-counters-told-late.md \
	docs/adr/018-harmless-triggers.md \
	docs/adr/019-bounded-log-mariadb.md \
	docs/adr/020-watch-and-look.md \
	docs/adr/021-coalescing.md \
	docs/adr/022-one-daemon.md \
	docs/adr/023-plugins-do-not-decide.md \
	docs/adr/024-diff-in-one-pass.md docs/adr/025-sums-in-the-trigger.md \
	docs/adr/026-places-of-files.md \
	docs/adr/027-first-day.md \
	docs/adr/028-being-watched.md \
	docs/adr/029-clusters-mysql.md \
	docs/adr/030-shards-postgresql.md \
	docs/adr/031-rights-and-former-names.md \
	docs/adr/032-sessions-that-are-not-kept.md \
	docs/adr/033-progress-of-a-statement.md docs/adr/034-computed-on-a-standby.md \
	docs/adr/035-rests-of-the-reader-mariadb.md docs/adr/README.md
EXTRA_DIST += docs/man/viewctl.1.head docs/man/viewctl.1.tail docs/man/viewd.conf.5.head docs/man/viewd.conf.5.tail
EXTRA_DIST += \
	docs/screenshots/explain.txt docs/screenshots/graph.txt docs/screenshots/history.txt docs/screenshots/plan.txt \
	docs/screenshots/status.txt docs/screenshots/why.txt \
	docs/screenshots/page-1000.png docs/screenshots/page-dark.png docs/screenshots/page-light.png \
	docs/screenshots/page-telephone.png docs/screenshots/view.png
