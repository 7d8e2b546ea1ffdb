# control socket and viewctl
libviewd_la_SOURCES += \
	daemon/ctl/args.c daemon/ctl/args.h daemon/ctl/args_private.h \
	daemon/ctl/args_argv.c \
	daemon/ctl/args_wire.c \
	daemon/ctl/call.c daemon/ctl/call.h \
	daemon/ctl/cmd_conf.c \
	daemon/ctl/cmd_run.c \
	daemon/ctl/cmd_status.c \
	daemon/ctl/commands.c daemon/ctl/commands.h \
	daemon/ctl/handlers.c daemon/ctl/handlers.h \
	daemon/ctl/json.c daemon/ctl/json.h \
	daemon/ctl/peer.c daemon/ctl/peer.h \
	daemon/ctl/server.c daemon/ctl/server.h \
	daemon/ctl/socket.c daemon/ctl/socket.h
