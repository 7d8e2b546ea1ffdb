/* SPDX-License-Identifier: MIT
 *
 * shapes.h: views of many shapes under random writers, each refreshed by the dialect's library and then compared with
 * its definition byte by byte.
 *
 * One program an engine; tests/model/shapes.sh starts the server and sets:
 *   SHAPES_ENGINE   postgresql, mariadb or sqlite: which lines of the files count
 *   SHAPES_FILES    path of shapes.tables, shapes.views and shapes.writes without what follows the dot
 *   SHAPES_PLUGIN   path of viewd_X.so
 *   SHAPES_URL      database URL for the plugin
 *   SHAPES_TARGET   how a client reaches the database as its owner (sqlclient.h)
 *   SHAPES_OTHER    likewise, as an account that may only read and write rows; absent: the owner
 *   SHAPES_RESET    shell command: makes the database empty
 *   SHAPES_SEED     the same seed, the same statements; SHAPES_BATCHES, SHAPES_SECONDS: how long, at least and at most
 *   SHAPES_MODE     refresh mode that is asked for (incremental); where it is refused, auto
 *   SHAPES_GROUPS   so many views are refreshed as a group (1)
 *   SHAPES_ONLY     names of the shapes to take, separated by blanks; absent: all
 *   SHAPES_SHARE    3: only a third of the shapes; which, the seed says
 *   SHAPES_PLANT    a statement that is run after the refreshes of the second batch: the error that has to be found
 *   SHAPES_REDUCE   no: a difference is not reduced to a smaller case
 */
#ifndef VIEWD_TESTS_SHAPES_H
#define VIEWD_TESTS_SHAPES_H

#include "base/macros.h"
#include "support/sqlclient.h"
#include "viewd_dialect.h"

#define SHAPES_CLIENTS 3
#define SHAPES_GROUP_MAX 8
#define SHAPES_TEXT 262144 /* bytes of an answer */

/* ---- what the files say ---- */

/* One view. */
struct shape {
	const char *name; /* of the relation too */
	const char *definition;
	const char *const *key; /* unique_key */
	size_t n_key;
	const char *fold;  /* columns that show one of several equal spellings, separated by blanks: compared folded */
	const char *trim;  /* likewise, but only blanks at the end may differ */
	const char *bytes; /* select list that tells the bytes of a row; known once the view is there */
	enum viewd_refresh_mode mode;
	int64_t incremental, idle, other; /* refreshes that were incremental, had nothing to do, were of another kind */
	int64_t as_asked, all_rows;       /* refreshes by way of the logs, whether there was something to do, or not so */
	char refusal[768];                /* why it is not refreshed as asked */
};

struct shapes {
	struct shape *items;
	size_t n;
};

struct tables; /* statements that make the tables; and writes: what is done to them */

/* Reads the views of this engine. Ends the process when the file is wrong. */
struct shapes *shapes_read(void *mem, const char *path, const char *engine, const char *only);
/* The shapes whose names the definition contains, and shape itself. */
struct shapes *shapes_of(void *mem, const struct shapes *all, const struct shape *shape);
/* One of `share` of them, and what these read. */
struct shapes *shapes_share(void *mem, const struct shapes *all, size_t share, uint64_t from);

/* Lines of a file for this engine; a line that begins with a tab goes on. fn(ctx, line) is given each without its mark.
 */
void shapes_lines(void *mem, const char *path, const char *engine, void (*fn)(void *ctx, char *line), void *ctx);

/* ---- what happens ---- */

enum step_kind { STEP_SQL, STEP_CREATE, STEP_REFRESH };

/* Everything that happens is a step, so that it can be done again without some of them. */
struct step {
	enum step_kind kind;
	int client;       /* of a statement */
	const char *text; /* statement, or name of a shape */
	size_t batch;
	bool left_out;
};

struct steps {
	struct step *items;
	size_t n;
};

struct step *steps_add(struct steps *steps, enum step_kind kind, int client, const char *text, size_t batch);

/* ---- random statements ---- */

struct writes;

struct writes *writes_read(void *mem, const char *path, const char *engine, uint64_t seed);
/* The rows to begin with; a batch of transactions, some of them beside each other and some of them left open. */
void writes_fill(struct writes *writes, struct steps *out);
void writes_batch(struct writes *writes, size_t batch, bool last, struct steps *out);

/* ---- the database ---- */

struct world {
	const char *engine;
	const struct viewd_dialect *dialect;
	struct viewd_conn *conn;
	struct viewd_host host;
	struct viewd_database_spec db;
	struct sqlclient *clients[SHAPES_CLIENTS], *reader;
	struct shapes *shapes;
	bool failed; /* something that must not happen has been told */
	bool quiet;  /* nothing is told */
	int64_t errors, run_id;
	char *text, *wanted; /* SHAPES_TEXT bytes each */
};

const char *world_setting(const char *name, const char *otherwise);
/* An empty database with tables, connections and the shapes; no views yet. */
struct world *world_open(void *mem, const struct shapes *shapes);
void world_close(struct world **world);
/* A statement of a writer. An error that writers cause each other is counted, any other one is told. */
void world_write(struct world *world, int client, const char *sql);
/* How many logs hold sums. */
const char *world_sums(struct world *world);
/* Makes a view, and sees whether it is refreshed as asked. */
void world_create(struct world *world, struct shape *shape);
enum refreshed { REFRESHED, REFRESH_LATER, REFRESH_FAILED };
/* LATER: a writer's lock was in the way. A failure has been told. */
enum refreshed world_refresh(struct world *world, struct shape *shape);
void world_tell(struct world *world, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Finds out how the rows of the shape are compared. */
void compare_open(struct world *world, struct shape *shape);
/* Are the stored rows those of the definition? Else what differs is told. */
bool compare_shape(struct world *world, const struct shape *shape);

/* ---- running and reducing ---- */

/* Does the steps from a given one on. NULL: all was well; else the shape that differs, and which step told it. */
struct shape *steps_run(struct world *world, const struct steps *steps, size_t from, size_t *at_r);
/* Leaves out what the difference does not need, and tells what is left. */
void reduce(const struct shapes *all, const struct shape *shape, struct steps *steps, size_t n);

#endif
