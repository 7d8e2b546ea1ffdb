/* SPDX-License-Identifier: MIT
 *
 * test_define.c: definitions, from keys and from files, and indexes.
 */
#include "conf_support.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_VIEW GOOD_DB "[view a]\ndatabase = shop\ndefinition_file = q.sql\n"

static void wants_text(const char *bytes, const char *text)
{
	harness_file("q.sql", bytes);
	struct loaded l = load_good(FILE_VIEW);
	CHECK_STR(l.conf->views[0].definitions[0].text, text);
	CHECK_STR(l.conf->views[0].definitions[0].file, "q.sql");
	unload(&l);
}

static void wants_file_error(const char *message)
{
	wants_error(FILE_VIEW,
	            talloc_asprintf(harness_ctx(), "viewd.conf:5: [view a] definition_file: 'q.sql': %s", message));
}

static void from_file(void)
{
	wants_text("SELECT 1", "SELECT 1");
	wants_text("\n\t SELECT 1,\n  'x # ; \\ \"'\n-- end\n\n", "SELECT 1,\n  'x # ; \\ \"'\n-- end");
	wants_text("SELECT 'caf\xc3\xa9';\r\n", "SELECT 'caf\xc3\xa9';");
}

static void file_contents(void)
{
	wants_file_error("file cannot be opened (No such file or directory)");
	harness_file("q.sql", "");
	wants_file_error("file is empty");
	harness_file("q.sql", " \n\t\r\n");
	wants_file_error("file holds white space only");
	harness_file("q.sql", "SELECT 1\n, 'caf\xe9'");
	wants_file_error("line 2 is not UTF-8");
	harness_file("q.sql", "\xef\xbb\xbfSELECT 1");
	wants_file_error("file begins with a byte order mark");
	int fd = open(harness_file("q.sql", "SELECT 1\n"), O_WRONLY | O_APPEND | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "\0\n", 2) == 2 && close(fd) == 0);
	wants_file_error("line 2 holds a NUL byte");
}

static void file_size(void)
{
	char *text = talloc_zero_array(harness_ctx(), char, 1024 * 1024 + 2);
	memset(text, 'x', 1024 * 1024);
	harness_file("q.sql", text);
	struct loaded l = load_good(FILE_VIEW);
	CHECK_INT(strlen(l.conf->views[0].definitions[0].text), 1024 * 1024);
	unload(&l);
	text[1024 * 1024] = 'x';
	harness_file("q.sql", text);
	wants_file_error("file has 1048577 bytes, at most 1048576 are read");
}

static void file_kind(void)
{
	const char *path = harness_path("q.sql");
	REQUIRE(mkfifo(path, 0600) == 0);
	wants_file_error("is not a regular file");
	REQUIRE(unlink(path) == 0 && mkdir(path, 0700) == 0);
	wants_file_error("is a directory, not a file");
	REQUIRE(rmdir(path) == 0);
	harness_file("real.sql", "SELECT 1");
	REQUIRE(symlink("real.sql", path) == 0);
	wants_file_error("file is a symbolic link");
}

static void file_owner(void)
{
	const char *path = harness_file("q.sql", "SELECT 1");
	REQUIRE(chmod(path, 0664) == 0);
	wants_file_error("file is writable by others than its owner; chmod go-w");
	REQUIRE(chmod(path, 0646) == 0);
	wants_file_error("file is writable by others than its owner; chmod go-w");
	REQUIRE(chmod(path, 0644) == 0);
	if (geteuid() != 0)
		harness_skip("only root can give a file away");
	REQUIRE(chown(path, 12345, 0) == 0);
	wants_file_error("file belongs to uid 12345; it must belong to root or to the user viewd runs as");
}

static void dialects(void)
{
	harness_file("q.sql", "SELECT 3");
	struct loaded l = load_good(GOOD_DB GOOD_VIEW "definition_sqlite = SELECT 2\ndefinition_file_mysql = q.sql\n");
	const struct conf_view *v = &l.conf->views[0];
	CHECK_INT(v->n_definitions, 3);
	CHECK_STR(conf_definition_for(v, "postgresql")->text, "SELECT 1");
	CHECK_STR(conf_definition_for(v, "sqlite")->text, "SELECT 2");
	CHECK_STR(conf_definition_for(v, "mysql")->text, "SELECT 3");
	CHECK_STR(conf_definition_for(v, "mysql")->file, "q.sql");
	unload(&l);
	l = load_good(GOOD_DB "[view a]\ndatabase = shop\ndefinition_postgresql = SELECT 1\n");
	CHECK(conf_definition_for(&l.conf->views[0], "sqlite") == NULL);
	unload(&l);
}

