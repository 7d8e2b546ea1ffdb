/* SPDX-License-Identifier: MIT
 *
 * world.c: one database, its writers, and the dialect's library that keeps views in it.
 */
#include "model/shapes/shapes.h"

#include "base/clock.h"
#include "base/err.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

const char *world_setting(const char *name, const char *otherwise)
{
	const char *value = getenv(name);
	if (value != NULL && value[0] != '\0')
		return value;
	if (otherwise != NULL)
		return otherwise[0] != '\0' ? otherwise : NULL;
	fprintf(stderr, "shapes: %s is not set\n", name);
	exit(EXIT_FAILURE);
}

void world_tell(struct world *world, const char *fmt, ...)
{
	va_list ap;
	world->failed = true;
	if (world->quiet)
		return;
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
}

/* ---- the host ---- */

static void on_log(void *ctx UNUSED, enum viewd_log_level level, const char *msg)
{
	if (level <= VIEWD_LOG_WARNING && getenv("SHAPES_VERBOSE") != NULL)
		fprintf(stderr, "# %s\n", msg);
}

static int64_t on_now(void *ctx UNUSED)
{
	return clock_system()->wall(clock_system());
}

static void on_failpoint(void *ctx UNUSED, const char *place UNUSED)
{
}

static void die(const char *what, const struct viewd_err *err)
{
	fprintf(stderr, "shapes: %s (%s)\n", what, err->msg);
	exit(EXIT_FAILURE);
}

static void open_plugin(struct world *world)
{
	struct viewd_err err = {0};
	void *handle = dlopen(world_setting("SHAPES_PLUGIN", NULL), RTLD_NOW | RTLD_LOCAL);
	world->dialect = handle != NULL ? dlsym(handle, "viewd_dialect") : NULL;
	if (world->dialect == NULL) {
		fprintf(stderr, "shapes: the plugin does not load (%s)\n", dlerror());
		exit(EXIT_FAILURE);
	}
	world->host = (struct viewd_host){.struct_size = sizeof world->host,
	                                  .abi_major = VIEWD_ABI_MAJOR,
	                                  .abi_minor = VIEWD_ABI_MINOR,
	                                  .log = on_log,
	                                  .now = on_now,
	                                  .failpoint = on_failpoint};
	world->db = (struct viewd_database_spec){.struct_size = sizeof world->db,
	                                         .name = "shapes",
	                                         .url = world_setting("SHAPES_URL", NULL),
	                                         .base_dir = "/",
	                                         .connect_timeout_us = 10000000,
	                                         .application_name = "viewd:shapes"};
	if (world->dialect->threads != NULL)
		world->dialect->threads->begin();
	world->conn = world->dialect->open(&world->host, &world->db, &err);
	if (world->conn == NULL || !world->dialect->prepare(world->conn, (struct viewd_recorded_sink){0}, &err))
		die("the database is not reached", &err);
}

/* ---- writers ---- */

/* A client's settings that keep it from ever waiting: one thread plays all clients. */
static void set_up(const struct world *world, struct sqlclient *client)
{
	static const char *const settings[][3] = {
		{"postgresql", "SET lock_timeout = '20ms'; SET client_min_messages = error", ""},
		{"mariadb", "SET NAMES utf8mb4", "SET SESSION lock_wait_timeout = 0, innodb_lock_wait_timeout = 0"},
		{"sqlite", "PRAGMA busy_timeout = 0", "PRAGMA foreign_keys = on"},
	};
	for (size_t i = 0; i < ARRAY_LEN(settings); i++)
		for (size_t k = 1; k < 3; k++)
			if (strcmp(settings[i][0], world->engine) == 0 && settings[i][k][0] != '\0' &&
			    !sqlclient_run(client, settings[i][k], world->text, SHAPES_TEXT)) {
				fprintf(stderr, "shapes: %s (%s)\n", settings[i][k], world->text);
				exit(EXIT_FAILURE);
			}
}

