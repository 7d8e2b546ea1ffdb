/* SPDX-License-Identifier: MIT
 *
 * json_schema.c: the schema of `status --json`, from the rows of status_fields.h.
 */
#include "ctl/answer/json_schema.h"

#include "base/words.h"
#include "core/model/view_words.h"
#include "ctl/answer/status_fields.h"
#include "ctl/text/text_out.h"

#include <stdbool.h>
#include <string.h>

#define SYMBOL(sym, doc) #sym,
#define SYMBOL_WORD(sym, word) word,
#define SYMBOL_HEARD(sym, word, doc) word,

static const char *const none[] = {NULL};
static const char *const states[] = {VIEW_STATES(SYMBOL) NULL};
static const char *const activities[] = {VIEW_ACTIVITIES(SYMBOL) NULL};
static const char *const results[] = {VIEW_RESULTS(SYMBOL) NULL};
static const char *const triggers[] = {VIEW_TRIGGERS(SYMBOL) NULL};
static const char *const freshnesses[] = {VIEW_FRESHNESSES(SYMBOL) NULL};
static const char *const actions[] = {VIEWD_DIDS(SYMBOL_WORD) NULL};
static const char *const methods[] = {VIEWD_METHODS(SYMBOL_WORD) NULL};
static const char *const modes[] = {VIEWD_MODES(SYMBOL_WORD) NULL};
static const char *const depends[] = {VIEWD_DEPENDS(SYMBOL_WORD) NULL};
static const char *const heard[] = {VIEWD_HEARD(SYMBOL_HEARD) NULL};

/* A kind of value. With words, they are all that it may be. */
struct kind {
	const char *type; /* of JSON; NULL: what rest says */
	const char *rest; /* members of its schema beside the type, each behind a comma; NULL: none */
	bool may_be_null;
};

#define LABELS ",\"items\":{\"type\":\"string\"}"

static const struct kind kind_TEXT = {"string", NULL, false};
static const struct kind kind_TEXT_OR_NULL = {"string", NULL, true};
static const struct kind kind_WORD = {"string", NULL, false};
static const struct kind kind_WORD_OR_NULL = {"string", NULL, true};
static const struct kind kind_TIME = {"string",
                                      ",\"pattern\":\"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
                                      "(\\\\.[0-9]+)?Z$\",\"format\":\"date-time\"",
                                      true};
static const struct kind kind_SECONDS = {"number", ",\"minimum\":0", true};
static const struct kind kind_MS = {"integer", ",\"minimum\":0", true};
static const struct kind kind_COUNT = {"integer", ",\"minimum\":0", true};
static const struct kind kind_YES_OR_NULL = {"boolean", NULL, true};
static const struct kind kind_UPSTREAM = {"array", LABELS, false};
static const struct kind kind_DOWNSTREAM = {"array", LABELS, false};
static const struct kind kind_ERROR = {"object", NULL, true};
static const struct kind kind_SOURCES = {"array", NULL, false};

struct field {
	const char *key;
	const struct kind *kind;
	const char *const *words;
	const char *doc; /* NULL: none */
};

static const struct field of_error[] = {
	{"class", &kind_TEXT, none, "what kind of failure"},
	{"code", &kind_TEXT_OR_NULL, none, "the engine's own code"},
	{"message", &kind_TEXT, none, NULL},
	{"hint", &kind_TEXT_OR_NULL, none, "what would help"},
	{0},
};
static const struct field of_source[] = {
	{"name", &kind_TEXT, none, NULL},
	{"kind", &kind_WORD, depends, NULL},
	{"heard_by", &kind_WORD_OR_NULL, heard, "null: nothing tells of its changes"},
	{"reason", &kind_TEXT_OR_NULL, none, "why it is heard so, or not at all"},
	{0},
};

#define FIELD(key, kind, words, value, doc) {#key, &kind_##kind, words, doc},
static const struct field fields[] = {STATUS_FIELDS(FIELD){0}};
#undef FIELD

