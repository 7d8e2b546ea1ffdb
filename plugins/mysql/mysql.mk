# MySQL and MariaDB.
pkglib_LTLIBRARIES += viewd_mysql.la
noinst_LTLIBRARIES += libviewd_mysql.la
# All but the exported symbol, whose name is another where tests link it.
libviewd_mysql_la_SOURCES = \
	plugins/mysql/texts.c plugins/mysql/texts.h \
	plugins/mysql/cascade.h \
	plugins/mysql/aside.c plugins/mysql/aside.h \
	plugins/mysql/binlog.c plugins/mysql/binlog.h \
	plugins/mysql/body.c \
	plugins/mysql/calls.c \
	plugins/mysql/capture.c \
	plugins/mysql/cascade.c \
	plugins/mysql/catalogue.c \
	plugins/mysql/columns.c \
	plugins/mysql/conn.c \
	plugins/mysql/definer.c \
	plugins/mysql/dependants.c \
	plugins/mysql/drain.c \
	plugins/mysql/errors.c \
	plugins/mysql/events.c plugins/mysql/events.h \
	plugins/mysql/exec.c plugins/mysql/group.c \
	plugins/mysql/hinder.c \
	plugins/mysql/inplace.c \
	plugins/mysql/intent.c \
	plugins/mysql/my.h \
	plugins/mysql/lease.c \
	plugins/mysql/leave.c \
	plugins/mysql/note.c plugins/mysql/note.h \
	plugins/mysql/notice.c plugins/mysql/notice.h \
	plugins/mysql/lock.c \
	plugins/mysql/looks.c \
	plugins/mysql/params.c \
	plugins/mysql/place.c \
	plugins/mysql/position.c \
	plugins/mysql/probe.c \
	plugins/mysql/replace.c \
	plugins/mysql/settings.c plugins/mysql/view_settings.c \
	plugins/mysql/sources.c \
	plugins/mysql/stage.c \
	plugins/mysql/statement.c \
	plugins/mysql/swap.c \
	plugins/mysql/sweep.c \
	plugins/mysql/syntax.c \
	plugins/mysql/tables.c \
	plugins/mysql/tag.c plugins/mysql/tag.h \
	plugins/mysql/targets.c plugins/mysql/targets.h \
	plugins/mysql/trigger.c \
	plugins/mysql/walk.c plugins/mysql/walk.h \
	plugins/mysql/watch.c plugins/mysql/watch.h
libviewd_mysql_la_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS) $(TALLOC_CFLAGS)
viewd_mysql_la_SOURCES = plugins/mysql/mysql.c
viewd_mysql_la_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS) $(TALLOC_CFLAGS)
viewd_mysql_la_LDFLAGS = $(plugin_ldflags)
viewd_mysql_la_LIBADD = libviewd_mysql.la libviewd_sql.la libviewd_base.la $(MYSQL_LIBS) $(TALLOC_LIBS)
