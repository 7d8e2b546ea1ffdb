#!/bin/bash
# SPDX-License-Identifier: MIT
#
# Everything that must hold before a change goes in; developers and CI run the same script. Works in a fresh clone on a
# bare Debian 12 (as root, or with sudo for the packages).
#
#	tools/check.sh                 all stages
#	tools/check.sh --quick         gcc build and make check only; what runs on every engine runs on one of them in turn, and
#	                               no server is fetched
#	tools/check.sh --no-deps       do not look at packages
#	tools/check.sh --stage NAME    one stage alone (repeatable): gcc asan clang tsan valgrind systemd dist; and servers, which is
#	                               no part of the whole: the contract suites on real servers, under sanitizers
#
# The builds of a stage run at the lowest priority while the tests of the stages before it run: those mostly wait for servers and
# timeouts, and for the same reason several run at once. With ccache in the path a second run compiles little.
#
# Builds under build/check (VIEWD_CHECK_DIR says otherwise). The last line is "N passed, N failed"; exit status 1 when a
# test or a step failed. Steps count as one each; a test program counts once for every "ok" and "not ok" line it prints.
set -u
src=$(cd "$(dirname "$0")/.." && pwd)
out=${VIEWD_CHECK_DIR:-$src/build/check}
jobs=$(nproc)
test_jobs=$((jobs * 3))
plain='-O0 -U_FORTIFY_SOURCE' # where what the compiler makes is not run
export CONFIG_SHELL=/bin/sh # a small shell makes libtool quicker
stages="gcc asan clang tsan valgrind systemd dist"
deps=yes
quick=no
chosen=
passed=0
failed=0

while [ $# -gt 0 ]; do
	case $1 in
	--quick) chosen=gcc quick=yes ;;
	--no-deps) deps=no ;;
	--stage) chosen="$chosen ${2:?--stage needs a name}" && shift ;;
	-h | --help) sed -n 's/^#	//p' "$0" && exit 0 ;;
	*) sed -n 's/^#	//p' "$0" >&2 && exit 2 ;;
	esac
	shift
done

# Nothing is built beside a tree that was configured in place.
if [ -e "$src/config.status" ]; then
	echo "check: $src was configured in place, so configure builds nowhere else: run \"make distclean\" there, and this again" >&2
	exit 2
fi

# ---- counting ----

# step NAME COMMAND...: runs one command quietly, shows its output when it fails, counts it.
step()
{
	local name=$1 log=$out/step.$BASHPID.log start=$SECONDS
	shift
	if "$@" >"$log" 2>&1; then
		passed=$((passed + 1))
		printf 'ok     %s (%ds)\n' "$name" $((SECONDS - start))
		return 0
	fi
	failed=$((failed + 1))
	printf 'FAILED %s (%ds)\n' "$name" $((SECONDS - start))
	grep -vE '^  (CC|CCLD|GEN) ' "$log" | tail -n 60 | sed 's/^/  | /'
	return 1
}

# count_tests BUILDDIR: adds up what the test run there left; shows the log of every failure.
count_tests()
{
	local trs log result ok bad
	while IFS= read -r trs; do
		log=${trs%.trs}.log
		result=$(sed -n 's/^:global-test-result: //p' "$trs")
		ok=$(grep '^ok ' "$log" | grep -vc '# SKIP')
		bad=$(grep -c '^not ok ' "$log")
		case $result in
		PASS) [ "$ok" -gt 0 ] || ok=1 ;;
		SKIP) printf 'skipped %s: %s\n' "${trs#"$1"/}" "$(sed -n 's/^1\.\.0 # SKIP //p' "$log")" ;;
		*)
			[ "$bad" -gt 0 ] || bad=1
			printf 'FAILED %s (%s)\n' "${trs#"$1"/}" "$result"
			tail -n 200 "$log" | sed 's/^/  | /'
			;;
		esac
		passed=$((passed + ok))
		failed=$((failed + bad))
	done < <(find "$1" -name '*.trs' | sort)
}

# slowest BUILDDIR: the ten tests that took longest, the time of all, and how much of it they worked.
slowest()
{
	find "$1" -name '*.log' -exec grep -H '^# took ' {} + | sed -E 's@^[^:]*/(tests/[^:]*)\.log:# took@\1@' |
		awk '{ printf "%8.1f s, at work %.1f s  %s\n", $2, $5 + $8, $1; wall += $2; work += $5 + $8 }
			END { printf "%8.1f s, at work %.1f s  all, one after the other\n", wall, work }' | sort -rn | head -n 11
}

