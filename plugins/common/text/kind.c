/* SPDX-License-Identifier: MIT */
#include "common/text/kind.h"

const char *kind_sql(enum viewd_kind kind)
{
	static const char *const words[] = {[VIEWD_KIND_NONE] = "NONE",
	                                    [VIEWD_KIND_VIEW] = "VIEW",
	                                    [VIEWD_KIND_MATVIEW] = "MATERIALIZED VIEW",
	                                    [VIEWD_KIND_TABLE] = "TABLE",
	                                    [VIEWD_KIND_OTHER] = "OTHER"};
	return words[kind];
}
