/* SPDX-License-Identifier: MIT
 *
 * test_loader.c: which files are refused as plugins, with which words; what follows for their databases.
 */
#include "conf/snapshot/diff.h"
#include "core/offline/offline.h"
#include "unit/core/rig.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <talloc.h>
#include <unistd.h>

static const char *setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	return value != NULL ? value : otherwise;
}

/* Compiles a source of the test tree to viewd_NAME.so in the test's directory. */
static const char *compile(const char *source, const char *name, const char *flags)
{
	const char *src = setting("VIEWD_SRC", ".");
	if (access(talloc_asprintf(harness_ctx(), "%s/%s", src, source), R_OK) != 0)
		harness_skip("VIEWD_SRC does not name the source tree");
	const char *path = harness_path(talloc_asprintf(harness_ctx(), "viewd_%s.so", name));
	chmod(harness_dir(), 0755);
	char *command =
		talloc_asprintf(harness_ctx(), "%s -std=gnu17 -w -shared -fPIC -I'%s/plugins' -I'%s/daemon' %s -o '%s' '%s/%s'",
	                    setting("CC", "cc"), src, src, flags, path, src, source);
	REQUIRE(system(command) == 0);
	chmod(path, 0755);
	return path;
}

static const char *bad(const char *flags)
{
	return compile("tests/plugins/bad/bad.c", "bad", flags);
}

/* The message begins with the file, holds the part, and the class is PLUGIN. */
static void refused(const char *part, const char *hint)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	struct registry *reg = registry_new(harness_ctx());
	CHECK(registry_open(reg, harness_dir(), "bad", &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_PLUGIN);
	CHECK_CONTAINS(err.msg, "viewd_bad.so cannot be used: ");
	CHECK_CONTAINS(err.msg, part);
	CHECK_CONTAINS(err.hint, hint);
	CHECK(registry_find(reg, "bad") == NULL);
}

static const struct viewd_dialect *accepted(void)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	struct registry *reg = registry_new(harness_ctx());
	const struct viewd_dialect *d = registry_open(reg, harness_dir(), "bad", &err);
	CHECK_STR(err.msg, "");
	REQUIRE(d != NULL);
	CHECK(registry_open(reg, harness_dir(), "bad", &err) == d); /* once */
	return d;
}

static void good(void)
{
	bad("");
	CHECK_STR(accepted()->name, "bad");
}

static const char *abi_words(int major, int minor)
{
	return talloc_asprintf(harness_ctx(), "built for ABI %d.%d, this viewd offers %d.%d", major, minor, VIEWD_ABI_MAJOR,
	                       VIEWD_ABI_MINOR);
}

static void versions(void)
{
	bad("-DBAD_MAJOR=9");
	refused(abi_words(9, VIEWD_ABI_MINOR), "rebuild it");
}

static void newer_minor(void)
{
	bad("-DBAD_MINOR=VIEWD_ABI_MINOR+1");
	refused(abi_words(VIEWD_ABI_MAJOR, VIEWD_ABI_MINOR + 1), "rebuild it");
}

static void shorter(void)
{
	bad("'-DBAD_SIZE=offsetof(struct viewd_dialect,threads)' -DBAD_MINOR=0");
	const struct viewd_dialect *d = accepted();
	CHECK(d->threads == NULL && d->capture == NULL);
}

static void too_short(void)
{
	bad("'-DBAD_SIZE=offsetof(struct viewd_dialect,history)'");
	refused("bytes, at least", "viewd_dialect.h");
}

static void no_symbol(void)
{
	bad("-DBAD_SYMBOL=something_else");
	refused("it exports no symbol viewd_dialect", "");
}

static void wrong_name(void)
{
	bad("'-DBAD_NAME=\"badly\"'");
	refused("it calls itself 'badly', not 'bad'", "");
}

static void lacks_a_function(void)
{
	bad("-DBAD_LACKS_VERIFY");
	refused("it lacks the function verify", "");
}

static void unresolved(void)
{
	bad("-DBAD_UNRESOLVED");
	refused("undefined symbol: nobody_has_this", "");
}

static void truncated(void)
{
	struct stat st;
	const char *path = bad("");
	REQUIRE(stat(path, &st) == 0);
	static const int parts[] = {2, 4, 8, 100};
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		unlink(path);
		bad("");
		REQUIRE(truncate(path, st.st_size / parts[i]) == 0);
		refused("it is cut off after ", "install it again");
	}
	REQUIRE(truncate(path, 20) == 0);
	refused("it is not a shared object", "");
}

