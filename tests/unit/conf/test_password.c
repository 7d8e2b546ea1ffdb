/* SPDX-License-Identifier: MIT
 *
 * test_password.c: password files, credentials, and URLs that must not show theirs.
 */
#include "conf/snapshot/password.h"
#include "conf/snapshot/url.h"
#include "conf_support.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_it(const struct conf_database *db, char **password, struct viewd_err *err)
{
	*password = NULL;
	*err = (struct viewd_err){0};
	return password_read(harness_ctx(), db, password, err);
}

static void from_file(void)
{
	struct conf_database db = {.password_file = harness_file("pw", "se cret#;\n")};
	struct viewd_err err;
	char *password;
	REQUIRE(chmod(db.password_file, 0600) == 0);
	CHECK_OK(read_it(&db, &password, &err), &err);
	CHECK_STR(password, "se cret#;");
	password_wipe(&password);
	CHECK(password == NULL);
	password_wipe(&password);
	password_wipe(NULL);
	harness_file("pw", "no newline");
	CHECK_OK(read_it(&db, &password, &err), &err);
	CHECK_STR(password, "no newline");
}

static void wants_failure(const struct conf_database *db, const char *part)
{
	struct viewd_err err;
	char *password;
	CHECK(!read_it(db, &password, &err));
	CHECK(password == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_AUTH);
	CHECK_CONTAINS(err.msg, part);
}

static void file_mistakes(void)
{
	struct conf_database db = {.password_file = harness_path("pw")};
	wants_failure(&db, "file cannot be opened");
	harness_file("pw", "x\n");
	REQUIRE(chmod(db.password_file, 0640) == 0);
	wants_failure(&db, "accessible to others than its owner");
	REQUIRE(chmod(db.password_file, 0600) == 0);
	harness_file("pw", "");
	wants_failure(&db, "file is empty");
	harness_file("pw", "\n");
	wants_failure(&db, "holds no password");
	harness_file("pw", "two\nlines\n");
	wants_failure(&db, "does not hold one line");
	harness_file("pw", "\xff\n");
	wants_failure(&db, "does not hold one line");
}

static void credential(void)
{
	struct conf_database db = {.password_credential = "db.pw"};
	struct viewd_err err;
	char *password;
	REQUIRE(unsetenv("CREDENTIALS_DIRECTORY") == 0);
	wants_failure(&db, "$CREDENTIALS_DIRECTORY is not set");
	REQUIRE(setenv("CREDENTIALS_DIRECTORY", harness_dir(), 1) == 0);
	REQUIRE(chmod(harness_file("db.pw", "geheim\n"), 0440) == 0);
	CHECK_OK(read_it(&db, &password, &err), &err);
	CHECK_STR(password, "geheim");
}

static void none(void)
{
	struct conf_database db = {.name = "x"};
	struct viewd_err err;
	char *password;
	CHECK_OK(read_it(&db, &password, &err), &err);
	CHECK(password == NULL);
}

static void redaction(void)
{
	static const char *const pairs[][2] = {
		{"postgresql://u:pw@h/x", "postgresql://u:***@h/x"},
		{"postgresql://u@h:5432/x", "postgresql://u@h:5432/x"},
		{"postgresql://h:5432/x?user=a@b", "postgresql://h:5432/x?user=a@b"},
		{"mysql://u:p@w:x@h/x", "mysql://u:***@h/x"},
		{"mysql://u:p/w@h/x", "mysql://u:***@h/x"},
		{"mysql://u:p?w@h/x", "mysql://u:***@h/x"},
		{"mysql://u:p#w;\"'@h/x", "mysql://u:***@h/x"},
		{"postgresql:///x?host=/run&password=pw", "postgresql:///x?host=/run&password=***"},
		{"postgresql:///x?password=pw&sslpassword=b&c=d", "postgresql:///x?password=***&sslpassword=***&c=d"},
		{"postgresql:///x?oauth_client_secret=a&SSLKEY_Password=b",
	     "postgresql:///x?oauth_client_secret=***&SSLKEY_Password=***"},
		{"other://h/x?access_token=a&passfile=/b&pas=c", "other://h/x?access_token=***&passfile=/b&pas=c"},
		{"mysql:///x?passwd=&a=b", "mysql:///x?passwd=&a=b"},
		{"sqlite:///a:b@c.db", "sqlite:///a:b@c.db"},
		{"no url", "no url"},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CHECK_STR(conf_redact_url(harness_ctx(), pairs[i][0]), pairs[i][1]);
		CHECK(url_has_password(pairs[i][0]) == (strcmp(pairs[i][0], pairs[i][1]) != 0));
	}
}

static const struct harness_test tests[] = {
	{"from file", from_file}, {"file mistakes", file_mistakes}, {"credential", credential},
	{"none", none},           {"redaction", redaction},
};
HARNESS_MAIN(SUITE("password", tests))
