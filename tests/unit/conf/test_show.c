/* SPDX-License-Identifier: MIT
 *
 * test_show.c: effective settings with their origin, and the tables as documentation.
 */
#include "conf/schema/describe.h"
#include "conf/schema/schema.h"
#include "conf/snapshot/show.h"
#include "conf_support.h"

#include <stdio.h>
#include <stdlib.h>

/* "key|value|origin\n" for each, the directory's name taken out. */
static void collect(void *ctx, const struct conf_setting *s)
{
	char **text = ctx;
	const char *origin = s->origin;
	if (strncmp(origin, harness_dir(), strlen(harness_dir())) == 0)
		origin += strlen(harness_dir()) + 1;
	CHECK(s->help != NULL && s->help[0] != '\0');
	*text = talloc_asprintf_append(*text, "%s|%s|%s\n", s->key, s->value != NULL ? s->value : "(none)", origin);
}

static void a_view(void)
{
	struct loaded l =
		load_good(GOOD_DB "[view-defaults]\nevery = 90s\nindex_d = (x)\n" GOOD_VIEW
	                      "index_i = (a)\nunique_key = 'id, \"Group Name\"'\ndefinition_sqlite = SELECT 2\n");
	char *text = talloc_strdup(harness_ctx(), "\n");
	conf_show_view(l.conf, &l.conf->views[0], collect, &text);
	CHECK_CONTAINS(text, "\ndatabase|shop|viewd.conf:7\n");
	CHECK_CONTAINS(text, "\nrelation|a|default\n");
	CHECK_CONTAINS(text, "\ndefinition|SELECT 1|viewd.conf:8\n");
	CHECK_CONTAINS(text, "\ndefinition_sqlite|SELECT 2|viewd.conf:11\n");
	CHECK_CONTAINS(text, "\nmethod|materialized|default\n");
	CHECK_CONTAINS(text, "\nunique_key|id, \"Group Name\"|viewd.conf:10\n");
	CHECK_CONTAINS(text, "\nindex_d|(x)|viewd.conf:5 [view-defaults]\n");
	CHECK_CONTAINS(text, "\nindex_i|(a)|viewd.conf:9\n");
	CHECK_CONTAINS(text, "\nevery|1m30s|viewd.conf:4 [view-defaults]\n");
	CHECK_CONTAINS(text, "\ndescription|(none)|default\n");
	CHECK_CONTAINS(text, "\nrefresh_group|(none)|default\n");
	CHECK_CONTAINS(conf_view_place(harness_ctx(), l.conf, &l.conf->views[0], "index_d"), "viewd.conf:5");
	CHECK_CONTAINS(conf_view_place(harness_ctx(), l.conf, &l.conf->views[0], "definition_sqlite"), "viewd.conf:11");
	CHECK_CONTAINS(conf_view_place(harness_ctx(), l.conf, &l.conf->views[0], "definition"), "viewd.conf:8");
	CHECK_CONTAINS(conf_view_place(harness_ctx(), l.conf, &l.conf->views[0], "method"), "viewd.conf:6");
	unload(&l);
}

static void a_database(void)
{
	struct loaded l =
		load("[database shop]\nurl = postgresql://u:geheim@h/x?password=geheim\nsearch_path = public\n" GOOD_VIEW);
	REQUIRE(l.conf != NULL);
	char *text = talloc_strdup(harness_ctx(), "\n");
	conf_show_database(l.conf, &l.conf->databases[0], collect, &text);
	CHECK_CONTAINS(text, "\nurl|postgresql://u:***@h/x?password=***|viewd.conf:2\n");
	CHECK_CONTAINS(text, "\nsearch_path|public|viewd.conf:3\n");
	CHECK_CONTAINS(text, "\nconnect_timeout|10s|default\n");
	CHECK(strstr(text, "geheim") == NULL);
	unload(&l);
}

/* A dialect's own key may hold a URL. */
static void a_url_of_the_dialect(void)
{
	struct loaded l =
		load("[database shop]\nurl = postgresql://h/x\nsearch_path = postgresql://u:geheim@h/x\n" GOOD_VIEW);
	REQUIRE(l.conf != NULL);
	char *text = talloc_strdup(harness_ctx(), "\n");
	conf_show_database(l.conf, &l.conf->databases[0], collect, &text);
	CHECK_CONTAINS(text, "\nsearch_path|postgresql://u:***@h/x|viewd.conf:3\n");
	unload(&l);
}

