# SPDX-License-Identifier: MIT

# VIEWD_INIPARSER: iniparser ships no .pc file before 4.2, and distributions disagree about the header's folder.
# Sets INIPARSER_CFLAGS, INIPARSER_LIBS; defines HAVE_INIPARSER_INIPARSER_H or HAVE_INIPARSER_H.
AC_DEFUN([VIEWD_INIPARSER], [
	AC_ARG_VAR([INIPARSER_CFLAGS], [C compiler flags for iniparser])
	AC_ARG_VAR([INIPARSER_LIBS], [linker flags for iniparser])
	viewd_saved_CPPFLAGS=$CPPFLAGS
	viewd_saved_LIBS=$LIBS
	CPPFLAGS="$CPPFLAGS $INIPARSER_CFLAGS"
	AC_CHECK_HEADERS([iniparser/iniparser.h iniparser.h], [viewd_ini_header=yes; break])
	AS_IF([test "$viewd_ini_header" != yes], [AC_MSG_ERROR([iniparser.h not found (Debian: libiniparser-dev)])])
	AS_IF([test -z "$INIPARSER_LIBS"], [INIPARSER_LIBS=-liniparser])
	LIBS="$INIPARSER_LIBS $LIBS"
	AC_MSG_CHECKING([for iniparser_load in $INIPARSER_LIBS])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[char iniparser_load(void);]], [[return iniparser_load();]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([libiniparser not found (Debian: libiniparser-dev)])])
	CPPFLAGS=$viewd_saved_CPPFLAGS
	LIBS=$viewd_saved_LIBS
])
