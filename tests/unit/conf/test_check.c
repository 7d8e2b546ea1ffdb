/* SPDX-License-Identifier: MIT
 *
 * test_check.c: references, duplicates and cycles across sections.
 */
#include "conf_support.h"

#define VIEW(name, more) "[view " name "]\ndatabase = shop\ndefinition = SELECT 1\n" more

static void one_database_has_one_section(void)
{
#define VIEW_ON_A "[view v]\ndatabase = a\ndefinition = SELECT 1\n"
	wants_error("[database a]\nurl = sqlite:///x.db\n[database b]\nurl = sqlite:///x.db\n" VIEW_ON_A,
	            "viewd.conf:4: [database b] url: the same database as [database a]; give the views of both sections to "
	            "one of them");
	wants_error("[database a]\nurl = postgresql://me@h/x?host=/run\n[database c]\nurl = sqlite:////y.db\n"
	            "[database b]\nurl = postgres+psycopg2://you@h/x?host=/run\n" VIEW_ON_A,
	            "viewd.conf:6: [database b] url: the same database as [database a]; give the views of both sections to "
	            "one of them");
	struct loaded l = load_good("[database a]\nurl = postgresql://h/x\n[database b]\nurl = postgresql://h/y\n"
	                            "[database c]\nurl = mysql://h/x\n[database d]\nurl = postgresql://h2/x\n" VIEW_ON_A);
#undef VIEW_ON_A
	unload(&l);
}

static void databases(void)
{
	wants_error(GOOD_DB "[view a]\ndatabase = shp\ndefinition = SELECT 1\n",
	            "viewd.conf:4: [view a] database: there is no [database shp]; did you mean shop");
	wants_error(GOOD_DB "[view a]\ndatabase = warehouse, shop\ndefinition = SELECT 1\n",
	            "viewd.conf:4: [view a] database: there is no [database warehouse]");
}

static void database_from_defaults(void)
{
	struct loaded l = load(GOOD_DB "[view-defaults]\ndatabase = x1\n[view a]\ndefinition = SELECT 1\n");
	CHECK_INT(l.problems.n, 1);
	CHECK_STR(problem(&l, 0), "viewd.conf:4: [view a] database: there is no [database x1]");
}

static void dependencies(void)
{
	struct loaded l =
		load_good(GOOD_DB VIEW("a", "") VIEW("b", "depends_on = a\n") VIEW("c", "depends_on = shop:a, B\n"));
	CHECK_STR(l.conf->views[2].depends_on.items[0], "shop:a");
	CHECK_STR(l.conf->views[2].depends_on.items[1], "b");
	unload(&l);
	wants_error(GOOD_DB VIEW("sales", "") VIEW("b", "depends_on = sale\n"),
	            "viewd.conf:9: [view b] depends_on: there is no view sale; did you mean sales");
	wants_error(GOOD_DB VIEW("a", "") VIEW("b", "depends_on = lite:a\n"),
	            "viewd.conf:9: [view b] depends_on: there is no view lite:a; did you mean a");
	wants_error(GOOD_DB VIEW("a", "depends_on = a\n"),
	            "viewd.conf:6: [view a] depends_on: the view depends on itself; remove a");
}

