/* SPDX-License-Identifier: MIT
 *
 * test_args.c: command rows; parameters from argv, query and JSON, and back.
 */
#include "ctl/command/args.h"
#include "support/harness.h"

#include <talloc.h>

static void rows_are_sound(void)
{
	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *c = &commands()[i];
		CHECK_INT(c->id, i);
		CHECK(c->n_params <= COMMAND_PARAMS_MAX);
		CHECK((c->path == NULL) == (c->verb == COMMAND_LOCAL));
		CHECK(command_by_name(c->name) == (c->verb != COMMAND_PAGE ? c : NULL));
		CHECK(c->path == NULL || command_by_path(c->path) == c);
		CHECK(c->help[0] != '\0' && c->doc[strlen(c->doc) - 1] == '.');
		for (size_t k = 0; k < c->n_params; k++) {
			CHECK_INT(command_param_index(c, c->params[k].name), k);
			/* -s, -h and -V are viewctl's own */
			CHECK(c->params[k].letter == 0 || strchr("shV", c->params[k].letter) == NULL);
			CHECK(c->params[k].kind == PARAM_FLAG || c->params[k].values != NULL);
		}
	}
	CHECK(command_by_name("nope") == NULL);
	CHECK_STR(command_nearest("statsu"), "status");
	CHECK_STR(command_nearest("xyzzy"), NULL);
}

/* One command line: what goes over the wire, or what is said against it. */
struct line {
	const char *words; /* blank-separated, the command's name first */
	const char *wire;  /* query or JSON; NULL: refused */
	const char *msg;
	const char *hint;
};

static const struct line lines[] = {
	{"status", "", NULL, NULL},
	{"status alpha --watch -n 5s", "view=alpha", NULL, NULL},
	{"show alpha", "view=alpha", NULL, NULL},
	{"show", NULL, "show needs VIEW", "show --help"},
	{"show a b", NULL, "does not take the argument 'b'", "show --help"},
	{"history a --limit=3", "view=a&limit=3", NULL, NULL},
	{"history a -n7", "view=a&limit=7", NULL, NULL},
	{"history a --limit 0", NULL, "limit '0' is not a number from 1", ""},
	{"history a --limit x", NULL, "limit 'x' is not a number", ""},
	{"history a --limit 1 --limit 2", NULL, "limit is given twice", ""},
	{"graph --format dot", "", NULL, NULL},
	{"graph --format png", NULL, "format 'png' is not known", "text|dot|mermaid"},
	{"refresh a b -w --full", "{\"view\":[\"a\",\"b\"],\"wait\":true,\"full\":true}", NULL, NULL},
	{"refresh --all --timeout 5s", "{\"all\":true}", NULL, NULL},
	{"refresh", NULL, "refresh needs a view", "--all"},
	{"refresh a --all", NULL, "views or --all, not both", ""},
	{"refresh a --wiat", NULL, "no option --wiat", "--wait"},
	{"refresh a -x", NULL, "no option -x", "refresh --help"},
	{"refresh a --wait=yes", NULL, "--wait takes no value", ""},
	{"refresh a --timeout", NULL, "--timeout needs a value (DURATION)", ""},
	{"refresh a --timeout 5", NULL, "timeout: ", "30s"},
	{"refresh -- --all", "{\"view\":[\"--all\"]}", NULL, NULL},
	{"drop shop:a --wait", "{\"view\":[\"shop:a\"]}", NULL, NULL},
	{"reload -n", "{\"dry-run\":true}", NULL, NULL},
	{"render create a --dialect sqlite --or-replace", "what=create&view=a&dialect=sqlite&or-replace=1", NULL, NULL},
	{"render alter a", NULL, "what 'alter' is not known", "create|refresh|drop"},
	{"render create", NULL, "render needs VIEW", "render --help"},
	{"plan --reload", "reload=1", NULL, NULL},
	{"show s\xc3\xa4l/%25&x=1", "view=s%C3%A4l%2F%2525%26x%3D1", NULL, NULL},
};

static size_t split(char *text, char **words)
{
	size_t n = 0;
	char *save = NULL;
	for (char *w = strtok_r(text, " ", &save); w != NULL; w = strtok_r(NULL, " ", &save))
		words[n++] = w;
	return n;
}

static void check_line(const struct line *line)
{
	char *words[16] = {0};
	size_t n = split(talloc_strdup(harness_ctx(), line->words), words);
	const struct command *command = command_by_name(words[0]);
	REQUIRE(command != NULL);
	struct args *args = args_new(harness_ctx(), command);
	struct viewd_err err = {0};
	bool ok = args_from_argv(args, (int)n - 1, words + 1, &err);
	harness_check(ok == (line->wire != NULL), __FILE__, __LINE__, "%s: %s", line->words, ok ? "accepted" : err.msg);
	if (ok && line->wire != NULL) {
		CHECK_STR(command->verb == COMMAND_GET ? args_to_query(harness_ctx(), args) : args_to_json(harness_ctx(), args),
		          line->wire);
	} else if (line->msg != NULL) {
		CHECK_CONTAINS(err.msg, line->msg);
		CHECK_CONTAINS(err.hint, line->hint);
	}
}

static void lines_are_parsed(void)
{
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		check_line(&lines[i]);
}

static bool from_query(enum command_id id, const char *query, struct args **args_r, struct viewd_err *err)
{
	*args_r = args_new(harness_ctx(), &commands()[id]);
	return args_from_query(*args_r, query, err);
}

