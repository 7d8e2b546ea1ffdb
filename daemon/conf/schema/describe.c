/* SPDX-License-Identifier: MIT */
#include "conf/schema/describe.h"

#include "conf/schema/option_types.h"
#include "conf/schema/schema.h"

#include "base/span.h"

#include <inttypes.h>
#include <string.h>

static const struct option_table *const tables[] = {&schema_daemon, &schema_database, &schema_view};

/* "index_*" -> "index_NAME" */
static void put_key(FILE *out, const struct option_row *row)
{
	size_t len = strlen(row->key);
	if ((row->flags & OPTION_DYNAMIC) == 0)
		fputs(row->key, out);
	else
		fprintf(out, "%.*s%s", (int)len - 1, row->key, row->type == OPTION_INDEX ? "NAME" : "DIALECT");
}

/* ---- troff ---- */

/* Backslashes and hyphens mean something to troff, a dot or quote at the start of a line too. */
static void put_troff(FILE *out, const char *text)
{
	if (text[0] == '.' || text[0] == '\'')
		fputs("\\&", out);
	for (; *text != '\0'; text++)
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	fputc('\n', out);
}

static void man_range(FILE *out, const struct option_row *row)
{
	char min[64], max[64];
	if (row->type == OPTION_SPAN)
		fprintf(out, " from %s to %s", span_format(row->min, min, sizeof min), span_format(row->max, max, sizeof max));
	if (row->type == OPTION_INT)
		fprintf(out, " (%s), from %" PRId64 " to %" PRId64, row->unit, row->min, row->max);
}

static void man_choices(FILE *out, const struct option_row *row)
{
	fputs(".RS\n", out);
	for (const struct option_choice *c = row->choices; c->word != NULL; c++) {
		fprintf(out, ".TP\n.B %s\n", c->word);
		put_troff(out, c->doc);
	}
	fputs(".RE\n", out);
}

static void man_help(FILE *out, const char *help, const char *doc)
{
	fprintf(out, "%c%s.\n", help[0] >= 'a' && help[0] <= 'z' ? help[0] - 'a' + 'A' : help[0], help + 1);
	put_troff(out, doc);
}

static void man_row(FILE *out, const struct option_row *row)
{
	fputs(".TP\n.B ", out);
	put_key(out, row);
	fputs("\n", out);
	man_help(out, row->help, row->doc);
	if (row->choices != NULL)
		man_choices(out, row);
	fprintf(out, ".br\nValue: %s", option_type_word(row->type));
	man_range(out, row);
	if (row->dflt != NULL)
		fprintf(out, "; default: %s", row->dflt);
	if ((row->flags & OPTION_REQUIRED) != 0)
		fputs("; required", out);
	if ((row->flags & OPTION_OWN) != 0)
		fputs("; not in [view\\-defaults]", out);
	fprintf(out, ".\n.br\nOn reload: %s.\n", option_reload_word(row->reload));
}

static void man_dialect(FILE *out, const struct conf_dialect *dialect)
{
	fprintf(out, ".SS [database NAME], dialect %s\n", dialect->name);
	if (dialect->url_form != NULL) {
		fputs("A URL is written like this:\n", out);
		put_troff(out, dialect->url_form);
	}
	for (const char *const *s = dialect->schemes; s != NULL && *s != NULL; s++)
		fprintf(out, ".br\n%s:// means the same.\n", *s);
	for (size_t i = 0; i < dialect->n_options; i++) {
		const struct viewd_dialect_option *o = &dialect->options[i];
		fprintf(out, ".TP\n.B %s\n", o->key);
		man_help(out, o->help, o->doc);
		fprintf(out, ".br\nValue: text");
		if (o->default_value != NULL && o->default_value[0] != '\0')
			fprintf(out, "; default: %s", o->default_value);
		fprintf(out, ".\n.br\nOn reload: %s.\n", option_reload_word(OPTION_RECONNECT));
	}
}