static void not_elf(void)
{
	chmod(harness_file("viewd_bad.so", "#!/bin/sh\necho hello, this is no plugin, and it is longer than a header\n"),
	      0755);
	chmod(harness_dir(), 0755);
	refused("it is not a shared object", "");
}

static void empty_file(void)
{
	harness_file("viewd_bad.so", "");
	refused("not a regular file with contents", "");
}

static void directory(void)
{
	harness_file("viewd_bad.so/x", "");
	refused("not a regular file with contents", "");
}

static void absent(void)
{
	harness_file("x", "");
	refused("it is not there; the dialects installed are: none", "");
	harness_file("viewd_two.so", "");
	harness_file("viewd_one.so", "");
	harness_file("viewd_.so", "");
	harness_file("viewd_three.la", "");
	refused("it is not there; the dialects installed are: one (cannot be used), two (cannot be used)",
	        "viewd_one.so cannot be used: it is not a regular file with contents");
}

/* A plugin that calls itself so, with these schemes. */
static void with_schemes(const char *name, const char *schemes)
{
	compile("tests/plugins/bad/bad.c", name,
	        talloc_asprintf(harness_ctx(), "'-DBAD_NAME=\"%s\"' '-DBAD_SCHEMES=%s'", name, schemes));
}

static const char *dialect_of(struct registry *reg, const char *word)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	const struct viewd_dialect *d = registry_open(reg, harness_dir(), word, &err);
	CHECK_STR(err.msg, "");
	return d != NULL ? d->name : NULL;
}

static void schemes(void)
{
	with_schemes("first", "\"old\",\"both\"");
	with_schemes("second", "\"both\",\"second\",\"two\"");
	harness_file("viewd_aaa.so", "");
	struct registry *reg = registry_new(harness_ctx());
	CHECK_STR(dialect_of(reg, "second"), "second");
	CHECK(registry_find(reg, "first") == NULL); /* nothing else is opened while names do */
	CHECK_STR(dialect_of(reg, "two"), "second");
	CHECK_STR(dialect_of(reg, "both"), "first");
	CHECK_STR(dialect_of(registry_new(harness_ctx()), "old"), "first");
	CHECK(registry_find(reg, "two") == NULL);
	with_schemes("two", "\"both\"");
	CHECK_STR(dialect_of(reg, "two"), "two"); /* a name goes before a scheme */
	CHECK_STR(dialect_of(registry_new(harness_ctx()), "two"), "two");
	bad("'-DBAD_SCHEMES=\"good\",\"../bad\"'");
	refused("'../bad' cannot be a scheme of it", "");
}

static void unknown_scheme(void)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	struct registry *reg = registry_new(harness_ctx());
	with_schemes("first", "\"oldest\",\"first\"");
	with_schemes("second", "\"zweite\",\"seconde\"");
	CHECK(registry_open(reg, harness_dir(), "zweit", &err) == NULL);
	CHECK_INT(err.cls, VIEWD_ERR_PLUGIN);
	CHECK_CONTAINS(err.msg, "viewd_zweit.so cannot be used: it is not there; the dialects installed are: first or "
	                        "oldest, second or zweite or seconde");
	CHECK_STR(err.hint, "did you mean zweite");
	CHECK(registry_open(reg, harness_dir(), "xxxxxxxxx", &err) == NULL);
	CHECK_STR(err.hint, "");
	harness_file("viewd_broken.so", "");
	CHECK(registry_open(reg, harness_dir(), "xxxxxxxxx", &err) == NULL);
	CHECK_CONTAINS(err.msg, "are: broken (cannot be used), first or oldest, second or");
	CHECK_CONTAINS(err.hint, "viewd_broken.so cannot be used: it is not a regular file with contents");
	CHECK(registry_open(reg, "/nowhere", "first_", &err) == NULL);
	CHECK_CONTAINS(err.msg, "cannot open plugin_dir /nowhere");
}

struct opener {
	struct registry *reg;
	const char *word;
	const struct viewd_dialect *found;
};

static void *open_beside_others(void *ctx)
{
	struct opener *o = ctx;
	struct viewd_err err;
	o->found = registry_open(o->reg, harness_dir(), o->word, &err);
	return NULL;
}

