# libviewd: the daemon as a library. Every test links it; viewd and viewctl are thin mains.

noinst_LTLIBRARIES += libviewd_base.la libviewd.la

# Also linked into plugins: knows nothing of views, SQL, sockets.
libviewd_base_la_SOURCES = \
	daemon/base/macros.h \
	daemon/base/clock.c daemon/base/clock.h \
	daemon/base/err.c daemon/base/err.h \
	daemon/base/kind.h \
	daemon/base/span.c daemon/base/span.h \
	daemon/base/utf8.c daemon/base/utf8.h \
	daemon/base/words.c daemon/base/words.h \
	plugins/viewd_dialect.h plugins/viewd_types.h

libviewd_la_SOURCES = \
	daemon/base/account.c daemon/base/account.h \
	daemon/base/address.c daemon/base/address.h \
	daemon/base/command.c daemon/base/command.h \
	daemon/base/failpoint.c daemon/base/failpoint.h \
	daemon/base/kind.h \
	daemon/base/log.c daemon/base/log.h \
	daemon/base/nearest.c daemon/base/nearest.h \
	daemon/base/paths.c daemon/base/paths.h
libviewd_la_CPPFLAGS = $(AM_CPPFLAGS) $(EVENT_CFLAGS) $(GLIB_CFLAGS) $(LIBMD_CFLAGS) $(SYSTEMD_CFLAGS) \
	$(INIPARSER_CFLAGS)
libviewd_la_LIBADD = libviewd_base.la $(TALLOC_LIBS) $(JANSSON_LIBS) $(EVENT_LIBS) $(GLIB_LIBS) $(LIBMD_LIBS) \
	$(SYSTEMD_LIBS) $(INIPARSER_LIBS) -lpthread -ldl
include daemon/conf/conf.mk
include daemon/core/core.mk
include daemon/ctl/ctl.mk

sbin_PROGRAMS += viewd
viewd_SOURCES = daemon/main.c
viewd_LDADD = libviewd.la
viewd_LDFLAGS = $(program_ldflags)
