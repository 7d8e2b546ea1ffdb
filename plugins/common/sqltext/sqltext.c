/* SPDX-License-Identifier: MIT */
#include "common/sqltext/sqltext.h"

#include "common/sqltext/ident.h"

#include <assert.h>
#include <stdarg.h>
#include <string.h>
#include <talloc.h>

char *sql_new(void *mem_ctx)
{
	char *sql = talloc_strdup(mem_ctx, "");
	assert(sql != NULL);
	return sql;
}

/* Most pieces are short, and talloc's own way writes each of them twice. */
char *sql_add(char *sql, const char *fmt, ...)
{
	char piece[512];
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(piece, sizeof piece, fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof piece) {
		sql = talloc_strndup_append_buffer(sql, piece, (size_t)len);
	} else {
		va_start(ap, fmt);
		sql = talloc_vasprintf_append_buffer(sql, fmt, ap);
		va_end(ap);
	}
	assert(sql != NULL);
	return sql;
}

static char *append_len(char *sql, const char *text, size_t len)
{
	sql = talloc_strndup_append_buffer(sql, text, len);
	assert(sql != NULL);
	return sql;
}

/* Copies tmpl up to the next slot; the slot is put in by the caller. */
char *sql_template(char *sql, const char *tmpl, const char *value)
{
	if (tmpl == NULL)
		return sql;
	for (const char *slot; (slot = strstr(tmpl, "{}")) != NULL; tmpl = slot + 2) {
		sql = append_len(sql, tmpl, (size_t)(slot - tmpl));
		sql = append_len(sql, value, strlen(value));
	}
	return append_len(sql, tmpl, strlen(tmpl));
}

char *sql_template2(char *sql, const char *tmpl, const char *a, const char *b)
{
	for (const char *p = tmpl; p != NULL && *p != '\0';) {
		if (strncmp(p, "{a}", 3) == 0 || strncmp(p, "{b}", 3) == 0) {
			const char *value = p[1] == 'a' ? a : b;
			sql = append_len(sql, value, strlen(value));
			p += 3;
		} else {
			sql = append_len(sql, p++, 1);
		}
	}
	return sql;
}

char *sql_param(const struct syntax *syn, char *sql, int n)
{
	return syn->lexer.placeholder == '$' ? sql_add(sql, "$%d", n) : append_len(sql, &syn->lexer.placeholder, 1);
}

char *sql_names(const struct syntax *syn, char *sql, const char *prefix, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		sql = sql_add(sql, "%s%s", i > 0 ? ", " : "", prefix != NULL ? prefix : "");
		sql = ident_append(syn, sql, names[i]);
	}
	return sql;
}
