# control socket and viewctl
libviewd_la_SOURCES += \
	daemon/ctl/answer/json.c daemon/ctl/answer/json.h \
	daemon/ctl/answer/json_planned.c daemon/ctl/answer/json_planned.h \
	daemon/ctl/answer/json_schema.c daemon/ctl/answer/json_schema.h \
	daemon/ctl/answer/json_status.c daemon/ctl/answer/json_status.h \
	daemon/ctl/answer/status_fields.h \
	daemon/ctl/call/call.c daemon/ctl/call/call.h \
	daemon/ctl/call/cmd_conf.c \
	daemon/ctl/call/cmd_explain.c \
	daemon/ctl/call/cmd_graph.c \
	daemon/ctl/call/cmd_history.c \
	daemon/ctl/call/cmd_follow.c \
	daemon/ctl/call/cmd_metrics.c \
	daemon/ctl/call/cmd_page.c \
	daemon/ctl/call/cmd_run.c \
	daemon/ctl/call/cmd_verify.c \
	daemon/ctl/call/cmd_status.c \
	daemon/ctl/call/cmd_uninstall.c \
	daemon/ctl/call/handlers.c daemon/ctl/call/handlers.h \
	daemon/ctl/command/args.c daemon/ctl/command/args.h daemon/ctl/command/args_private.h \
	daemon/ctl/command/args_argv.c \
	daemon/ctl/command/args_wire.c \
	daemon/ctl/command/commands.c daemon/ctl/command/commands.h \
	daemon/ctl/metrics/metrics.c daemon/ctl/metrics/metrics.h \
	daemon/ctl/metrics/write.c daemon/ctl/metrics/write.h \
	daemon/ctl/page/chart.c daemon/ctl/page/chart.h \
	daemon/ctl/page/detail.c daemon/ctl/page/detail.h \
	daemon/ctl/page/files.c daemon/ctl/page/files.h \
	daemon/ctl/page/html.c daemon/ctl/page/html.h \
	daemon/ctl/page/list.c daemon/ctl/page/list.h \
	daemon/ctl/serve/audit.c daemon/ctl/serve/audit.h \
	daemon/ctl/serve/host.c daemon/ctl/serve/host.h \
	daemon/ctl/serve/limits.c \
	daemon/ctl/serve/peer.c daemon/ctl/serve/peer.h \
	daemon/ctl/serve/server.c daemon/ctl/serve/server.h daemon/ctl/serve/server_private.h \
	daemon/ctl/serve/server_client.c \
	daemon/ctl/serve/server_error.c \
	daemon/ctl/serve/server_reply.c \
	daemon/ctl/serve/server_request.c \
	daemon/ctl/serve/socket.c daemon/ctl/serve/socket.h \
	daemon/ctl/serve/web.c daemon/ctl/serve/web.h \
	daemon/ctl/text/json_explain.c daemon/ctl/text/json_explain.h \
	daemon/ctl/text/json_err.c daemon/ctl/text/json_err.h \
	daemon/ctl/text/json_text.c daemon/ctl/text/json_text.h \
	daemon/ctl/text/text_out.c daemon/ctl/text/text_out.h

bin_PROGRAMS += viewctl
# apart from main, so that tests can call it
noinst_LTLIBRARIES += libviewctl.la
libviewctl_la_SOURCES = \
	daemon/client/client.c daemon/client/client.h \
	daemon/client/doctor.c \
	daemon/client/events.c \
	daemon/client/graph.c \
	daemon/client/help.c daemon/client/help.h \
	daemon/client/http.c daemon/client/http.h \
	daemon/client/import.c \
	daemon/client/list.c \
	daemon/client/live.c daemon/client/live.h \
	daemon/client/offline.c daemon/client/offline.h \
	daemon/client/plan.c \
	daemon/client/print/look.c daemon/client/print/look.h \
	daemon/client/print/print.c daemon/client/print/print.h \
	daemon/client/print/print_explain.c \
	daemon/client/print/print_json.c \
	daemon/client/print/print_graph.c \
	daemon/client/print/print_look.c \
	daemon/client/print/print_run.c \
	daemon/client/print/print_status.c \
	daemon/client/print/table.c daemon/client/print/table.h \
	daemon/client/print/text.c daemon/client/print/text.h \
	daemon/client/remote.c
libviewctl_la_CPPFLAGS = $(AM_CPPFLAGS) $(CURL_CFLAGS) $(JANSSON_CFLAGS) $(SMARTCOLS_CFLAGS)
libviewctl_la_LIBADD = libviewd.la $(CURL_LIBS) $(JANSSON_LIBS) $(SMARTCOLS_LIBS) $(TALLOC_LIBS)
viewctl_SOURCES = daemon/client/viewctl.c
viewctl_LDADD = libviewctl.la
viewctl_LDFLAGS = $(program_ldflags)

bashcompdir = $(datadir)/bash-completion/completions
dist_bashcomp_DATA = daemon/client/completion/viewctl

# The files of the page, as C.
page_files = \
	daemon/ctl/page/files/graph.js \
	daemon/ctl/page/files/table.js \
	daemon/ctl/page/files/view.js \
	daemon/ctl/page/files/viewd.css \
	daemon/ctl/page/files/viewd.js \
	daemon/ctl/page/files/viewd.svg
page_files.c: $(page_files) tools/embed.sh
	$(AM_V_GEN)cd $(srcdir) && tools/embed.sh $(page_files) >$(abs_builddir)/$@.tmp && mv $(abs_builddir)/$@.tmp $(abs_builddir)/$@
nodist_libviewd_la_SOURCES = page_files.c
CLEANFILES += page_files.c
EXTRA_DIST += $(page_files) tools/embed.sh
