# SPDX-License-Identifier: MIT

# VIEWD_DIALECT(NAME, LIBRARY-FOR-PEOPLE, PROBE)
# Adds --with-dialect-NAME. yes and shared build the plugin (PROBE runs, and fails when the library is missing), no neither
# probes nor builds. Sets the conditional DIALECT_<NAME> and adds NAME to viewd_dialects.
AC_DEFUN([VIEWD_DIALECT], [
	AC_ARG_WITH([dialect-$1],
		[AS_HELP_STRING([--with-dialect-$1=yes|shared|no], [build the $1 plugin, needs $2 (default: yes, as a shared object)])],
		[], [with_dialect_$1=yes])
	AS_CASE([$with_dialect_$1],
		[yes|shared], [viewd_dialects="$viewd_dialects $1"
			$3],
		[no], [],
		[AC_MSG_ERROR([--with-dialect-$1: '$with_dialect_$1' is not one of yes, shared, no])])
	AM_CONDITIONAL([DIALECT_]m4_toupper([$1]), [test "$with_dialect_$1" != no])
])
