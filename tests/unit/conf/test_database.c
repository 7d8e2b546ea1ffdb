/* SPDX-License-Identifier: MIT
 *
 * test_database.c: [database] sections: URLs, dialects and their own keys, passwords.
 */
#include "conf/schema/schema.h"
#include "conf_support.h"

#include <sys/stat.h>

static struct loaded load_dialects(const char *sections, int *asked)
{
	*asked = 0;
	const struct conf_dialects dialects = {.find = find_dialect, .list = list_dialects, .ctx = asked};
	return load_with(talloc_asprintf(harness_ctx(), "[viewd]\nplugin_dir = /plugins\n%s", sections), &dialects);
}

static void own_keys(void)
{
	int asked;
	struct loaded l = load_dialects("[database a]\nurl = sqlite:///a.db\nbusy_timeout = 5s ; long\n"
	                                "[database b]\nurl = sqlite:///b.db\n[database c]\nurl = postgres://x/y\n",
	                                &asked);
	CHECK_INT(asked, 2);
	REQUIRE(l.conf != NULL && l.conf->n_databases == 3);
	const struct conf_database *a = &l.conf->databases[0], *b = &l.conf->databases[1], *c = &l.conf->databases[2];
	REQUIRE(a->n_options == 2 && b->n_options == 1 && c->n_options == 1);
	CHECK_STR(a->options[0].key, "busy_timeout");
	CHECK_STR(a->options[0].value, "5s");
	CHECK_STR(a->options[1].key, "journal_mode");
	CHECK_STR(b->options[0].value, "wal");
	CHECK_STR(c->options[0].value, "public");
	CHECK_INT(a->origins[schema_database.n].line, 5);
	CHECK_INT(a->origins[schema_database.n + 1].file, CONF_FILE_DEFAULT);
	unload(&l);
}

static void keys_of_other_dialects(void)
{
	int asked;
	struct loaded l = load_dialects("[database a]\nurl = sqlite:///a.db\nsearch_path = x\nbusy_timeot = 1\n"
	                                "[database b]\nurl = postgresql://h/b\njournal_mode = wal\nrac_mode = 1\n",
	                                &asked);
	REQUIRE(l.problems.n == 4);
	CHECK_STR(problem(&l, 0), "viewd.conf:5: [database a] search_path: the key belongs to dialect postgresql, the URL "
	                          "of this section says sqlite; remove it");
	CHECK_STR(problem(&l, 1), "viewd.conf:6: [database a] busy_timeot: unknown key; did you mean busy_timeout");
	CHECK_STR(problem(&l, 2), "viewd.conf:9: [database b] journal_mode: the key belongs to dialect sqlite, the URL of "
	                          "this section says postgresql; remove it");
	CHECK_STR(problem(&l, 3),
	          "viewd.conf:10: [database b] rac_mode: unknown key; see viewd.conf(5) for the keys of [database NAME]");
	l = load_dialects("[database a]\nurl = mysql://h/a\nsearch_path = x\njournal_mod = 1\n", &asked);
	CHECK_INT(asked, 1);
	REQUIRE(l.problems.n == 2);
	CHECK_STR(problem(&l, 0), "viewd.conf:5: [database a] search_path: the key belongs to dialect postgresql, the URL "
	                          "of this section says mysql; remove it");
	CHECK_STR(problem(&l, 1),
	          "viewd.conf:6: [database a] journal_mod: unknown key; see viewd.conf(5) for the keys of [database NAME]");
}

static void dialect_not_available(void)
{
	int asked;
	struct loaded l = load_dialects(
		"[database a]\nurl = oracle://h/x\nrac_mode = 1\n[database b]\nurl = oracle://h/y\nurll = 1\n", &asked);
	CHECK_INT(asked, 1);
	REQUIRE(l.problems.n == 3);
	CHECK_STR(problem(&l, 0), "viewd.conf:4: [database a] url: there is no plugin 'oracle'; install viewd-oracle");
	CHECK_STR(problem(&l, 1), "viewd.conf:7: [database b] url: there is no plugin 'oracle'; install viewd-oracle");
	CHECK_STR(problem(&l, 2), "viewd.conf:8: [database b] urll: unknown key; did you mean url");
}

/* At start the others go on: how the absent one calls its definitions is not known. */
static void absent_at_start(void)
{
	const struct conf_dialects dialects = {.find = find_dialect, .list = list_dialects, .may_be_absent = true};
	struct loaded l = load_with("[database a]\nurl = maria8://h/x\nrac_mode = 1\n[view v]\ndatabase = a\n"
	                            "definition_oracle = SELECT 1\n[view w]\ndatabase = a\ndefinition_maria8 = SELECT 1\n",
	                            &dialects);
	REQUIRE(l.conf != NULL);
	CHECK_INT(l.problems.n, 1);
	CHECK_STR(problem(&l, 0), "viewd.conf:2: [database a] url: there is no plugin 'maria8'; its views are FAILED until "
	                          "viewd is started with a usable plugin");
	CHECK_STR(l.conf->databases[0].dialect, "maria8");
	unload(&l);
}

static void schemes(void)
{
	static const char *const pairs[][2] = {
		{"postgresql://h/x", "postgresql"},
		{"postgres://h/x", "postgresql"},
		{"postgresql+psycopg2://h/x", "postgresql"},
		{"mysql://h/x", "mysql"},
		{"mariadb+mariadbconnector://h/x", "mysql"},
		{"sqlite:///x.db", "sqlite"},
		{"sqlite:////x.db", "sqlite"},
		{"PostgreSQL://h/x", "postgresql"},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		struct loaded l = load(talloc_asprintf(harness_ctx(), "[database a]\nurl = %s\n", pairs[i][0]));
		REQUIRE(l.conf != NULL);
		CHECK_STR(l.conf->databases[0].dialect, pairs[i][1]);
		unload(&l);
	}
	static const char *const wrong[] = {"x.db",     "postgresql:/h",     "://h", "+x://h", "a b://h",
	                                    "../x://h", "host=/run dbname=x"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct loaded l = load(talloc_asprintf(harness_ctx(), "[database a]\nurl = '%s'\n", wrong[i]));
		CHECK_CONTAINS(problem(&l, 0), "viewd.conf:2: [database a] url: the URL");
		CHECK_CONTAINS(problem(&l, 0), "; write mysql://user@host/name, sqlite:////file.db");
	}
}

