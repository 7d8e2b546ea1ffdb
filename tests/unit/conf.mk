# tests: unit/conf
conf_unit_tests = \
	tests/unit/conf/test_check \
	tests/unit/conf/test_database \
	tests/unit/conf/test_define \
	tests/unit/conf/test_diff \
	tests/unit/conf/test_ini \
	tests/unit/conf/test_load \
	tests/unit/conf/test_option \
	tests/unit/conf/test_parts \
	tests/unit/conf/test_password \
	tests/unit/conf/test_show
check_PROGRAMS += $(conf_unit_tests)
TESTS += $(conf_unit_tests)
EXTRA_DIST += tests/unit/conf/conf_support.h

include tests/fuzz/fuzz.mk
