/* SPDX-License-Identifier: MIT */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct class_row {
	const char *word;
	bool retries;
	const char *doc;
};

static const struct class_row class_rows[VIEWD_ERR_CLASS_COUNT] = {
#define CLASS_ROW(sym, w, r, d) [VIEWD_ERR_##sym] = {.word = w, .retries = r, .doc = d},
	VIEWD_ERR_CLASSES(CLASS_ROW)
#undef CLASS_ROW
};

static const struct class_row *class_row(enum viewd_err_class cls)
{
	return &class_rows[(unsigned)cls < VIEWD_ERR_CLASS_COUNT ? cls : VIEWD_ERR_BUG];
}

bool err_set(struct viewd_err *err, enum viewd_err_class cls, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	memset(err, 0, sizeof *err);
	err->cls = cls;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	return false;
}

bool err_sys(struct viewd_err *err, enum viewd_err_class cls, int errnum, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	memset(err, 0, sizeof *err);
	err->cls = cls;
	err->native = errnum;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	char text[128];
	const char *why = strerror_r(errnum, text, sizeof text);
	size_t len = strlen(err->msg);
	snprintf(err->msg + len, sizeof err->msg - len, " (%s)", why);
	return false;
}

bool err_wrap(struct viewd_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	char old[sizeof err->msg];
	memcpy(old, err->msg, sizeof old);
	va_list ap;
	va_start(ap, fmt);
	int len = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
	va_end(ap);
	if (len < 0 || (size_t)len >= sizeof err->msg)
		return false;
	snprintf(err->msg + len, sizeof err->msg - (size_t)len, ": %s", old);
	return false;
}

bool err_hint(struct viewd_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->hint, sizeof err->hint, fmt, ap);
	va_end(ap);
	return false;
}

bool err_object(struct viewd_err *err, const char *fmt, ...)
{
	if (err == NULL)
		return false;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(err->object, sizeof err->object, fmt, ap);
	va_end(ap);
	return false;
}

const char *err_class_word(enum viewd_err_class cls)
{
	return class_row(cls)->word;
}

const char *err_class_doc(enum viewd_err_class cls)
{
	return class_row(cls)->doc;
}

bool err_class_retries(enum viewd_err_class cls)
{
	return class_row(cls)->retries;
}

const char *err_code(const struct viewd_err *err, char buf[static 16])
{
	if (err->sqlstate[0] != '\0')
		return err->sqlstate;
	if (err->native == 0)
		return "";
	snprintf(buf, 16, "%d", (int)err->native);
	return buf;
}

/* The password stands between the first ':' after "://" and the last '@' before the next '/', '?' or blank. */
static char *redact_one(char *authority)
{
	char *colon = NULL, *at = NULL, *p = authority;
	for (; *p != '\0' && strchr("/? \t\n'\"", *p) == NULL; p++) {
		if (*p == ':' && colon == NULL)
			colon = p;
		if (*p == '@')
			at = p;
	}
	if (colon == NULL || at == NULL || at < colon || at - colon < 2)
		return p;
	size_t stars = at - colon - 1 < 3 ? (size_t)(at - colon - 1) : 3;
	memset(colon + 1, '*', stars);
	memmove(colon + 1 + stars, at, strlen(at) + 1);
	return colon + 1 + stars;
}

/* password=, sslpassword= and passwd= of query strings and connection strings. */
static void redact_words(char *text, const char *word)
{
	for (char *p = strcasestr(text, word); p != NULL; p = strcasestr(p, word)) {
		p += strlen(word);
		bool quoted = *p == '\'';
		p += quoted;
		size_t len = strcspn(p, quoted ? "'" : "& \t\n'\""), stars = len < 3 ? len : 3;
		memset(p, '*', stars);
		memmove(p + stars, p + len, strlen(p + len) + 1);
	}
}

void err_redact(char *text)
{
	for (char *p = strstr(text, "://"); p != NULL; p = strstr(p, "://"))
		p = redact_one(p + 3);
	redact_words(text, "password=");
	redact_words(text, "passwd=");
}
