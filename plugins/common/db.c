/* SPDX-License-Identifier: MIT */
#include "common/db.h"

#include <stdarg.h>
#include <stdio.h>

void db_log(struct db *db, enum viewd_log_level level, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (db->host->log != NULL)
		db->host->log(db->host->ctx, level, text);
}
