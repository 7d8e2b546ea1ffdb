# tests: unit/sched

sched_tests = \
	tests/unit/core/test_due \
	tests/unit/core/test_lag \
	tests/unit/sched/test_coalesce \
	tests/unit/sched/test_cron \
	tests/unit/sched/test_zone
check_PROGRAMS += $(sched_tests)
TESTS += $(sched_tests)
tests_unit_core_test_due_LDADD = tests/unit/core/librig.la $(LDADD)
tests_unit_core_test_lag_LDADD = tests/unit/core/librig.la $(LDADD)