static const struct field *parts_of(const struct field *f)
{
	return f->kind == &kind_ERROR ? of_error : f->kind == &kind_SOURCES ? of_source : NULL;
}

/* The words NONE and none stand for null. */
static bool is_said(const char *word)
{
	return strcmp(word, "NONE") != 0 && strcmp(word, "none") != 0;
}

static void put_words(struct text_out *out, const struct field *f)
{
	const char *before = ",\"enum\":[";
	for (const char *const *w = f->words; *w != NULL; w++) {
		if (!is_said(*w))
			continue;
		text_out_pair(out, before, *w);
		before = ",";
	}
	text_out_raw(out, f->kind->may_be_null ? ",null]" : "]");
}

static void put_field(struct text_out *out, const struct field *f)
{
	text_out_pair(out, f->kind->may_be_null ? "{\"type\":[" : "{\"type\":", f->kind->type);
	text_out_raw(out, f->kind->may_be_null ? ",\"null\"]" : "");
	text_out_raw(out, f->kind->rest != NULL ? f->kind->rest : "");
	if (f->words[0] != NULL)
		put_words(out, f);
	if (f->doc != NULL)
		text_out_pair(out, ",\"description\":", f->doc);
}

/* The members of an object's schema beside its type: exactly these fields, all of them. */
static void put_members(struct text_out *out, const struct field *list,
                        void (*put)(struct text_out *, const struct field *))
{
	text_out_raw(out, ",\"additionalProperties\":false,\"required\":[");
	for (const struct field *f = list; f->key != NULL; f++)
		text_out_pair(out, f > list ? "," : "", f->key);
	text_out_raw(out, "],\n\"properties\":{");
	for (const struct field *f = list; f->key != NULL; f++) {
		text_out_pair(out, f > list ? ",\n" : "\n", f->key);
		text_out_raw(out, ":");
		put(out, f);
		text_out_raw(out, "}");
	}
	text_out_raw(out, "}");
}

static void put_field_and_parts(struct text_out *out, const struct field *f)
{
	const struct field *parts = parts_of(f);
	bool in_array = strcmp(f->kind->type, "array") == 0;
	put_field(out, f);
	if (parts == NULL)
		return;
	text_out_raw(out, in_array ? ",\"items\":{\"type\":\"object\"" : "");
	put_members(out, parts, put_field);
	text_out_raw(out, in_array ? "}" : "");
}

int json_schema_status(FILE *out)
{
	struct text_out text = {0};
	text_out_raw(&text, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\n\"title\":\"viewctl status --json, "
	                    "GET /v1/status\",\n\"type\":\"array\",\n\"items\":{\"type\":\"object\"");
	put_members(&text, fields, put_field_and_parts);
	text_out_raw(&text, "}}\n");
	size_t written = fwrite(text.data, 1, text.len, out);
	bool good = written == text.len && fflush(out) == 0;
	text_out_free(&text);
	return good ? 0 : -1;
}

int json_schema_status_man(FILE *out)
{
	fputs(".SH FIELDS OF A VIEW\n"
	      "viewctl status \\-\\-json is an array with one object for each view, of exactly these fields.\n"
	      "Times are RFC 3339 in UTC. What is not known is null. The file status.schema.json in viewd's documentation\n"
	      "says the same to programs (JSON schema, draft 7).\n",
	      out);
	for (const struct field *f = fields; f->key != NULL; f++) {
		const char *before = "One of ";
		fprintf(out, ".TP\n.B %s\n%s.\n", f->key, f->doc);
		for (const char *const *w = f->words; *w != NULL; w++) {
			if (!is_said(*w))
				continue;
			fprintf(out, "%s%s%s\n", before, *w, w[1] != NULL ? "," : ".");
			before = "";
		}
	}
	return fflush(out) == 0 && ferror(out) == 0 ? 0 : -1;
}
