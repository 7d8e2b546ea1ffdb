/* SPDX-License-Identifier: MIT */
#include "base/err.h"
#include "common/conn/url.h"
#include "common/text/timetext.h"
#include "support/harness.h"

#include <talloc.h>

static const char *or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

/* "scheme user password host port database key=value..." with - for what is absent, or "error: ...". */
static const char *parts(const char *text)
{
	struct viewd_err err = {0};
	struct url *url = url_parse(harness_ctx(), text, &err);
	if (url == NULL) {
		CHECK_INT(err.cls, VIEWD_ERR_CONFIG);
		return talloc_asprintf(harness_ctx(), "error: %s", err.msg);
	}
	char *out = talloc_asprintf(harness_ctx(), "%s %s %s %s %d %s", url->scheme, or_dash(url->user),
	                            or_dash(url->password), or_dash(url->host), url->port, or_dash(url->database));
	for (size_t i = 0; i < url->n_query; i++)
		out = talloc_asprintf_append_buffer(out, " %s=%s", url->query[i].key, url->query[i].value);
	return out;
}

static void reads_servers(void)
{
	CHECK_STR(parts("postgresql://u:p@h:5433/db?host=/run/postgresql&sslmode=require"),
	          "postgresql u p h 5433 db host=/run/postgresql sslmode=require");
	CHECK_STR(parts("postgresql+psycopg2://viewd@/shop?host=/run/postgresql"),
	          "postgresql viewd - - 0 shop host=/run/postgresql");
	CHECK_STR(parts("mysql://h"), "mysql - - h 0 -");
	CHECK_STR(parts("mariadb://h/"), "mariadb - - h 0 -");
	CHECK_STR(parts("postgresql://[::1]:5432/db"), "postgresql - - ::1 5432 db");
	CHECK_STR(parts("postgresql://[::1]/db"), "postgresql - - ::1 0 db");
	CHECK_STR(parts("postgresql://u:a:b@h/db"), "postgresql u a:b h 0 db");
	CHECK_STR(parts("postgresql://u:p@q@h/db"), "postgresql u p@q h 0 db");
}

/* "host port, host port" */
static const char *places(const char *text)
{
	struct url *url = url_parse(harness_ctx(), text, NULL);
	char *out = talloc_strdup(harness_ctx(), "");
	REQUIRE(url != NULL);
	for (size_t i = 0; i < url->n_places; i++)
		out = talloc_asprintf_append_buffer(out, "%s%s %d", i > 0 ? ", " : "", or_dash(url->places[i].host),
		                                    url->places[i].port);
	return out;
}

static void reads_several_places(void)
{
	CHECK_STR(parts("mysql://u:p@a:1,b,c:3/db?x=y"), "mysql u p a 1 db x=y");
	CHECK_STR(places("mysql://u:p@a:1,b,[::1]:3/db"), "a 1, b 0, ::1 3");
	CHECK_STR(places("mysql://a/db"), "a 0");
	CHECK_STR(places("mysql:///db"), "- 0");
	CHECK_CONTAINS(parts("mysql://a,,b/db"), "empty");
	CHECK_CONTAINS(parts("mysql://a,/db"), "empty");
	CHECK_CONTAINS(parts("mysql://,a/db"), "empty");
	CHECK_CONTAINS(parts("mysql://a:1,:2/db"), "empty");
	CHECK_CONTAINS(parts("mysql://a:1,b:x/db"), "port");
}

static void decodes_percent(void)
{
	CHECK_STR(parts("mysql://a%40b:p%2Fw%3a%25@h/d%20b?k%3D=v%26"), "mysql a@b p/w:% h 0 d b k==v&");
	CHECK_STR(parts("mysql://u:@h/db"), "mysql u  h 0 db");
}

static void reads_files(void)
{
	CHECK_STR(parts("sqlite:///rel.db"), "sqlite - - - 0 rel.db");
	CHECK_STR(parts("sqlite:////abs/x.db?mode=rwc"), "sqlite - - - 0 /abs/x.db mode=rwc");
	CHECK_STR(parts("sqlite://"), "sqlite - - - 0 -");
	CHECK_STR(parts("sqlite:///:memory:"), "sqlite - - - 0 :memory:");
}

static void refuses_the_rest(void)
{
	CHECK_CONTAINS(parts(""), "scheme://");
	CHECK_CONTAINS(parts("nonsense"), "scheme://");
	CHECK_CONTAINS(parts("://x"), "scheme://");
	CHECK_CONTAINS(parts("postgresql:/x"), "scheme://");
	CHECK_CONTAINS(parts("mysql://h:x/db"), "port");
	CHECK_CONTAINS(parts("mysql://h:99999/db"), "port");
	CHECK_CONTAINS(parts("mysql://h:99999999999999999999/db"), "port");
	CHECK_CONTAINS(parts("mysql://[::1/db"), "bracket");
	CHECK_CONTAINS(parts("mysql://[::1]x/db"), "bracket");
	CHECK_CONTAINS(parts("mysql://h/d%2"), "percent");
	CHECK_CONTAINS(parts("mysql://h/d%zz"), "percent");
	CHECK_CONTAINS(parts("mysql://h/d%00"), "percent");
	CHECK_CONTAINS(parts("mysql://h/d%ff"), "UTF-8");
	CHECK_CONTAINS(parts("mysql://h/db?novalue"), "key=value");
	CHECK_CONTAINS(parts("mysql://h/db?=v"), "key=value");
}

static void passwords_are_not_shown(void)
{
	const char *text = parts("mysql://u:geheim%zz@h/db");
	CHECK_CONTAINS(text, "error");
	CHECK(strstr(text, "geheim") == NULL);
}

static void the_last_parameter_wins(void)
{
	struct viewd_err err = {0};
	struct url *url = url_parse(harness_ctx(), "mysql://h/db?a=1&b=2&a=3", &err);
	REQUIRE(url != NULL);
	CHECK_STR(url_query(url, "a"), "3");
	CHECK_STR(url_query(url, "c"), NULL);
}

static void times_go_both_ways(void)
{
	char buf[TIMETEXT_SIZE];
	CHECK_STR(timetext_format(INT64_C(1795336921123456), true, buf), "2026-11-22T08:42:01.123456Z");
	CHECK_STR(timetext_format(INT64_C(1795336921000007), false, buf), "2026-11-22T08:42:01.000007");
	CHECK_INT(timetext_parse("2026-11-22T08:42:01.123456Z"), INT64_C(1795336921123456));
	CHECK_INT(timetext_parse("2026-11-22 08:42:01.12"), INT64_C(1795336921120000));
	CHECK_INT(timetext_parse("2026-11-22 08:42:01+00"), INT64_C(1795336921000000));
	CHECK_INT(timetext_parse("2026-11-22 08:42:01+02"), 0);
	CHECK_INT(timetext_parse("1013-01-01T00:00:00.000000Z"), 0); /* nobody refreshed anything then */
	CHECK_INT(timetext_parse("yesterday"), 0);
	CHECK_INT(timetext_parse(""), 0);
	CHECK_INT(timetext_parse(NULL), 0);
}

static const struct harness_test tests[] = {
	{"reads servers", reads_servers},
	{"reads several places", reads_several_places},
	{"decodes percent", decodes_percent},
	{"reads files", reads_files},
	{"refuses the rest", refuses_the_rest},
	{"passwords are not shown", passwords_are_not_shown},
	{"the last parameter wins", the_last_parameter_wins},
	{"times go both ways", times_go_both_ways},
};
HARNESS_MAIN(SUITE("url", tests))
