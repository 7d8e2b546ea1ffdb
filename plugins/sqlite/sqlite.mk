# The SQLite dialect. It links the system's libsqlite3: two copies of SQLite in one process do not see each other's locks.
pkglib_LTLIBRARIES += viewd_sqlite.la
viewd_sqlite_la_SOURCES = \
	plugins/sqlite/conn/authorizer.c \
	plugins/sqlite/conn/busy.c \
	plugins/sqlite/objects/catalogue.c plugins/sqlite/objects/catalogue.h \
	plugins/sqlite/objects/columns.c \
	plugins/sqlite/objects/rename.c \
	plugins/sqlite/objects/known.c plugins/sqlite/objects/known.h \
	plugins/sqlite/conn/conn.c plugins/sqlite/conn/conn.h \
	plugins/sqlite/sqlite.c \
	plugins/sqlite/conn/errors.c \
	plugins/sqlite/conn/prepared.c plugins/sqlite/conn/prepared.h \
	plugins/sqlite/conn/files.c plugins/sqlite/conn/files.h \
	plugins/sqlite/conn/file_facts.c plugins/sqlite/conn/file_facts.h \
	plugins/sqlite/examine.c plugins/sqlite/examine.h \
	plugins/sqlite/examine_files.c plugins/sqlite/examine_files.h \
	plugins/sqlite/existing.c plugins/sqlite/existing.h \
	plugins/sqlite/leave.c plugins/sqlite/leave.h \
	plugins/sqlite/conn/path.c plugins/sqlite/conn/path.h \
	plugins/sqlite/conn/commit_number.c plugins/sqlite/conn/commit_number.h \
	plugins/sqlite/conn/definition.c plugins/sqlite/conn/definition.h \
	plugins/sqlite/refresh/replace.c plugins/sqlite/refresh/replace.h \
	plugins/sqlite/watch/restored.c plugins/sqlite/watch/restored.h \
	plugins/sqlite/conn/exec.c \
	plugins/sqlite/conn/syntax.c plugins/sqlite/conn/syntax.h \
	plugins/sqlite/capture/trigger.c plugins/sqlite/capture/trigger.h \
	plugins/sqlite/incremental/apply.c plugins/sqlite/incremental/apply.h \
	plugins/sqlite/incremental/incremental.h \
	plugins/sqlite/incremental/keys.c plugins/sqlite/incremental/roll.c \
	plugins/sqlite/incremental/key_index.c \
	plugins/sqlite/incremental/log.c \
	plugins/sqlite/incremental/log_text.c plugins/sqlite/incremental/log_text.h \
	plugins/sqlite/incremental/read_log.c \
	plugins/sqlite/incremental/scratch.c plugins/sqlite/incremental/scratch.h \
	plugins/sqlite/incremental/shape.c plugins/sqlite/incremental/shape.h \
	plugins/sqlite/depends/know.c plugins/sqlite/depends/walk.c plugins/sqlite/depends/walk.h \
	plugins/sqlite/watch/signs.c plugins/sqlite/watch/signs.h \
	plugins/sqlite/watch/watch.c plugins/sqlite/watch/watch.h
viewd_sqlite_la_CPPFLAGS = $(AM_CPPFLAGS) $(SQLITE_CFLAGS)
viewd_sqlite_la_LDFLAGS = $(plugin_ldflags)
viewd_sqlite_la_LIBADD = libviewd_sql.la libviewd_base.la $(SQLITE_LIBS) $(TALLOC_LIBS)
