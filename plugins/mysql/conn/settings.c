/* SPDX-License-Identifier: MIT
 *
 * settings.c: settings under which definitions run, at creation as at each refresh, and the [database] keys for two of
 * them.
 *
 * Modes that would have viewd's own statements read otherwise (ANSI_QUOTES, NO_BACKSLASH_ESCAPES, ORACLE ...) are no
 * settings for it.
 */
#include "mysql/my.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"

#define STRICT "STRICT_ALL_TABLES"
#define ALWAYS "NO_ENGINE_SUBSTITUTION"

/* clang-format off */
const struct viewd_dialect_option my_options[MY_N_OPTIONS] = {
	{
		.key = "sql_mode",
		.default_value = STRICT,
		.help = "the sql_mode under which definitions run, none for none",
		.doc = "Names as the server knows them, separated by commas. NO_ENGINE_SUBSTITUTION is always among them. With "
		       "the default, a value that cannot be read as a number or a date, or does not fit its column, is an "
		       "error. "
		       "With none it becomes what a plain SELECT makes of it. Modes that change how statements are read "
		       "(ANSI_QUOTES and the like) are refused. The key settings of a view wins.",
	},
	{
		.key = "group_concat_max_len",
		.default_value = NULL,
		.help = "the longest result of GROUP_CONCAT, in bytes",
		.doc = "Without this key the server's own setting holds. In the strict sql_mode of the default, a result that "
		       "is "
		       "cut is an error. The key settings of a view wins.",
	},
};
/* clang-format on */

static bool is_mode(const char *name, size_t len)
{
	static const char *const known[] = {
		STRICT,
		ALWAYS,
		"STRICT_TRANS_TABLES",
		"TRADITIONAL",
		"ERROR_FOR_DIVISION_BY_ZERO",
		"NO_ZERO_DATE",
		"NO_ZERO_IN_DATE",
		"ALLOW_INVALID_DATES",
		"ONLY_FULL_GROUP_BY",
		"NO_UNSIGNED_SUBTRACTION",
		"PIPES_AS_CONCAT",
		"HIGH_NOT_PRECEDENCE",
		"NO_AUTO_VALUE_ON_ZERO",
		"PAD_CHAR_TO_FULL_LENGTH",
		"REAL_AS_FLOAT",
		"TIME_ROUND_FRACTIONAL",
		"TIME_TRUNCATE_FRACTIONAL",
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
			return err_hint(
				err, "none, or names such as STRICT_ALL_TABLES, NO_ZERO_DATE, ONLY_FULL_GROUP_BY, PIPES_AS_CONCAT");
		}
	return true;
}

/* The variables of the server that change what a definition yields or how it is carried out, and nothing else that
 * viewd does. */
struct setting {
	const char *name;
	bool text;
	long long least, most;
};

static const struct setting known[] = {
	{.name = "group_concat_max_len", .least = 4, .most = 4294967295},
	{.name = "time_zone", .text = true},
	{.name = "lc_time_names", .text = true},
	{.name = "default_week_format", .least = 0, .most = 7},
	{.name = "div_precision_increment", .least = 0, .most = 30},
	{.name = "max_sort_length", .least = 64, .most = 8388608},
	{.name = "max_recursive_iterations", .least = 0, .most = 4294967295},
	{.name = "cte_max_recursion_depth", .least = 0, .most = 4294967295},
	{.name = "optimizer_switch", .text = true},
	{.name = "optimizer_search_depth", .least = 0, .most = 63},
	{.name = "optimizer_prune_level", .least = 0, .most = 2},
	{.name = "optimizer_use_condition_selectivity", .least = 1, .most = 5},
	{.name = "eq_range_index_dive_limit", .least = 0, .most = 4294967295},
	{.name = "join_cache_level", .least = 0, .most = 8},
	{.name = "join_buffer_size", .least = 128, .most = 1LL << 40},
	{.name = "sort_buffer_size", .least = 1024, .most = 1LL << 40},
	{.name = "tmp_table_size", .least = 1024, .most = 1LL << 40},
	{.name = "max_heap_table_size", .least = 16384, .most = 1LL << 40},
};