static void the_daemon(void)
{
	struct loaded l = load_good("[viewd]\nlog_level = debug\n" GOOD_DB GOOD_VIEW);
	char *text = talloc_strdup(harness_ctx(), "\n");
	conf_show_daemon(l.conf, collect, &text);
	CHECK_CONTAINS(text, "\nlog_level|debug|viewd.conf:2\n");
	CHECK_CONTAINS(text, "\nstate_dir|/var/lib/viewd|default\n");
	CHECK_CONTAINS(text, "\nhttp_listen|off|default\n");
	unload(&l);
}

static const char *described(enum conf_describe_format format)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);
	REQUIRE(out != NULL);
	CHECK_INT(conf_describe(out, format, three_dialects, ARRAY_LEN(three_dialects)), 0);
	fclose(out);
	char *copy = talloc_strdup(harness_ctx(), text);
	free(text);
	return copy;
}

static void manual(void)
{
	const char *man = described(CONF_DESCRIBE_MAN);
	CHECK_CONTAINS(man, ".SH OPTIONS\n.SS [viewd]\n");
	CHECK_CONTAINS(man, ".TP\n.B lock_timeout\nLongest wait for a lock.\n");
	CHECK_CONTAINS(man, "Value: duration from 1ms to 1h; default: 2s.\n");
	CHECK_CONTAINS(man, ".B index_NAME\n");
	CHECK_CONTAINS(man, ".B definition_file_DIALECT\n");
	CHECK_CONTAINS(man, ".SS [database NAME], dialect mysql\nA URL is written like "
	                    "this:\nmysql://user@host/name\n.br\nmariadb:// means the same.\n");
	CHECK_CONTAINS(
		man,
		".SS [database NAME], dialect postgresql\n.br\npostgres:// means the same.\n.TP\n.B search_path\nSchemas.\n");
	CHECK_CONTAINS(man, "Value: text; default: public.\n");
	const struct option_table *const tables[] = {&schema_daemon, &schema_database, &schema_view};
	for (size_t t = 0; t < ARRAY_LEN(tables); t++)
		for (size_t i = 0; i < tables[t]->n; i++)
			if (strchr(tables[t]->rows[i].key, '*') == NULL)
				CHECK_CONTAINS(man, talloc_asprintf(harness_ctx(), ".B %s\n", tables[t]->rows[i].key));
}

/* The keys in the sample can be used: uncommented, they load, with the keys of the one dialect that the URL asks
 * for. */
static void sample_loads(void)
{
	const char *sample = described(CONF_DESCRIBE_SAMPLE);
	char *text = talloc_strdup(harness_ctx(), "");
	bool others = false;
	CHECK_CONTAINS(sample, "\n;lock_timeout = 2s\n");
	CHECK_CONTAINS(sample, "\n; (dialect sqlite)\n; journal\n; Journal.\n;journal_mode = wal\n");
	for (const char *p = sample; *p != '\0'; p += strcspn(p, "\n") + 1) {
		size_t len = strcspn(p, "\n");
		if (strncmp(p, "; (dialect ", 11) == 0)
			others = strncmp(p + 11, "sqlite)", 7) != 0;
		bool set = !others && p[0] == ';' && p[1] != ' ' && memchr(p, '=', len) != NULL && p[len - 2] != '=';
		others &= len > 0;
		if (p[0] == '[' || (p[0] == ';' && p[1] == '['))
			text = talloc_asprintf_append(text, "%.*s\n", (int)(len - (p[0] == ';')), p + (p[0] == ';'));
		else if (set)
			text = talloc_asprintf_append(text, "%.*s\n", (int)len - 1, p + 1);
		if (strncmp(p, ";[database", 10) == 0)
			text = talloc_strdup_append(text, "url = sqlite:///x\n");
		if (strncmp(p, ";[view ", 7) == 0)
			text = talloc_strdup_append(text, "database = name\ndefinition = SELECT 1\n");
	}
	struct loaded l = load_good(text);
	CHECK_INT(l.conf->n_views, 1);
	CHECK_INT(l.conf->views[0].lock_timeout, 2000000);
	unload(&l);
}

static const struct harness_test tests[] = {
	{"a view", a_view},         {"a database", a_database}, {"a URL of the dialect", a_url_of_the_dialect},
	{"the daemon", the_daemon}, {"manual", manual},         {"sample loads", sample_loads},
};
HARNESS_MAIN(SUITE("show", tests))