# failures DIR TESTS: those of them that failed.
failures()
{
	local test
	for test in $2; do
		grep -qsE '^:global-test-result: (FAIL|ERROR)' "$1/${test%.sh}.trs" && echo "$test"
	done
}

# Failed tests run once more, alone: tests with real servers share the machine with whatever else happens there. A test that passes
# then counts as passed, and is named with what it said first.
run_again()
{
	local dir=$1 names=$2 test
	shift 2
	for test in $names; do
		printf 'again  %s\n' "$test"
		awk '/^(# *)*not ok|^# +# / && n++ < 20 { print "  | " $0 }' "$dir/${test%.sh}.log"
	done
	make -C "$dir" -k check-TESTS TESTS="$names" "$@" >>"$out/check.log" 2>&1
}

# run_tests BUILDDIR LABEL TESTS [MAKE-ARGS...]: runs these tests only; a run that leaves no result is a failure.
run_tests()
{
	local dir=$1 label=$2 tests=$3 start=$SECONDS before=$((passed + failed)) again
	shift 3
	if [ -z "$tests" ]; then
		printf 'none   %s\n' "$label"
		return
	fi
	find "$dir/tests" -name '*.log' -delete
	find "$dir" \( -name '*.trs' -o -name test-suite.log \) -delete
	make -C "$dir" -j"$test_jobs" -k check-TESTS TESTS="$tests" "$@" >"$out/check.log" 2>&1
	local status=$?
	again=$(failures "$dir" "$tests" | tr '\n' ' ')
	[ -z "$again" ] || run_again "$dir" "$again" "$@"
	count_tests "$dir"
	if [ $((passed + failed)) -eq $before ] || { [ $status -ne 0 ] && ! grep -qs . "$dir/test-suite.log"; }; then
		failed=$((failed + 1))
		printf 'FAILED %s: make check did not get to the tests\n' "$label"
		grep -vE '^  (CC|CCLD|GEN) ' "$out/check.log" | tail -n 60 | sed 's/^/  | /'
	fi
	slowest "$dir"
	printf 'done   %s (%ds)\n' "$label" $((SECONDS - start))
}

# tests_of BUILDDIR PATTERN: the test names that match the extended regular expression.
tests_of()
{
	make -s -C "$1" print-tests | grep -E "$2" | tr '\n' ' '
}

# configure_in NAME ARGS...: a build directory of that name, made anew when the arguments or configure changed.
configure_in()
{
	local dir=$out/$1 arguments
	shift
	arguments="$* $(cksum <"$src/configure")"
	if [ -f "$dir/config.status" ] && [ "$(cat "$dir/.arguments" 2>/dev/null)" = "$arguments" ]; then
		return
	fi
	rm -rf "$dir" && mkdir -p "$dir" && (cd "$dir" && "$CONFIG_SHELL" "$src/configure" -q --enable-developer "$@") &&
		echo "$arguments" >"$dir/.arguments"
}

build()
{
	make -C "$out/$1" -k -s -j"$jobs" all
}

# Compiles the test programs as well, without running any.
build_all()
{
	make -C "$out/$1" -k -s -j"$jobs" all && make -C "$out/$1" -k -s -j"$jobs" check TESTS=
}

# The compiler with this much in front of it: ccache where there is one.
cc()
{
	printf '%s%s\n' "$(command -v ccache >/dev/null && echo 'ccache ')" "$1"
}

# ---- stages: make_NAME builds what stage_NAME tests ----

declare -A made
# The build that several stages use.
make_gcc()
{
	[ -z "${made[gcc]:-}" ] || return "${made[gcc]}"
	step "gcc: configure" configure_in gcc CC="$(cc gcc)" --enable-failpoints && step "gcc: build without warnings" build_all gcc
	made[gcc]=$?
	return "${made[gcc]}"
}

# one_engine: of the tests on stdin, NAME-ENGINE.sh only for one engine of each NAME, another one from name to name; none with a server that
# is fetched, and the long suite on PostgreSQL only without a pooler.
one_engine()
{
	tr ' ' '\n' | grep -vFx -e tests/mysql/other.sh -e tests/contract/postgresql-pooled.sh | awk '
		!match($0, /-(sqlite|postgresql|mariadb)\.sh$/) { print; next }
		{ name = substr($0, 1, RSTART - 1); if (!(name in n)) names[++total] = name; of[name, ++n[name]] = $0 }
		END { for (i = 1; i <= total; i++) print of[names[i], i % n[names[i]] + 1] }' | tr '\n' ' '
}

