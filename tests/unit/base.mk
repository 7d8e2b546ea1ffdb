# tests: unit/base
base_unit_tests = \
	tests/unit/base/test_clock \
	tests/unit/base/test_err \
	tests/unit/base/test_failpoint \
	tests/unit/base/test_log \
	tests/unit/base/test_span
check_PROGRAMS += $(base_unit_tests)
TESTS += $(base_unit_tests)
