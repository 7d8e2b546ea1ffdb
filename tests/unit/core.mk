# tests: unit/core

# ---- the scripted dialect: a plugin for programs, a library for unit tests. -rpath makes libtool build a real shared object.
fake_sources = \
	tests/plugins/fake.c tests/plugins/fake.h tests/plugins/fake_private.h \
	tests/plugins/fake_capture.c \
	tests/plugins/fake_group.c \
	tests/plugins/fake_offline.c \
	tests/plugins/fake_script.c \
	tests/plugins/fake_server.c
test_plugin_ldflags = $(plugin_ldflags) -rpath /nowhere

check_LTLIBRARIES += tests/plugins/viewd_fake.la tests/plugins/libfake.la
tests_plugins_viewd_fake_la_SOURCES = $(fake_sources)
tests_plugins_viewd_fake_la_CPPFLAGS = $(AM_CPPFLAGS)
tests_plugins_viewd_fake_la_LDFLAGS = $(test_plugin_ldflags)
tests_plugins_viewd_fake_la_LIBADD = libviewd_base.la $(TALLOC_LIBS) -lpthread
tests_plugins_libfake_la_SOURCES = $(fake_sources)
tests_plugins_libfake_la_CPPFLAGS = $(AM_CPPFLAGS) -DVIEWD_DIALECT_STATIC=fake
tests_plugins_libfake_la_LIBADD = libviewd_base.la

# ---- an engine on it
check_LTLIBRARIES += tests/unit/core/librig.la
tests_unit_core_librig_la_SOURCES = tests/unit/core/rig.c tests/unit/core/rig.h
tests_unit_core_librig_la_LIBADD = tests/plugins/libfake.la libviewd.la libharness.la

core_rig_tests = \
	tests/unit/core/test_create \
	tests/unit/core/test_change \
	tests/unit/core/test_commit \
	tests/unit/core/test_other_databases \
	tests/unit/core/test_failure \
	tests/unit/core/test_freshness \
	tests/unit/core/test_group \
	tests/unit/core/test_interplay \
	tests/unit/core/test_loader \
	tests/unit/core/test_model \
	tests/unit/core/test_observe \
	tests/unit/core/test_past \
	tests/unit/core/test_reload \
	tests/unit/core/test_restore \
	tests/unit/core/test_recovery \
	tests/unit/core/test_sessions \
	tests/unit/core/test_watching \
	tests/unit/core/test_wave
tests_unit_core_test_create_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_change_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_commit_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_reload_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_observe_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_past_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_model_SOURCES = \
	tests/unit/core/test_model.c \
	tests/unit/core/alive.c tests/unit/core/alive.h \
	tests/unit/core/model_conf.c tests/unit/core/model_conf.h \
	tests/unit/core/model_servers.c tests/unit/core/model_servers.h
tests_unit_core_test_model_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_loader_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_other_databases_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_failure_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_freshness_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_restore_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_group_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_interplay_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_recovery_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_sessions_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_watching_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_wave_LDADD = tests/unit/core/librig.la $(LDADD)

core_tests = $(core_rig_tests) \
	tests/unit/core/test_decide \
	tests/unit/core/test_doubt \
	tests/unit/core/test_file_hints \
	tests/unit/core/test_graph \
	tests/unit/core/test_schedule \
	tests/unit/core/test_spool \
	tests/unit/core/test_worker
check_PROGRAMS += $(core_tests)
TESTS += $(core_tests)
EXTRA_DIST += docs/plugin-guide.md tests/plugins/bad/bad.c tests/plugins/example.c
