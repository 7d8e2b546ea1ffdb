/* SPDX-License-Identifier: MIT
 *
 * settings.c: the [database] keys of this dialect: settings under which definitions run, at creation as at each refresh.
 *
 * What would have viewd's own statements read otherwise (ANSI_QUOTES, NO_BACKSLASH_ESCAPES, ORACLE ...) is no setting for it.
 */
#include "mysql/my.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext.h"

#define STRICT "STRICT_ALL_TABLES"
#define ALWAYS "NO_ENGINE_SUBSTITUTION"
#define LONGEST_CONCAT 4294967295LL
#define SHORTEST_CONCAT 4LL

const struct viewd_dialect_option my_options[MY_N_OPTIONS] = {
	{
		.key = "sql_mode",
		.default_value = STRICT,
		.help = "the sql_mode under which definitions run, none for none",
		.doc = "Names as the server knows them, separated by commas; NO_ENGINE_SUBSTITUTION is always among them. With the default a value that "
		       "cannot be read as a number or a date, or does not fit its column, is an error; with none it becomes what a plain SELECT "
		       "makes of it. Modes by which statements are read otherwise (ANSI_QUOTES and the like) are refused.",
	},
	{
		.key = "group_concat_max_len",
		.default_value = NULL,
		.help = "the longest result of GROUP_CONCAT, in bytes",
		.doc = "The server's own setting unless it is given. A result that is cut is an error in the strict sql_mode of the default.",
	},
};

static bool is_mode(const char *name, size_t len)
{
	static const char *const known[] = {
		STRICT, ALWAYS, "STRICT_TRANS_TABLES", "TRADITIONAL", "ERROR_FOR_DIVISION_BY_ZERO", "NO_ZERO_DATE", "NO_ZERO_IN_DATE",
		"ALLOW_INVALID_DATES", "ONLY_FULL_GROUP_BY", "NO_UNSIGNED_SUBTRACTION", "PIPES_AS_CONCAT", "HIGH_NOT_PRECEDENCE",
		"NO_AUTO_VALUE_ON_ZERO", "PAD_CHAR_TO_FULL_LENGTH", "REAL_AS_FLOAT", "TIME_ROUND_FRACTIONAL", "TIME_TRUNCATE_FRACTIONAL",
	};

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strlen(known[i]) == len && strncasecmp(known[i], name, len) == 0)
			return true;
	return false;
}

/* The next name of a list; len 0 at the end. */
static const char *next_mode(const char **p, size_t *len_r)
{
	const char *name = *p + strspn(*p, ", \t");

	*len_r = strcspn(name, ", \t");
	*p = name + *len_r;
	return name;
}

static bool is_none(const char *value)
{
	return value[strspn(value, " \t")] == '\0' || strcasecmp(value, "none") == 0;
}

static bool check_mode(const char *value, struct viewd_err *err)
{
	size_t len;

	if (is_none(value))
		return true;
	for (const char *name = next_mode(&value, &len); len > 0; name = next_mode(&value, &len))
		if (!is_mode(name, len)) {
			err_set(err, VIEWD_ERR_CONFIG, "sql_mode '%.*s' is not one that viewd can work under", (int)len, name);
			return err_hint(err, "none, or names such as STRICT_ALL_TABLES, NO_ZERO_DATE, ONLY_FULL_GROUP_BY, PIPES_AS_CONCAT");
		}
	return true;
}

static bool read_length(const char *value, long long *n_r, struct viewd_err *err)
{
	char *end;
	long long n = strtoll(value, &end, 10);

	if (end == value || *end != '\0' || n < SHORTEST_CONCAT || n > LONGEST_CONCAT) {
		err_set(err, VIEWD_ERR_CONFIG, "group_concat_max_len '%.40s' is not a number of bytes", value);
		return err_hint(err, "a whole number from 4 to 4294967295");
	}
	*n_r = n;
	return true;
}

static const char *value_of(const struct viewd_database_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_options; i++)
		if (strcmp(spec->options[i].key, key) == 0)
			return spec->options[i].value;
	return NULL;
}

static bool is_known(const char *key)
{
	for (size_t i = 0; i < MY_N_OPTIONS; i++)
		if (strcmp(my_options[i].key, key) == 0)
			return true;
	return false;
}

bool my_settings_check(const struct viewd_database_spec *spec, struct viewd_err *err)
{
	const char *mode = value_of(spec, "sql_mode"), *length = value_of(spec, "group_concat_max_len");
	long long n;

	for (size_t i = 0; i < spec->n_options; i++)
		if (!is_known(spec->options[i].key))
			return err_set(err, VIEWD_ERR_CONFIG, "database '%s', key '%s' is not known to MySQL/MariaDB", spec->name, spec->options[i].key);
	return (mode == NULL || check_mode(mode, err)) && (length == NULL || read_length(length, &n, err));
}

char *my_settings_sql(void *mem_ctx, const struct viewd_database_spec *spec)
{
	const char *mode = value_of(spec, "sql_mode"), *length = value_of(spec, "group_concat_max_len");
	char *sql = sql_add(sql_new(mem_ctx), "SET SESSION sql_mode = '" ALWAYS);
	long long n;
	size_t len;

	mode = mode != NULL ? mode : STRICT;
	if (!is_none(mode))
		for (const char *name = next_mode(&mode, &len); len > 0; name = next_mode(&mode, &len))
			sql = sql_add(sql, ",%.*s", (int)len, name);
	sql = sql_add(sql, "'");
	if (length != NULL && read_length(length, &n, NULL))
		sql = sql_add(sql, ", group_concat_max_len = %lld", n);
	return sql;
}
