# tests: unit/sched

sched_tests = \
	tests/unit/sched/test_cron \
	tests/unit/sched/test_zone
check_PROGRAMS += $(sched_tests)
TESTS += $(sched_tests)
