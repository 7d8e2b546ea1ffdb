/* SPDX-License-Identifier: MIT
 *
 * plugins_support.h: syntaxes like those of the dialects, for tests of the shared code without a dialect.
 */
#ifndef VIEWD_TESTS_PLUGINS_SUPPORT_H
#define VIEWD_TESTS_PLUGINS_SUPPORT_H

#include "common/sqltext/syntax.h"

extern const struct syntax like_postgresql, like_mysql, like_sqlite;

#endif
