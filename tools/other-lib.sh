# SPDX-License-Identifier: MIT
# shellcheck shell=bash
#
# other-lib.sh: what the tools share that run tests with another server than the installed one.

# run_tests PLACE TEST...: runs tests/TEST.sh one after the other, in the build directory; their logs are in PLACE. Status 1 when one fails.
run_tests()
{
	local place=$1 test log failed=0
	shift
	cd "$VIEWD_BUILD" || return
	for test; do
		log=$place/${test//\//-}.log
		printf '%s: ' "$test"
		if "$VIEWD_SRC/tests/$test.sh" >"$log" 2>&1; then
			echo ok
		else
			echo "FAILED, $log"
			failed=1
		fi
	done
	return $failed
}
