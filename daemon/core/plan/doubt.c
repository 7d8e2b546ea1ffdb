/* SPDX-License-Identifier: MIT */
#include "core/plan/doubt.h"

#include "base/hash.h"
#include "base/mem.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

#define WORD_MAX 64 /* longer ones count by their beginning */

/* A view that cannot be computed before an object is made. */
struct reader {
	struct doubt *of;
	struct reader *next;
};

/* An object that the plan makes. */
struct made {
	struct doubt *of;
	struct reader *readers;
	struct made *next;   /* whose name begins with the same word */
	struct made *behind; /* in the queue */
};

/* Made objects by the first word of their names. */
struct first_word {
	char word[WORD_MAX];
	struct made *names;
	UT_hash_handle hh;
};

struct settling {
	void *mem;
	struct first_word *words;
	struct made **made; /* by number of the doubt; NULL: the plan makes nothing there */
};

const struct viewd_err *doubt_of(enum viewd_change change, const struct viewd_found *found)
{
	bool computes = change == VIEWD_CHANGE_CREATE || change == VIEWD_CHANGE_REPLACE ||
	                (change == VIEWD_CHANGE_ADOPT && !found->matches);
	return computes && found->unusable.cls != VIEWD_ERR_OK ? &found->unusable : NULL;
}

/* ---- names in messages: engines do not tell the missing one by itself -------------------------------------------- */

static bool is_word_part(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

/* Lower case; a name that begins with no word has its first character for one. Returns the length in the text. */
static size_t take_word(const char *text, char word[WORD_MAX])
{
	size_t len = 0;
	while (is_word_part(text[len]))
		len++;
	len += len == 0;
	memset(word, 0, WORD_MAX);
	for (size_t i = 0; i < len && i < WORD_MAX - 1; i++)
		word[i] = (char)tolower((unsigned char)text[i]);
	return len;
}

/* As whole words, in any case. */
static bool begins_with(const char *text, const char *name)
{
	size_t len = strlen(name);
	return strncasecmp(text, name, len) == 0 && !is_word_part(text[len]);
}

static const char *skip_quote(const char *text, const char *at)
{
	return at > text && strchr("\"`[", at[-1]) != NULL ? at - 1 : at;
}

/* A message that names the schema as well means that one. */
static bool is_of_schema(const char *text, const char *at, const char *schema)
{
	size_t len = strlen(schema);
	const char *after = skip_quote(text, at);
	if (len == 0 || after == text || after[-1] != '.')
		return true;
	const char *dot = after - 1;
	const char *end = dot > text && strchr("\"`]", dot[-1]) != NULL ? dot - 1 : dot;
	if ((size_t)(end - text) < len || strncasecmp(end - len, schema, len) != 0)
		return false;
	return end - len == text || !is_word_part(end[-1 - (ptrdiff_t)len]);
}

static void add_name(struct settling *s, struct made *made)
{
	char word[WORD_MAX];
	struct first_word *first;
	(void)take_word(made->of->name, word);
	HASH_FIND(hh, s->words, word, WORD_MAX, first);
	if (first == NULL) {
		first = mem_new(s->mem, struct first_word);
		memcpy(first->word, word, WORD_MAX);
		HASH_ADD(hh, s->words, word, WORD_MAX, first);
	}
	made->next = first->names;
	first->names = made;
}

static void add_reader(struct settling *s, struct doubt *reader, const char *at, const char *word)
{
	struct first_word *first;
	HASH_FIND(hh, s->words, word, WORD_MAX, first);
	for (struct made *made = first != NULL ? first->names : NULL; made != NULL; made = made->next) {
		if (made->of == reader || strcmp(made->of->database, reader->database) != 0 ||
		    !begins_with(at, made->of->name) || !is_of_schema(reader->unusable->msg, at, made->of->schema))
			continue;
		struct reader *r = mem_new(s->mem, struct reader);
		*r = (struct reader){.of = reader, .next = made->readers};
		made->readers = r;
	}
}

static void find_names(struct settling *s, struct doubt *reader)
{
	char word[WORD_MAX];
	for (const char *at = reader->unusable->msg; *at != '\0';) {
		size_t len = take_word(at, word);
		add_reader(s, reader, at, word);
		at += len;
	}
}

/* ---- what is made, and then what reads it ------------------------------------------------------------------------ */

static void begin(struct settling *s, struct doubt *all, size_t n)
{
	s->mem = talloc_new(NULL);
	s->made = mem_array(s->mem, struct made *, n);
	for (size_t i = 0; i < n; i++) {
		if (!all[i].made || all[i].name[0] == '\0')
			continue;
		s->made[i] = mem_new(s->mem, struct made);
		s->made[i]->of = &all[i];
		add_name(s, s->made[i]);
	}
}

static void end(struct settling *s)
{
	HASH_CLEAR(hh, s->words);
	talloc_free(s->mem);
}

void doubts_settle(struct doubt *all, size_t n)
{
	struct settling s = {.words = NULL};
	struct made *queue = NULL;
	begin(&s, all, n);
	for (size_t i = 0; i < n; i++)
		if (all[i].unusable != NULL && all[i].unusable->cls == VIEWD_ERR_MISSING)
			find_names(&s, &all[i]);
	for (size_t i = n; i-- > 0;)
		if (s.made[i] != NULL && all[i].unusable == NULL) {
			s.made[i]->behind = queue;
			queue = s.made[i];
		}
	while (queue != NULL) {
		struct made *made = queue;
		queue = made->behind;
		for (struct reader *r = made->readers; r != NULL; r = r->next) {
			struct made *next = s.made[r->of - all];
			if (r->of->upstream != NULL)
				continue;
			r->of->upstream = made->of;
			if (next == NULL)
				continue;
			next->behind = queue;
			queue = next;
		}
	}
	end(&s);
}
