/* SPDX-License-Identifier: MIT
 *
 * params.c: the query parameters of a URL, which are the client library's own words.
 */
#include "mysql/my.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

enum param_kind {
	PARAM_TEXT, /* a string option of the library */
	PARAM_PATH, /* the same, a file: relative ones start at the configuration file's directory */
	PARAM_BOOL, /* yes no true false on off 1 0 */
	PARAM_SECONDS,
	PARAM_CHARSET, /* only utf8mb4: everything else would garble names */
	PARAM_SOCKET,  /* handed to the connect call itself */
	PARAM_REFUSED, /* known, but unsafe or decided by viewd */
};

struct param {
	const char *name;
	enum param_kind kind;
	int option;       /* enum mysql_option; -1: none */
	const char *note; /* for PARAM_REFUSED: why */
};

/* Names follow the option files of the client library (and SQLAlchemy's drivers), with underscores. */
static const struct param params[] = {
	{"unix_socket", PARAM_SOCKET, -1, NULL},
	{"read_default_file", PARAM_PATH, MYSQL_READ_DEFAULT_FILE, NULL},
	{"read_default_group", PARAM_TEXT, MYSQL_READ_DEFAULT_GROUP, NULL},
	{"ssl", PARAM_BOOL, MYSQL_OPT_SSL_ENFORCE, NULL},
	{"ssl_ca", PARAM_PATH, MYSQL_OPT_SSL_CA, NULL},
	{"ssl_capath", PARAM_PATH, MYSQL_OPT_SSL_CAPATH, NULL},
	{"ssl_cert", PARAM_PATH, MYSQL_OPT_SSL_CERT, NULL},
	{"ssl_key", PARAM_PATH, MYSQL_OPT_SSL_KEY, NULL},
	{"ssl_cipher", PARAM_TEXT, MYSQL_OPT_SSL_CIPHER, NULL},
	{"ssl_crl", PARAM_PATH, MYSQL_OPT_SSL_CRL, NULL},
	{"ssl_crlpath", PARAM_PATH, MYSQL_OPT_SSL_CRLPATH, NULL},
	{"ssl_verify_server_cert", PARAM_BOOL, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, NULL},
	{"tls_version", PARAM_TEXT, MARIADB_OPT_TLS_VERSION, NULL},
	{"bind_address", PARAM_TEXT, MYSQL_OPT_BIND, NULL},
	{"plugin_dir", PARAM_PATH, MYSQL_PLUGIN_DIR, NULL},
	{"default_auth", PARAM_TEXT, MYSQL_DEFAULT_AUTH, NULL},
	{"compress", PARAM_BOOL, MYSQL_OPT_COMPRESS, NULL},
	{"connect_timeout", PARAM_SECONDS, MYSQL_OPT_CONNECT_TIMEOUT, NULL},
	{"write_timeout", PARAM_SECONDS, MYSQL_OPT_WRITE_TIMEOUT, NULL},
	{"charset", PARAM_CHARSET, -1, NULL},
	{"read_timeout", PARAM_REFUSED, -1, "a view's timeout limits its statements"},
	{"local_infile", PARAM_REFUSED, -1, "reading the daemon's files for the server is never allowed"},
	{"init_command", PARAM_REFUSED, -1, "viewd fixes the session itself; use a view's pre_hook"},
	{"sql_mode", PARAM_REFUSED, -1, "viewd fixes the session itself"},
	{"autocommit", PARAM_REFUSED, -1, "viewd decides where transactions begin and end"},
};

static bool bool_parse(const char *text, bool *out_r)
{
	static const struct {
		const char *word;
		bool value;
	} words[] = {{"yes", true}, {"true", true},   {"on", true},   {"1", true},
	             {"no", false}, {"false", false}, {"off", false}, {"0", false}};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcasecmp(text, words[i].word) == 0) {
			*out_r = words[i].value;
			return true;
		}
	return false;
}

static const struct param *find_param(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		if (strcmp(params[i].name, name) == 0)
			return &params[i];
	return NULL;
}

static bool unknown_param(const char *name, struct viewd_err *err)
{
	char *known = talloc_strdup(NULL, "");

	for (size_t i = 0; i < ARRAY_LEN(params); i++)
		if (params[i].kind != PARAM_REFUSED)
			known = talloc_asprintf_append(known, " %s", params[i].name);
	err_set(err, VIEWD_ERR_CONFIG, "url parameter '%.64s' is not known", name);
	err_hint(err, "known are:%.240s", known);
	talloc_free(known);
	return false;
}