/* Without anybody to ask, a scheme is a name, and nobody judges what it is called. */
static void nobody_to_ask(void)
{
	struct loaded l =
		load_with("[database a]\nurl = Other_1+x://h/x\n[view v]\ndatabase = a\ndefinition_other_1 = SELECT 1\n"
	              "definition_sqllite = SELECT 2\n",
	              NULL);
	CHECK_INT(l.problems.n, 0);
	REQUIRE(l.conf != NULL);
	CHECK_STR(l.conf->databases[0].dialect, "other_1");
	unload(&l);
	l = load_with("[database a]\nurl = x.db\nbusy_timeout = 1\n", NULL);
	REQUIRE(l.problems.n == 1);
	CHECK_STR(problem(&l, 0), "viewd.conf:2: [database a] url: the URL has no scheme; write SCHEME://user@host/name, "
	                          "where the scheme is the name of a dialect");
}

static void url_mistakes(void)
{
	wants_error(
		"[database a]\n[view b]\ndatabase = a\ndefinition = SELECT 1\n",
		"viewd.conf:1: [database a]: url is missing; add it (where the database is; the scheme chooses the plugin)");
	wants_error("[database a]\nurl =\n[view b]\ndatabase = a\ndefinition = SELECT 1\n",
	            "viewd.conf:2: [database a] url: the value is empty; write any text");
	wants_error(
		"[viewd]\nplugin_dir =\n[database a]\nurl = sqlite:///x.db\n[view b]\ndatabase = a\ndefinition = SELECT 1\n",
		"viewd.conf:2: [viewd] plugin_dir: the value is empty; write a file name; relative to the directory of the "
		"file that says it");
	wants_error("[database a]\nurl = sqlite:///my file.db\n[view b]\ndatabase = a\ndefinition = SELECT 1\n",
	            "viewd.conf:2: [database a] url: a blank in the URL; write %20, or wrap the URL in '...'");
	struct loaded l =
		load_good("[database a]\nurl = 'sqlite:///my file.db'\n[view b]\ndatabase = a\ndefinition = SELECT 1\n");
	CHECK_STR(l.conf->databases[0].url, "sqlite:///my file.db");
	unload(&l);
}

static void passwords(void)
{
	wants_error(GOOD_DB "password_file = p\npassword_credential = c\n" GOOD_VIEW,
	            "viewd.conf:1: [database shop]: password_file and password_credential are both set; keep one of them");
	wants_error(GOOD_DB "password_credential = ../c\n" GOOD_VIEW,
	            "viewd.conf:1: [database shop]: password_credential is a path; write the credential's name only");
	struct loaded l = load("[database shop]\nurl = mysql://u:pw@h/x\n" GOOD_VIEW);
	CHECK_INT(l.problems.n, 1);
	CHECK_STR(
		problem(&l, 0),
		"viewd.conf:1: [database shop]: the URL holds a password and everybody can read this file; use password_file");
	CHECK(l.problems.items[0].warning);
	unload(&l);
	const char *path = harness_file("private.conf", "[database shop]\nurl = mysql://u:pw@h/x\n" GOOD_VIEW);
	REQUIRE(chmod(path, 0600) == 0);
	l.conf = conf_load(harness_ctx(), path, NULL, &l.problems);
	CHECK_INT(l.problems.n, 0);
	unload(&l);
}

static void spec(void)
{
	struct loaded l =
		load_good("[database shop]\nurl = mysql://h/x\nconnect_timeout = 3s\n" GOOD_VIEW
	              "unique_key = id\nindex_i = (a)\ntimeout = 7s\non_remove = drop\ndefinition_mysql = SELECT 2\n");
	struct viewd_database_spec db;
	struct viewd_view_spec view;
	conf_database_spec(&l.conf->databases[0], &db);
	CHECK_INT(db.struct_size, sizeof db);
	CHECK_STR(db.url, "mysql://h/x");
	CHECK_INT(db.connect_timeout_us, 3000000);
	CHECK(db.password == NULL);
	conf_view_spec(&l.conf->views[0], "mysql", &view);
	CHECK_INT(view.struct_size, sizeof view);
	CHECK_STR(view.definition, "SELECT 2");
	CHECK_STR(view.relation, "a");
	CHECK_STR(view.unique_key[0], "id");
	CHECK_STR(view.indexes[0].text, "(a)");
	CHECK_INT(view.on_remove, VIEWD_REMOVE_DROP);
	CHECK_INT(view.timeout_us, 7000000);
	CHECK_INT(view.lock_timeout_us, 2000000);
	conf_view_spec(&l.conf->views[0], "sqlite", &view);
	CHECK_STR(view.definition, "SELECT 1");
	unload(&l);
}

static const struct harness_test tests[] = {
	{"own keys", own_keys},
	{"keys of other dialects", keys_of_other_dialects},
	{"dialect not available", dialect_not_available},
	{"schemes", schemes},
	{"url mistakes", url_mistakes},
	{"nobody to ask", nobody_to_ask},
	{"absent at start", absent_at_start},
	{"passwords", passwords},
	{"specs for plugins", spec},
};
HARNESS_MAIN(SUITE("database", tests))
