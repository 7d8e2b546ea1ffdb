# control socket and viewctl
libviewd_la_SOURCES += \
	daemon/ctl/args.c daemon/ctl/args.h daemon/ctl/args_private.h \
	daemon/ctl/args_argv.c \
	daemon/ctl/args_wire.c \
	daemon/ctl/audit.c daemon/ctl/audit.h \
	daemon/ctl/call.c daemon/ctl/call.h \
	daemon/ctl/cmd_conf.c \
	daemon/ctl/cmd_follow.c \
	daemon/ctl/cmd_run.c \
	daemon/ctl/cmd_status.c \
	daemon/ctl/commands.c daemon/ctl/commands.h \
	daemon/ctl/handlers.c daemon/ctl/handlers.h \
	daemon/ctl/json.c daemon/ctl/json.h \
	daemon/ctl/json_status.c daemon/ctl/json_status.h \
	daemon/ctl/json_text.c daemon/ctl/json_text.h \
	daemon/ctl/limits.c \
	daemon/ctl/peer.c daemon/ctl/peer.h \
	daemon/ctl/server.c daemon/ctl/server.h daemon/ctl/server_private.h \
	daemon/ctl/server_client.c \
	daemon/ctl/server_reply.c \
	daemon/ctl/socket.c daemon/ctl/socket.h \
	daemon/ctl/text_out.c daemon/ctl/text_out.h

bin_PROGRAMS += viewctl
# apart from main, so that tests can call it
noinst_LTLIBRARIES += libviewctl.la
libviewctl_la_SOURCES = \
	daemon/client/client.c daemon/client/client.h \
	daemon/client/events.c \
	daemon/client/help.c daemon/client/help.h \
	daemon/client/http.c daemon/client/http.h \
	daemon/client/offline.c \
	daemon/client/print.c daemon/client/print.h \
	daemon/client/print_graph.c \
	daemon/client/print_look.c \
	daemon/client/print_run.c \
	daemon/client/print_status.c \
	daemon/client/remote.c \
	daemon/client/table.c daemon/client/table.h \
	daemon/client/text.c daemon/client/text.h
libviewctl_la_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS)
libviewctl_la_LIBADD = libviewd.la $(CURL_LIBS) $(JANSSON_LIBS) $(TALLOC_LIBS)
viewctl_SOURCES = daemon/client/viewctl.c
viewctl_LDADD = libviewctl.la
viewctl_LDFLAGS = $(program_ldflags)

bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = daemon/client/completion/viewctl
