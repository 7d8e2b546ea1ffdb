# tests: unit/conf
conf_unit_tests = \
	tests/unit/conf/test_ini \
	tests/unit/conf/test_load \
	tests/unit/conf/test_option
check_PROGRAMS += $(conf_unit_tests)
TESTS += $(conf_unit_tests)
EXTRA_DIST += tests/unit/conf/conf_support.h
