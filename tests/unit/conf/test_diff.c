/* SPDX-License-Identifier: MIT
 *
 * test_diff.c: old text, new text, expected difference.
 */
#include "conf/snapshot/diff.h"
#include "conf_support.h"

#define VIEW(more) GOOD_DB GOOD_VIEW more

struct compared {
	struct loaded old, new;
	struct conf_diff *diff;
};

static struct compared compare(const char *old, const char *new)
{
	struct compared c;
	c.old = load_good(old);
	c.new = load_good(new);
	c.diff = conf_diff_new(harness_ctx(), c.old.conf, c.new.conf);
	unload(&c.old);
	unload(&c.new);
	return c;
}

static const char *keys_of(const struct conf_diff_entry *e)
{
	char *text = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i < e->keys.n; i++)
		text = talloc_asprintf_append(text, "%s%s", i > 0 ? " " : "", e->keys.items[i]);
	return text;
}

static void wants_view(const char *old, const char *new, const char *keys, enum option_reload reload)
{
	struct compared c = compare(old, new);
	const struct conf_diff_entry *e = conf_diff_view(c.diff, "a");
	REQUIRE(e != NULL);
	CHECK_INT(e->what, keys[0] != '\0' ? CONF_DIFF_CHANGED : CONF_DIFF_UNCHANGED);
	CHECK_STR(keys_of(e), keys);
	CHECK_INT(e->reload, reload);
	CHECK_INT(c.diff->n_differences, keys[0] != '\0' ? 1 : 0);
}

static void nothing(void)
{
	wants_view(VIEW(""), VIEW(""), "", OPTION_LIVE);
	/* other lines, other spelling, other place: the same values */
	wants_view(VIEW("every = 90m\n"), "; moved\n\n" GOOD_DB "[view-defaults]\nevery = 1h30m\n" GOOD_VIEW, "",
	           OPTION_LIVE);
	harness_file("q.sql", "SELECT 1\n");
	wants_view(VIEW(""), GOOD_DB "[view a]\ndatabase = shop\ndefinition_file = q.sql\n", "", OPTION_LIVE);
	wants_view(VIEW("max_retries = 3\n"), VIEW(""), "", OPTION_LIVE);
}

static void classes(void)
{
	wants_view(VIEW("every = 1m\n"), VIEW("every = 2m\n"), "every", OPTION_LIVE);
	wants_view(VIEW(""), VIEW("unique_key = id\nevery = 1m\n"), "unique_key every", OPTION_REDEFINE);
	wants_view(VIEW("columns = id\n"), VIEW("columns = id integer\n"), "columns", OPTION_REDEFINE);
	wants_view(VIEW("options = a=1\n"), VIEW("options = a=2\n"), "options", OPTION_REDEFINE);
	wants_view(VIEW("tags = a\n"), VIEW("tags = a, b\n"), "tags", OPTION_LIVE);
	wants_view(VIEW("enabled = yes\ndescription = x\n"), VIEW("enabled = no\n"), "enabled description", OPTION_LIVE);
	wants_view(VIEW("method = table\n"), VIEW("method = simple\n"), "method", OPTION_REDEFINE);
	wants_view(VIEW("priority = 1\n"), VIEW("priority = 2\n"), "priority", OPTION_LIVE);
}

static void definitions(void)
{
	wants_view(VIEW(""), GOOD_DB "[view a]\ndatabase = shop\ndefinition = SELECT 2\n", "definition", OPTION_REDEFINE);
	wants_view(VIEW(""), VIEW("definition_sqlite = SELECT 2\n"), "definition_sqlite", OPTION_REDEFINE);
	wants_view(VIEW("definition_sqlite = SELECT 2\n"), VIEW(""), "definition_sqlite", OPTION_REDEFINE);
	wants_view(VIEW("index_x = (a)\nindex_y = (b)\n"), VIEW("index_y = (c)\nindex_z = (b)\n"),
	           "index_y index_z index_x", OPTION_REDEFINE);
}

/* The text of the file counts, not its name. */
static void definition_file_contents(void)
{
	struct compared c;
	const char *text = GOOD_DB "[view a]\ndatabase = shop\ndefinition_file = q.sql\n";
	harness_file("q.sql", "SELECT 1\n");
	c.old = load_good(text);
	harness_file("q.sql", "SELECT 2\n");
	c.new = load_good(text);
	c.diff = conf_diff_new(harness_ctx(), c.old.conf, c.new.conf);
	CHECK_STR(keys_of(conf_diff_view(c.diff, "a")), "definition");
	unload(&c.old);
	unload(&c.new);
}

