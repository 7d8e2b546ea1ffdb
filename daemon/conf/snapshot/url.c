/* SPDX-License-Identifier: MIT */
#include "conf/snapshot/url.h"

#include "base/err.h"
#include "conf/conf.h"

#include <string.h>
#include <strings.h>
#include <talloc.h>

const char *url_scheme(struct arena *arena, const char *url, struct viewd_err *err)
{
	const char *end = strstr(url, "://");
	size_t len = end != NULL ? strcspn(url, "+:") : 0;
	if (end == NULL || len == 0 || len > 32) {
		err_set(err, VIEWD_ERR_CONFIG, "the URL has no scheme");
		return NULL;
	}
	char *scheme = arena_strndup(arena, url, len);
	for (char *p = scheme; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	if (strspn(scheme, "abcdefghijklmnopqrstuvwxyz0123456789_") != len || strcspn(url, ":") != (size_t)(end - url)) {
		err_set(err, VIEWD_ERR_CONFIG, "the URL's scheme is not a name");
		return NULL;
	}
	return scheme;
}

const char *url_place(const char *url)
{
	const char *start = strstr(url, "://");
	start = start != NULL ? start + 3 : url;
	const char *at = memrchr(start, '@', strcspn(start, "/?"));
	return at != NULL ? at + 1 : start;
}

/* A stretch of the URL that must not be shown; len 0: none. */
struct secret {
	size_t at;
	size_t len;
};

/* Between the first ':' of the authority and its last '@'. A raw '/', '?' or '#' in a password ends the authority for a
 * strict reader, but not for a careless writer: rather too much is covered than too little. */
static struct secret authority_secret(const char *url)
{
	const char *start = strstr(url, "://");
	if (start == NULL)
		return (struct secret){0};
	start += 3;
	const char *query = strchr(start, '?');
	size_t len = query != NULL ? (size_t)(query - start) : strlen(start);
	const char *at = memrchr(start, '@', len);
	if (at == NULL && memchr(start, '/', len) == NULL)
		at = strrchr(start, '@');
	const char *colon = at != NULL ? memchr(start, ':', (size_t)(at - start)) : NULL;
	if (colon == NULL || memchr(start, '/', (size_t)(colon - start)) != NULL)
		return (struct secret){0};
	return (struct secret){.at = (size_t)(colon + 1 - url), .len = (size_t)(at - colon - 1)};
}

/* Does a query parameter hold a secret, whatever client library reads it? Rather too much is covered than too
 * little. */
static bool is_secret_name(const char *name, size_t len)
{
	static const char *const parts[] = {"passw", "secret", "token"};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		for (size_t at = 0; at + strlen(parts[i]) <= len; at++)
			if (strncasecmp(name + at, parts[i], strlen(parts[i])) == 0)
				return true;
	return false;
}

static struct secret query_secret(const char *url, size_t from)
{
	const char *p = strchr(url + from, from == 0 ? '?' : '&');
	while (p != NULL) {
		const char *name = p + 1, *next = strpbrk(name, "&");
		size_t name_len = strcspn(name, "=&");
		const char *value = name + name_len + 1;
		if (name[name_len] == '=' && is_secret_name(name, name_len) && *value != '\0' && *value != '&')
			return (struct secret){.at = (size_t)(value - url), .len = strcspn(value, "&")};
		p = next;
	}
	return (struct secret){0};
}

bool url_has_password(const char *url)
{
	return authority_secret(url).len > 0 || query_secret(url, 0).len > 0;
}

static char *cover(char *out, struct secret s, const char *with)
{
	char *text = talloc_asprintf(talloc_parent(out), "%.*s%s%s", (int)s.at, out, with, out + s.at + s.len);
	assert(text != NULL);
	talloc_free(out);
	return text;
}

char *url_without_password(void *mem_ctx, const char *url)
{
	char *out = talloc_strdup(mem_ctx, url);
	struct secret s = authority_secret(out);
	if (s.len > 0)
		out = cover(out, (struct secret){s.at - 1, s.len + 1}, "");
	while ((s = query_secret(out, 0)).len > 0)
		out = cover(out, s, "");
	return out;
}

char *conf_redact_url(void *mem_ctx, const char *url)
{
	char *out = talloc_strdup(mem_ctx, url);
	struct secret s = authority_secret(out);
	if (s.len > 0)
		out = cover(out, s, "***");
	size_t from = 0;
	while ((s = query_secret(out, from)).len > 0) {
		out = cover(out, s, "***");
		from = s.at;
	}
	return out;
}
