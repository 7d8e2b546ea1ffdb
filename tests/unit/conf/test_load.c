/* SPDX-License-Identifier: MIT
 *
 * test_load.c: files, includes, sections, and the order of problems.
 */
#include "conf_support.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void simplest(void)
{
	struct loaded l = load_good(GOOD_DB GOOD_VIEW);
	CHECK_INT(l.conf->n_files, 1);
	CHECK_INT(l.conf->n_databases, 1);
	REQUIRE(l.conf->n_views == 1);
	const struct conf_view *v = conf_find_view(l.conf, "a");
	REQUIRE(v == &l.conf->views[0]);
	CHECK_STR(v->name, "a");
	CHECK_STR(v->database.items[0], "shop");
	CHECK_STR(v->definitions[0].text, "SELECT 1");
	CHECK_INT(v->method, VIEWD_METHOD_MATERIALIZED);
	CHECK_INT(v->lock_timeout, 2000000);
	CHECK(v->with_data && v->enabled && v->materialized_as_table && !v->adopt && !v->cascade);
	CHECK(conf_find_view(l.conf, "b") == NULL && conf_find_database(l.conf, "a") == NULL);
	CHECK_STR(conf_find_database(l.conf, "shop")->dialect, "postgresql");
	CHECK_STR(l.conf->daemon.control_socket, "/run/viewd/control.sock");
	struct conf *other = conf_ref(l.conf);
	unload(&l);
	CHECK_STR(other->views[0].name, "a");
	conf_unref(&other);
	CHECK(other == NULL);
	conf_unref(&other);
	conf_unref(NULL);
}

static void sections_and_comments_as_written(void)
{
	struct loaded l =
		load_good("[viewd]\nlog_level = debug   ; the daemon\n"
	              "[Database Shop]\nurl = postgresql://viewd@/shop?host=/run/postgresql   ; the scheme picks it\n"
	              "search_path = public\n"
	              "[view Category_Stats]\ndatabase = Shop # or a list\n"
	              "relation = 'Sales.\"Category Stats\"'   ; default: the view's name\n"
	              "definition = 'SELECT 1'\n");
	CHECK_INT(l.conf->daemon.log_level, VIEWD_LOG_DEBUG);
	CHECK_STR(l.conf->databases[0].url, "postgresql://viewd@/shop?host=/run/postgresql");
	CHECK_STR(l.conf->views[0].relation, "Sales.\"Category Stats\"");
	CHECK_STR(l.conf->views[0].name, "category_stats");
	REQUIRE(l.conf->databases[0].n_options == 1);
	CHECK_STR(l.conf->databases[0].options[0].key, "search_path");
	CHECK_STR(l.conf->databases[0].options[0].value, "public");
	unload(&l);
}

static void free_text_is_not_cut(void)
{
	wants_error(GOOD_DB "[view a]\ndatabase = shop\ndefinition = SELECT 1 ; one\n",
	            "viewd.conf:5:23: [view a] definition: the value would be cut here; wrap it in '...' or \"...\" (a "
	            "comment goes on a line of its own)");
	wants_error(GOOD_DB GOOD_VIEW "description = number # 1\n",
	            "viewd.conf:6:22: [view a] description: the value would be cut here; wrap it in '...' or \"...\" (a "
	            "comment goes on a line of its own)");
}

