/* SPDX-License-Identifier: MIT
 *
 * test_option.c: every row of the tables, and every type of option.
 */
#include "base/err.h"
#include "base/span.h"
#include "conf/schema/option.h"
#include "conf/schema/option_types.h"
#include "conf/schema/schema.h"
#include "conf_support.h"

#include <inttypes.h>
#include <stdio.h>

static const struct option_table *const tables[] = {&schema_daemon, &schema_database, &schema_view};

/* The struct of any section; only the row knows which. */
union section {
	struct conf_daemon daemon;
	struct conf_database database;
	struct conf_view view;
};

static bool set(const struct option_row *row, union section *base, const char *text, struct viewd_err *err)
{
	return option_set(row, arena_new(harness_ctx()), "/etc/viewd", base, text, err);
}

static const struct option_row *row_of(const char *key)
{
	const struct option_row *row = option_find(&schema_view, key);
	REQUIRE(row != NULL);
	return row;
}

/* ---- generated from the rows ---- */

static void rows_are_documented(void)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct option_row *row = &tables[t]->rows[i];
			const char *key = row->key;
			CHECK(key[0] != '\0' && strlen(key) <= 64);
			if (row->help == NULL || row->doc == NULL || row->help[0] == '\0' || strlen(row->doc) < 4)
				CHECK_STR(key, "a row with help and doc");
			if (row->doc != NULL && row->doc[strlen(row->doc) - 1] != '.' && row->doc[strlen(row->doc) - 1] != ':')
				CHECK_STR(key, "a row whose doc ends with a full stop");
			if ((row->type == OPTION_INT || row->type == OPTION_SPAN) && (row->unit == NULL || row->min >= row->max))
				CHECK_STR(key, "a number with unit and range");
			if ((row->type == OPTION_WORD) != (row->choices != NULL))
				CHECK_STR(key, "words have choices, others have none");
			if (((row->flags & OPTION_DYNAMIC) != 0) != (key[strlen(key) - 1] == '*'))
				CHECK_STR(key, "dynamic keys end in *");
		}
}

static void defaults_parse_and_format_back(void)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct option_row *row = &tables[t]->rows[i];
			union section base = {0};
			struct viewd_err err = {0};
			if (row->dflt == NULL)
				continue;
			CHECK_OK(set(row, &base, row->dflt, &err), &err);
			CHECK_STR(option_format(harness_ctx(), row, &base), row->dflt);
		}
}

static const char *number_text(const struct option_row *row, int64_t value)
{
	char buf[64];
	if (row->type == OPTION_SPAN)
		return talloc_strdup(harness_ctx(), span_format(value, buf, sizeof buf));
	return talloc_asprintf(harness_ctx(), "%" PRId64, value);
}

static void ranges_hold(void)
{
	size_t n = 0;
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct option_row *row = &tables[t]->rows[i];
			union section base = {0}, untouched = {0};
			struct viewd_err err = {0};
			if (row->type != OPTION_INT && row->type != OPTION_SPAN)
				continue;
			n++;
			CHECK_OK(set(row, &base, number_text(row, row->min), &err), &err);
			CHECK_OK(set(row, &base, number_text(row, row->max), &err), &err);
			CHECK_STR(option_format(harness_ctx(), row, &base), number_text(row, row->max));
			CHECK(!set(row, &untouched, number_text(row, row->max + 1), &err));
			CHECK_CONTAINS(err.msg, "is out of range");
			if (row->type == OPTION_INT || row->min > 0)
				CHECK(!set(row, &untouched, number_text(row, row->min - 1), &err));
			CHECK(memcmp(&untouched, &(union section){0}, sizeof untouched) == 0);
		}
	CHECK(n > 10);
}

static void choices_parse(void)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct option_row *row = &tables[t]->rows[i];
			for (const struct option_choice *c = row->choices; c != NULL && c->word != NULL; c++) {
				union section base = {0};
				struct viewd_err err = {0};
				CHECK(set(row, &base, c->word, &err));
				CHECK_STR(option_format(harness_ctx(), row, &base), c->word);
				CHECK(c->doc != NULL);
			}
		}
}

static void keys_are_found(void)
{
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++) {
			const struct option_row *row = &tables[t]->rows[i];
			char key[80];
			snprintf(key, sizeof key, "%s", row->key);
			if ((row->flags & OPTION_DYNAMIC) != 0)
				snprintf(key + strlen(key) - 1, sizeof key - strlen(key), "sqlite");
			CHECK(option_find(tables[t], key) == row);
		}
	CHECK(option_find(&schema_view, "index_") == NULL);
	CHECK(option_find(&schema_view, "") == NULL);
	CHECK_STR(row_of("definition_file")->key, "definition_file");
	CHECK_STR(row_of("definition_file_x")->key, "definition_file_*");
	CHECK_STR(row_of("definition_x")->key, "definition_*");
}

