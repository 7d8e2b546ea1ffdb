/* SPDX-License-Identifier: MIT */
#include "core/plan/decide.h"

#include "base/err.h"
#include "base/kind.h"
#include "base/words.h"
#include "core/model/model.h"

#include <stdio.h>
#include <string.h>

static void decide_say(struct decision *out, enum viewd_change change, const char *reason)
{
	out->change = change;
	snprintf(out->reason, sizeof out->reason, "%s", reason);
}

static void decide_refuse(struct decision *out, enum viewd_err_class cls, const char *hint)
{
	out->change = VIEWD_CHANGE_REFUSE;
	err_set(&out->err, cls, "%s", out->reason);
	err_hint(&out->err, "%s", hint);
}

static void decide_absent(const struct decide_settings *s, const struct viewd_found *found, struct decision *out)
{
	if (s->create_missing) {
		decide_say(out, VIEWD_CHANGE_CREATE,
		           found->recorded ? "it was made before and is gone" : "nothing of that name exists");
		return;
	}
	snprintf(out->reason, sizeof out->reason, "view '%s' does not exist any more", s->label);
	decide_refuse(out, VIEWD_ERR_MISSING, "viewctl create makes it again");
}

static bool is_adoptable(const struct viewd_found *found)
{
	return found->kind == VIEWD_KIND_VIEW || found->kind == VIEWD_KIND_MATVIEW;
}

/* An application's migration, most likely: undoing it is for people to decide. */
static void refuse_outside(const struct decide_settings *s, const struct viewd_found *found, struct decision *out,
                           const char *what)
{
	snprintf(out->reason, sizeof out->reason, "view '%s', %s", s->label, what);
	decide_refuse(out, VIEWD_ERR_EXISTS,
	              is_adoptable(found) ? "viewctl create VIEW --replace puts back what the files say; "
	                                    "viewctl adopt VIEW keeps what is there"
	                                  : "viewctl create VIEW --replace puts back what the files say");
}

/* In the place of an object that was viewd's. */
static void decide_usurped(const struct decide_settings *s, const struct viewd_found *found, struct decision *out)
{
	if (s->replace)
		decide_say(out, VIEWD_CHANGE_ADOPT, "somebody else's, and to be replaced");
	else if (found->copied && found->matches)
		decide_say(out, VIEWD_CHANGE_ADOPT,
		           "it came with a copy of the database, and its definition is the wanted one");
	else if (s->adopt && found->matches)
		decide_say(out, VIEWD_CHANGE_ADOPT, "adopt = yes, and its definition is the wanted one");
	else if (found->copied)
		refuse_outside(s, found, out,
		               "in this copy of the database its object has another definition than was recorded");
	else
		refuse_outside(s, found, out, "its object was replaced by somebody else");
}

/* Servers of another version may write the same definition in another way: that is no change. */
static void decide_altered(const struct decide_settings *s, const struct viewd_found *found, struct decision *out)
{
	if (s->replace)
		decide_say(out, VIEWD_CHANGE_REPLACE, "its definition was changed in the database");
	else if (found->matches && is_adoptable(found) && found->kind == kind_of_method(s->method))
		decide_say(out, VIEWD_CHANGE_ADOPT, "its definition in the database is the wanted one, written in another way");
	else
		refuse_outside(s, found, out, "its definition was changed in the database by somebody else");
}

static void decide_foreign(const struct decide_settings *s, const struct viewd_found *found, struct decision *out)
{
	bool adoptable = is_adoptable(found);
	if (adoptable && found->recorded) {
		decide_usurped(s, found, out);
		return;
	}
	if (s->adopt && adoptable) {
		decide_say(out, VIEWD_CHANGE_ADOPT,
		           found->matches ? "adopt = yes, and its definition is the wanted one"
		                          : "adopt = yes; its definition differs and will be replaced");
		return;
	}
	snprintf(out->reason, sizeof out->reason, "a %s of that name exists and was not made by viewd%s%s",
	         word_kind(found->kind), found->detail[0] != '\0' ? ": " : "", found->detail);
	decide_refuse(out, VIEWD_ERR_EXISTS,
	              adoptable ? "set adopt = yes to take it over, or choose another relation"
	                        : "choose another relation; viewd never takes over a table");
}

/* `viewctl adopt`: never a table, and nothing that is viewd's own already. */
static void decide_keep(const struct decide_settings *s, const struct viewd_found *found, struct decision *out)
{
	if (found->kind == VIEWD_KIND_NONE) {
		snprintf(out->reason, sizeof out->reason, "view '%s' has no object that could be adopted", s->label);
		decide_refuse(out, VIEWD_ERR_MISSING, "viewctl create makes it");
	} else if (found->ours && !found->touched_outside) {
		decide_say(out, VIEWD_CHANGE_NOTHING,
		           found->kept ? "it is adopted already" : "it is viewd's own: there is nothing to adopt");
	} else if (!is_adoptable(found)) {
		snprintf(out->reason, sizeof out->reason, "a %s is in the place of view '%s'", word_kind(found->kind),
		         s->label);
		decide_refuse(out, VIEWD_ERR_EXISTS, "choose another relation; viewd never takes over a table");
	} else if (found->matches && found->kind == kind_of_method(s->method)) {
		decide_say(out, VIEWD_CHANGE_ADOPT, "its definition is the wanted one");
	} else {
		decide_say(out, VIEWD_CHANGE_KEEP, "somebody else has made it, and it is kept as it is");
	}
}

