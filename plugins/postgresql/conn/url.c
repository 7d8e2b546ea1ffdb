/* SPDX-License-Identifier: MIT
 *
 * url.c: translates SQLAlchemy's URL and the dialect's keys to libpq's keywords.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#include "base/err.h"
#include "postgresql/pg.h"

/* Keywords that a session gets unless the URL says otherwise: a dead peer is noticed within about a minute. */
static const char *const defaults[][2] = {
	{"keepalives_idle", "30"},
	{"keepalives_interval", "10"},
	{"keepalives_count", "3"},
	{"tcp_user_timeout", "30000"},
};

static const char *const path_keywords[] = {"passfile", "sslcert", "sslkey", "sslrootcert", "sslcrl", "sslcrldir"};

const char *pg_option(const struct viewd_database_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_options; i++)
		if (strcmp(spec->options[i].key, key) == 0 && spec->options[i].value != NULL)
			return spec->options[i].value;
	return NULL;
}

struct viewd_database_spec *pg_read_spec(void *mem_ctx, const struct viewd_database_spec *spec)
{
	const char *url = pg_option(spec, "read_url");
	if (url == NULL || url[0] == '\0')
		return NULL;
	struct viewd_database_spec *out = talloc(mem_ctx, struct viewd_database_spec);
	assert(out != NULL);
	*out = (struct viewd_database_spec){
		.struct_size = sizeof *out,
		.name = talloc_strdup(out, spec->name),
		.url = talloc_strdup(out, url),
		.base_dir = talloc_strdup(out, spec->base_dir),
		.password = talloc_strdup(out, spec->password),
		.connect_timeout_us = spec->connect_timeout_us,
		.application_name = talloc_strdup(out, spec->application_name),
	};
	return out;
}

bool pg_allow_superuser(const struct viewd_database_spec *spec, bool *allow_r, struct viewd_err *err)
{
	static const char *const yes[] = {"yes", "true", "on"};
	static const char *const no[] = {"no", "false", "off"};
	const char *word = pg_option(spec, "allow_superuser");
	if (word == NULL)
		word = "no";
	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		if (strcasecmp(word, yes[i]) == 0 || strcasecmp(word, no[i]) == 0) {
			*allow_r = strcasecmp(word, yes[i]) == 0;
			return true;
		}
	}
	err_set(err, VIEWD_ERR_CONFIG, "allow_superuser '%s' is neither yes nor no", word);
	return err_hint(err, "allow_superuser = no");
}

bool pg_schema_owner(void *mem_ctx, const struct viewd_database_spec *spec, char **role_r, struct viewd_err *err)
{
	const char *text = pg_option(spec, "schema_owner");
	char role[IDENT_MAX] = "";
	if (text != NULL && text[0] != '\0' && !ident_parse(&pg_syntax, text, role, err))
		return err_wrap(err, "schema_owner");
	*role_r = talloc_strdup(mem_ctx, role);
	return true;
}

/* The end of one list item: the next comma outside double quotes, or the end. */
static const char *item_end(const char *p)
{
	bool quoted = false;
	for (; *p != '\0' && (quoted || *p != ','); p++)
		if (*p == '"')
			quoted = !quoted;
	return p;
}

static bool search_path_item(char **path, const char *start, const char *end, struct viewd_err *err)
{
	while (start < end && strchr(" \t\n", *start) != NULL)
		start++;
	while (end > start && strchr(" \t\n", end[-1]) != NULL)
		end--;
	char name[IDENT_MAX];
	char *text = talloc_strndup(*path, start, (size_t)(end - start));
	bool user = strcmp(text, "$user") == 0;
	bool ok = user || ident_parse(&pg_syntax, text, name, err);
	talloc_free(text);
	if (!ok)
		return err_wrap(err, "search_path");
	if (user)
		snprintf(name, sizeof name, "$user");
	if (strcmp(name, "pg_catalog") == 0 || strcmp(name, "pg_temp") == 0)
		return true;
	*path = ident_append(&pg_syntax, talloc_strdup_append_buffer(*path, ", "), name);
	return true;
}

bool pg_search_path(void *mem_ctx, const struct viewd_database_spec *spec, char **path_r, struct viewd_err *err)
{
	const char *list = pg_option(spec, "search_path");
	if (list == NULL)
		list = "public";
	char *path = talloc_strdup(mem_ctx, "pg_catalog");
	for (const char *p = list;; p++) {
		const char *end = item_end(p);
		if (!search_path_item(&path, p, end, err)) {
			talloc_free(path);
			return false;
		}
		p = end;
		if (*p == '\0')
			break;
	}
	*path_r = talloc_strdup_append_buffer(path, ", pg_temp");
	return true;
}

/* SQLAlchemy writes several hosts as host=a:1&host=b:2, libpq as host=a,b&port=1,2. Other parameters pass unchanged. */
struct hosts {
	char *rest;
	char *hosts;
	char *ports;
	bool any_port;
	size_t n;
};

static void hosts_add(struct hosts *h, const char *value)
{
	const char *colon = strchr(value, ':');
	bool has_port = colon != NULL && strchr(colon + 1, ':') == NULL && *value != '/' && strchr(value, ',') == NULL;
	size_t len = has_port ? (size_t)(colon - value) : strlen(value);
	h->hosts = talloc_asprintf_append_buffer(h->hosts, "%s%.*s", h->n > 0 ? "," : "", (int)len, value);
	h->ports = talloc_asprintf_append_buffer(h->ports, "%s%s", h->n > 0 ? "," : "", has_port ? colon + 1 : "");
	h->any_port |= has_port;
	h->n++;
}

