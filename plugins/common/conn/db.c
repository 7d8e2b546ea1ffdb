/* SPDX-License-Identifier: MIT */
#include "common/conn/db.h"

#include "base/err.h"
#include "common/text/number.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

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

/* The fault of a value; NULL: nothing. */
static const char *fault_of(char wanted, const char *value)
{
	int64_t n;
	if (value == NULL)
		return wanted == 'T' || wanted == 'N' ? NULL : "NULL";
	return wanted == 't' || wanted == 'T' || number_parse(value, &n) ? NULL : "not a number";
}

bool db_give(const struct db_reader *reader, void *ctx, const char *const *values, size_t n, bool *more_r,
             struct viewd_err *err)
{
	size_t wanted = strcspn(reader->columns, "*");
	if (n < wanted || (n > wanted && reader->columns[wanted] == '\0'))
		return err_set(err, VIEWD_ERR_QUERY, "answer about %s has %zu columns (%zu were asked for)", reader->about, n,
		               wanted);
	for (size_t i = 0; i < wanted; i++) {
		const char *fault = fault_of(reader->columns[i], values[i]);
		if (fault != NULL)
			return err_set(err, VIEWD_ERR_QUERY, "answer about %s cannot be read (column %zu is %s)", reader->about,
			               i + 1, fault);
	}
	*more_r = reader->row(ctx, values, n);
	return true;
}

static bool read_int_fn(void *ctx, const char *const *values, size_t n UNUSED)
{
	*(int64_t *)ctx = number_or(values[0], 0);
	return false;
}

static const struct db_reader read_int[] = {{read_int_fn, "N", "a number"}};

bool db_query_int(struct db *db, const char *sql, int64_t *n_r, struct viewd_err *err)
{
	*n_r = 0;
	return db->ops->query(db, sql, NULL, 0, read_int, n_r, err);
}

bool db_take_text(void *ctx, const char *const *values, size_t n UNUSED)
{
	struct db_text *text = ctx;
	text->value = values[0] != NULL ? talloc_strdup(text->mem, values[0]) : NULL;
	return false;
}
