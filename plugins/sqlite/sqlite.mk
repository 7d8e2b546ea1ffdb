# The SQLite dialect. It links the system's libsqlite3: two copies of SQLite in one process do not see each other's locks.
pkglib_LTLIBRARIES += viewd_sqlite.la
viewd_sqlite_la_SOURCES = \
	plugins/sqlite/authorizer.c \
	plugins/sqlite/busy.c \
	plugins/sqlite/catalogue.c \
	plugins/sqlite/columns.c \
	plugins/sqlite/conn.c plugins/sqlite/conn.h \
	plugins/sqlite/dialect.c \
	plugins/sqlite/error.c \
	plugins/sqlite/files.c plugins/sqlite/files.h \
	plugins/sqlite/leave.c \
	plugins/sqlite/path.c plugins/sqlite/path.h \
	plugins/sqlite/poll.c \
	plugins/sqlite/query.c \
	plugins/sqlite/replace.c \
	plugins/sqlite/restored.c \
	plugins/sqlite/statement.c \
	plugins/sqlite/syntax.c plugins/sqlite/syntax.h \
	plugins/sqlite/trigger.c \
	plugins/sqlite/walk.c \
	plugins/sqlite/watch.c plugins/sqlite/watch.h
viewd_sqlite_la_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
viewd_sqlite_la_LDFLAGS = $(plugin_ldflags)
viewd_sqlite_la_LIBADD = libviewd_sql.la libviewd_base.la $(SQLITE_LIBS) $(TALLOC_LIBS)