static void unknown_words(void)
{
	wants_error(GOOD_DB GOOD_VIEW "evry = 5m\n", "viewd.conf:6: [view a] evry: unknown key; did you mean every");
	wants_error(GOOD_DB GOOD_VIEW "frobnicate_all = 5m\n",
	            "viewd.conf:6: [view a] frobnicate_all: unknown key; see viewd.conf(5) for the keys of [view NAME]");
	wants_error(GOOD_DB GOOD_VIEW "[vieww b]\n", "viewd.conf:6: [vieww b]: unknown section; did you mean [view NAME]");
	wants_error(GOOD_DB GOOD_VIEW "[daemon]\n",
	            "viewd.conf:6: [daemon]: unknown section; write [viewd], [view-defaults], "
	            "[database NAME] or [view NAME]");
	wants_error(GOOD_DB GOOD_VIEW "[viewdefaults]\n",
	            "viewd.conf:6: [viewdefaults]: unknown section; did you mean [view-defaults]");
	wants_error(GOOD_DB GOOD_VIEW "[view b c]\n",
	            "viewd.conf:6: [view b c]: unknown section; did you mean [view NAME]");
	wants_error(GOOD_DB GOOD_VIEW "[view]\n", "viewd.conf:6: [view]: unknown section; did you mean [viewd]");
	wants_error(GOOD_DB GOOD_VIEW "method = materialised\n",
	            "viewd.conf:6: [view a] method: unknown value 'materialised'; did you mean materialized (one of simple "
	            "materialized table)");
}

static void address_to_listen_on(void)
{
	struct loaded l = load_good("[viewd]\nhttp_listen = 127.0.0.1:7432\n" GOOD_DB GOOD_VIEW);
	CHECK_STR(l.conf->daemon.http_listen, "127.0.0.1:7432");
	unload(&l);
	l = load_good("[viewd]\nhttp_listen = [::1]:7432\nhttp_hosts = a.example, b.example\n" GOOD_DB GOOD_VIEW);
	CHECK_INT(l.conf->daemon.http_hosts.n, 2);
	unload(&l);
	l = load_good("[viewd]\nhttp_listen = off\n" GOOD_DB GOOD_VIEW);
	CHECK(l.conf->daemon.http_listen == NULL);
	unload(&l);
	l = load_good("[viewd]\nhttp_listen = 0.0.0.0:7432\nhttp_allow_remote = yes\n" GOOD_DB GOOD_VIEW);
	unload(&l);
	wants_error("[viewd]\nhttp_listen = 0.0.0.0:7432\n" GOOD_DB GOOD_VIEW,
	            "viewd.conf:2: [viewd] http_listen: other machines can reach 0.0.0.0:7432, without TLS and without a "
	            "password; write http_allow_remote = yes if that is meant, or listen on 127.0.0.1");
	static const char *const bad[] = {":7432",           "localhost:7432", "127.0.0.1", "127.0.0.1:0",
	                                  "127.0.0.1:70000", "::1:7432",       "[::1]",     "127.0.0.1:74x"};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		wants_error(talloc_asprintf(harness_ctx(), "[viewd]\nhttp_listen = %s\n" GOOD_DB GOOD_VIEW, bad[i]),
		            talloc_asprintf(harness_ctx(),
		                            "viewd.conf:2: [viewd] http_listen: '%s' is not an address with a port; write "
		                            "for example 127.0.0.1:7432 or [::1]:7432",
		                            bad[i]));
}

static void includes_in_name_order(void)
{
	harness_file("conf.d/20-b.conf", "[view b]\ndatabase = shop\ndefinition = SELECT 2\n");
	harness_file("conf.d/10-a.conf", GOOD_VIEW);
	harness_file("conf.d/x.txt", "not read");
	harness_file("more.conf", "[view c]\ndatabase = shop\ndefinition = SELECT 3\n");
	struct loaded l = load_good("[viewd]\ninclude = conf.d/*.conf, more.conf, conf.d/10-a.conf\n" GOOD_DB);
	REQUIRE(l.conf->n_files == 4 && l.conf->n_views == 3);
	CHECK_STR(l.conf->files[1], harness_path("conf.d/10-a.conf"));
	CHECK_STR(l.conf->files[2], harness_path("conf.d/20-b.conf"));
	CHECK_STR(l.conf->views[0].name, "a");
	CHECK_STR(l.conf->views[1].name, "b");
	CHECK_STR(l.conf->views[2].name, "c");
	CHECK_INT(l.conf->views[1].where.file, 2);
	CHECK_INT(l.conf->views[1].where.line, 1);
	unload(&l);
}