/* Failures that writers cause each other, or themselves. */
static bool is_their_own(const char *message)
{
	static const char *const known[] = {
		"duplicate key",
		"Duplicate entry",
		"cannot be null",
		"contains null values",
		"NOT NULL constraint failed",
		"UNIQUE constraint failed",
		"violates",
		"foreign key constraint",
		"FOREIGN KEY constraint failed",
		"lock timeout",
		"Lock wait timeout",
		"deadlock",
		"Deadlock",
		"is locked",
		"current transaction is aborted",
		"must be owner",
		"no transaction is active",
		"no such savepoint",
		"SAVEPOINT s does not exist",
		"savepoint \"s\" does not exist",
		"transaction within a transaction",
		"can only be used in transaction blocks",
		"permission denied for",
		"command denied",
		"pending trigger events",
		"is being used by active queries",
		"already exists",
		"does not exist",
		"Duplicate key name",
		"Can't DROP",
		"is already a partition",
		"is not a partition",
		"no partition of relation",
		"has no partition for value",
		"would overlap",
		"does not match a partition",
		"database table is locked",
		"could not serialize",
		"Record has changed since last read",
	};
	if (strstr(message, "viewd") != NULL)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strstr(message, known[i]) != NULL)
			return true;
	return false;
}

void world_write(struct world *world, int client, const char *sql)
{
	if (sqlclient_run(world->clients[client], sql, world->text, SHAPES_TEXT))
		return;
	world->errors++;
	if (getenv("SHAPES_VERBOSE") != NULL)
		fprintf(stderr, "# writer %d, %s: %s\n", client, sql, world->text);
	if (!is_their_own(world->text))
		world_tell(world, "a writer's statement failed: %s\n\t%s", sql, world->text);
}

/* ---- opening ---- */

static void make_table(void *ctx, char *line)
{
	struct world *world = ctx;
	if (!sqlclient_run(world->clients[0], line, world->text, SHAPES_TEXT)) {
		fprintf(stderr, "shapes: %s (%s)\n", line, world->text);
		exit(EXIT_FAILURE);
	}
}

static int closed(struct world *world)
{
	for (size_t i = 0; i < SHAPES_CLIENTS; i++)
		sqlclient_close(&world->clients[i]);
	sqlclient_close(&world->reader);
	world->dialect->close(&world->conn);
	return 0;
}

struct world *world_open(void *mem, const struct shapes *shapes)
{
	struct world *world = talloc_zero(mem, struct world);
	const char *target = world_setting("SHAPES_TARGET", NULL);
	world->engine = world_setting("SHAPES_ENGINE", NULL);
	world->text = talloc_zero_size(world, SHAPES_TEXT);
	world->wanted = talloc_zero_size(world, SHAPES_TEXT);
	world->shapes = talloc_zero(world, struct shapes);
	world->shapes->items = talloc_memdup(world, shapes->items, shapes->n * sizeof shapes->items[0]);
	world->shapes->n = shapes->n;
	if (system(world_setting("SHAPES_RESET", NULL)) != 0) { // NOLINT(concurrency-mt-unsafe)
		fprintf(stderr, "shapes: the database cannot be made empty\n");
		exit(EXIT_FAILURE);
	}
	for (size_t i = 0; i < SHAPES_CLIENTS; i++) {
		world->clients[i] = sqlclient_open(i == 1 ? world_setting("SHAPES_OTHER", target) : target);
		set_up(world, world->clients[i]);
	}
	world->reader = sqlclient_open(target);
	shapes_lines(world, talloc_asprintf(world, "%s.tables", world_setting("SHAPES_FILES", NULL)), world->engine,
	             make_table, world);
	open_plugin(world);
	talloc_set_destructor(world, closed);
	return world;
}

void world_close(struct world **world)
{
	TALLOC_FREE(*world);
}

/* ---- views ---- */