static void changes(void)
{
	struct loaded l = load_good(GOOD_DB VIEW(
		"a", "on_change = yes\nsources = s.t, u\ncapture = poll\ndebounce = 1s\nmax_delay = 5s\n"
			 "at_most_every = 1m\nmax_staleness = 1h\n") VIEW("b", "max_staleness = 1h\ncapture = none\n"));
	const struct conf_view *v = &l.conf->views[0];
	CHECK(v->on_change && v->capture == VIEWD_CAPTURE_POLL && v->sources.n == 2);
	CHECK_STR(v->sources.items[0], "s.t");
	CHECK_INT(v->max_staleness, 3600 * INT64_C(1000000));
	CHECK_INT(l.conf->views[1].capture, VIEWD_CAPTURE_NONE);
	unload(&l);
	wants_error(GOOD_DB VIEW("a", "method = simple\non_change = yes\n"),
	            "viewd.conf:7: [view a] on_change: a simple view is always fresh and never refreshed; remove "
	            "on_change, or choose another method");
	l = load_good("[view-defaults]\nrefresh_group = G.1\n" GOOD_DB VIEW("a", "method = simple\n") VIEW("b", ""));
	CHECK_STR(l.conf->views[1].refresh_group, "g.1");
	unload(&l);
	wants_error(GOOD_DB VIEW("a", "method = simple\nrefresh_group = g\n"),
	            "viewd.conf:7: [view a] refresh_group: a simple view has no rows to refresh with others; remove "
	            "refresh_group, or choose another method");
	wants_error(GOOD_DB VIEW("a", "refresh_group = a b\n"),
	            "viewd.conf:6: [view a] refresh_group: 'a b' is not a name; names hold a-z 0-9 _ . - only");
	static const char *const idle[] = {"sources = t", "capture = trigger", "debounce = 1s", "max_delay = 1s",
	                                   "at_most_every = 1s"};
	for (size_t i = 0; i < ARRAY_LEN(idle); i++) {
		l = load(talloc_asprintf(harness_ctx(), "%s%s%s\n", GOOD_DB, VIEW("a", ""), idle[i]));
		CHECK_INT(l.problems.n, 1);
		CHECK_CONTAINS(problem(&l, 0), "viewd.conf:6: [view a] ");
		CHECK_CONTAINS(problem(&l, 0), ": has no effect without on_change; write on_change = yes, or remove it");
		unload(&l);
	}
	wants_error(GOOD_DB VIEW("a", "on_change = yes\ndebounce = 2s\nmax_delay = 1s\n"),
	            "viewd.conf:8: [view a] max_delay: shorter than debounce; make it at least as long");
}

static void changes_from_defaults(void)
{
	struct loaded l = load_good("[view-defaults]\non_change = yes\ndebounce = 1s\n" GOOD_DB VIEW(
		"a", "method = simple\n") VIEW("b", "on_change = no\n"));
	CHECK(!l.conf->views[1].on_change);
	unload(&l);
}

static void times(void)
{
	struct loaded l =
		load_good(GOOD_DB VIEW("a", "cron = 30 6 * * mon-fri\ntimezone = Europe/Berlin\ntarget_lag = 10m\n")
	                  VIEW("b", "cron = \"*/5 * * * *\"\n") VIEW("c", ""));
	CHECK_STR(l.conf->views[0].cron, "30 6 * * mon-fri");
	CHECK_STR(l.conf->views[0].timezone, "Europe/Berlin");
	CHECK_INT(l.conf->views[0].target_lag, 600 * INT64_C(1000000));
	CHECK_STR(l.conf->views[1].cron, "*/5 * * * *");
	CHECK_STR(l.conf->views[1].timezone, "UTC");
	CHECK_STR(l.conf->views[2].cron, NULL);
	unload(&l);
	wants_error(GOOD_DB VIEW("a", "cron = 0 25 * * *\n"), "viewd.conf:6: [view a] cron: hour '25' is not understood; 0 "
	                                                      "to 23, also as a list 1,2, a range 1-5 or with a step */2");
	wants_error(
		GOOD_DB VIEW("a", "cron = 0 0 30 feb *\n"),
		"viewd.conf:6: [view a] cron: day of month and month give a date that never comes; no month has more than 31 "
		"days, April, June, September and November 30, February 29");
	wants_error(GOOD_DB VIEW("a", "cron = @daily\ntimezone = Europe/Berlim\n"),
	            "viewd.conf:7: [view a] timezone: there is no time zone 'Europe/Berlim'; did you mean Europe/Berlin");
	wants_error(GOOD_DB VIEW("a", "cron = @daily\ntimezone = Middle Earth\n"),
	            "viewd.conf:7: [view a] timezone: there is no time zone 'Middle Earth'; a name of the time zone "
	            "database, for example Europe/Berlin");
	wants_error(GOOD_DB VIEW("a", "timezone = Europe/Berlin\n"),
	            "viewd.conf:6: [view a] timezone: has no effect without cron; write cron = ..., or remove it");
}

static void cycles(void)
{
	wants_error(GOOD_DB VIEW("a", "depends_on = b\n") VIEW("b", "depends_on = a\n"),
	            "viewd.conf:10: [view b] depends_on: a cycle of dependencies: a -> b -> a; remove one of them");
	wants_error(GOOD_DB VIEW("x", "depends_on = a\n") VIEW("a", "depends_on = b\n") VIEW("b", "depends_on = c\n")
	                VIEW("c", "depends_on = shop:a\n"),
	            "viewd.conf:18: [view c] depends_on: a cycle of dependencies: a -> b -> c -> a; remove one of them");
	struct loaded l = load_good(GOOD_DB VIEW("a", "") VIEW("b", "depends_on = a\n") VIEW("c", "depends_on = a\n")
	                                VIEW("d", "depends_on = b, c\n"));
	unload(&l);
}