stage_gcc()
{
	if [ $quick = yes ]; then
		run_tests "$out/gcc" "gcc: make check, one engine a test" "$(tests_of "$out/gcc" . | one_engine)"
	else
		run_tests "$out/gcc" "gcc: make check" "$(tests_of "$out/gcc" .)"
	fi
}

# System tests that want a run under sanitizers as well say so in a line "# sanitizers: yes".
sanitizer_system_tests()
{
	(cd "$src" && grep -l '^# sanitizers: yes' tests/system/*.sh 2>/dev/null) | tr '\n' ' '
}

# The programs of these tests, and no more.
asan_programs()
{
	echo "$(tests_of "$out/asan" '^tests/unit/')tests/support/notify"
}

build_asan()
{
	make -C "$out/asan" -k -s -j"$jobs" all && make -C "$out/asan" -k -s -j"$jobs" check TESTS= check_PROGRAMS="$(asan_programs)"
}

make_asan()
{
	step "asan: configure" configure_in asan CC="$(cc gcc)" CFLAGS='-g -O1 -Wno-error' --enable-failpoints --with-sanitizer=address,undefined &&
		step "asan: build" build_asan
}

stage_asan()
{
	run_tests "$out/asan" "asan: unit and marked system tests" "$(tests_of "$out/asan" '^tests/unit/')$(sanitizer_system_tests)" \
		check_PROGRAMS="$(asan_programs)"
}

make_servers()
{
	make_asan && step "servers: build" make -C "$out/asan" -k -s -j"$jobs" tests/contract/contract
}

stage_servers()
{
	run_tests "$out/asan" "servers: contract suites under sanitizers" "$(tests_of "$out/asan" '^tests/contract/(sqlite|postgresql|mysql)\.sh$')" \
		check_PROGRAMS="$(asan_programs) tests/contract/contract" SH_LOG_COMPILER="$src/tests/support/timed 1800"
}

# Warnings of clang do not depend on how much it optimises.
make_clang()
{
	step "clang: configure" configure_in clang CC="$(cc clang)" CFLAGS="$plain" && step "clang: build without warnings" build_all clang
	step "no dialects: configure" configure_in bare CC="$(cc gcc)" --with-dialect-postgresql=no --with-dialect-mysql=no \
		--with-dialect-sqlite=no && step "no dialects: build" build bare
}

stage_clang()
{
	:
}

tsan_tests()
{
	tests_of "$out/tsan" '^tests/unit/.*(worker|spool|test_log|loop|harness)'
}

build_tsan()
{
	# shellcheck disable=SC2046 # names
	make -C "$out/tsan" -k -s -j"$jobs" $(tsan_tests)
}

make_tsan()
{
	step "tsan: configure" configure_in tsan CC="$(cc gcc)" --with-sanitizer=thread && step "tsan: build" build_tsan
}

stage_tsan()
{
	# The runtime of gcc 12 does not cope with the address randomisation of newer kernels.
	local fixed=
	setarch -R true 2>/dev/null && fixed='setarch -R'
	run_tests "$out/tsan" "tsan: thread tests" "$(tsan_tests)" check_PROGRAMS="$(tsan_tests)" check_LTLIBRARIES= \
		LOG_COMPILER="$src/tests/support/timed 300 $fixed"
}

make_valgrind()
{
	make_gcc
}

stage_valgrind()
{
	run_tests "$out/gcc" "valgrind: unit tests" "$(tests_of "$out/gcc" '^tests/unit/(base|conf|ctl)/')" \
		LOG_COMPILER="$src/tests/support/timed 300 ./libtool --mode=execute valgrind -q --error-exitcode=9 --leak-check=full --show-leak-kinds=definite"
}

make_systemd()
{
	make_gcc
}

stage_systemd()
{
	local root=$out/systemd-root unit
	command -v systemd-analyze >/dev/null || {
		echo "none   systemd: no systemd-analyze here"
		return
	}
	rm -rf "$root"
	step "systemd: install" make -C "$out/gcc" -s install DESTDIR="$root" || return
	unit=$(find "$root" -path '*/system/viewd.service')
	if [ -z "$unit" ]; then
		echo "none   systemd: no unit yet"
		return
	fi
	# The scale is 0 to 10; the option counts tenths.
	step "systemd: one of several is valid" verify_instance "$unit" "$root"
	step "systemd: exposure at most 1.5" systemd-analyze security --no-pager --offline=true --threshold=15 "$unit"
	[ -z "$(find "$root" -name viewctl)" ] || step "systemd: unit is valid" verify_unit "$unit" "$root"
	step "systemd: user and directories are valid" verify_snippets "$root"
}

# systemd-analyze verify looks for the programs where the unit says; the copy says where we installed them.
verify_unit()
{
	local copy=$out/verify/viewd.service
	mkdir -p "$out/verify"
	sed -E "s@^(Exec[A-Za-z]*=[-+!]*)/@\\1$2/@" "$1" >"$copy"
	systemd-analyze verify --man=no "$copy" 2>&1 | tee "$out/verify/log"
	! grep -q 'viewd.service' "$out/verify/log"
}

# The instance's unit differs in its directories and its file, and in nothing else.
verify_instance()
{
	local copy=$out/verify/viewd@shop.service
	mkdir -p "$out/verify"
	sed -E "s@^(Exec[A-Za-z]*=[-+!]*)/@\\1$2/@" "${1%/*}/viewd@.service" >"$copy"
	systemd-analyze verify --man=no "$copy" 2>&1 | tee "$out/verify/log"
	! grep -q 'viewd@' "$out/verify/log" && grep -qx 'RuntimeDirectory=viewd-%i' "$copy" && grep -qx 'StateDirectory=viewd-%i' "$copy" &&
		! diff "$1" "${1%/*}/viewd@.service" | grep '^> [A-Z]' | grep -v '%i'
}

# Applies both to an empty tree.
verify_snippets()
{
	local tree=$out/verify/tree
	rm -rf "$tree" && mkdir -p "$tree/etc" &&
		systemd-sysusers --root="$tree" "$(find "$1" -path '*sysusers.d/viewd.conf')" &&
		grep '^viewd:' "$tree/etc/passwd" &&
		systemd-tmpfiles --root="$tree" --create "$(find "$1" -path '*tmpfiles.d/viewd.conf')"
}

# The distribution builds, passes the tests that need no server, installs and cleans up after itself. Compiler flags do not matter here.
make_dist()
{
	make_gcc || return
	local lints
	lints=$(tests_of "$out/gcc" '^tests/(lint|unit/base)/')
	step "dist: make distcheck" make -C "$out/gcc" -s -j"$jobs" distcheck TESTS="$lints" \
		DISTCHECK_CONFIGURE_FLAGS="CC='$(cc gcc)' CFLAGS='$plain'"
}

stage_dist()
{
	:
}

# ---- building ahead ----

# build_ahead STAGE...: makes them one after the other; tells what step() prints, and behind each stage what it counted.
build_ahead()
{
	local stage status
	renice -n 19 "$BASHPID" >/dev/null
	for stage; do
		passed=0
		failed=0
		"make_$stage"
		status=$?
		echo "made $stage $status $passed $failed"
	done
}

# gather STAGE: waits for what is built ahead of it; its status.
gather()
{
	local line status good bad
	while IFS= read -r line <&"$ahead"; do
		if [[ $line = "made $1 "* ]]; then
			read -r _ _ status good bad <<<"$line"
			passed=$((passed + good))
			failed=$((failed + bad))
			return "$status"
		fi
		printf '%s\n' "$line"
	done
	failed=$((failed + 1))
	printf 'FAILED %s: what builds it ended early\n' "$1"
	return 1
}

builder=
stop_builder()
{
	[ -z "$builder" ] || kill -- "-$builder" 2>/dev/null
	rm -f "$out/ahead" "$out"/step.*.log
}

# The first stage is built with all there is; the others when there is time to spare.
run_stages()
{
	local stage start=$SECONDS
	"make_$1" && status=0 || status=1
	mkfifo "$out/ahead"
	set -m
	build_ahead "${@:2}" >"$out/ahead" </dev/null &
	builder=$!
	set +m
	exec {ahead}<"$out/ahead"
	for stage; do
		[ "$stage" = "$1" ] || { gather "$stage" && status=0 || status=1; }
		[ "$status" -ne 0 ] || "stage_$stage"
		printf '== stage %s: %ds\n' "$stage" $((SECONDS - start))
		start=$SECONDS
	done
	# A number may be somebody else's once its process has ended.
	wait "$builder"
	builder=
}

# ---- run ----

mkdir -p "$out"
rm -f "$out/ahead"
trap stop_builder EXIT
trap 'exit 1' HUP INT TERM
if [ $deps = yes ]; then
	step "packages" "$src/tools/install-deps.sh" --test
fi
if step "autogen" "$src/autogen.sh"; then
	# shellcheck disable=SC2086 # words
	run_stages ${chosen:-$stages}
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
