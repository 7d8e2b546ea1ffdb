# The PostgreSQL dialect. The only code that includes libpq-fe.h.
pkglib_LTLIBRARIES += viewd_postgresql.la
noinst_LTLIBRARIES += libviewd_postgresql.la
# All but the exported symbol, whose name is another where tests link it.
libviewd_postgresql_la_SOURCES = \
	plugins/postgresql/depends/bodies.c \
	plugins/postgresql/objects/relation_ddl.c \
	plugins/postgresql/objects/rename.c \
	plugins/postgresql/objects/catalogue.c \
	plugins/postgresql/objects/lacking.c plugins/postgresql/objects/lacking.h \
	plugins/postgresql/capture/carried.c \
	plugins/postgresql/capture/choose.c \
	plugins/postgresql/conn/conn.c \
	plugins/postgresql/watch/drain.c \
	plugins/postgresql/conn/errors.c \
	plugins/postgresql/conn/exec.c \
	plugins/postgresql/watch/flood.c \
	plugins/postgresql/refresh/diff.c plugins/postgresql/refresh/elsewhere.c plugins/postgresql/refresh/elsewhere.h \
	plugins/postgresql/refresh/copy.c plugins/postgresql/refresh/standby.c \
	plugins/postgresql/refresh/group.c \
	plugins/postgresql/conn/guard.c \
	plugins/postgresql/incremental/apply.c \
	plugins/postgresql/incremental/part_diff.c \
	plugins/postgresql/incremental/part_diff.h \
	plugins/postgresql/incremental/log_functions.c \
	plugins/postgresql/incremental/glance.c plugins/postgresql/incremental/glance.h \
	plugins/postgresql/incremental/key_index.c \
	plugins/postgresql/incremental/keys.c \
	plugins/postgresql/incremental/log.c plugins/postgresql/incremental/look.c \
	plugins/postgresql/incremental/log_objects.h \
	plugins/postgresql/incremental/harmless.c \
	plugins/postgresql/incremental/move.c \
	plugins/postgresql/incremental/overflow.c \
	plugins/postgresql/incremental/roll.c \
	plugins/postgresql/objects/index.c \
	plugins/postgresql/watch/heartbeat.c \
	plugins/postgresql/watch/write_rate.c \
	plugins/postgresql/conn/leader_lock.c \
	plugins/postgresql/examine.c \
	plugins/postgresql/existing.c \
	plugins/postgresql/leave.c \
	plugins/postgresql/watch/listen.c \
	plugins/postgresql/depends/know.c \
	plugins/postgresql/depends/shards.c plugins/postgresql/depends/shards.h \
	plugins/postgresql/depends/changed_objects.c \
	plugins/postgresql/capture/source_parts.c \
	plugins/postgresql/watch/trigger_repair.c \
	plugins/postgresql/capture/trigger_functions.c \
	plugins/postgresql/capture/log_objects.c \
	plugins/postgresql/conn/own.c \
	plugins/postgresql/watch/poll_interval.c \
	plugins/postgresql/objects/place.c \
	plugins/postgresql/pg.h \
	plugins/postgresql/conn/pipeline.c \
	plugins/postgresql/watch/poll.c \
	plugins/postgresql/conn/pooler.c plugins/postgresql/conn/pooled.h \
	plugins/postgresql/conn/leader.h plugins/postgresql/conn/system.c \
	plugins/postgresql/conn/settings.c \
	plugins/postgresql/prepare.c \
	plugins/postgresql/conn/prepared.c \
	plugins/postgresql/refresh/replace.c \
	plugins/postgresql/watch/sound.c \
	plugins/postgresql/depends/sources.c \
	plugins/postgresql/refresh/stage.c \
	plugins/postgresql/depends/stamp.h \
	plugins/postgresql/conn/syntax.c \
	plugins/postgresql/refresh/maintenance.c \
	plugins/postgresql/objects/tree.c \
	plugins/postgresql/objects/tree.h \
	plugins/postgresql/capture/trigger.c \
	plugins/postgresql/conn/url.c \
	plugins/postgresql/depends/walk.c \
	plugins/postgresql/depends/walk.h \
	plugins/postgresql/watch/watch.c \
	plugins/postgresql/watch/watch.h
libviewd_postgresql_la_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
viewd_postgresql_la_SOURCES = plugins/postgresql/postgresql.c
viewd_postgresql_la_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
viewd_postgresql_la_LDFLAGS = $(plugin_ldflags)
viewd_postgresql_la_LIBADD = libviewd_postgresql.la libviewd_sql.la libviewd_base.la $(PQ_LIBS) $(TALLOC_LIBS) $(LIBMD_LIBS)
