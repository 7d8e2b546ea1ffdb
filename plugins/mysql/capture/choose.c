/* SPDX-License-Identifier: MIT
 *
 * choose.c: chooses the way of noticing changes of some sources, and tells what it cannot see.
 */
#include "mysql/capture/capture.h"
#include "mysql/depends/cascade.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "common/sqltext/sqltext.h"
#include "mysql/capture/binlog/binlog.h"
#include "mysql/capture/trigger_procedure.h"

static void warn(struct viewd_text_sink warnings, const char *text)
{
	if (warnings.fn != NULL)
		warnings.fn(warnings.ctx, text);
}

/* Tables whose engine has no transactions: their changes are seen before the statement that made them ends. */
static bool warn_of_engine(struct viewd_conn *conn, const struct relation *source, struct viewd_text_sink warnings,
                           struct viewd_err *err)
{
	void *mem = talloc_new(NULL);
	char *engine = NULL;
	char *sql =
		talloc_asprintf(mem, "SELECT ENGINE FROM information_schema.TABLES WHERE %s", my_where(conn, mem, source));
	bool done = my_query_text(conn, mem, sql, NULL, 0, &engine, err);

	if (done && engine != NULL && strcmp(engine, "InnoDB") != 0)
		warn(warnings,
		     talloc_asprintf(
				 mem,
				 "table %s has the engine %s: TRUNCATE and what a statement changed before it failed may go unnoticed",
				 relation_quoted(&my_syntax, mem, source), engine));
	talloc_free(mem);
	return done;
}

static bool warn_of_cascades(struct viewd_conn *conn, const struct relation *source, struct viewd_text_sink warnings,
                             struct viewd_err *err)
{
	struct cascades list = {.mem = talloc_new(NULL)};
	bool done = cascade_find(conn, source, &list, err);

	for (size_t i = 0; i < list.n && done; i++)
		warn(warnings,
		     talloc_asprintf(list.mem, "foreign keys write table %s from %s unseen: the latter is watched as well",
		                     relation_quoted(&my_syntax, list.mem, source),
		                     relation_quoted(&my_syntax, list.mem, &list.items[i].parent)));
	talloc_free(list.mem);
	return done;
}

static void warn_of_truncate(struct viewd_conn *conn, struct viewd_text_sink warnings)
{
	if (!tables_can_compare(conn))
		warn(warnings, "TRUNCATE goes unnoticed until max_staleness, because the account lacks PROCESS");
}

/* Writers of a table whose triggers' definer is gone are refused by the server. */
static bool warn_of_definer(struct viewd_conn *conn, const struct relation *source, struct viewd_text_sink warnings,
                            struct viewd_err *err)
{
	struct definer definer;

	if (!definer_enter(conn, source, &definer, err))
		return false;
	definer_leave(conn, &definer);
	if (definer.role)
		return true;
	char *text = talloc_asprintf(
		conn,
		"triggers run as %s: should it be dropped or lose TRIGGER, the server refuses writers of these tables (1449, "
		"1142)%s%s",
		definer.name, definer.lacks[0] != '\0' ? "; role " DEFINER_ROLE " is not used, it lacks " : "", definer.lacks);
	warn(warnings, text);
	talloc_free(text);
	return true;
}

/* comment: why no binlog, or that it would do. */
static bool choose_trigger(struct viewd_conn *conn, const char *comment, struct viewd_captured *out,
                           struct viewd_text_sink warnings)
{
	out->mode = VIEWD_CAPTURE_TRIGGER;
	snprintf(out->reason, sizeof out->reason, "row triggers write a log that is read several times a second (%.150s)",
	         comment);
	warn(warnings, "every changed row costs writers one more row in viewd_changes; triggers do not fire for what a "
	               "replica applies row by row");
	warn_of_truncate(conn, warnings);
	return true;
}

static bool choose_binlog(struct viewd_conn *conn, struct viewd_captured *out, struct viewd_text_sink warnings,
                          struct viewd_err *err)
{
	int64_t sync;

	out->mode = VIEWD_CAPTURE_BINLOG;
	snprintf(out->reason, sizeof out->reason, "the binary log tells at each commit, without any cost for writers");
	if (!my_query_int(conn, "SELECT @@global.sync_binlog", NULL, 0, &sync, err))
		return false;
	if (sync != 1)
		warn(warnings, "sync_binlog is not 1: a crash of the machine can lose the last changes from the binary log but "
		               "not from the tables,"
		               " which goes unnoticed until max_staleness");
	return true;
}

static bool choose_poll(struct viewd_conn *conn, struct viewd_captured *out, struct viewd_text_sink warnings)
{
	out->mode = VIEWD_CAPTURE_POLL;
	snprintf(out->reason, sizeof out->reason, "UPDATE_TIME is looked at every two seconds");
	warn(warnings, "UPDATE_TIME counts seconds and is forgotten at a restart: a burst of changes is refreshed twice, "
	               "and after a restart once more");
	warn_of_truncate(conn, warnings);
	return true;
}

