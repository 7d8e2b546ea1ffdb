/* SPDX-License-Identifier: MIT
 *
 * kind.h: the kind of object that holds a view of each method. Shared by daemon and plugins. [any]
 */
#ifndef VIEWD_BASE_KIND_H
#define VIEWD_BASE_KIND_H

#include "viewd_dialect.h"

static inline enum viewd_kind kind_of_method(enum viewd_method method)
{
	switch (method) {
	case VIEWD_METHOD_SIMPLE:
		return VIEWD_KIND_VIEW;
	case VIEWD_METHOD_MATERIALIZED:
		return VIEWD_KIND_MATVIEW;
	case VIEWD_METHOD_TABLE:
	case VIEWD_METHOD_COUNT:
		break;
	}
	return VIEWD_KIND_TABLE;
}

#endif