static bool check_value(const struct param *param, const char *value, struct viewd_err *err)
{
	bool flag;
	char *stop;

	switch (param->kind) {
	case PARAM_BOOL:
		if (!bool_parse(value, &flag))
			return err_set(err, VIEWD_ERR_CONFIG, "url parameter '%s' is neither yes nor no", param->name);
		break;
	case PARAM_SECONDS:
		if (strtol(value, &stop, 10) < 1 || *stop != '\0')
			return err_set(err, VIEWD_ERR_CONFIG, "url parameter '%s' is not a whole number of seconds", param->name);
		break;
	case PARAM_CHARSET:
		if (strcmp(value, "utf8mb4") != 0)
			return err_set(err, VIEWD_ERR_CONFIG, "url parameter 'charset' must be utf8mb4");
		break;
	case PARAM_REFUSED:
		return err_set(err, VIEWD_ERR_CONFIG, "url parameter '%s' is not accepted (%s)", param->name, param->note);
	case PARAM_TEXT:
	case PARAM_PATH:
	case PARAM_SOCKET:
		if (value[0] == '\0')
			return err_set(err, VIEWD_ERR_CONFIG, "url parameter '%s' is empty", param->name);
		break;
	}
	return true;
}

static bool check_one(const struct viewd_kv *given, struct viewd_err *err)
{
	const struct param *param = find_param(given->key);

	if (param == NULL)
		return unknown_param(given->key, err);
	return check_value(param, given->value, err);
}

static bool given_twice(const struct url *url, size_t number, struct viewd_err *err)
{
	for (size_t i = 0; i < number; i++)
		if (strcmp(url->query[i].key, url->query[number].key) == 0)
			return !err_set(err, VIEWD_ERR_CONFIG, "url parameter '%s' is given twice", url->query[i].key);
	return false;
}

bool my_params_check(const struct url *url, struct viewd_err *err)
{
	if (strcmp(url->scheme, "mysql") != 0 && strcmp(url->scheme, "mariadb") != 0)
		return err_set(err, VIEWD_ERR_CONFIG, "url scheme '%s' is neither mysql nor mariadb", url->scheme);
	if (url->database == NULL || url->database[0] == '\0') {
		err_set(err, VIEWD_ERR_CONFIG, "url names no database");
		return err_hint(err, "append /NAME of the database in which viewd keeps its state tables");
	}
	if (url->n_places > 1 && url_query(url, "unix_socket") != NULL)
		return err_set(err, VIEWD_ERR_CONFIG, "url names several hosts and a unix_socket");
	for (size_t i = 0; i < url->n_query; i++)
		if (!check_one(&url->query[i], err) || given_twice(url, i, err))
			return false;
	return true;
}

static int set_option(MYSQL *my, const struct param *param, const char *value, const char *base_dir)
{
	enum mysql_option option = (enum mysql_option)param->option;
	unsigned seconds;
	bool flag = false;
	char *path;
	int rc;

	switch (param->kind) {
	case PARAM_TEXT:
		return mysql_options(my, option, value);
	case PARAM_PATH:
		path = value[0] == '/' || base_dir == NULL ? talloc_strdup(NULL, value)
		                                           : talloc_asprintf(NULL, "%s/%s", base_dir, value);
		rc = mysql_options(my, option, path);
		talloc_free(path);
		return rc;
	case PARAM_BOOL:
		if (!bool_parse(value, &flag))
			return 1;
		if (option == MYSQL_OPT_COMPRESS)
			return flag ? mysql_options(my, option, NULL) : 0;
		my_bool set = flag;
		return mysql_options(my, option, &set);
	case PARAM_SECONDS:
		seconds = (unsigned)strtoul(value, NULL, 10);
		return mysql_options(my, option, &seconds);
	case PARAM_CHARSET:
	case PARAM_SOCKET:
	case PARAM_REFUSED:
		break;
	}
	return 0;
}

bool my_params_apply(MYSQL *my, const struct url *url, const char *base_dir, bool compress, struct viewd_err *err)
{
	for (size_t i = 0; i < url->n_query; i++) {
		const struct param *param = find_param(url->query[i].key);
		if (param->option == MYSQL_OPT_COMPRESS && !compress)
			continue;
		if (set_option(my, param, url->query[i].value, base_dir) != 0)
			return err_set(err, VIEWD_ERR_CONFIG, "url parameter '%s' was refused by the client library",
			               url->query[i].key);
	}
	return true;
}

bool my_params_want_tls(const struct url *url)
{
	bool on = true;

	for (size_t i = 0; i < url->n_query; i++) {
		const struct viewd_kv *given = &url->query[i];
		bool is_switch = strcmp(given->key, "ssl") == 0 || strcmp(given->key, "ssl_verify_server_cert") == 0;
		if (strncmp(given->key, "ssl", 3) == 0 && (!is_switch || (bool_parse(given->value, &on) && on)))
			return true;
	}
	return false;
}