/* A reload opens on a worker what a command on the loop may look for at the same time. */
static void many_at_once(void)
{
	with_schemes("first", "\"old\"");
	with_schemes("second", "\"two\"");
	static const char *const words[] = {"first", "old", "second", "two", "first", "two", "none", "second"};
	struct registry *reg = registry_new(harness_ctx());
	struct opener openers[ARRAY_LEN(words)];
	pthread_t threads[ARRAY_LEN(words)];
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		openers[i] = (struct opener){.reg = reg, .word = words[i]};
		REQUIRE(pthread_create(&threads[i], NULL, open_beside_others, &openers[i]) == 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		pthread_join(threads[i], NULL);
	CHECK(openers[0].found != NULL && openers[0].found == registry_find(reg, "first"));
	CHECK(openers[1].found == openers[0].found && openers[4].found == openers[0].found);
	CHECK(openers[2].found != NULL && openers[2].found == registry_find(reg, "second"));
	CHECK(openers[3].found == openers[2].found && openers[5].found == openers[2].found);
	CHECK(openers[6].found == NULL && openers[7].found == openers[2].found);
}

static void symlinked(void)
{
	const char *path = bad("");
	const char *real = harness_path("real.so");
	REQUIRE(rename(path, real) == 0 && symlink(real, path) == 0);
	refused("cannot open it", "");
}

static void writable(void)
{
	const char *path = bad("");
	chmod(path, 0775);
	refused("it is writable by others (mode 775)", "chmod go-w");
	chmod(path, 0757);
	refused("it is writable by others (mode 757)", "chmod go-w");
	chmod(path, 0755);
	chmod(harness_dir(), 0777);
	refused("its directory is writable by others (mode 777)", "chmod go-w");
	chmod(harness_dir(), 0755);
	accepted();
}

static void foreign_owner(void)
{
	if (geteuid() != 0)
		harness_skip("needs root");
	const char *path = bad("");
	REQUIRE(chown(path, 65534, 65534) == 0);
	refused("it is owned by uid 65534", "owned by root");
}

static void names(void)
{
	static const char *const wrong[] = {"", "../bad", "Bad", "a/b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "bad.so"};
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct viewd_err err = {.cls = VIEWD_ERR_OK};
		CHECK(registry_open(registry_new(harness_ctx()), harness_dir(), wrong[i], &err) == NULL);
		CHECK_CONTAINS(err.msg, "cannot be a dialect's name");
	}
}

static void the_guides_example(void)
{
	struct viewd_err err = {.cls = VIEWD_ERR_OK};
	compile("tests/plugins/example.c", "example", "-Wall -Wextra -Werror");
	const struct viewd_dialect *d = registry_open(registry_new(harness_ctx()), harness_dir(), "example", &err);
	CHECK_STR(err.msg, "");
	REQUIRE(d != NULL);
	const struct viewd_database_spec db = {.struct_size = sizeof db, .name = "x", .url = "example://x"};
	REQUIRE_OK(d->check_database(&db, &err), &err);
	struct viewd_conn *conn = d->open(NULL, &db, &err);
	REQUIRE(conn != NULL);
	CHECK(d->alive(conn));
	d->close(&conn);
	CHECK(conn == NULL);
}

/* A daemon that starts with an unusable plugin looks after everything else. */
static void others_go_on(void)
{
	struct rig *rig = rig_new();
	struct conf_problems problems;
	struct conf_dialects dialects = offline_dialects(rig->registry);
	char *text = talloc_asprintf(
		harness_ctx(), "[viewd]\nplugin_dir = %s\n[database d]\nurl = fake://d\n[database x]\nurl = bad://x\n%s%s",
		harness_dir(), "[view a]\ndatabase = d, x\nmethod = table\ndefinition = SELECT 1\n",
		"[view b]\ndatabase = x\nmethod = table\nevery = 1h\ndefinition = SELECT 1\n");
	bad("-DBAD_MAJOR=9");
	dialects.may_be_absent = true;
	struct conf *conf = conf_load(harness_ctx(), harness_file("viewd.conf", text), &dialects, &problems);
	REQUIRE(conf != NULL);
	CHECK_INT(problems.n, 1);
	CHECK(problems.items[0].warning);
	CHECK_CONTAINS(problems.items[0].text, abi_words(9, VIEWD_ABI_MINOR));
	CHECK(offline_check(harness_ctx(), conf, &dialects, &problems));
	expect_log("database 'x', the plugin for bad is not there or cannot be used");
	struct conf_diff *diff = conf_diff_new(NULL, NULL, conf);
	engine_commit(rig->eng, conf, diff);
	talloc_free(diff);
	conf_unref(&conf);
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "d:a"), "ACTIVE IDLE SUCCEEDED");
	CHECK_STR(rig_words(rig, "x:a"), "FAILED IDLE NONE");
	CHECK_INT(rig_status(rig, "b").error->cls, VIEWD_ERR_PLUGIN);
	struct rig_report r = rig_refresh_now(rig, "d:a x:a b");
	CHECK_INT(r.items[0].result, VIEW_RESULT_SUCCEEDED);
	CHECK_INT(r.items[1].cls, VIEWD_ERR_PLUGIN);
	CHECK_INT(r.items[2].cls, VIEWD_ERR_PLUGIN);
	CHECK_INT(rig_create_now(rig, "b").items[0].cls, VIEWD_ERR_PLUGIN);
	rig_free(&rig);
}

