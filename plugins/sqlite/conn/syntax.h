/* SPDX-License-Identifier: MIT
 *
 * syntax.h: SQLite's SQL, described for plugins/common.
 */
#ifndef VIEWD_SQLITE_CONN_SYNTAX_H
#define VIEWD_SQLITE_CONN_SYNTAX_H

#include "common/sqltext/syntax.h"

extern const struct syntax sqlite_syntax;

#endif