static enum viewd_refresh_mode wanted_mode(const struct shape *shape)
{
	const char *word = world_setting("SHAPES_MODE", "incremental");
	if (strcmp(word, "diff") == 0)
		return shape->n_key > 0 ? VIEWD_MODE_DIFF : VIEWD_MODE_FULL;
	if (strcmp(word, "full") == 0)
		return VIEWD_MODE_FULL;
	return strcmp(word, "auto") == 0 ? VIEWD_MODE_AUTO : VIEWD_MODE_INCREMENTAL;
}

static struct viewd_view_spec spec_of(const struct shape *shape)
{
	return (struct viewd_view_spec){
		.struct_size = sizeof(struct viewd_view_spec),
		.name = shape->name,
		.relation = shape->name,
		.definition = shape->definition,
		.method = VIEWD_METHOD_TABLE,
		.mode = shape->mode,
		.unique_key = shape->key,
		.n_unique_key = shape->n_key,
		.materialized_as_table = true,
		.with_data = true,
		.on_remove = VIEWD_REMOVE_KEEP,
		.timeout_us = 60000000,
		.lock_timeout_us = 300000,
	};
}

static bool refresh_alone(struct world *world, struct shape *shape, struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_view_spec spec = spec_of(shape);
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = ++world->run_id};
	*err = (struct viewd_err){0};
	return world->dialect->refresh(world->conn, &spec, &req, out, err);
}

/* ---- groups ---- */

/* Can the view be in a group beside others that are kept incrementally? */
static bool may_join(const struct world *world, const struct shape *shape)
{
	return shape->bytes != NULL && (strcmp(world->engine, "mariadb") != 0 || shape->mode == VIEWD_MODE_INCREMENTAL);
}

/* SHAPES_GROUPS views that follow each other in the file are a group: a view stands behind those that it reads. */
static size_t members_of(const struct world *world, struct shape *shape, struct shape *members[SHAPES_GROUP_MAX])
{
	size_t size = strtoul(world_setting("SHAPES_GROUPS", "1"), NULL, 10), n = 0;
	size = size < 1 ? 1 : size > SHAPES_GROUP_MAX ? SHAPES_GROUP_MAX : size;
	size_t from = (size_t)(shape - world->shapes->items) / size * size;
	for (size_t i = from; i < from + size && i < world->shapes->n; i++)
		if (may_join(world, &world->shapes->items[i]))
			members[n++] = &world->shapes->items[i];
	return may_join(world, shape) ? n : 0;
}

static bool refresh_group(struct world *world, const struct shape *shape, struct shape *const *members, size_t n,
                          struct viewd_outcome *out, struct viewd_err *err)
{
	struct viewd_refresh_request req = {.struct_size = sizeof req, .trigger = "MANUAL", .run_id = ++world->run_id};
	struct viewd_view_spec specs[SHAPES_GROUP_MAX];
	struct viewd_outcome outcomes[SHAPES_GROUP_MAX];
	struct viewd_group_item items[SHAPES_GROUP_MAX];
	const struct viewd_group_item *list[SHAPES_GROUP_MAX] = {NULL};
	size_t failed;
	for (size_t i = 0; i < n; i++) {
		specs[i] = spec_of(members[i]);
		specs[i].refresh_group = "g";
		items[i] = (struct viewd_group_item){
			.struct_size = sizeof items[i], .view = &specs[i], .request = &req, .outcome = &outcomes[i]};
		list[i] = &items[i];
	}
	*err = (struct viewd_err){0};
	if (!world->dialect->refresh_group(world->conn, list, n, &failed, err))
		return false;
	for (size_t i = 0; i < n; i++)
		if (members[i] == shape)
			*out = outcomes[i];
	return true;
}

static bool refresh(struct world *world, struct shape *shape, struct viewd_outcome *out, struct viewd_err *err)
{
	struct shape *members[SHAPES_GROUP_MAX];
	size_t n = members_of(world, shape, members);
	return n > 1 ? refresh_group(world, shape, members, n, out, err) : refresh_alone(world, shape, out, err);
}