static char *rewrite_query(void *mem_ctx, const char *query)
{
	struct hosts h = {
		.rest = talloc_strdup(mem_ctx, ""), .hosts = talloc_strdup(mem_ctx, ""), .ports = talloc_strdup(mem_ctx, "")};
	char *copy = talloc_strdup(mem_ctx, query);
	for (char *item = strsep(&copy, "&"); item != NULL; item = strsep(&copy, "&")) {
		if (strncmp(item, "host=", 5) == 0)
			hosts_add(&h, item + 5);
		else
			h.rest = talloc_asprintf_append_buffer(h.rest, "&%s", item);
	}
	if (h.n > 0)
		h.rest = talloc_asprintf_append_buffer(h.rest, "&host=%s", h.hosts);
	if (h.any_port)
		h.rest = talloc_asprintf_append_buffer(h.rest, "&port=%s", h.ports);
	return h.rest[0] == '\0' ? h.rest : h.rest + 1;
}

/* postgresql+psycopg2://... becomes what PQconninfoParse takes. */
static char *libpq_uri(void *mem_ctx, const char *url)
{
	const char *rest = strstr(url, "://");
	if (rest == NULL)
		return NULL;
	rest += 3;
	const char *query = strchr(rest, '?');
	if (query == NULL)
		return talloc_asprintf(mem_ctx, "postgresql://%s", rest);
	return talloc_asprintf(mem_ctx, "postgresql://%.*s?%s", (int)(query - rest), rest,
	                       rewrite_query(mem_ctx, query + 1));
}

static bool has_keyword(const struct pg_params *p, const char *keyword)
{
	for (size_t i = 0; i < p->n; i++)
		if (strcmp(p->keywords[i], keyword) == 0)
			return true;
	return false;
}

static void set_param(struct pg_params *p, const char *keyword, const char *value)
{
	size_t i = 0;
	while (i < p->n && strcmp(p->keywords[i], keyword) != 0)
		i++;
	assert(i < PG_PARAMS_MAX - 1);
	p->keywords[i] = keyword;
	p->values[i] = value;
	if (i == p->n)
		p->n++;
	p->keywords[p->n] = p->values[p->n] = NULL;
}

static const char *param_value(void *mem_ctx, const struct viewd_database_spec *spec, const PQconninfoOption *opt)
{
	for (size_t i = 0; i < ARRAY_LEN(path_keywords); i++)
		if (strcmp(opt->keyword, path_keywords[i]) == 0 && opt->val[0] != '/' && opt->val[0] != '\0' &&
		    spec->base_dir != NULL && strcmp(opt->val, "system") != 0)
			return talloc_asprintf(mem_ctx, "%s/%s", spec->base_dir, opt->val);
	return talloc_strdup(mem_ctx, opt->val);
}

/* libpq quotes the offending token, which may be a piece of the password: only a parameter's name is passed on. */
static bool url_refused(const char *why, struct viewd_err *err)
{
	const char *param = why != NULL ? strstr(why, "query parameter") : NULL;
	err_set(err, VIEWD_ERR_CONFIG, "url cannot be read%s%.200s%s", param != NULL ? " (unknown or malformed " : "",
	        param != NULL ? param : "", param != NULL ? ")" : "");
	for (char *p = err != NULL ? strchr(err->msg, '\n') : NULL; p != NULL; p = strchr(err->msg, '\n'))
		memmove(p, p + 1, strlen(p));
	return err_hint(err, "postgresql://user@host:5432/database?sslmode=verify-full; parameters are libpq's keywords");
}

static void add_fixed(void *mem_ctx, const struct viewd_database_spec *spec, struct pg_params *out)
{
	for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
		if (!has_keyword(out, defaults[i][0]))
			set_param(out, defaults[i][0], defaults[i][1]);
	if (!has_keyword(out, "connect_timeout")) {
		int64_t seconds = spec->connect_timeout_us > 0 ? (spec->connect_timeout_us + 999999) / 1000000 : 10;
		set_param(out, "connect_timeout", talloc_asprintf(mem_ctx, "%lld", (long long)seconds));
	}
	if (spec->password != NULL)
		set_param(out, "password", spec->password);
	if (spec->application_name != NULL)
		set_param(out, "application_name", spec->application_name);
	set_param(out, "client_encoding", "UTF8");
}

bool pg_url_params(void *mem_ctx, const struct viewd_database_spec *spec, struct pg_params *out, struct viewd_err *err)
{
	char *uri = libpq_uri(mem_ctx, spec->url);
	if (uri == NULL)
		return url_refused(NULL, err);
	char *why = NULL;
	PQconninfoOption *opts = PQconninfoParse(uri, &why);
	if (opts == NULL) {
		url_refused(why, err);
		PQfreemem(why);
		return false;
	}
	struct pg_params params = {.n = 0};
	for (const PQconninfoOption *opt = opts; opt->keyword != NULL; opt++)
		if (opt->val != NULL)
			set_param(&params, talloc_strdup(mem_ctx, opt->keyword), param_value(mem_ctx, spec, opt));
	PQconninfoFree(opts);
	add_fixed(mem_ctx, spec, &params);
	*out = params;
	return true;
}
