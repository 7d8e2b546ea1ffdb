# tests: unit/ctl
ctl_unit_tests = \
	tests/unit/ctl/test_args \
	tests/unit/ctl/test_follow \
	tests/unit/ctl/test_metrics \
	tests/unit/ctl/test_page \
	tests/unit/ctl/test_server \
	tests/unit/ctl/test_server_clients \
	tests/unit/ctl/test_socket \
	tests/unit/ctl/test_verify \
	tests/unit/ctl/test_viewctl \
	tests/unit/ctl/test_web
check_PROGRAMS += $(ctl_unit_tests)
TESTS += $(ctl_unit_tests)
ctl_support = \
	tests/unit/ctl/ctl_support.c tests/unit/ctl/ctl_support.h \
	tests/unit/ctl/fake_engine.c tests/unit/ctl/fake_engine.h
tests_unit_ctl_test_server_SOURCES = tests/unit/ctl/test_server.c $(ctl_support)
tests_unit_ctl_test_server_clients_SOURCES = tests/unit/ctl/test_server_clients.c $(ctl_support)
tests_unit_ctl_test_follow_SOURCES = tests/unit/ctl/test_follow.c $(ctl_support)
tests_unit_ctl_test_follow_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_verify_SOURCES = tests/unit/ctl/test_verify.c $(ctl_support)
tests_unit_ctl_test_verify_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_server_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_server_clients_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_metrics_SOURCES = tests/unit/ctl/test_metrics.c $(ctl_support)
tests_unit_ctl_test_metrics_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_page_SOURCES = tests/unit/ctl/test_page.c $(ctl_support)
tests_unit_ctl_test_page_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_web_SOURCES = tests/unit/ctl/test_web.c $(ctl_support)
tests_unit_ctl_test_web_LDADD = $(LDADD) $(JANSSON_LIBS)
tests_unit_ctl_test_viewctl_SOURCES = tests/unit/ctl/test_viewctl.c $(ctl_support)
tests_unit_ctl_test_viewctl_LDADD = libviewctl.la $(LDADD) $(CURL_LIBS) $(JANSSON_LIBS)
