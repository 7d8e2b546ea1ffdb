# Files that a dialect outside the tree is built with (docs/plugin-guide.md): headers, one archive of position-independent objects, and viewd-dialect.pc.
dialectdir = $(includedir)/viewd
dialect_HEADERS = plugins/viewd_dialect.h plugins/viewd_types.h
dialectbasedir = $(dialectdir)/base
dialectbase_HEADERS = daemon/base/macros.h daemon/base/clock.h daemon/base/err.h daemon/base/span.h daemon/base/utf8.h \
	daemon/base/words.h
dialectcommondir = $(dialectdir)/common
dialectanalysisdir = $(dialectdir)/common/analysis
dialectanalysis_HEADERS = plugins/common/analysis/facts.h
dialectcommon_HEADERS = plugins/common/dialect.h
dialectcapturedir = $(dialectdir)/common/capture
dialectcapture_HEADERS = plugins/common/capture/capture.h
dialectconndir = $(dialectdir)/common/conn
dialectconn_HEADERS = plugins/common/conn/db.h plugins/common/conn/incremental_ops.h plugins/common/conn/process.h plugins/common/conn/url.h
dialectdependsdir = $(dialectdir)/common/depends
dialectdepends_HEADERS = plugins/common/depends/dependencies.h plugins/common/depends/heard.h \
	plugins/common/depends/knowledge.h plugins/common/depends/objects.h
dialectgeneratedir = $(dialectdir)/common/generate
dialectgenerate_HEADERS = plugins/common/generate/columns.h plugins/common/generate/generate.h
dialectobjectsdir = $(dialectdir)/common/objects
dialectobjects_HEADERS = plugins/common/objects/check.h plugins/common/objects/hooks.h plugins/common/objects/recipe.h \
	plugins/common/objects/refresh_group.h plugins/common/objects/steps.h plugins/common/objects/task.h
dialectrefreshdir = $(dialectdir)/common/refresh
dialectrefresh_HEADERS = plugins/common/refresh/group.h plugins/common/refresh/member.h \
	plugins/common/refresh/refresh.h
dialectsqltextdir = $(dialectdir)/common/sqltext
dialectsqltext_HEADERS = plugins/common/sqltext/ident.h plugins/common/sqltext/lexer.h plugins/common/sqltext/sqltext.h \
	plugins/common/sqltext/syntax.h plugins/common/sqltext/timeword.h
dialectstatedir = $(dialectdir)/common/state
dialectstate_HEADERS = plugins/common/state/marks.h plugins/common/state/returned.h plugins/common/state/state.h \
	plugins/common/state/stmt.h plugins/common/state/views.h
dialecttextdir = $(dialectdir)/common/text
dialecttext_HEADERS = plugins/common/text/digest.h plugins/common/text/number.h plugins/common/text/timetext.h \
	plugins/common/text/kind.h

noinst_LTLIBRARIES += libviewd_dialect.la
libviewd_dialect_la_SOURCES =
libviewd_dialect_la_LIBADD = libviewd_sql.la libviewd_base.la

# libtool keeps the archive of a convenience library in .libs.
libviewd_dialect.a: libviewd_dialect.la
	$(AM_V_GEN)cp .libs/libviewd_dialect.a $@
dialectlibdir = $(libdir)
dialectlib_DATA = libviewd_dialect.a
CLEANFILES += libviewd_dialect.a

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = plugins/viewd-dialect.pc

EXTRA_DIST += docs/examples/dialect/catalogue.c docs/examples/dialect/conn.c docs/examples/dialect/litemini.c \
	docs/examples/dialect/litemini.h docs/examples/dialect/Makefile docs/examples/dialect/contract.sh

# The contract suite, for whoever writes one.
if HAVE_CUNIT
pkglibexec_PROGRAMS += tests/contract/contract
endif