static void include_mistakes(void)
{
	struct loaded l = load("[viewd]\ninclude = conf.d/*.conf\n" GOOD_DB GOOD_VIEW);
	CHECK_INT(l.problems.n_errors, 0);
	CHECK_STR(problem(&l, 0), "viewd.conf:2: [viewd] include: no file matches 'conf.d/*.conf'");
	CHECK(l.problems.n == 1 && l.problems.items[0].warning);
	unload(&l);
	l = load("[viewd]\ninclude = no.conf\n" GOOD_DB GOOD_VIEW);
	CHECK_INT(l.problems.n, 1);
	CHECK_CONTAINS(problem(&l, 0), "viewd.conf:2: [viewd] include: ");
	CHECK_CONTAINS(problem(&l, 0), "/no.conf: file cannot be opened (No such file or directory)");
	unload(&l);
	wants_error("[viewd]\ninclude = *.conf\n" GOOD_DB GOOD_VIEW,
	            "viewd.conf:2: [viewd] include: the pattern matches this file itself; keep included files in a "
	            "directory of their own");
	harness_file("in/a.conf", "[viewd]\ninclude = b.conf\n");
	l = load("[viewd]\ninclude = in/a.conf\n" GOOD_DB GOOD_VIEW);
	CHECK_INT(l.problems.n, 1);
	CHECK_CONTAINS(problem(&l, 0), "in/a.conf:1: [viewd]: the section exists already (");
	CHECK_CONTAINS(problem(&l, 0),
	               "viewd.conf:1); it belongs into the main file, and included files cannot include others");
}

static void sections_in_two_files(void)
{
	harness_file("d/a.conf", "[view b]\ndatabase = shop\ndefinition = SELECT 1\n[view a]\n");
	struct loaded l = load("[viewd]\ninclude = d/*.conf\n" GOOD_DB GOOD_VIEW);
	CHECK_INT(l.problems.n, 1);
	CHECK_CONTAINS(problem(&l, 0), "d/a.conf:4: [view a]: the section exists already (");
	CHECK_CONTAINS(problem(&l, 0), "viewd.conf:5); keep one of them");
}

static void odd_directory(void)
{
	harness_file("we[i]rd *dir/conf.d/a.conf", GOOD_VIEW);
	const char *main_file = harness_file("we[i]rd *dir/viewd.conf", "[viewd]\ninclude = conf.d/*.conf\n" GOOD_DB);
	struct conf_problems problems;
	struct conf *conf = conf_load(harness_ctx(), main_file, NULL, &problems);
	CHECK_INT(problems.n, 0);
	REQUIRE(conf != NULL);
	CHECK_INT(conf->n_views, 1);
	conf_unref(&conf);
}

static void relative_paths(void)
{
	char old[4096];
	harness_file("sub/q.sql", "SELECT 7\n");
	harness_file("sub/in.conf", "[view a]\ndatabase = shop\ndefinition_file = q.sql\n");
	harness_file("viewd.conf", "[viewd]\ninclude = sub/*.conf\nstate_dir = state\n" GOOD_DB);
	REQUIRE(getcwd(old, sizeof old) != NULL && chdir(harness_dir()) == 0);
	struct conf_problems problems;
	struct conf *conf = conf_load(harness_ctx(), "viewd.conf", NULL, &problems);
	REQUIRE(chdir(old) == 0);
	for (size_t i = 0; i < problems.n; i++)
		CHECK_STR(problems.items[i].text, NULL);
	REQUIRE(conf != NULL);
	CHECK_STR(conf->files[1], "sub/in.conf");
	CHECK_STR(conf->views[0].definitions[0].text, "SELECT 7");
	char *real = realpath(harness_dir(), NULL);
	CHECK_STR(conf->databases[0].base_dir, real);
	CHECK_STR(conf->daemon.state_dir, talloc_asprintf(harness_ctx(), "%s/state", real));
	free(real);
	conf_unref(&conf);
}

