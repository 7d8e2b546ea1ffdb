/* SPDX-License-Identifier: MIT */
#include "common/conn/url.h"

#include "base/err.h"
#include "base/utf8.h"

#include <assert.h>
#include <string.h>
#include <talloc.h>

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes %XX in len bytes; NULL for a broken escape, a NUL or invalid UTF-8. */
static char *decode(void *mem_ctx, const char *text, size_t len)
{
	char *out = talloc_size(mem_ctx, len + 1);
	size_t n = 0;
	assert(out != NULL);
	for (size_t i = 0; i < len; i++) {
		char c = text[i];
		if (c == '%') {
			int high = i + 2 < len ? hex_value(text[i + 1]) : -1, low = i + 2 < len ? hex_value(text[i + 2]) : -1;
			if (high < 0 || low < 0 || (high == 0 && low == 0))
				return NULL;
			c = (char)(high * 16 + low);
			i += 2;
		}
		out[n++] = c;
	}
	out[n] = '\0';
	return utf8_valid(out) ? out : NULL;
}

static bool bad(struct viewd_err *err, const char *why)
{
	err_set(err, VIEWD_ERR_CONFIG, "database url cannot be read (%s)", why);
	return err_hint(err, "the form is scheme://user:password@host:port/database?key=value");
}

static bool take_field(struct url *url, char **field, const char *text, size_t len, struct viewd_err *err)
{
	*field = decode(url, text, len);
	return *field != NULL || bad(err, "a percent escape is wrong, or the text is not valid UTF-8");
}

/* scheme[+driver]; returns what follows "://", or NULL. */
static const char *read_scheme(struct url *url, const char *text, struct viewd_err *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	size_t len = strspn(text, allowed);
	size_t driver = text[len] == '+' ? 1 + strspn(text + len + 1, allowed) : 0;
	if (len == 0 || strncmp(text + len + driver, "://", 3) != 0) {
		bad(err, "it does not begin with scheme://");
		return NULL;
	}
	return take_field(url, &url->scheme, text, len, err) ? text + len + driver + 3 : NULL;
}

static bool read_user(struct url *url, const char *text, size_t len, struct viewd_err *err)
{
	const char *colon = memchr(text, ':', len);
	size_t user_len = colon != NULL ? (size_t)(colon - text) : len;
	if (colon != NULL && !take_field(url, &url->password, colon + 1, len - user_len - 1, err))
		return false;
	return take_field(url, &url->user, text, user_len, err);
}

static bool read_port(struct url_place *place, const char *text, size_t len, struct viewd_err *err)
{
	int port = 0;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || (port = port * 10 + (text[i] - '0')) > 65535)
			return bad(err, "the port is not a number up to 65535");
	}
	place->port = port;
	return true;
}

static bool read_place(struct url *url, struct url_place *place, const char *text, size_t len, struct viewd_err *err)
{
	size_t host_len = len;
	const char *port = NULL;
	if (len > 0 && text[0] == '[') {
		const char *close = memchr(text, ']', len);
		if (close == NULL)
			return bad(err, "a bracket is not closed");
		host_len = (size_t)(close - text) - 1;
		port = close + 1;
		text++;
		len--;
	} else {
		port = memchr(text, ':', len);
		host_len = port != NULL ? (size_t)(port - text) : len;
	}
	const char *end = text + len;
	if (port != NULL && port < end && *port != ':')
		return bad(err, "something follows the closing bracket");
	if (port != NULL && port < end && !read_port(place, port + 1, (size_t)(end - port) - 1, err))
		return false;
	return host_len == 0 || take_field(url, &place->host, text, host_len, err);
}

/* place,place,...: only the only one may be empty. */
static bool read_places(struct url *url, const char *text, size_t len, struct viewd_err *err)
{
	const char *end = text + len, *comma;
	for (;; text = comma + 1) {
		comma = memchr(text, ',', (size_t)(end - text));
		size_t place_len = (size_t)((comma != NULL ? comma : end) - text);
		struct url_place place = {.port = 0};
		if (!read_place(url, &place, text, place_len, err))
			return false;
		if (place.host == NULL && (comma != NULL || url->n_places > 0))
			return bad(err, "one of several hosts is empty");
		url->places = talloc_realloc(url, url->places, struct url_place, (unsigned)url->n_places + 1);
		assert(url->places != NULL);
		url->places[url->n_places++] = place;
		if (comma == NULL)
			break;
	}
	url->host = url->places[0].host;
	url->port = url->places[0].port;
	return true;
}

/* [user[:password]@][host][:port][,host[:port]...]: the last '@' ends the credentials. */
static bool read_authority(struct url *url, const char *text, size_t len, struct viewd_err *err)
{
	const char *at = memrchr(text, '@', len);
	if (at == NULL)
		return read_places(url, text, len, err);
	size_t user_len = (size_t)(at - text);
	return read_user(url, text, user_len, err) && read_places(url, at + 1, len - user_len - 1, err);
}

static bool read_pair(struct url *url, const char *text, size_t len, struct viewd_err *err)
{
	const char *equals = memchr(text, '=', len);
	if (equals == NULL || equals == text)
		return bad(err, "a query parameter is not key=value");
	char *key = NULL, *value = NULL;
	size_t key_len = (size_t)(equals - text);
	if (!take_field(url, &key, text, key_len, err) || !take_field(url, &value, equals + 1, len - key_len - 1, err))
		return false;
	url->query = talloc_realloc(url, url->query, struct viewd_kv, url->n_query + 1);
	assert(url->query != NULL);
	url->query[url->n_query++] = (struct viewd_kv){.key = key, .value = value};
	return true;
}

static bool read_query(struct url *url, const char *text, struct viewd_err *err)
{
	while (*text != '\0') {
		size_t len = strcspn(text, "&");
		if (!read_pair(url, text, len, err))
			return false;
		text += len + (text[len] == '&');
	}
	return true;
}

static bool read_url(struct url *url, const char *text, struct viewd_err *err)
{
	text = read_scheme(url, text, err);
	if (text == NULL)
		return false;
	size_t len = strcspn(text, "/?");
	if (!read_authority(url, text, len, err))
		return false;
	text += len;
	if (*text == '/') {
		len = strcspn(text + 1, "?");
		if (len > 0 && !take_field(url, &url->database, text + 1, len, err))
			return false;
		text += len + 1;
	}
	return *text != '?' || read_query(url, text + 1, err);
}

struct url *url_parse(void *mem_ctx, const char *text, struct viewd_err *err)
{
	struct url *url = talloc_zero(mem_ctx, struct url);
	assert(url != NULL);
	if (!read_url(url, text, err))
		TALLOC_FREE(url);
	return url;
}

const char *url_query(const struct url *url, const char *key)
{
	for (size_t i = url->n_query; i > 0; i--)
		if (strcmp(url->query[i - 1].key, key) == 0)
			return url->query[i - 1].value;
	return NULL;
}