static bool from_json(enum command_id id, const char *body, struct args **args_r, struct viewd_err *err)
{
	*args_r = args_new(harness_ctx(), &commands()[id]);
	return args_from_json(*args_r, body, strlen(body), err);
}

static void queries_are_parsed(void)
{
	struct args *args;
	struct viewd_err err = {0};
	const char *const *items;
	REQUIRE_OK(from_query(COMMAND_STATUS, "view=a%20b&view=c+d&view=%C3%A4", &args, &err), &err);
	REQUIRE(args_list(args, "view", &items) == 3);
	CHECK_STR(items[0], "a b");
	CHECK_STR(items[1], "c d");
	CHECK_STR(items[2], "\xc3\xa4");
	REQUIRE_OK(from_query(COMMAND_PLAN, "reload", &args, &err), &err);
	CHECK(args_flag(args, "reload"));
	CHECK(args_mutates(args));
	REQUIRE_OK(from_query(COMMAND_PLAN, NULL, &args, &err), &err);
	CHECK(!args_mutates(args));
	REQUIRE_OK(from_query(COMMAND_HISTORY, "view=a&limit=3", &args, &err), &err);
	CHECK_INT(args_number(args, "limit", 20), 3);
}

static void bad_queries_are_refused(void)
{
	static const char *const bad[] = {
		"view=%",     "view=%4", "view=%zz", "view=%00",    "view=%ff",      "nope=1",        "view=",
		"view=a%0ab", "watch=1", "%ff=1",    "interval=5s", "view=a&&&nope", "view=a&limit=", "=",
	};
	struct args *args;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct viewd_err err = {0};
		bool ok = from_query(COMMAND_STATUS, bad[i], &args, &err);
		harness_check(!ok, __FILE__, __LINE__, "'%s' was accepted", bad[i]);
		CHECK(err.msg[0] != '\0');
	}
}

static void bodies_are_parsed(void)
{
	struct args *args;
	struct viewd_err err = {0};
	const char *const *items;
	REQUIRE_OK(from_json(COMMAND_REFRESH, "{\"view\": [\"a\", \"b\"], \"wait\": true, \"full\": false, \"all\": null}",
	                     &args, &err),
	           &err);
	REQUIRE(args_list(args, "view", &items) == 2);
	CHECK(args_flag(args, "wait"));
	CHECK(!args_flag(args, "full"));
	CHECK_STR(args_describe(harness_ctx(), args), " a b --wait");
	REQUIRE_OK(from_json(COMMAND_REFRESH, "{\"view\": \"one\"}", &args, &err), &err);
	CHECK_INT(args_list(args, "view", &items), 1);
	REQUIRE_OK(from_json(COMMAND_RELOAD, "", &args, &err), &err);
}

static void bad_bodies_are_refused(void)
{
	static const char *const bad[] = {
		"",
		"{",
		"[]",
		"1",
		"{}x",
		"{\"view\": 1}",
		"{\"view\": [1]}",
		"{\"view\": [[]]}",
		"{\"view\": {}}",
		"{\"view\": \"\"}",
		"{\"view\": \"a\\u0000b\"}",
		"{\"view\": \"a\\nb\"}",
		"{\"view\": \"a\", \"wait\": 1}",
		"{\"view\": \"a\", \"wait\": \"yes\"}",
		"{\"view\": \"a\", \"timeout\": \"5s\"}",
		"{\"view\": \"a\", \"view\": \"b\"}",
		"{\"view\": \"a\", \"sql\": \"DROP\"}",
		"{\"view\": \"\xff\"}",
	};
	struct args *args;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct viewd_err err = {0};
		bool ok = from_json(COMMAND_REFRESH, bad[i], &args, &err);
		harness_check(!ok, __FILE__, __LINE__, "'%s' was accepted", bad[i]);
		CHECK(err.msg[0] != '\0');
	}
}

static void long_texts_are_bounded(void)
{
	struct args *args;
	struct viewd_err err = {0};
	char *text = talloc_zero_size(harness_ctx(), ARGS_TEXT_MAX + 2);
	memset(text, 'x', ARGS_TEXT_MAX + 1);
	CHECK(!from_query(COMMAND_SHOW, talloc_asprintf(harness_ctx(), "view=%s", text), &args, &err));
	CHECK_CONTAINS(err.msg, "too long");
	text[ARGS_TEXT_MAX] = '\0';
	CHECK_OK(from_query(COMMAND_SHOW, talloc_asprintf(harness_ctx(), "view=%s", text), &args, &err), &err);
	CHECK(strlen(args_describe(harness_ctx(), args)) <= 400);
	char *many = talloc_strdup(harness_ctx(), "");
	for (size_t i = 0; i <= ARGS_ITEMS_MAX; i++)
		many = talloc_strdup_append_buffer(many, "view=a&");
	CHECK(!from_query(COMMAND_STATUS, many, &args, &err));
	CHECK_CONTAINS(err.msg, "too often");
}

static const struct harness_test tests[] = {
	{"rows are sound", rows_are_sound},
	{"command lines are parsed", lines_are_parsed},
	{"queries are parsed", queries_are_parsed},
	{"bad queries are refused", bad_queries_are_refused},
	{"bodies are parsed", bodies_are_parsed},
	{"bad bodies are refused", bad_bodies_are_refused},
	{"long texts are bounded", long_texts_are_bounded},
};
HARNESS_MAIN(SUITE("args", tests))
