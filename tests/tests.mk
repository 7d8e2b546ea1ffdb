# One fragment a test group; each adds to check_PROGRAMS, TESTS and EXTRA_DIST.
include tests/unit/base.mk
include tests/unit/conf.mk
include tests/unit/core.mk
include tests/unit/ctl.mk
include tests/unit/plugins.mk
include tests/system/system.mk