/* The logs of half of the views hold sums where they can, whether that pays or not. */
static void learn_sums(struct world *world, const struct shape *shape)
{
	uint64_t hash = strtoull(world_setting("SHAPES_SEED", "1"), NULL, 10);
	for (const char *at = shape->name; *at != '\0'; at++)
		hash = (hash ^ (unsigned char)*at) * UINT64_C(0x100000001b3);
	if (strcmp(world->engine, "postgresql") != 0 || (hash >> 24) % 2 == 0)
		return;
	char *sql =
		talloc_asprintf(world,
	                    "INSERT INTO viewd.learnt (view, fact, digest, text, learnt_time) VALUES ('%s', 'sums', "
	                    "encode(sha256(convert_to($viewd$%s$viewd$, 'UTF8')), 'hex'), 'sums', now())",
	                    shape->name, shape->definition);
	if (!sqlclient_run(world->reader, sql, world->text, SHAPES_TEXT))
		world_tell(world, "view %s is not to have sums: %s", shape->name, world->text);
	talloc_free(sql);
}

const char *world_sums(struct world *world)
{
	bool asked =
		strcmp(world->engine, "postgresql") == 0 &&
		sqlclient_run(world->reader, "SELECT count(*) FROM viewd.change_logs WHERE columns LIKE 'viewd_sums %'",
	                  world->text, SHAPES_TEXT);
	return asked ? strtok(world->text, "\n") : "0"; // NOLINT(concurrency-mt-unsafe)
}

void world_create(struct world *world, struct shape *shape)
{
	struct viewd_outcome out = {0};
	struct viewd_err err = {0};
	shape->mode = wanted_mode(shape);
	struct viewd_view_spec spec = spec_of(shape);
	bool made = world->dialect->apply(world->conn, &spec, VIEWD_CHANGE_CREATE, &out, &err);
	if (made)
		learn_sums(world, shape);
	bool filled = made && refresh(world, shape, &out, &err);
	if (!filled && err.cls == VIEWD_ERR_CONFIG) {
		snprintf(shape->refusal, sizeof shape->refusal, "%s", err.msg);
		shape->mode = VIEWD_MODE_AUTO;
		spec = spec_of(shape);
		made = made || world->dialect->apply(world->conn, &spec, VIEWD_CHANGE_CREATE, &out, &err);
		filled = made && refresh(world, shape, &out, &err);
	}
	if (!filled)
		world_tell(world, "view %s cannot be made (%s: %s)", shape->name, err_class_word(err.cls), err.msg);
	else
		compare_open(world, shape);
}

static void count(const struct world *world, struct shape *shape, const struct viewd_outcome *out)
{
	if (out->did == VIEWD_DID_INCREMENTAL)
		shape->incremental++;
	else if (out->did == VIEWD_DID_NO_DATA)
		shape->idle++;
	else
		shape->other++;
	if (strncmp(out->reason, "incremental", strlen("incremental")) == 0)
		shape->as_asked++;
	else
		shape->all_rows++;
	if (getenv("SHAPES_VERBOSE") != NULL && !world->quiet)
		fprintf(stderr, "# %s: %s\n", shape->name, out->reason);
}

enum refreshed world_refresh(struct world *world, struct shape *shape)
{
	struct viewd_outcome out = {0};
	struct viewd_err err;
	if (shape->bytes == NULL)
		return REFRESH_LATER;
	if (refresh(world, shape, &out, &err)) {
		count(world, shape, &out);
		return REFRESHED;
	}
	if (err.cls == VIEWD_ERR_CONFLICT)
		return REFRESH_LATER;
	world_tell(world, "view %s: the refresh failed (%s: %s)", shape->name, err_class_word(err.cls), err.msg);
	return REFRESH_FAILED;
}
