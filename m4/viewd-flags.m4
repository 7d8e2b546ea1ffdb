# SPDX-License-Identifier: MIT
# Compiler and linker flags, probed one by one.

# VIEWD_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE when the C compiler knows it.
# -Werror: clang only warns about a flag that it does not know.
AC_DEFUN([VIEWD_CFLAG], [
	AS_VAR_PUSHDEF([cache], [viewd_cv_cflag_$2])
	AC_CACHE_CHECK([whether $CC knows $2], [cache], [
		viewd_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$viewd_saved_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

# VIEWD_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([VIEWD_LDFLAG], [
	AS_VAR_PUSHDEF([cache], [viewd_cv_ldflag_$2])
	AC_CACHE_CHECK([whether the linker knows $2], [cache], [
		viewd_saved_LDFLAGS=$LDFLAGS
		LDFLAGS="$LDFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		LDFLAGS=$viewd_saved_LDFLAGS
	])
	AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cache])
])

# VIEWD_WARNINGS: the house's set in WARN_CFLAGS; errors with --enable-developer. (-Wformat=2 includes -Wformat-security.)
AC_DEFUN([VIEWD_WARNINGS], [
	AC_ARG_ENABLE([developer],
		[AS_HELP_STRING([--enable-developer], [turn warnings into errors])],
		[], [enable_developer=no])
	WARN_CFLAGS=
	m4_foreach_w([flag], [-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wwrite-strings -Wcast-qual
		-Wpointer-arith -Wformat=2 -Wimplicit-fallthrough -Wvla -Wundef],
		[VIEWD_CFLAG([WARN_CFLAGS], flag)])
	AS_IF([test "$enable_developer" = yes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])

# VIEWD_SANITIZER: --with-sanitizer=address,undefined or thread.
AC_DEFUN([VIEWD_SANITIZER], [
	AC_ARG_WITH([sanitizer],
		[AS_HELP_STRING([--with-sanitizer=LIST], [build with these sanitizers: address,undefined or thread])],
		[], [with_sanitizer=no])
	SANITIZER_CFLAGS= SANITIZER_LDFLAGS=
	AS_CASE([$with_sanitizer],
		[yes], [AC_MSG_ERROR([--with-sanitizer needs a list, such as address,undefined])],
		[no], [],
		[SANITIZER_CFLAGS="-fsanitize=$with_sanitizer -fno-sanitize-recover=all -fno-omit-frame-pointer"
		 SANITIZER_LDFLAGS="-fsanitize=$with_sanitizer"
		 viewd_saved_CFLAGS=$CFLAGS
		 CFLAGS="$CFLAGS $SANITIZER_CFLAGS"
		 AC_LINK_IFELSE([AC_LANG_PROGRAM], [],
			[AC_MSG_ERROR([$CC cannot build with -fsanitize=$with_sanitizer])])
		 CFLAGS=$viewd_saved_CFLAGS])
	AC_SUBST([SANITIZER_CFLAGS])
	AC_SUBST([SANITIZER_LDFLAGS])
])

# VIEWD_HARDENING: what every distribution switches on, whatever compiler builds. After VIEWD_SANITIZER.
AC_DEFUN([VIEWD_HARDENING], [
	HARDEN_CPPFLAGS= HARDEN_CFLAGS= HARDEN_LDFLAGS= PIE_CFLAGS= PIE_LDFLAGS=
	# The fortified functions need optimisation, and hide overruns from the sanitizers.
	AS_CASE([$with_sanitizer:$CFLAGS],
		[no:*-O0*], [],
		[no:*-O*], [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
	m4_foreach_w([flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection],
		[VIEWD_CFLAG([HARDEN_CFLAGS], flag)])
	m4_foreach([flag], [[-Wl,-z,relro], [-Wl,-z,now]], [VIEWD_LDFLAG([HARDEN_LDFLAGS], [flag])])
	VIEWD_CFLAG([PIE_CFLAGS], [-fPIE])
	VIEWD_LDFLAG([PIE_LDFLAGS], [-pie])
	# A plugin that needs a symbol nobody provides fails at build time. clang's sanitizer runtime lives in the program.
	DEFS_LDFLAGS=
	AS_IF([test "$with_sanitizer" = no], [VIEWD_LDFLAG([DEFS_LDFLAGS], [-Wl,-z,defs])])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
	AC_SUBST([PIE_CFLAGS])
	AC_SUBST([PIE_LDFLAGS])
	AC_SUBST([DEFS_LDFLAGS])
])

# VIEWD_COVERAGE: --enable-coverage.
AC_DEFUN([VIEWD_COVERAGE], [
	AC_ARG_ENABLE([coverage],
		[AS_HELP_STRING([--enable-coverage], [count which lines the tests run (gcov); use with CFLAGS=-O0])],
		[], [enable_coverage=no])
	COVERAGE_CFLAGS=
	AS_IF([test "$enable_coverage" = yes], [COVERAGE_CFLAGS="--coverage -fprofile-update=atomic"])
	AC_SUBST([COVERAGE_CFLAGS])
])