static void twice(void)
{
	harness_file("q.sql", "SELECT 3");
	wants_error(
		GOOD_DB GOOD_VIEW "definition_file = q.sql\n",
		"viewd.conf:6: [view a] definition_file: there is a definition already (line 5); keep the query or the file");
	wants_error(GOOD_DB GOOD_VIEW "definition_sqlite = SELECT 2\ndefinition_file_sqlite = q.sql\n",
	            "viewd.conf:7: [view a] definition_file_sqlite: there is a definition for sqlite already (line 6); "
	            "keep the query or the file");
}

static void none(void)
{
	wants_error(
		GOOD_DB "[view a]\ndatabase = shop\n",
		"viewd.conf:3: [view a]: there is no query; write definition = SELECT ... or definition_file = NAME.sql");
	wants_error(GOOD_DB "[view a]\ndatabase = shop\ndefinition_sqlite = SELECT 1\n",
	            "viewd.conf:4: [view a] database: there is no query for database shop; write definition_postgresql or "
	            "a general definition");
	struct loaded l = load(GOOD_DB "[view a]\ndatabase = shop\ndefinition =\n");
	CHECK_STR(problem(&l, l.problems.n - 1), "viewd.conf:5: [view a] definition: the value is empty; write one SQL "
	                                         "query, or the name of a file that holds one");
}

static void wrong_dialect(void)
{
	wants_error(GOOD_DB GOOD_VIEW "definition_sqllite = SELECT 2\n",
	            "viewd.conf:6: [view a] definition_*: no database has the dialect 'sqllite'; did you mean sqlite");
	wants_error(GOOD_DB GOOD_VIEW "definition_mariadb = SELECT 2\n",
	            "viewd.conf:6: [view a] definition_*: no database has the dialect 'mariadb'; did you mean mysql");
	harness_file("q.sql", "SELECT 3");
	wants_error(
		GOOD_DB GOOD_VIEW "definition_file_postgrs = q.sql\n",
		"viewd.conf:6: [view a] definition_file_*: no database has the dialect 'postgrs'; did you mean postgresql");
	wants_error("[database shop]\nurl = mariadb://h/x\n" GOOD_VIEW "definition_mariadb = SELECT 2\n",
	            "viewd.conf:6: [view a] definition_*: no database has the dialect 'mariadb'; did you mean mysql");
}

/* Files are shared between machines: only what looks like one that is here is a mistake. Each name is told once. */
static void absent_dialect(void)
{
	struct loaded l =
		load(GOOD_DB GOOD_VIEW "definition_x123456789 = SELECT 2\ndefinition_oracle = SELECT 3\n"
	                           "[view b]\ndatabase = shop\ndefinition_x123456789 = SELECT 2\ndefinition = SELECT 1\n");
	REQUIRE(l.conf != NULL);
	REQUIRE(l.problems.n == 1);
	CHECK(l.problems.items[0].warning);
	CHECK_STR(
		problem(&l, 0),
		"viewd.conf:6: [view a] definition_*: no dialect 'x123456789' is installed here, so this is not used; the "
		"dialects installed are: mysql, oracle, postgresql, sqlite");
	CHECK_STR(conf_definition_for(&l.conf->views[0], "postgresql")->text, "SELECT 1");
	unload(&l);
}

static void indexes(void)
{
	struct loaded l =
		load_good(GOOD_DB GOOD_VIEW "index_total = (total DESC)\nindex_u = \"UNIQUE (id) WHERE x <> ';'\"\n");
	REQUIRE(l.conf->views[0].n_indexes == 2);
	CHECK_STR(l.conf->views[0].indexes[0].name, "total");
	CHECK_STR(l.conf->views[0].indexes[1].text, "UNIQUE (id) WHERE x <> ';'");
	unload(&l);
	wants_error(
		GOOD_DB GOOD_VIEW "index_x = total\n",
		"viewd.conf:6: [view a] index_x: an index without its columns; write (column, ...) or UNIQUE (column, ...)");
	wants_error(GOOD_DB GOOD_VIEW "index_x =\n",
	            "viewd.conf:6: [view a] index_x: the value is empty; write (column, ...) or UNIQUE (column, ...)");
}

/* clang-format off */
static const struct harness_test tests[] = {
	{"from file", from_file}, {"file contents", file_contents}, {"file size", file_size}, {"file kind", file_kind},
	{"file owner", file_owner}, {"dialects", dialects}, {"twice", twice}, {"none", none},
	{"wrong dialect", wrong_dialect}, {"absent dialect", absent_dialect}, {"indexes", indexes},
};
/* clang-format on */
HARNESS_MAIN(SUITE("define", tests))