/* ---- a plugin whose rows are shorter ----------------------------------------------------------------------------- */

static bool ignore_row(void *ctx UNUSED, const struct viewd_recorded *row UNUSED)
{
	return true;
}

static bool short_prepare(struct viewd_conn *conn, struct viewd_recorded_sink rows, struct viewd_err *err)
{
	/* Whatever stands in memory behind the end of the row is none of it. */
	struct viewd_recorded row = {.struct_size = offsetof(struct viewd_recorded, captured),
	                             .name = "a",
	                             .relation = "a",
	                             .method = VIEWD_METHOD_TABLE,
	                             .captured = true};
	struct viewd_recorded_sink nothing = {.fn = ignore_row};
	return viewd_dialect_fake.prepare(conn, nothing, err) && rows.fn(rows.ctx, &row);
}

static void plugin_with_shorter_rows(void)
{
	struct viewd_err err;
	struct rig *rig = rig_new();
	struct viewd_dialect shorter_rows = viewd_dialect_fake;
	shorter_rows.name = "fakeshort";
	shorter_rows.prepare = short_prepare;
	REQUIRE_OK(registry_add(rig->registry, &shorter_rows, &err), &err);
	rig_commit(rig, "[database d]\nurl = fakeshort://d\n" VIEW("a", "t_x") VIEW("b", "t_x"));
	rig_settle(rig);
	CHECK_STR(rig_words(rig, "a"), "ACTIVE IDLE SUCCEEDED");
	CHECK(!rig_view(rig, "a")->capture.set_up);
	rig_commit(rig, "[database d]\nurl = fakeshort://d\n" VIEW("b", "t_x"));
	rig_settle(rig);
	CHECK_INT(fake_kind("d", "a"), VIEWD_KIND_TABLE);
	rig_free(&rig);
}

/* Half a group would be called into the void. */
static void lacks_a_part_of_a_group(void)
{
	struct viewd_err err;
	struct rig *rig = rig_new();
	struct viewd_capture_ops deaf = *viewd_dialect_fake.capture;
	struct viewd_dialect half = viewd_dialect_fake;
	half.name = "fakehalf";
	half.capture = &deaf;
	deaf.watch_wake = NULL;
	CHECK(!registry_add(rig->registry, &half, &err));
	CHECK_INT(err.cls, VIEWD_ERR_PLUGIN);
	CHECK_CONTAINS(err.msg, "it lacks the function capture.watch_wake");
	static const struct viewd_thread_ops nothing = {.struct_size = sizeof nothing};
	half.capture = viewd_dialect_fake.capture;
	half.threads = &nothing;
	CHECK(!registry_add(rig->registry, &half, &err));
	CHECK_CONTAINS(err.msg, "it lacks the function threads.begin");
	rig_free(&rig);
}

static const struct harness_test tests[] = {
	{"a good one", good},
	{"another major version", versions},
	{"a newer minor version", newer_minor},
	{"an older one without optional fields", shorter},
	{"too short a description", too_short},
	{"no symbol", no_symbol},
	{"a wrong name", wrong_name},
	{"a function is lacking", lacks_a_function},
	{"a part of a group is lacking", lacks_a_part_of_a_group},
	{"an unresolved symbol", unresolved},
	{"a truncated file", truncated},
	{"not ELF", not_elf},
	{"an empty file", empty_file},
	{"a directory", directory},
	{"no file", absent},
	{"another scheme", schemes},
	{"an unknown scheme", unknown_scheme},
	{"many at once", many_at_once},
	{"a symbolic link", symlinked},
	{"writable by others", writable},
	{"a foreign owner", foreign_owner},
	{"names that are paths", names},
	{"the guide's example", the_guides_example},
	{"others go on without it", others_go_on},
	{"a plugin with shorter rows", plugin_with_shorter_rows},
};
HARNESS_MAIN(SUITE("loader", tests))
