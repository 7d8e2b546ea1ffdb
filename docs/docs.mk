# Manual pages and the sample configuration; their option parts come from the tables the parser uses.

noinst_PROGRAMS += docs/describe
docs_describe_SOURCES = docs/describe.c
docs_describe_LDADD = libviewd.la
described_plugins = $(pkglib_LTLIBRARIES:%.la=.libs/%.so)

docs/man/viewd.conf.5: $(srcdir)/docs/man/viewd.conf.5.head $(srcdir)/docs/man/viewd.conf.5.tail \
		docs/describe$(EXEEXT) $(pkglib_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) docs/man && { cat $(srcdir)/docs/man/viewd.conf.5.head && \
	docs/describe$(EXEEXT) man $(described_plugins) && \
	cat $(srcdir)/docs/man/viewd.conf.5.tail; } > $@.tmp && mv $@.tmp $@

docs/man/viewctl.1: $(srcdir)/docs/man/viewctl.1.head $(srcdir)/docs/man/viewctl.1.tail viewctl$(EXEEXT)
	$(AM_V_GEN)$(MKDIR_P) docs/man && { cat $(srcdir)/docs/man/viewctl.1.head && ./viewctl$(EXEEXT) --man-commands && \
	cat $(srcdir)/docs/man/viewctl.1.tail; } > $@.tmp && mv $@.tmp $@

conf/viewd.conf.sample: docs/describe$(EXEEXT) $(pkglib_LTLIBRARIES)
	$(AM_V_GEN)$(MKDIR_P) conf && docs/describe$(EXEEXT) sample $(described_plugins) > $@.tmp && mv $@.tmp $@

dist_man_MANS = docs/man/viewd.8
nodist_man_MANS = docs/man/viewctl.1 docs/man/viewd.conf.5
nodist_doc_DATA = conf/viewd.conf.sample
CLEANFILES += docs/man/viewctl.1 docs/man/viewd.conf.5 conf/viewd.conf.sample
EXTRA_DIST += docs/adr/007-leaving-and-returning.md
EXTRA_DIST += docs/man/viewctl.1.head docs/man/viewctl.1.tail docs/man/viewd.conf.5.head docs/man/viewd.conf.5.tail
