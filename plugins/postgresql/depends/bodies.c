/* SPDX-License-Identifier: MIT
 *
 * bodies.c: what functions in SQL read whose body is only text (PostgreSQL 14). The server parses it: it becomes the
 * body of a temporary function of the same name, in the form that is stored parsed, and is undone.
 *
 * The text is somebody else's. The extended protocol takes one statement only, so whatever ends the body early is a
 * syntax error; and parsing runs nothing of it.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "postgresql/depends/walk.h"

struct told {
	void *mem;
	char *path, *text, *create;
};

static char *copy_text(void *mem, const char *text)
{
	return text != NULL ? talloc_strdup(mem, text) : NULL;
}

static bool take_text_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct told *told = ctx;
	told->path = copy_text(told->mem, v[0]);
	told->text = copy_text(told->mem, v[1]);
	return false;
}

static const struct db_reader take_text[] = {{take_text_fn, "Tt", "the body of a function"}};

static bool take_create_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct told *told = ctx;
	told->create = copy_text(told->mem, v[0]);
	return false;
}

static const struct db_reader take_create[] = {{take_create_fn, "t", "how a function is made"}};

/* Names in the body mean what they mean where the function runs. */
static bool take_path(struct viewd_conn *conn, const char *oid, struct told *told, struct viewd_err *err)
{
	/* clang-format off */
	static const char sql[] =
		"SELECT (SELECT pg_catalog.substr(s, 13) FROM pg_catalog.unnest(proconfig) AS s WHERE s LIKE "
		"'search\\_path=%'), prosrc"
		" FROM pg_catalog.pg_proc WHERE oid = $1::oid";
	/* clang-format on */
	const char *params[] = {oid};
	if (!pg_op_query(&conn->db, sql, params, 1, take_text, told, err))
		return false;
	const char *path[] = {told->path};
	return told->path == NULL ||
	       pg_op_exec(&conn->db, "SELECT pg_catalog.set_config('search_path', $1, true)", path, 1, NULL, err);
}

/* A comment at the end of the body ends with its line. */
static bool make_function(struct viewd_conn *conn, const char *oid, struct told *told, struct viewd_err *err)
{
	static const char sql[] =
		"SELECT pg_catalog.format('CREATE FUNCTION pg_temp.%I(%s) RETURNS %s LANGUAGE sql BEGIN ATOMIC %s', proname,"
		" pg_catalog.pg_get_function_arguments(oid), pg_catalog.pg_get_function_result(oid), "
		"pg_catalog.regexp_replace(prosrc, ';\\s*$', ''))"
		" || pg_catalog.chr(10) || '; END' FROM pg_catalog.pg_proc WHERE oid = $1::oid AND prokind = 'f'";
	const char *params[] = {oid};
	return pg_op_query(&conn->db, sql, params, 1, take_create, told, err) &&
	       (told->create != NULL || err_set(err, VIEWD_ERR_MISSING, "the function is gone")) &&
	       pg_exec(conn, told->create, err);
}

static bool take_oid_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	snprintf(ctx, 16, "%s", v[0]);
	return false;
}

static const struct db_reader take_oid[] = {{take_oid_fn, "t", "a function that was made"}};

static bool find_made(struct viewd_conn *conn, char oid[static 16], struct viewd_err *err)
{
	return pg_op_query(&conn->db,
	                   "SELECT oid FROM pg_catalog.pg_proc WHERE pronamespace = pg_catalog.pg_my_temp_schema() ORDER "
	                   "BY xmin::text::bigint DESC, oid DESC",
	                   NULL, 0, take_oid, oid, err);
}

static bool go_through(struct walk *w, const char *oid, struct told *told, struct viewd_err *err)
{
	char made[16] = "";
	struct walk_start start = {.function = made};
	return take_path(w->conn, oid, told, err) && make_function(w->conn, oid, told, err) &&
	       find_made(w->conn, made, err) && walk_from(w, &start, err) && walk_literals(w, told->text, &start, err);
}

/* Failures that say something about the function, not about the session. */
static bool is_about_function(const struct viewd_err *failed)
{
	return failed->cls == VIEWD_ERR_QUERY || failed->cls == VIEWD_ERR_MISSING || failed->cls == VIEWD_ERR_DENIED ||
	       failed->cls == VIEWD_ERR_CONFIG || failed->cls == VIEWD_ERR_EXISTS;
}

static void give_up(struct walk *w, const char *source, bool immutable, const char *why)
{
	if (!immutable)
		walk_note(w, VIEWD_DEPENDS_FUNCTION, source,
		          talloc_asprintf(w->list->mem,
		                          "its body cannot be gone through, so what it reads is not known (%.120s)", why));
}

static bool one_body(struct walk *w, size_t i, struct viewd_err *err)
{
	char oid[16], *source = w->bodies[i].source;
	bool immutable = w->bodies[i].immutable; /* the array may move */
	struct viewd_err failed = {0};
	struct told told = {.mem = w->list->mem};
	snprintf(oid, sizeof oid, "%s", w->bodies[i].oid);
	if (PQserverVersion(w->conn->pg) < 140000) {
		give_up(w, source, immutable, "PostgreSQL 13 does not tell");
		return true;
	}
	if (!pg_exec(w->conn, "SAVEPOINT viewd_body", err))
		return false;
	bool good = go_through(w, oid, &told, &failed);
	if (!good && !is_about_function(&failed)) {
		if (err != NULL)
			*err = failed;
		return false;
	}
	pg_savepoint_undo(w->conn, "viewd_body");
	if (!good)
		give_up(w, source, immutable, failed.msg);
	return true;
}

bool walk_bodies(struct walk *w, struct viewd_err *err)
{
	while (w->n_done < w->n_bodies)
		if (!one_body(w, w->n_done++, err))
			return false;
	return true;
}