/* Every key of the contract has a row. */
static void contract_keys(void)
{
	/* clang-format off */
	static const char *const keys[] = {
		"database", "relation", "definition", "definition_file", "definition_sqlite", "definition_file_sqlite",
		"method", "refresh_mode", "unique_key", "columns", "index_x", "options", "settings", "with_data",
		"on_configuration_change", "adopt", "on_remove", "cascade", "depends_on", "every", "after", "cron",
		"timezone", "randomize_for", "on_change", "sources", "capture", "debounce", "max_delay", "at_most_every",
		"max_staleness", "target_lag", "refresh_group", "timeout", "lock_timeout", "max_retries", "retry_backoff",
		"retry_max_backoff", "max_consecutive_errors", "overlap", "missed", "run_as", "pre_hook", "post_hook",
		"notify_channel", "enabled", "description", "owner", "tags", "priority",
	};
	/* clang-format on */
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		row_of(keys[i]);
	static const char *const daemon_keys[] = {"include",     "control_socket",    "plugin_dir",
	                                          "state_dir",   "log_level",         "max_concurrent_refreshes",
	                                          "http_listen", "http_allow_remote", "http_hosts"};
	for (size_t i = 0; i < ARRAY_LEN(daemon_keys); i++)
		CHECK(option_find(&schema_daemon, daemon_keys[i]) != NULL);
	static const char *const db_keys[] = {"url", "password_file", "password_credential", "max_concurrent_refreshes"};
	for (size_t i = 0; i < ARRAY_LEN(db_keys); i++)
		CHECK(option_find(&schema_database, db_keys[i]) != NULL);
}

/* ---- types ---- */

static void wants(const char *key, const char *text, const char *formatted)
{
	union section base = {0}, again = {0};
	struct viewd_err err = {0};
	const struct option_row *row = row_of(key);
	CHECK_OK(set(row, &base, text, &err), &err);
	char *out = option_format(harness_ctx(), row, &base);
	CHECK_STR(out, formatted);
	/* what is shown can be written into a file */
	if (out != NULL) {
		CHECK_OK(set(row, &again, out, &err), &err);
		CHECK(option_equal(row, &base, &again));
	}
}

static void refuses(const char *key, const char *text, const char *msg, const char *hint)
{
	union section base = {0};
	struct viewd_err err = {0};
	CHECK(!set(row_of(key), &base, text, &err));
	CHECK_STR(err.msg, msg);
	CHECK_STR(err.hint, hint);
	CHECK(memcmp(&base, &(union section){0}, sizeof base) == 0);
}

static void booleans(void)
{
	wants("enabled", "yes", "yes");
	wants("enabled", "true", "yes");
	wants("enabled", "on", "yes");
	wants("enabled", "no", "no");
	wants("enabled", "false", "no");
	wants("enabled", "off", "no");
	static const char *const wrong[] = {"tomato", "Yes", "1", "y", "yes "};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refuses("enabled", wrong[i], talloc_asprintf(harness_ctx(), "'%s' is neither yes nor no", wrong[i]),
		        "write yes or no (true false on off are understood too)");
	refuses("enabled", "", "the value is empty", "write yes or no (also true, false, on, off)");
}