static bool refuse_binlog(enum viewd_err_class cls, const char *why, struct viewd_err *err)
{
	err_set(err, cls, "changes cannot be noticed by the binary log (%s)", why);
	return err_hint(
		err, "the server needs log_bin and binlog_format = ROW without filters, the account REPLICATION SLAVE and%s",
		" BINLOG MONITOR (MySQL: REPLICATION CLIENT); or capture = trigger");
}

/* The server as a whole: may it be followed by its binary log? why says what is missing. */
struct server {
	bool binlog;
	enum viewd_err_class cls;
	char why[160];
	bool trusts; /* ordinary accounts may make triggers */
};

static bool find_server(struct viewd_conn *conn, struct server *out, struct viewd_err *err)
{
	int64_t distrusts;

	*out = (struct server){.binlog = false};
	if (!binlog_usable(conn, &out->cls, out->why, err) ||
	    !my_query_int(conn, "SELECT @@global.log_bin = 1 AND @@global.log_bin_trust_function_creators = 0", NULL, 0,
	                  &distrusts, err))
		return false;
	out->binlog = out->cls == VIEWD_ERR_OK;
	out->trusts = distrusts == 0;
	return true;
}

/* Where triggers cannot be made there is still something to look at. An administrator's account is let through by the
 * server: its trigger is not refused, so nothing falls back in vain. */
static bool choose_trigger_or_poll(struct viewd_conn *conn, const struct server *server, const struct relation *source,
                                   struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	char comment[sizeof server->why + 16];
	bool may = false;

	snprintf(comment, sizeof comment, "no binlog: %s", server->why);
	if (!definer_may(conn, source, &may, err))
		return false;
	if (may && server->trusts)
		return choose_trigger(conn, comment, out, warnings);
	if (!choose_poll(conn, out, warnings))
		return false;
	size_t len = strlen(out->reason);
	snprintf(out->reason + len, sizeof out->reason - len, " (%.100s; no triggers: %s)", comment,
	         may ? "log_bin_trust_function_creators is off" : "the account lacks TRIGGER or CREATE ROUTINE there");
	return true;
}

static bool choose(struct viewd_conn *conn, enum viewd_capture wanted, const struct server *server,
                   const struct relation *source, struct viewd_captured *out, struct viewd_text_sink warnings,
                   struct viewd_err *err)
{
	if (wanted == VIEWD_CAPTURE_POLL)
		return choose_poll(conn, out, warnings);
	if (wanted == VIEWD_CAPTURE_TRIGGER)
		return choose_trigger(
			conn, server->binlog ? "capture = binlog would work as well, at no cost for writers" : server->why, out,
			warnings);
	if (server->binlog)
		return binlog_begin(conn, err) && choose_binlog(conn, out, warnings, err);
	if (wanted == VIEWD_CAPTURE_BINLOG)
		return refuse_binlog(server->cls, server->why, err);
	return choose_trigger_or_poll(conn, server, source, out, warnings, err);
}

/* A sentence that was said of one source is not said again of another. */
struct once {
	struct viewd_text_sink to;
	struct texts said;
};

static bool say_once(void *ctx, const char *text)
{
	struct once *once = ctx;
	const char *const value[] = {text};

	return texts_contain(&once->said, text) || (texts_keep(&once->said, value, 1) && once->to.fn(once->to.ctx, text));
}

static bool choose_one(struct viewd_conn *conn, enum viewd_capture wanted, const struct server *server,
                       const struct relation *source, struct viewd_captured *out, struct viewd_text_sink warnings,
                       struct viewd_err *err)
{
	return choose(conn, wanted, server, source, out, warnings, err) && warn_of_engine(conn, source, warnings, err) &&
	       (out->mode != VIEWD_CAPTURE_TRIGGER || warn_of_definer(conn, source, warnings, err)) &&
	       (out->mode == VIEWD_CAPTURE_POLL || warn_of_cascades(conn, source, warnings, err));
}

bool my_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                       struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	struct viewd_conn *conn = my_conn(db);
	struct once once = {.to = warnings, .said = {.mem = talloc_new(NULL)}};
	struct viewd_text_sink sink = {warnings.fn != NULL ? say_once : NULL, &once};
	struct server server = {.trusts = true};
	bool good = wanted == VIEWD_CAPTURE_POLL || find_server(conn, &server, err);

	for (size_t i = 0; i < n && good; i++)
		good = choose_one(conn, wanted, &server, &sources[i], &out[i], sink, err);
	talloc_free(once.said.mem);
	return good;
}
