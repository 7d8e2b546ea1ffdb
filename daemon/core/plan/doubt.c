/* SPDX-License-Identifier: MIT */
#include "core/plan/doubt.h"

#include "base/hash.h"
#include "base/mem.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* A view that cannot be computed before some objects are made. */
struct reader {
	struct doubt *of;
	size_t n_lacks; /* now */
};

/* One of them, which several views of the plan may make. */
struct lack {
	struct reader *of;
	bool met;
};

/* An object that may be the one. */
struct offer {
	struct lack *to;
	struct offer *next;
};

/* An object that the plan makes. */
struct made {
	struct doubt *of;
	struct offer *offers;
	struct made *next;   /* whose name is the same in small letters */
	struct made *behind; /* in the queue */
};

/* Made objects by their names in small letters. */
struct made_name {
	char *text;
	struct made *all;
	UT_hash_handle hh;
};

struct settling {
	void *mem;
	struct made_name *names;
	struct made **made; /* by number of the doubt; NULL: the plan makes nothing there */
};

const struct viewd_err *doubt_of(enum viewd_change change, const struct viewd_found *found)
{
	bool computes = change == VIEWD_CHANGE_CREATE || change == VIEWD_CHANGE_REPLACE ||
	                (change == VIEWD_CHANGE_ADOPT && !found->matches);
	return computes && found->unusable.err.cls != VIEWD_ERR_OK ? &found->unusable.err : NULL;
}

struct doubt_names doubt_names_of(const struct viewd_found *found)
{
	return (struct doubt_names){.schema = found->schema,
	                            .name = found->name,
	                            .bare = found->unusable.bare,
	                            .any_case = found->unusable.any_case};
}

struct doubt_names *doubt_names_copy(void *mem_ctx, const struct doubt_names *names)
{
	struct doubt_names *copy = mem_new(mem_ctx, struct doubt_names);
	*copy = *names;
	copy->schema = mem_strdup(copy, names->schema);
	copy->name = mem_strdup(copy, names->name);
	struct viewd_source *lacks = mem_array(copy, struct viewd_source, names->n_lacks);
	for (size_t i = 0; i < names->n_lacks; i++)
		lacks[i] = (struct viewd_source){.schema = mem_strdup(copy, names->lacks[i].schema),
		                                 .name = mem_strdup(copy, names->lacks[i].name)};
	copy->lacks = lacks;
	return copy;
}

/* ---- who lacks what ---------------------------------------------------------------------------------------------- */

static void to_small(char *text)
{
	for (char *p = text; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
}

static struct made_name *find_name(const struct settling *s, const char *name)
{
	char small[sizeof((struct viewd_found *)NULL)->name];
	struct made_name *found;
	snprintf(small, sizeof small, "%s", name);
	to_small(small);
	HASH_FIND_STR(s->names, small, found);
	return found;
}

static void add_name(struct settling *s, struct made *made)
{
	struct made_name *name = find_name(s, made->of->names.name);
	if (name == NULL) {
		name = mem_new(s->mem, struct made_name);
		name->text = mem_strdup(s->mem, made->of->names.name);
		to_small(name->text);
		HASH_ADD_KEYPTR(hh, s->names, name->text, strlen(name->text), name);
	}
	made->next = name->all;
	name->all = made;
}

/* A name without a schema leads to some schemas only. */
static bool is_lacked(const struct doubt_names *there, const struct viewd_source *lack)
{
	bool named = there->any_case || strcmp(there->name, lack->name) == 0;
	return named && (lack->schema[0] == '\0' ? there->bare : strcmp(there->schema, lack->schema) == 0);
}

static void find_offers(struct settling *s, struct lack *lack, const struct viewd_source *what)
{
	const struct doubt *reader = lack->of->of;
	const struct made_name *name = find_name(s, what->name);
	for (struct made *made = name != NULL ? name->all : NULL; made != NULL; made = made->next) {
		if (made->of == reader || strcmp(made->of->database, reader->database) != 0 ||
		    !is_lacked(&made->of->names, what))
			continue;
		struct offer *offer = mem_new(s->mem, struct offer);
		*offer = (struct offer){.to = lack, .next = made->offers};
		made->offers = offer;
	}
}

static void find_lacks(struct settling *s, struct doubt *doubt)
{
	size_t n = doubt->names.n_lacks;
	struct reader *reader = mem_new(s->mem, struct reader);
	struct lack *lacks = mem_array(s->mem, struct lack, n);
	*reader = (struct reader){.of = doubt, .n_lacks = n};
	for (size_t i = 0; i < n; i++) {
		lacks[i] = (struct lack){.of = reader};
		find_offers(s, &lacks[i], &doubt->names.lacks[i]);
	}
}

/* ---- what is made, and then what reads it ------------------------------------------------------------------------ */

static void begin(struct settling *s, struct doubt *all, size_t n)
{
	s->mem = talloc_new(NULL);
	s->made = mem_array(s->mem, struct made *, n);
	for (size_t i = 0; i < n; i++) {
		if (!all[i].made || all[i].names.name == NULL)
			continue;
		s->made[i] = mem_new(s->mem, struct made);
		s->made[i]->of = &all[i];
		add_name(s, s->made[i]);
	}
}

static void end(struct settling *s)
{
	HASH_CLEAR(hh, s->names);
	talloc_free(s->mem);
}

/* Returns the object of the reader, if the plan makes one and nothing is lacking any more. */
static struct made *take_offer(const struct settling *s, const struct doubt *all, const struct made *made,
                               struct lack *lack)
{
	struct reader *reader = lack->of;
	if (lack->met)
		return NULL;
	lack->met = true;
	if (--reader->n_lacks > 0)
		return NULL;
	reader->of->upstream = made->of;
	return s->made[reader->of - all];
}

void doubts_settle(struct doubt *all, size_t n)
{
	struct settling s = {.names = NULL};
	struct made *queue = NULL;
	begin(&s, all, n);
	for (size_t i = 0; i < n; i++)
		if (all[i].unusable != NULL && all[i].names.name != NULL)
			find_lacks(&s, &all[i]);
	for (size_t i = n; i-- > 0;)
		if (s.made[i] != NULL && all[i].unusable == NULL) {
			s.made[i]->behind = queue;
			queue = s.made[i];
		}
	while (queue != NULL) {
		struct made *made = queue;
		queue = made->behind;
		for (struct offer *offer = made->offers; offer != NULL; offer = offer->next) {
			struct made *next = take_offer(&s, all, made, offer->to);
			if (next == NULL)
				continue;
			next->behind = queue;
			queue = next;
		}
	}
	end(&s);
}
