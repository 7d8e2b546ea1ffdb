/* SPDX-License-Identifier: MIT
 *
 * kind.h: SQL's word for a kind of object: VIEW, MATERIALIZED VIEW, TABLE. [any]
 */
#ifndef VIEWD_COMMON_TEXT_KIND_H
#define VIEWD_COMMON_TEXT_KIND_H

#include "viewd_dialect.h"

const char *kind_sql(enum viewd_kind kind);

#endif