static const struct setting *find_setting(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strcasecmp(known[i].name, name) == 0)
			return &known[i];
	return NULL;
}

static bool check_number(const struct setting *setting, const char *value, struct viewd_err *err)
{
	char *end;
	long long n = strtoll(value, &end, 10);

	if (end != value && *end == '\0' && n >= setting->least && n <= setting->most)
		return true;
	err_set(err, VIEWD_ERR_CONFIG, "%s '%.40s' is not such a number", setting->name, value);
	return err_hint(err, "a whole number from %lld to %lld", setting->least, setting->most);
}

/* Europe/Berlin, +03:00, de_DE, mrr=on,mrr_cost_based=off */
static bool check_text(const struct setting *setting, const char *value, struct viewd_err *err)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_+-:/=,";

	return (value[0] != '\0' && value[strspn(value, plain)] == '\0') ||
	       err_set(err, VIEWD_ERR_CONFIG, "%s '%.40s' holds what no value of it does", setting->name, value);
}

bool my_setting_check(const char *name, const char *value, struct viewd_err *err)
{
	const struct setting *setting = find_setting(name);

	if (strcasecmp(name, "sql_mode") == 0)
		return check_mode(value, err);
	if (setting != NULL)
		return setting->text ? check_text(setting, value, err) : check_number(setting, value, err);
	err_set(err, VIEWD_ERR_CONFIG, "'%s' is not a setting that a view may have", name);
	return err_hint(err, "sql_mode, group_concat_max_len, time_zone, optimizer_switch and others that the manual "
	                     "lists; limits of time are timeout and lock_timeout");
}

static char *add_mode(char *sql, const char *value)
{
	size_t len;

	sql = sql_add(sql, "sql_mode = '" ALWAYS);
	if (!is_none(value))
		for (const char *name = next_mode(&value, &len); len > 0; name = next_mode(&value, &len))
			sql = sql_add(sql, ",%.*s", (int)len, name);
	return sql_add(sql, "'");
}

char *my_setting_add(char *sql, const char *name, const char *value)
{
	const struct setting *setting = find_setting(name);

	if (setting == NULL)
		return add_mode(sql_add(sql, ", "), value);
	return sql_add(sql, setting->text ? ", %s = '%s'" : ", %s = %s", setting->name, value);
}

static const char *value_of(const struct viewd_database_spec *spec, const char *key)
{
	for (size_t i = 0; i < spec->n_options; i++)
		if (strcmp(spec->options[i].key, key) == 0)
			return spec->options[i].value;
	return NULL;
}

static bool is_key(const char *key)
{
	for (size_t i = 0; i < MY_N_OPTIONS; i++)
		if (strcmp(my_options[i].key, key) == 0)
			return true;
	return false;
}

bool my_settings_check(const struct viewd_database_spec *spec, struct viewd_err *err)
{
	for (size_t i = 0; i < spec->n_options; i++) {
		const struct viewd_kv *option = &spec->options[i];
		if (!is_key(option->key))
			return err_set(err, VIEWD_ERR_CONFIG, "database '%s', key '%s' is not known to MySQL/MariaDB", spec->name,
			               option->key);
		if (!my_setting_check(option->key, option->value, err))
			return false;
	}
	return true;
}

char *my_settings_list(void *mem_ctx, const struct viewd_database_spec *spec)
{
	const char *mode = value_of(spec, "sql_mode"), *length = value_of(spec, "group_concat_max_len");
	char *list = add_mode(sql_new(mem_ctx), mode != NULL ? mode : STRICT);

	return length != NULL ? my_setting_add(list, "group_concat_max_len", length) : list;
}