static const char *const man_format[] = {
	".SH FILE FORMAT",
	"Sections in brackets, alone on their line, and settings",
	".IR key = value .",
	"Names of sections and keys hold a-z 0-9 _ . - and are at most 64 characters long; upper case is the",
	"same as lower case. Lines end with LF or CRLF, have at most 1022 bytes and are not continued; the",
	"text is UTF-8 without byte order mark.",
	".PP",
	"A line that begins with ; or # is a comment. Behind an unquoted value, a ; or # after a blank",
	"begins a comment as well. In keys that hold free text or SQL it is an error there, so that nothing",
	"is cut unnoticed: definition, relation, columns, unique_key, index_NAME, options, settings, sources,",
	"run_as, pre_hook, post_hook, notify_channel, description, owner. A value in '...' or \"...\" is taken",
	"as it is. It cannot hold that quote or a backslash.",
	".PP",
	"A key or a section that is given twice, is unknown, or would be read differently from how it looks",
	"is an error. All errors are reported.",
	NULL,
};

static void man_types(FILE *out)
{
	fputs(".PP\nKinds of values:\n", out);
	for (int t = 0; t < OPTION_TYPE_COUNT; t++) {
		fprintf(out, ".TP\n.I %s\n", option_type_word((enum option_type)t));
		put_troff(out, option_type((enum option_type)t)->doc);
	}
}

static void describe_man(FILE *out, const struct conf_dialect *dialects, size_t n_dialects)
{
	for (size_t i = 0; man_format[i] != NULL; i++)
		if (man_format[i][0] == '.')
			fprintf(out, "%s\n", man_format[i]);
		else
			put_troff(out, man_format[i]);
	man_types(out);
	fputs(".SH OPTIONS\n", out);
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		fprintf(out, ".SS [%s]\n", tables[t]->section);
		for (size_t i = 0; i < tables[t]->n; i++)
			man_row(out, &tables[t]->rows[i]);
		for (size_t i = 0; tables[t] == &schema_database && i < n_dialects; i++)
			man_dialect(out, &dialects[i]);
	}
	fputs(".SS [view\\-defaults]\n", out);
	put_troff(out, "Any key of [view NAME] except relation and the definitions; a view's own key wins.");
}

/* ---- sample ---- */

/* Words of text in lines of at most 100 columns behind "; ". */
static void put_comment(FILE *out, const char *text)
{
	size_t column = 0;
	while (*text != '\0') {
		size_t len = strcspn(text, " ");
		if (column > 0 && column + len > 98) {
			fputc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s", column > 0 ? " " : "; ", (int)len, text);
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

static void sample_row(FILE *out, const struct option_row *row)
{
	put_comment(out, row->help);
	put_comment(out, row->doc);
	for (const struct option_choice *c = row->choices; c != NULL && c->word != NULL; c++)
		fprintf(out, ";   %s: %s\n", c->word, c->doc);
	fputc(';', out);
	put_key(out, row);
	fprintf(out, " = %s\n\n", row->dflt != NULL ? row->dflt : "");
}

static void sample_dialect(FILE *out, const struct conf_dialect *dialect)
{
	for (size_t i = 0; i < dialect->n_options; i++) {
		const struct viewd_dialect_option *o = &dialect->options[i];
		fprintf(out, "; (dialect %s)\n", dialect->name);
		put_comment(out, o->help);
		put_comment(out, o->doc);
		fprintf(out, ";%s = %s\n\n", o->key, o->default_value != NULL ? o->default_value : "");
	}
}

static void describe_sample(FILE *out, const struct conf_dialect *dialects, size_t n_dialects)
{
	put_comment(out, "viewd.conf: every key with its default. See viewd.conf(5).");
	for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
		bool one = tables[t] == &schema_daemon;
		fprintf(out, "\n%s[%s]\n\n", one ? "" : ";", tables[t]->section);
		for (size_t i = 0; i < tables[t]->n; i++)
			sample_row(out, &tables[t]->rows[i]);
		for (size_t i = 0; tables[t] == &schema_database && i < n_dialects; i++)
			sample_dialect(out, &dialects[i]);
	}
}

int conf_describe(FILE *out, enum conf_describe_format format, const struct conf_dialect *dialects, size_t n_dialects)
{
	switch (format) {
	case CONF_DESCRIBE_MAN:
		describe_man(out, dialects, n_dialects);
		break;
	case CONF_DESCRIBE_SAMPLE:
		describe_sample(out, dialects, n_dialects);
		break;
	case CONF_DESCRIBE_SCHEMA:
		describe_schema(out, dialects, n_dialects);
		break;
	}
	return fflush(out) == 0 && ferror(out) == 0 ? 0 : -1;
}
