/* SPDX-License-Identifier: MIT
 *
 * test_err.c: the error record, its classes, and passwords in text.
 */
#include "base/err.h"
#include "support/harness.h"

#include <errno.h>
#include <stdio.h>

static void fills(void)
{
	struct viewd_err err;
	memset(&err, 'x', sizeof err);
	CHECK(!err_set(&err, VIEWD_ERR_QUERY, "view '%s' failed (%d)", "a", 3));
	CHECK_INT(err.cls, VIEWD_ERR_QUERY);
	CHECK_STR(err.msg, "view 'a' failed (3)");
	CHECK_STR(err.hint, "");
	CHECK_STR(err.object, "");
	CHECK_STR(err.sqlstate, "");
	CHECK_INT(err.native, 0);
	CHECK(!err_hint(&err, "write %s", "b"));
	CHECK(!err_object(&err, "sales.%s", "c"));
	CHECK_STR(err.hint, "write b");
	CHECK_STR(err.object, "sales.c");
	CHECK(!err_wrap(&err, "database '%s'", "shop"));
	CHECK_STR(err.msg, "database 'shop': view 'a' failed (3)");
	CHECK_STR(err.hint, "write b");
	CHECK_INT(err.cls, VIEWD_ERR_QUERY);
}

static void accepts_null(void)
{
	CHECK(!err_set(NULL, VIEWD_ERR_QUERY, "x"));
	CHECK(!err_sys(NULL, VIEWD_ERR_QUERY, ENOENT, "x"));
	CHECK(!err_wrap(NULL, "x"));
	CHECK(!err_hint(NULL, "x"));
	CHECK(!err_object(NULL, "x"));
}

static void system_errors(void)
{
	struct viewd_err err;
	CHECK(!err_sys(&err, VIEWD_ERR_CONFIG, ENOENT, "file '%s' cannot be opened", "x"));
	CHECK_STR(err.msg, "file 'x' cannot be opened (No such file or directory)");
	CHECK_INT(err.native, ENOENT);
}

static void long_texts_are_cut(void)
{
	struct viewd_err err;
	char big[3000];
	memset(big, 'y', sizeof big - 1);
	big[sizeof big - 1] = '\0';
	err_set(&err, VIEWD_ERR_BUG, "%s", big);
	CHECK_INT(strlen(err.msg), sizeof err.msg - 1);
	err_wrap(&err, "%s", big);
	CHECK_INT(strlen(err.msg), sizeof err.msg - 1);
	err_sys(&err, VIEWD_ERR_BUG, EIO, "%s", big);
	CHECK_INT(strlen(err.msg), sizeof err.msg - 1);
	err_hint(&err, "%s", big);
	err_object(&err, "%s", big);
	CHECK_INT(strlen(err.hint), sizeof err.hint - 1);
	CHECK_INT(strlen(err.object), sizeof err.object - 1);
}

static void classes(void)
{
	for (int i = 0; i < VIEWD_ERR_CLASS_COUNT; i++) {
		enum viewd_err_class cls = (enum viewd_err_class)i;
		CHECK(err_class_word(cls)[0] != '\0' && err_class_doc(cls)[0] != '\0');
		for (int k = 0; k < i; k++)
			CHECK(strcmp(err_class_word(cls), err_class_word((enum viewd_err_class)k)) != 0);
	}
	CHECK_STR(err_class_word(VIEWD_ERR_CONFLICT), "conflict");
	CHECK_STR(err_class_word((enum viewd_err_class)999), "bug");
	CHECK(err_class_retries(VIEWD_ERR_LOST) && err_class_retries(VIEWD_ERR_CONFLICT));
	CHECK(!err_class_retries(VIEWD_ERR_QUERY) && !err_class_retries(VIEWD_ERR_CANCELLED) &&
	      !err_class_retries(VIEWD_ERR_OK));
}

static void codes(void)
{
	struct viewd_err err = {.native = 1205};
	char buf[16];
	CHECK_STR(err_code(&err, buf), "1205");
	strcpy(err.sqlstate, "40P01");
	CHECK_STR(err_code(&err, buf), "40P01");
	err = (struct viewd_err){.native = INT32_MIN};
	CHECK_STR(err_code(&err, buf), "-2147483648");
	err = (struct viewd_err){0};
	CHECK_STR(err_code(&err, buf), "");
}

static void redacts_urls(void)
{
	static const char *const pairs[][2] = {
		{"connect to postgresql://u:geheim@h/x failed", "connect to postgresql://u:***@h/x failed"},
		{"a://u:geheim@h b://v:geheim@h", "a://u:***@h b://v:***@h"},
		{"mysql://u:ge@heim@h/x", "mysql://u:***@h/x"},
		{"mysql://u:p@h/x", "mysql://u:*@h/x"},
		{"mysql://u@h:3306/x?a=b@c", "mysql://u@h:3306/x?a=b@c"},
		{"postgresql:///x?password=geheim&a=b", "postgresql:///x?password=***&a=b"},
		{"host=h PassWord=geheim user=u sslpassword='ge heim'", "host=h PassWord=*** user=u sslpassword='***'"},
		{"sqlite:////a/b.db", "sqlite:////a/b.db"},
		{"no url : at @ all", "no url : at @ all"},
		{"", ""},
		{"://", "://"},
		{"://:@", "://:@"},
	};
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		char text[200];
		snprintf(text, sizeof text, "%s", pairs[i][0]);
		err_redact(text);
		CHECK_STR(text, pairs[i][1]);
	}
}

static const struct harness_test tests[] = {
	{"fills", fills},
	{"accepts null", accepts_null},
	{"system errors", system_errors},
	{"long texts are cut", long_texts_are_cut},
	{"classes", classes},
	{"codes", codes},
	{"redacts urls", redacts_urls},
};
HARNESS_MAIN(SUITE("err", tests))
