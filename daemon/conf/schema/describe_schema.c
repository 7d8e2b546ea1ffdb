/* SPDX-License-Identifier: MIT
 *
 * describe_schema.c: the option tables as a JSON schema, for editors and for programs that write configurations. A file
 * is seen as an object of sections, each an object of texts.
 */
#include "conf/schema/describe.h"

#include "conf/schema/option_types.h"
#include "conf/schema/schema.h"

#include <string.h>

#define NAME_PATTERN "[a-z0-9_.-]+"

static void put_string(FILE *out, const char *text)
{
	fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		if ((unsigned char)*text < 0x20)
			fprintf(out, "\\u%04x", (unsigned)*text);
		else
			fputc(*text, out);
	}
	fputc('"', out);
}

static void put_enum(FILE *out, const char *const *words, size_t n)
{
	fputs(",\"enum\":[", out);
	for (size_t i = 0; i < n; i++) {
		fputs(i > 0 ? "," : "", out);
		put_string(out, words[i]);
	}
	fputs("]", out);
}

static void put_choices(FILE *out, const struct option_choice *choices)
{
	fputs(",\"enum\":[", out);
	for (const struct option_choice *c = choices; c->word != NULL; c++) {
		fputs(c > choices ? "," : "", out);
		put_string(out, c->word);
	}
	fputs("]", out);
}

static void put_values(FILE *out, const struct option_row *row)
{
	static const char *const yes_no[] = {"yes", "no", "true", "false", "on", "off"};
	if (row->type == OPTION_BOOL)
		put_enum(out, yes_no, ARRAY_LEN(yes_no));
	else if (row->choices != NULL)
		put_choices(out, row->choices);
	else if (row->type == OPTION_INT)
		fputs(",\"pattern\":\"^-?[0-9]+$\"", out);
	else if (row->type == OPTION_SPAN)
		fputs(",\"pattern\":\"^(0|([0-9]+(us|ms|s|m|h|d|w))+)$\"", out);
}

static void put_documented(FILE *out, const char *help, const char *doc, const char *dflt)
{
	fputs(",\"title\":", out);
	put_string(out, help);
	fputs(",\"description\":", out);
	put_string(out, doc);
	if (dflt != NULL && dflt[0] != '\0') {
		fputs(",\"default\":", out);
		put_string(out, dflt);
	}
	fputs("}", out);
}

static void put_row(FILE *out, const struct option_row *row)
{
	fputs("{\"type\":\"string\"", out);
	put_values(out, row);
	put_documented(out, row->help, row->doc, row->dflt);
}

/* "definition_file_*" -> "^definition_file_" */
static void put_key(FILE *out, const struct option_row *row)
{
	if ((row->flags & OPTION_DYNAMIC) == 0)
		put_string(out, row->key);
	else
		fprintf(out, "\"^%.*s%s$\"", (int)strlen(row->key) - 1, row->key, NAME_PATTERN);
}

/* The rows whose flags are these, of those that mask names. Returns how many those are. */
static size_t put_rows(FILE *out, const struct option_table *table, unsigned mask, unsigned flags)
{
	size_t n = 0;
	for (size_t i = 0; i < table->n; i++) {
		if ((table->rows[i].flags & mask) != flags)
			continue;
		fputs(n++ > 0 ? ",\n" : "\n", out);
		put_key(out, &table->rows[i]);
		fputs(":", out);
		put_row(out, &table->rows[i]);
	}
	return n;
}

static bool is_known(const struct conf_dialect *dialects, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < dialects[i].n_options; k++)
			if (strcmp(dialects[i].options[k].key, key) == 0)
				return true;
	return false;
}

/* A key that several dialects have is described once. */
static void put_dialects(FILE *out, const struct conf_dialect *dialects, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < dialects[i].n_options; k++) {
			const struct viewd_dialect_option *o = &dialects[i].options[k];
			if (is_known(dialects, i, o->key))
				continue;
			fputs(",\n", out);
			put_string(out, o->key);
			fputs(":{\"type\":\"string\"", out);
			put_documented(out, o->help, o->doc, o->default_value);
		}
}

static void put_section(FILE *out, const struct option_table *table, unsigned without,
                        const struct conf_dialect *dialects, size_t n_dialects)
{
	fputs("{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{", out);
	put_rows(out, table, OPTION_DYNAMIC | without, 0);
	put_dialects(out, dialects, n_dialects);
	fputs("},\n\"patternProperties\":{", out);
	put_rows(out, table, OPTION_DYNAMIC | without, OPTION_DYNAMIC);
	fputs("}}", out);
}

void describe_schema(FILE *out, const struct conf_dialect *dialects, size_t n_dialects)
{
	fputs("{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\n\"title\":\"viewd.conf\",\n"
	      "\"description\":\"One file, as an object of sections, each an object of texts. Names are in lower "
	      "case.\",\n\"type\":\"object\",\"additionalProperties\":false,\n\"properties\":{\"viewd\":",
	      out);
	put_section(out, &schema_daemon, 0, NULL, 0);
	fputs(",\n\"view-defaults\":", out);
	put_section(out, &schema_view, OPTION_OWN, NULL, 0);
	fputs("},\n\"patternProperties\":{\"^database " NAME_PATTERN "$\":", out);
	put_section(out, &schema_database, 0, dialects, n_dialects);
	fputs(",\n\"^view " NAME_PATTERN "$\":", out);
	put_section(out, &schema_view, 0, NULL, 0);
	fputs("}}\n", out);
}
