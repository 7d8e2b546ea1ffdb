# The PostgreSQL dialect. The only code that includes libpq-fe.h.
pkglib_LTLIBRARIES += viewd_postgresql.la
noinst_LTLIBRARIES += libviewd_postgresql.la
# All but the exported symbol, whose name is another where tests link it.
libviewd_postgresql_la_SOURCES = \
	plugins/postgresql/bodies.c \
	plugins/postgresql/capture.c \
	plugins/postgresql/catalogue.c \
	plugins/postgresql/choose.c \
	plugins/postgresql/conn.c \
	plugins/postgresql/drain.c \
	plugins/postgresql/errors.c \
	plugins/postgresql/exec.c \
	plugins/postgresql/flood.c \
	plugins/postgresql/group.c \
	plugins/postgresql/guard.c \
	plugins/postgresql/index.c \
	plugins/postgresql/heart.c \
	plugins/postgresql/heat.c \
	plugins/postgresql/lease.c \
	plugins/postgresql/leave.c \
	plugins/postgresql/listen.c \
	plugins/postgresql/look.c \
	plugins/postgresql/members.c \
	plugins/postgresql/mend.c \
	plugins/postgresql/note.c \
	plugins/postgresql/objects.c \
	plugins/postgresql/own.c \
	plugins/postgresql/pace.c \
	plugins/postgresql/place.c \
	plugins/postgresql/pg.h \
	plugins/postgresql/pipeline.c \
	plugins/postgresql/poll.c \
	plugins/postgresql/pooler.c \
	plugins/postgresql/prepare.c \
	plugins/postgresql/prepared.c \
	plugins/postgresql/replace.c \
	plugins/postgresql/sound.c \
	plugins/postgresql/sources.c \
	plugins/postgresql/stage.c \
	plugins/postgresql/stamp.h \
	plugins/postgresql/syntax.c \
	plugins/postgresql/tend.c \
	plugins/postgresql/tree.c \
	plugins/postgresql/tree.h \
	plugins/postgresql/trigger.c \
	plugins/postgresql/url.c \
	plugins/postgresql/walk.c \
	plugins/postgresql/walk.h \
	plugins/postgresql/watch.c \
	plugins/postgresql/watch.h
EXTRA_DIST += plugins/postgresql/README.md
libviewd_postgresql_la_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
viewd_postgresql_la_SOURCES = plugins/postgresql/postgresql.c
viewd_postgresql_la_CPPFLAGS = $(AM_CPPFLAGS) $(PQ_CFLAGS)
viewd_postgresql_la_LDFLAGS = $(plugin_ldflags)
viewd_postgresql_la_LIBADD = libviewd_postgresql.la libviewd_sql.la libviewd_base.la $(PQ_LIBS) $(TALLOC_LIBS) $(LIBMD_LIBS)
