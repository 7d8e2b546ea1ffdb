# MySQL and MariaDB.
pkglib_LTLIBRARIES += viewd_mysql.la
noinst_LTLIBRARIES += libviewd_mysql.la
# All but the exported symbol, whose name is another where tests link it.
libviewd_mysql_la_SOURCES = \
	plugins/mysql/conn/texts.c plugins/mysql/conn/texts.h \
	plugins/mysql/depends/cascade.h \
	plugins/mysql/refresh/shadow_table.c plugins/mysql/refresh/shadow_table.h \
	plugins/mysql/conn/batch.c \
	plugins/mysql/capture/binlog/binlog.c plugins/mysql/capture/binlog/binlog.h \
	plugins/mysql/capture/body.c \
	plugins/mysql/depends/calls.c \
	plugins/mysql/capture/choose.c \
	plugins/mysql/depends/cascade.c \
	plugins/mysql/objects/catalogue.c \
	plugins/mysql/objects/columns.c \
	plugins/mysql/conn/conn.c \
	plugins/mysql/capture/definer.c \
	plugins/mysql/refresh/dependants.c \
	plugins/mysql/refresh/diff.c \
	plugins/mysql/watch/drain.c \
	plugins/mysql/conn/errors.c \
	plugins/mysql/capture/binlog/events.c plugins/mysql/capture/binlog/events.h \
	plugins/mysql/conn/exec.c plugins/mysql/refresh/group.c \
	plugins/mysql/refresh/swap_blockers.c \
	plugins/mysql/refresh/inplace.c \
	plugins/mysql/refresh/intent.c \
	plugins/mysql/my.h \
	plugins/mysql/conn/leader_lock.c \
	plugins/mysql/examine.c \
	plugins/mysql/existing.c \
	plugins/mysql/leave.c \
	plugins/mysql/capture/trigger_procedure.c plugins/mysql/capture/trigger_procedure.h \
	plugins/mysql/capture/capture.c plugins/mysql/capture/capture.h \
	plugins/mysql/conn/lock.c \
	plugins/mysql/conn/row_key.c plugins/mysql/conn/row_key.h \
	plugins/mysql/depends/changed_objects.c \
	plugins/mysql/conn/params.c \
	plugins/mysql/conn/places.c plugins/mysql/capture/server.c \
	plugins/mysql/objects/exchange_probe.c plugins/mysql/objects/place.c \
	plugins/mysql/capture/binlog/position.c \
	plugins/mysql/capture/binlog/skim.c \
	plugins/mysql/objects/probe.c \
	plugins/mysql/objects/rename.c \
	plugins/mysql/watch/rest.c plugins/mysql/watch/rest.h plugins/mysql/watch/slots.c plugins/mysql/watch/watch_lock.c \
	plugins/mysql/refresh/replace.c \
	plugins/mysql/conn/settings.c plugins/mysql/conn/view_settings.c \
	plugins/mysql/depends/sources.c \
	plugins/mysql/refresh/stage.c \
	plugins/mysql/capture/binlog/statement.c \
	plugins/mysql/refresh/swap.c \
	plugins/mysql/leftovers.c \
	plugins/mysql/conn/syntax.c \
	plugins/mysql/capture/tables.c \
	plugins/mysql/objects/tag.c plugins/mysql/objects/tag.h \
	plugins/mysql/capture/binlog/targets.c plugins/mysql/capture/binlog/targets.h \
	plugins/mysql/capture/trigger.c \
	plugins/mysql/capture/trigger_plan.c plugins/mysql/capture/trigger_plan.h \
	plugins/mysql/depends/know.c \
	plugins/mysql/incremental/apply.c \
	plugins/mysql/incremental/compare/compared.c plugins/mysql/incremental/compare/comparing.h \
	plugins/mysql/incremental/compare/write_back.c \
	plugins/mysql/incremental/part_diff.c \
	plugins/mysql/incremental/facts.c \
	plugins/mysql/incremental/ids.c plugins/mysql/incremental/ids.h \
	plugins/mysql/incremental/key_index.c \
	plugins/mysql/incremental/keys.c \
	plugins/mysql/incremental/log.c plugins/mysql/incremental/log.h \
	plugins/mysql/incremental/look.c \
	plugins/mysql/incremental/log_text.c \
	plugins/mysql/incremental/purge.c \
	plugins/mysql/incremental/roll.c \
	plugins/mysql/incremental/seen.c \
	plugins/mysql/depends/walk.c plugins/mysql/depends/walk.h \
	plugins/mysql/watch/watch.c plugins/mysql/watch/watch.h
libviewd_mysql_la_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS) $(TALLOC_CFLAGS)
viewd_mysql_la_SOURCES = plugins/mysql/mysql.c
viewd_mysql_la_CPPFLAGS = $(AM_CPPFLAGS) $(MYSQL_CFLAGS) $(TALLOC_CFLAGS)
viewd_mysql_la_LDFLAGS = $(plugin_ldflags)
viewd_mysql_la_LIBADD = libviewd_mysql.la libviewd_sql.la libviewd_base.la $(MYSQL_LIBS) $(TALLOC_LIBS)
