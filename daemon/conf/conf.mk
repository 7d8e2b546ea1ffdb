# configuration files
libviewd_la_SOURCES += \
	daemon/conf/arena.c daemon/conf/arena.h \
	daemon/conf/build.c \
	daemon/conf/check.c \
	daemon/conf/conf.c daemon/conf/conf.h \
	daemon/conf/define.c \
	daemon/conf/describe.c daemon/conf/describe.h \
	daemon/conf/diff.c daemon/conf/diff.h \
	daemon/conf/file.c daemon/conf/file.h \
	daemon/conf/ini.c daemon/conf/ini.h \
	daemon/conf/list.c daemon/conf/list.h \
	daemon/conf/load.c daemon/conf/load.h \
	daemon/conf/names.c daemon/conf/names.h \
	daemon/conf/option.c daemon/conf/option.h \
	daemon/conf/option_lists.c \
	daemon/conf/option_types.c daemon/conf/option_types.h \
	daemon/conf/password.c daemon/conf/password.h \
	daemon/conf/report.c daemon/conf/report.h \
	daemon/conf/scan.c daemon/conf/scan.h \
	daemon/conf/schema.h \
	daemon/conf/schema_daemon.c \
	daemon/conf/schema_database.c \
	daemon/conf/schema_view.c \
	daemon/conf/show.c daemon/conf/show.h \
	daemon/conf/url.c daemon/conf/url.h \
	daemon/conf/words.c daemon/conf/words.h
