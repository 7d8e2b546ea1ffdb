# configuration files
libviewd_la_SOURCES += \
	daemon/conf/conf.h \
	daemon/conf/load/build.c \
	daemon/conf/load/check.c \
	daemon/conf/load/database.c \
	daemon/conf/load/define.c \
	daemon/conf/load/dialect.c daemon/conf/load/dialect.h \
	daemon/conf/load/load.c daemon/conf/load/load.h \
	daemon/conf/load/section.c daemon/conf/load/section.h \
	daemon/conf/read/arena.c daemon/conf/read/arena.h \
	daemon/conf/read/file.c daemon/conf/read/file.h \
	daemon/conf/read/ini.c daemon/conf/read/ini.h \
	daemon/conf/read/list.c daemon/conf/read/list.h \
	daemon/conf/read/names.c daemon/conf/read/names.h \
	daemon/conf/read/quote.c daemon/conf/read/quote.h \
	daemon/conf/read/report.c daemon/conf/read/report.h \
	daemon/conf/read/scan.c daemon/conf/read/scan.h \
	daemon/conf/schema/describe.c daemon/conf/schema/describe.h \
	daemon/conf/schema/describe_schema.c \
	daemon/conf/schema/option.c daemon/conf/schema/option.h \
	daemon/conf/schema/option_lists.c \
	daemon/conf/schema/option_types.c daemon/conf/schema/option_types.h \
	daemon/conf/schema/schema.h \
	daemon/conf/schema/schema_daemon.c \
	daemon/conf/schema/schema_database.c \
	daemon/conf/schema/schema_view.c \
	daemon/conf/snapshot/box.h \
	daemon/conf/snapshot/conf.c \
	daemon/conf/snapshot/diff.c daemon/conf/snapshot/diff.h \
	daemon/conf/snapshot/login.c daemon/conf/snapshot/login.h \
	daemon/conf/snapshot/password.c daemon/conf/snapshot/password.h \
	daemon/conf/snapshot/show.c daemon/conf/snapshot/show.h \
	daemon/conf/snapshot/url.c daemon/conf/snapshot/url.h \
	daemon/conf/snapshot/view_name.c daemon/conf/snapshot/view_name.h