static void long_chain(void)
{
	char *text = talloc_strdup(harness_ctx(), GOOD_DB VIEW("v0", ""));
	for (int i = 1; i < 5000; i++)
		text = talloc_asprintf_append_buffer(text, VIEW("v%d", "depends_on = v%d\n"), i, i - 1);
	struct loaded l = load_good(text);
	CHECK_INT(l.conf->n_views, 5000);
	unload(&l);
	/* backwards: the search goes as deep as the chain is long */
	text = talloc_strdup(harness_ctx(), GOOD_DB);
	for (int i = 0; i < 1000; i++)
		text = talloc_asprintf_append_buffer(text, VIEW("v%d", "depends_on = v%d\n"), i, (i + 1) % 1000);
	l = load(text);
	CHECK_INT(l.problems.n, 1);
	CHECK_CONTAINS(problem(&l, 0), "[view v999] depends_on: a cycle of dependencies: v0 -> v1 -> v2 ->");
	CHECK_CONTAINS(problem(&l, 0), " -> v999 -> v0; remove one of them");
}

static void one_object_two_views(void)
{
	wants_error(GOOD_DB VIEW("a", "relation = x.y\n") VIEW("b", "relation = x.y\n"),
	            talloc_asprintf(harness_ctx(),
	                            "viewd.conf:10: [view b] relation: 'x.y' in database shop is the object of [view a] "
	                            "already (%s:3); choose another relation",
	                            harness_path("viewd.conf")));
	wants_error(GOOD_DB VIEW("a", "") VIEW("b", "relation = a\n"),
	            talloc_asprintf(harness_ctx(),
	                            "viewd.conf:9: [view b] relation: 'a' in database shop is the object of [view a] "
	                            "already (%s:3); choose another relation",
	                            harness_path("viewd.conf")));
	struct loaded l = load_good(GOOD_DB "[database lite]\nurl = sqlite:///x\n" VIEW(
		"a", "relation = x\n") "[view b]\ndatabase = lite\nrelation = x\ndefinition = SELECT 1\n");
	unload(&l);
}

static void values_together(void)
{
	wants_error(GOOD_DB GOOD_VIEW "retry_max_backoff = 1s\n",
	            "viewd.conf:6: [view a] retry_max_backoff: shorter than retry_backoff; make it at least as long");
}

/* An error only for who checks, since viewd works without it. Said once, however many views there are. */
static void programs_are_there(void)
{
	struct loaded l = load_good(GOOD_DB VIEW("a", "on_failure = /bin/true -x\n"));
	CHECK_INT(l.problems.n, 0);
	unload(&l);
	l = load("[view-defaults]\non_failure = /no/such/program 'a b'\n" GOOD_DB VIEW("a", "") VIEW("b", ""));
	CHECK_INT(l.problems.n, 1);
	CHECK_INT(l.problems.n_errors, 0);
	CHECK_INT(l.problems.n_of_machine, 1);
	CHECK(l.problems.items[0].warning && l.problems.items[0].of_machine);
	CHECK_CONTAINS(problem(&l, 0),
	               "viewd.conf:2: [view-defaults] on_failure: /no/such/program cannot be run (No such file");
	unload(&l);
	l = load(GOOD_DB VIEW("a", "on_failure = /etc/passwd\n") VIEW("b", "on_failure = /tmp\n"));
	CHECK_INT(l.problems.n, 2);
	CHECK_INT(l.problems.n_of_machine, 2);
	unload(&l);
}

static const struct harness_test tests[] = {
	{"one database has one section", one_database_has_one_section},
	{"databases", databases},
	{"database from defaults", database_from_defaults},
	{"dependencies", dependencies},
	{"times", times},
	{"keys about changes", changes},
	{"keys about changes in [view-defaults]", changes_from_defaults},
	{"cycles", cycles},
	{"long chain", long_chain},
	{"one object, two views", one_object_two_views},
	{"values together", values_together},
	{"programs are there", programs_are_there},
};
HARNESS_MAIN(SUITE("check", tests))