static void decide_kept(const struct decide_settings *s, const struct viewd_found *found, struct decision *out)
{
	if (s->replace)
		decide_say(out, VIEWD_CHANGE_REPLACE, "somebody else has made it");
	else if (found->matches && found->kind == kind_of_method(s->method))
		decide_say(out, VIEWD_CHANGE_ADOPT, "the files say by now what is there");
	else
		decide_say(out, VIEWD_CHANGE_NOTHING,
		           "kept as somebody else has made it (viewctl adopt); the definition in the files is not used");
}

/* NULL when nothing differs; else the text, or one that is written into room. */
static const char *difference(const struct decide_settings *s, const struct viewd_found *found, char room[static 300])
{
	if (found->kind == VIEWD_KIND_MATVIEW && kind_of_method(s->method) == VIEWD_KIND_TABLE)
		return "the materialized view becomes a table; what reads it, indexes, grants and comments stay";
	if (found->kind != kind_of_method(s->method))
		return "its method changed";
	if (strcmp(found->recorded_hash, s->hash) != 0)
		return found->recorded_hash[0] == '\0' ? "its definition is not the one in the files"
		                                       : "its definition changed in the files";
	if (found->columns_differ[0] == '\0')
		return NULL;
	snprintf(room, 300, "its definition yields other columns than it has (%s)", found->columns_differ);
	return room;
}

static void decide_changed(const struct decide_settings *s, const char *what, struct decision *out)
{
	if (s->replace) {
		decide_say(out, VIEWD_CHANGE_REPLACE, what);
		return;
	}
	switch ((enum conf_on_configuration_change)s->policy) {
	case CONF_DIFFERS_APPLY:
		decide_say(out, VIEWD_CHANGE_REPLACE, what);
		return;
	case CONF_DIFFERS_CONTINUE:
		snprintf(out->reason, sizeof out->reason, "%s; kept as it is (on_configuration_change = continue)", what);
		out->change = VIEWD_CHANGE_NOTHING;
		return;
	case CONF_DIFFERS_FAIL:
		snprintf(out->reason, sizeof out->reason, "%s, and on_configuration_change = fail", what);
		decide_refuse(out, VIEWD_ERR_CONFIG, "undo the change, or set on_configuration_change = apply");
		return;
	}
}

static const char *locks_of(enum viewd_change change, uint64_t caps)
{
	switch (change) {
	case VIEWD_CHANGE_CREATE:
		return "none on existing objects";
	case VIEWD_CHANGE_REPLACE:
		return (caps & VIEWD_CAP_SINGLE_WRITER) != 0 ? "the whole database for writers until done; readers go on"
		                                             : "readers of the view wait for the exchange, not for the build";
	case VIEWD_CHANGE_REINDEX:
		return "writers of the view while an index is built";
	case VIEWD_CHANGE_DROP:
	case VIEWD_CHANGE_RENAME:
		return "readers of the view, briefly";
	case VIEWD_CHANGE_NOTHING:
	case VIEWD_CHANGE_ADOPT:
	case VIEWD_CHANGE_REFUSE:
	case VIEWD_CHANGE_KEEP:
	case VIEWD_CHANGE_COUNT:
		break;
	}
	return "";
}

void decide_rename(const char *what, uint64_t caps, struct decision *out)
{
	memset(out, 0, sizeof *out);
	decide_say(out, VIEWD_CHANGE_RENAME, what);
	out->locks = locks_of(out->change, caps);
}

void decide(const struct decide_settings *s, const struct viewd_found *found, uint64_t caps, struct decision *out)
{
	memset(out, 0, sizeof *out);
	const char *what;
	char room[300];
	if (s->keep)
		decide_keep(s, found, out);
	else if (found->kind == VIEWD_KIND_NONE)
		decide_absent(s, found, out);
	else if (!found->ours)
		decide_foreign(s, found, out);
	else if (found->touched_outside)
		decide_altered(s, found, out);
	else if (found->kept)
		decide_kept(s, found, out);
	else if ((what = difference(s, found, room)) != NULL)
		decide_changed(s, what, out);
	else if (strcmp(found->recorded_index_hash, s->index_hash) != 0 || !found->indexes_present)
		decide_say(out, VIEWD_CHANGE_REINDEX, "its declared indexes and grants are not all there as declared");
	else
		decide_say(out, VIEWD_CHANGE_NOTHING, "it is as configured");
	out->locks = locks_of(out->change, caps);
}