static void added_and_removed(void)
{
	struct compared c = compare(GOOD_DB "[database old]\nurl = sqlite:///o\n" GOOD_VIEW
	                                    "[view x]\ndatabase = shop\ndefinition = SELECT 1\n",
	                            GOOD_DB "[database new]\nurl = sqlite:///n\n"
	                                    "[view b]\ndatabase = new\ndefinition = SELECT 1\n" GOOD_VIEW);
	REQUIRE(c.diff->n_views == 3 && c.diff->n_databases == 3);
	CHECK_STR(c.diff->views[0].name, "b");
	CHECK_INT(c.diff->views[0].what, CONF_DIFF_ADDED);
	CHECK_INT(c.diff->views[1].what, CONF_DIFF_UNCHANGED);
	CHECK_STR(c.diff->views[2].name, "x");
	CHECK_INT(c.diff->views[2].what, CONF_DIFF_REMOVED);
	CHECK_INT(conf_diff_database(c.diff, "old")->what, CONF_DIFF_REMOVED);
	CHECK_INT(conf_diff_database(c.diff, "new")->what, CONF_DIFF_ADDED);
	CHECK_INT(conf_diff_database(c.diff, "shop")->what, CONF_DIFF_UNCHANGED);
	CHECK(conf_diff_database(c.diff, "none") == NULL);
	CHECK_INT(c.diff->n_differences, 4);
	CHECK_STR(conf_diff_word(CONF_DIFF_REMOVED), "removed");
}

static void from_nothing(void)
{
	struct loaded l = load_good(VIEW(""));
	struct conf_diff *diff = conf_diff_new(harness_ctx(), NULL, l.conf);
	CHECK_INT(diff->daemon.what, CONF_DIFF_ADDED);
	CHECK_INT(diff->views[0].what, CONF_DIFF_ADDED);
	CHECK_INT(diff->databases[0].what, CONF_DIFF_ADDED);
	unload(&l);
}

static void wants_database(const char *old, const char *new, const char *keys, enum option_reload reload)
{
	struct compared c = compare(talloc_asprintf(harness_ctx(), "[database shop]\n%s" GOOD_VIEW, old),
	                            talloc_asprintf(harness_ctx(), "[database shop]\n%s" GOOD_VIEW, new));
	CHECK_STR(keys_of(&c.diff->databases[0]), keys);
	CHECK_INT(c.diff->databases[0].reload, reload);
}

static void databases(void)
{
	wants_database("url = mysql://h/a\n", "url = mysql://h/b\n", "url", OPTION_RECONNECT);
	wants_database("url = mysql://h/a\n", "url = mysql://h/a\nmax_concurrent_refreshes = 3\n",
	               "max_concurrent_refreshes", OPTION_LIVE);
	wants_database("url = postgresql://h/a\n", "url = postgresql://h/a\nsearch_path = x\n", "search_path",
	               OPTION_RECONNECT);
	wants_database("url = postgresql://h/a\nsearch_path = x\n", "url = postgresql://h/a\nsearch_path = y\n",
	               "search_path", OPTION_RECONNECT);
	wants_database("url = postgresql://h/a\nsearch_path = x\n", "url = postgresql://h/a\n", "search_path",
	               OPTION_RECONNECT);
}

static void the_daemon(void)
{
	struct compared c = compare("[viewd]\nlog_level = info\n" VIEW(""), "[viewd]\nlog_level = debug\n" VIEW(""));
	CHECK_STR(keys_of(&c.diff->daemon), "log_level");
	CHECK_INT(c.diff->daemon.reload, OPTION_LIVE);
	c = compare("[viewd]\nlog_level = info\n" VIEW(""), "[viewd]\nlog_level = debug\nstate_dir = /x\n" VIEW(""));
	CHECK_INT(c.diff->daemon.what, CONF_DIFF_CHANGED);
	CHECK_INT(c.diff->daemon.reload, OPTION_RESTART);
}

static const struct harness_test tests[] = {
	{"nothing", nothing},
	{"classes", classes},
	{"definitions", definitions},
	{"definition file contents", definition_file_contents},
	{"added and removed", added_and_removed},
	{"from nothing", from_nothing},
	{"databases", databases},
	{"the daemon", the_daemon},
};
HARNESS_MAIN(SUITE("diff", tests))