static void no_views(void)
{
	struct loaded l = load(GOOD_DB);
	CHECK_INT(l.problems.n, 1);
	CHECK_STR(problem(&l, 0), "viewd.conf: there is no [view NAME] section; nothing to do");
	CHECK(l.problems.items[0].warning);
	unload(&l);
	l = load("");
	CHECK_INT(l.problems.n, 1);
	unload(&l);
}

static void problems_in_file_order(void)
{
	harness_file("c/z.conf", "[view z]\nevery = 5\n");
	struct loaded l =
		load("[viewd]\ninclude = c/*.conf\nlog_level = loud\n[view a]\nmethod = x\nx = '\n[database d]\n");
	REQUIRE(l.problems.n == 9);
	static const char *const starts[] = {
		"viewd.conf:3: [viewd] log_level: unknown value 'loud'",
		"viewd.conf:4: [view a]: database is missing",
		"viewd.conf:4: [view a]: there is no query",
		"viewd.conf:5: [view a] method: unknown value 'x'",
		"viewd.conf:6:5: [view a] x: the quote is not closed",
		"viewd.conf:7: [database d]: url is missing",
		"c/z.conf:1: [view z]: database is missing",
		"c/z.conf:1: [view z]: there is no query",
		"c/z.conf:2: [view z] every: '5' is not a duration",
	};
	for (size_t i = 0; i < ARRAY_LEN(starts); i++)
		CHECK(strncmp(problem(&l, i), starts[i], strlen(starts[i])) == 0);
}

static void defaults_section(void)
{
	struct loaded l =
		load_good(GOOD_DB "[view-defaults]\ndatabase = shop\nevery = 5m\nindex_x = (a)\nindex_y = (b)\ntags = t, u\n"
	                      "[view a]\ndefinition = SELECT 1\n"
	                      "[view b]\ndefinition = SELECT 1\nevery = 1h\nindex_y = (c)\nindex_z = (d)\ntags =\n");
	const struct conf_view *a = conf_find_view(l.conf, "a"), *b = conf_find_view(l.conf, "b");
	REQUIRE(a != NULL && b != NULL);
	CHECK_INT(a->every, INT64_C(300000000));
	CHECK_INT(b->every, INT64_C(3600000000));
	REQUIRE(a->n_indexes == 2 && b->n_indexes == 3);
	CHECK_STR(b->indexes[0].text, "(a)");
	CHECK_STR(b->indexes[1].text, "(c)");
	CHECK_STR(b->indexes[2].name, "z");
	CHECK_INT(a->tags.n, 2);
	CHECK_INT(b->tags.n, 0);
	unload(&l);
	wants_error(GOOD_DB GOOD_VIEW "[view-defaults]\nrelation = x\n",
	            "viewd.conf:7: [view-defaults] relation: the key cannot be a default for all views; write it in a "
	            "[view NAME] section");
	wants_error(GOOD_DB GOOD_VIEW "[view-defaults]\nevery = 5\n",
	            "viewd.conf:7: [view-defaults] every: '5' is not a duration; write a number with a unit: 250ms, 30s, "
	            "5m, 2h, 1d, 1w or 1h30m");
}

static const struct harness_test tests[] = {
	{"simplest", simplest},
	{"sections and comments as written", sections_and_comments_as_written},
	{"free text is not cut", free_text_is_not_cut},
	{"unknown words", unknown_words},
	{"an address to listen on", address_to_listen_on},
	{"includes in name order", includes_in_name_order},
	{"include mistakes", include_mistakes},
	{"sections in two files", sections_in_two_files},
	{"odd directory", odd_directory},
	{"relative paths", relative_paths},
	{"no views", no_views},
	{"problems in file order", problems_in_file_order},
	{"defaults section", defaults_section},
};
HARNESS_MAIN(SUITE("load", tests))