static void numbers(void)
{
	wants("priority", "-5", "-5");
	wants("priority", "0", "0");
	static const char *const wrong[] = {"010", "10x", "1.5", "0x10", "+1", "--1", "-", "99999999999999999999999"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		refuses("priority", wrong[i], talloc_asprintf(harness_ctx(), "'%s' is not a whole number", wrong[i]),
		        "from -1000 to 1000");
	refuses("priority", "99999999999", "'99999999999' is out of range", "from -1000 to 1000");
}

static void durations(void)
{
	wants("every", "1h30m", "1h30m");
	wants("every", "90m", "1h30m");
	wants("every", "0", "0");
	refuses("every", "5", "'5' is not a duration", "write a number with a unit: 250ms, 30s, 5m, 2h, 1d, 1w or 1h30m");
	refuses("lock_timeout", "0", "'0' is out of range", "from 1ms to 1h");
	refuses("lock_timeout", "2h", "'2h' is out of range", "from 1ms to 1h");
}

static void lists(void)
{
	wants("unique_key", "id", "id");
	wants("unique_key", "id, \"Group Name\" ,ID2", "id, \"Group Name\", ID2");
	wants("unique_key", "`a,``b`, \"c`d\"", "`a,``b`, \"c`d\"");
	wants("sources", "\"Order, Lines\", shop.`a,\"b`", "\"Order, Lines\", shop.`a,\"b`");
	wants("unique_key", "\"a\"\"b\",\"c,d\"", "\"a\"\"b\", \"c,d\"");
	wants("unique_key", "", "");
	wants("unique_key", "\"x; DROP TABLE y;--\"", "\"x; DROP TABLE y;--\"");
	refuses("unique_key", "a,,b", "an item of the list 'a,,b' is empty", "separate items by single commas");
	refuses("unique_key", "a,", "an item of the list 'a,' is empty", "separate items by single commas");
	refuses("unique_key", "\"a", "a quote or parenthesis is not closed in '\"a'", "separate items by single commas");
	refuses("unique_key", "a b", "'a b' cannot be understood",
	        "write names separated by commas, \"quoted\" where they hold blanks or capitals");
	refuses("unique_key", "\"\"", "'\"\"' cannot be understood",
	        "write names separated by commas, \"quoted\" where they hold blanks or capitals");
	refuses("unique_key", "``", "'``' cannot be understood",
	        "write names separated by commas, \"quoted\" where they hold blanks or capitals");
	refuses("unique_key", "a`b`", "'a`b`' cannot be understood",
	        "write names separated by commas, \"quoted\" where they hold blanks or capitals");
	refuses("unique_key", "`a", "a quote or parenthesis is not closed in '`a'", "separate items by single commas");
	refuses("unique_key", "a, a", "'a' is named twice", "");
	wants("database", "Shop, lite", "shop, lite");
	refuses("database", "sh op", "'sh op' cannot be understood", "names of sections hold a-z 0-9 _ . - only");
	refuses("database", "", "the value is empty", "write section names separated by commas");
	wants("depends_on", "a, shop:b", "a, shop:b");
	wants("tags", "Daily, a b", "Daily, a b");
}

static void columns(void)
{
	wants("columns", "id integer, name numeric(10,2)", "id integer, name numeric(10,2)");
	wants("columns", "\"Group Name\" text, B", "\"Group Name\" text, B");
	wants("columns", "`Group, Name` enum('a', 'b'), c", "`Group, Name` enum('a', 'b'), c");
	wants("columns", "x double precision", "x double precision");
	refuses("columns", "id integer, id text", "column 'id' is named twice", "");
	refuses("columns", "name numeric(10,2", "a quote or parenthesis is not closed in 'name numeric(10,2'",
	        "separate items by single commas");
	refuses("columns", "\"a\"b", "'\"a\"b' cannot be understood", "write `name type, name type` or names only");
}

static void pairs(void)
{
	wants("options", "security_barrier=true, fillfactor=90", "security_barrier=true, fillfactor=90");
	wants("options", "Security_Barrier , fillfactor = 90", "security_barrier=true, fillfactor=90");
	refuses("options", "a=", "'a=' cannot be understood", "write `name=value, name=value`");
	refuses("options", "=b", "'=b' cannot be understood", "write `name=value, name=value`");
	refuses("options", "a=1, A=2", "option 'a' is named twice", "");
}

static void paths(void)
{
	union section base = {0};
	struct viewd_err err = {0};
	const struct option_row *row = option_find(&schema_daemon, "state_dir");
	REQUIRE(row != NULL);
	CHECK_OK(set(row, &base, "state", &err), &err);
	CHECK_STR(base.daemon.state_dir, "/etc/viewd/state");
	CHECK_OK(set(row, &base, "/x", &err), &err);
	CHECK_STR(base.daemon.state_dir, "/x");
}

static void nearest(void)
{
	CHECK_STR(option_nearest(&schema_view, "evry"), "every");
	CHECK_STR(option_nearest(&schema_view, "defintion"), "definition");
	CHECK_STR(option_nearest(&schema_view, "lock_time_out"), "lock_timeout");
	CHECK(option_nearest(&schema_view, "zzzzzzzz") == NULL);
	char big[200];
	memset(big, 'e', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	CHECK(option_nearest(&schema_view, big) == NULL);
}

static void words_for_manuals(void)
{
	for (int t = 0; t < OPTION_TYPE_COUNT; t++) {
		CHECK(option_type_word((enum option_type)t)[0] != '\0');
		CHECK(option_type((enum option_type)t)->doc[0] != '\0');
	}
	for (int r = OPTION_LIVE; r <= OPTION_RESTART; r++)
		CHECK(option_reload_word((enum option_reload)r)[0] != '\0');
}

static const struct harness_test row_tests[] = {
	{"rows are documented", rows_are_documented},
	{"defaults parse and format back", defaults_parse_and_format_back},
	{"ranges hold", ranges_hold},
	{"choices parse", choices_parse},
	{"keys are found", keys_are_found},
	{"contract keys", contract_keys},
};
static const struct harness_test type_tests[] = {
	{"booleans", booleans}, {"numbers", numbers}, {"durations", durations},
	{"lists", lists},       {"columns", columns}, {"pairs", pairs},
	{"paths", paths},       {"nearest", nearest}, {"words for manuals", words_for_manuals},
};
HARNESS_MAIN(SUITE("option rows", row_tests), SUITE("option types", type_tests))
