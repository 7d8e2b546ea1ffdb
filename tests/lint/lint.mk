# Rules that the compiler does not know.
lint_tests = \
	tests/lint/comments.sh \
	tests/lint/dist.sh \
	tests/lint/engines.sh \
	tests/lint/exports.sh \
	tests/lint/format.sh \
	tests/lint/globals.sh \
	tests/lint/headers.sh \
	tests/lint/layers.sh \
	tests/lint/repo.sh \
	tests/lint/sizes.sh \
	tests/lint/sleeps.sh \
	tests/lint/walls.sh \
	tests/lint/ways.sh
TESTS += $(lint_tests)
EXTRA_DIST += tests/lint/lib.sh $(lint_tests)
