/* SPDX-License-Identifier: MIT
 *
 * choose.c: chooses the way of noticing changes of a view's sources, and tells what it cannot see.
 */
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#include "base/err.h"
#include "postgresql/depends/shards.h"
#include "postgresql/pg.h"

/* Facts that are true of the relations of one source. */
struct source_facts {
	const char *source;
	bool may;        /* triggers may be made on all of them */
	bool foreign;    /* one is a foreign table */
	bool replica;    /* one is not owned: its trigger stays silent in replica sessions */
	bool subscribed; /* one is filled by logical replication */
	bool stored;     /* none can have triggers: a materialized view of somebody else, a system table */
	bool sharded;    /* its rows are in shards */
	bool counted;    /* the server counts what is written, in every session that its catalogue tells of */
	char *first_denied;
};

static bool take_facts_fn(void *ctx, const char *const *v, size_t n UNUSED)
{
	struct source_facts *facts = ctx;
	facts->stored = v[0][0] == 't';
	facts->may = v[1][0] == 't';
	facts->foreign = v[2][0] == 't';
	facts->replica = v[3][0] == 't';
	facts->subscribed = v[4][0] == 't';
	facts->counted = v[5][0] == 't';
	facts->sharded = v[7][0] == 't';
	facts->first_denied = talloc_strdup(facts, v[6] != NULL ? v[6] : "");
	return false;
}

static const struct db_reader take_facts[] = {{take_facts_fn, "ttttttTt", "the kind of a source"}};

/* clang-format off */
#define FACTS_SQL(sharded) \
	PG_TREE_SQL("SELECT $1::text") \
	" SELECT pg_catalog.count(*) = 0, coalesce(pg_catalog.bool_and(pg_catalog.has_table_privilege(c.oid, " \
	"'TRIGGER')), true)," \
	" coalesce(pg_catalog.bool_or(c.relkind = 'f'), false)," \
	" coalesce(pg_catalog.bool_or(NOT pg_catalog.pg_has_role(c.relowner, 'USAGE')), false)," \
	" coalesce(pg_catalog.bool_or(EXISTS (SELECT 1 FROM pg_catalog.pg_subscription_rel r WHERE r.srrelid = " \
	"c.oid)), false)," \
	" pg_catalog.current_setting('track_counts') = 'on' AND NOT EXISTS (SELECT 1 FROM " \
	"pg_catalog.pg_db_role_setting s" \
	"  WHERE s.setconfig && '{track_counts=off,track_counts=false,track_counts=no,track_counts=0}')," \
	" pg_catalog.min(pg_catalog.format('%I.%I', n.nspname, c.relname)) FILTER (WHERE NOT " \
	"pg_catalog.has_table_privilege(c.oid, 'TRIGGER'))" \
	", coalesce(pg_catalog.bool_or(" sharded "), false)" PG_TRIGGERS_SQL
/* clang-format on */

static struct source_facts *look_at_source(struct db *db, void *mem, const struct relation *rel, struct viewd_err *err)
{
	static const char sql[] = FACTS_SQL("false"), sharded_sql[] = FACTS_SQL(SHARDED_SQL("c.oid"));
	bool listed = false;
	if (!shards_listed(pg_of(db), &listed, err))
		return NULL;
	struct source_facts *facts = talloc_zero(mem, struct source_facts);
	facts->source = relation_quoted(db->syntax, facts, rel);
	const char *params[] = {facts->source};
	return pg_op_query(db, listed ? sharded_sql : sql, params, 1, take_facts, facts, err) ? facts : NULL;
}

static void warn(struct viewd_text_sink warnings, const char *source, const char *text)
{
	char line[700];
	snprintf(line, sizeof line, "%s %s (set max_staleness)", source, text);
	if (warnings.fn != NULL)
		warnings.fn(warnings.ctx, line);
}

static void warn_gaps(struct viewd_text_sink warnings, const struct source_facts *f, enum viewd_capture mode)
{
	if (f->stored)
		warn(warnings, f->source, "can have no triggers: its changes are not noticed");
	if (f->sharded)
		warn(warnings, f->source, "has its rows in shards: changes are not noticed");
	if (f->foreign)
		warn(warnings, f->source,
		     "is a foreign table or has one as a part: changes made on the other side are not noticed");
	if (mode == VIEWD_CAPTURE_TRIGGER && f->subscribed)
		warn(warnings, f->source, "is written by logical replication, which fires no statement triggers");
	if (mode == VIEWD_CAPTURE_TRIGGER && f->replica)
		warn(warnings, f->source,
		     "belongs to another role: writes with session_replication_role = replica are not noticed");
}

