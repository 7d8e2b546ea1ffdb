# SPDX-License-Identifier: MIT

# VIEWD_PG_QUERY
# Finds libpg_query, which has no pkg-config file. Sets PG_QUERY_LIBS.
AC_DEFUN([VIEWD_PG_QUERY], [
	AC_CHECK_HEADER([pg_query.h], [], [AC_MSG_ERROR([pg_query.h not found (Debian: libpg-query-dev)])])
	AC_CHECK_LIB([pg_query], [pg_query_parse], [PG_QUERY_LIBS=-lpg_query],
		[AC_MSG_ERROR([libpg_query not found (Debian: libpg-query-dev)])])
	AC_SUBST([PG_QUERY_LIBS])
])
