# What dialects share: a convenience library linked into every plugin, with libviewd_base.la.
noinst_LTLIBRARIES += libviewd_sql.la
libviewd_sql_la_SOURCES = \
	plugins/common/rows.c \
	plugins/common/words.c plugins/common/words.h \
	plugins/common/capture.c plugins/common/capture.h \
	plugins/common/check.c plugins/common/check.h \
	plugins/common/columns.c plugins/common/columns.h \
	plugins/common/create.c \
	plugins/common/db.c plugins/common/db.h \
	plugins/common/dialect.c plugins/common/dialect.h \
	plugins/common/dependencies.c plugins/common/dependencies.h \
	plugins/common/digest.c plugins/common/digest.h \
	plugins/common/drop.c \
	plugins/common/group.c plugins/common/group.h \
	plugins/common/heard.c plugins/common/heard.h \
	plugins/common/hooks.c plugins/common/hooks.h \
	plugins/common/gen_diff.c plugins/common/gen_index.c plugins/common/gen_render.c \
	plugins/common/generate.c plugins/common/generate.h \
	plugins/common/ident.c plugins/common/ident.h \
	plugins/common/index.c \
	plugins/common/inspect.c \
	plugins/common/keep.c \
	plugins/common/lexer.c plugins/common/lexer.h \
	plugins/common/marks.c plugins/common/marks.h \
	plugins/common/objects.c plugins/common/objects.h \
	plugins/common/number.c plugins/common/number.h \
	plugins/common/process.c plugins/common/process.h \
	plugins/common/query.c \
	plugins/common/recipe.h \
	plugins/common/refresh.c \
	plugins/common/sqltext.c plugins/common/sqltext.h \
	plugins/common/returned.c plugins/common/returned.h \
	plugins/common/state.c plugins/common/state.h \
	plugins/common/state_write.c \
	plugins/common/stage.c \
	plugins/common/stmt.c plugins/common/stmt.h \
	plugins/common/syntax.h \
	plugins/common/task.c plugins/common/task.h \
	plugins/common/timetext.c plugins/common/timetext.h \
	plugins/common/timeword.c plugins/common/timeword.h \
	plugins/common/uninstall.c \
	plugins/common/url.c plugins/common/url.h \
	plugins/common/utf8.c plugins/common/utf8.h \
	plugins/common/verify.c \
	plugins/common/views.c plugins/common/views.h
libviewd_sql_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBMD_CFLAGS)
libviewd_sql_la_LIBADD = $(TALLOC_LIBS) $(LIBMD_LIBS)