/* Why triggers will not do: *why_r is empty when they will. */
static void refuse_triggers(const struct source_facts *f, char *why, size_t size)
{
	if (!f->may)
		snprintf(why, size, "the role lacks TRIGGER on %s", f->first_denied);
	else if (f->subscribed)
		snprintf(why, size, "%s is written by logical replication", f->source);
}

/* The counters, or nothing. why: what is wrong with triggers; may be empty. */
static void decide_poll(const struct source_facts *facts, const char *why, struct viewd_captured *out)
{
	const char *because = why[0] != '\0' ? ", because " : "";
	out->mode = facts->counted ? VIEWD_CAPTURE_POLL : VIEWD_CAPTURE_NONE;
	if (facts->counted)
		snprintf(out->reason, sizeof out->reason, "the server's counters are read every second%s%s", because, why);
	else
		snprintf(out->reason, sizeof out->reason,
		         "the server does not count what is written (track_counts is off, for all or for a role)%s%s", because,
		         why);
}

static bool refuse_mode(const char *why, struct viewd_err *err)
{
	err_set(err, VIEWD_ERR_DENIED, "capture = trigger cannot work: %s", why);
	return err_hint(err, "GRANT TRIGGER ON the table TO the role, or capture = poll");
}

/* The server may refuse a trigger for reasons that no catalogue tells: whether it does is tried. What was made is found
 * again. */
static bool try_triggers(struct db *db, const struct relation *rel, char *why, size_t size, struct viewd_err *err)
{
	struct viewd_err failed = {0};
	if (pg_op_ready_triggers(db, rel, &failed))
		return true;
	if (failed.cls != VIEWD_ERR_DENIED && failed.cls != VIEWD_ERR_QUERY) {
		*err = failed;
		return false;
	}
	snprintf(why, size, "the server refuses a trigger (%.200s)", failed.msg);
	return true;
}

static bool decide(struct db *db, enum viewd_capture wanted, const struct relation *rel,
                   const struct source_facts *facts, struct viewd_captured *out, struct viewd_err *err)
{
	char why[400] = "";
	bool automatic = wanted == VIEWD_CAPTURE_AUTO;
	refuse_triggers(facts, why, sizeof why);
	if (automatic && why[0] == '\0' && !facts->stored && !facts->sharded &&
	    !try_triggers(db, rel, why, sizeof why, err))
		return false;
	if (facts->stored) {
		out->mode = VIEWD_CAPTURE_NONE;
		snprintf(out->reason, sizeof out->reason, "it can have no triggers");
	} else if (facts->sharded) {
		out->mode = VIEWD_CAPTURE_NONE;
		snprintf(out->reason, sizeof out->reason, SHARDS_UNHEARD);
	} else if (wanted == VIEWD_CAPTURE_POLL || (automatic && why[0] != '\0')) {
		decide_poll(facts, why, out);
	} else if (!facts->may) {
		return refuse_mode(why, err);
	} else {
		out->mode = VIEWD_CAPTURE_TRIGGER;
		snprintf(out->reason, sizeof out->reason, "statement triggers write a log, a notification wakes viewd");
	}
	return true;
}

bool pg_op_choose_capture(struct db *db, enum viewd_capture wanted, const struct relation *sources, size_t n,
                          struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err)
{
	if (wanted == VIEWD_CAPTURE_BINLOG) {
		err_set(err, VIEWD_ERR_CONFIG, "PostgreSQL cannot notice changes by binlog");
		return err_hint(err, "capture = trigger, poll or auto");
	}
	void *mem = talloc_new(NULL);
	bool good = true, polls = false;
	for (size_t i = 0; good && i < n; i++) {
		const struct source_facts *facts = look_at_source(db, mem, &sources[i], err);
		good = facts != NULL && decide(db, wanted, &sources[i], facts, &out[i], err);
		if (good)
			warn_gaps(warnings, facts, out[i].mode);
		polls |= good && out[i].mode == VIEWD_CAPTURE_POLL;
	}
	if (good && polls && warnings.fn != NULL)
		warnings.fn(
			warnings.ctx,
			"the server reports its counters some seconds late at times, and counts changes that were rolled back");
	talloc_free(mem);
	return good;
}
