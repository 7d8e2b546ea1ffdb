/* SPDX-License-Identifier: MIT */
#include "common/sqltext/ident.h"

#include "base/err.h"
#include "base/utf8.h"
#include "common/sqltext/sqltext.h"
#include "common/text/digest.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <talloc.h>

#define NAME_SHOWN 300 /* bytes of a name that is refused */

static bool refuse_name(const char *text, const char *why, struct viewd_err *err)
{
	return err_set(err, VIEWD_ERR_CONFIG, "name %.*s cannot be used (%s)", NAME_SHOWN, text, why);
}

/* The fault of one unquoted part for this engine, or NULL. Invalid UTF-8 was refused before. */
static const char *part_fault(const struct syntax *syn, const char *part)
{
	size_t bytes = strlen(part), chars = 0;
	if (bytes == 0)
		return "it has an empty part";
	if (syn->names.no_trailing_blank && part[bytes - 1] == ' ')
		return "it ends in a blank, which this server does not allow";
	int32_t c;
	for (const char *p = part; (c = utf8_next(&p)) > 0; chars++) {
		if (c < 0x20 || (c >= 0x7f && c <= 0x9f))
			return "it holds a control character";
		if (syn->names.bmp_only && c > 0xffff)
			return "it holds a character above U+FFFF, which this server does not allow";
	}
	if ((syn->names.max_in_chars ? chars : bytes) > syn->names.max || bytes >= IDENT_MAX)
		return "it is longer than the server keeps";
	return NULL;
}

/* Appends one byte to a part of IDENT_MAX; false when it does not fit. */
static bool put_char(char *out, size_t *len, char c)
{
	if (*len + 1 >= IDENT_MAX)
		return false;
	out[(*len)++] = c;
	out[*len] = '\0';
	return true;
}

/* Reads a quoted part at *p (on the quote) into out. Returns what is wrong or NULL. */
static const char *read_quoted(const char **p, char out[static IDENT_MAX])
{
	char quote = *(*p)++;
	size_t len = 0;
	for (;; (*p)++) {
		if (**p == '\0')
			return "a quote is not closed";
		if (**p == quote && *++*p != quote)
			return NULL;
		if (!put_char(out, &len, **p))
			return "it is longer than the server keeps";
	}
}

/* Reads an unquoted part: letters, digits, _ - $ and everything above ASCII. */
static const char *read_plain(const struct syntax *syn, const char **p, char out[static IDENT_MAX])
{
	size_t len = 0;
	for (; **p != '\0' && **p != '.'; (*p)++) {
		char c = **p;
		bool upper = c >= 'A' && c <= 'Z';
		bool word = upper || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '$';
		if (!word && (unsigned char)c < 0x80)
			return "it must be quoted";
		if (!put_char(out, &len, upper && syn->names.fold_lower ? (char)(c - 'A' + 'a') : c))
			return "it is longer than the server keeps";
	}
	return NULL;
}

static const char *read_part(const struct syntax *syn, const char **p, char out[static IDENT_MAX])
{
	out[0] = '\0';
	const char *fault = **p == '"' || **p == '`' ? read_quoted(p, out) : read_plain(syn, p, out);
	return fault != NULL ? fault : part_fault(syn, out);
}

/* Reads up to two parts; n_r says how many. */
static const char *read_parts(const struct syntax *syn, const char *text, char parts[static 2][IDENT_MAX], int *n_r)
{
	if (!utf8_valid(text))
		return "it is not valid UTF-8";
	const char *p = text;
	for (*n_r = 0;;) {
		if (*n_r == syn->names.max_parts)
			return syn->names.max_parts == 1 ? "this server has no schemas here, write the name alone"
			                                 : "it has too many parts";
		const char *fault = read_part(syn, &p, parts[(*n_r)++]);
		if (fault != NULL)
			return fault;
		if (*p == '\0')
			return NULL;
		if (*p++ != '.')
			return "something follows the closing quote";
	}
}

bool relation_parse(const struct syntax *syn, const char *text, struct relation *out, struct viewd_err *err)
{
	char parts[2][IDENT_MAX];
	int n = 0;
	const char *fault = read_parts(syn, text, parts, &n);
	if (fault != NULL)
		return refuse_name(text, fault, err);
	*out = (struct relation){0};
	if (n == 2)
		memcpy(out->schema, parts[0], IDENT_MAX);
	memcpy(out->name, parts[n - 1], IDENT_MAX);
	return true;
}

bool ident_parse(const struct syntax *syn, const char *text, char out[static IDENT_MAX], struct viewd_err *err)
{
	char part[IDENT_MAX];
	const char *p = text;
	const char *fault = utf8_valid(text) ? read_part(syn, &p, part) : "it is not valid UTF-8";
	if (fault == NULL && *p != '\0')
		fault = "something follows the name";
	if (fault != NULL)
		return refuse_name(text, fault, err);
	memcpy(out, part, IDENT_MAX);
	return true;
}

bool ident_same(const struct syntax *syn, const char *a, const char *b)
{
	return (syn->names.fold_lower ? strcmp(a, b) : strcasecmp(a, b)) == 0;
}

char *ident_append(const struct syntax *syn, char *sql, const char *name)
{
	char quoted[2 * IDENT_MAX + 3];
	size_t len = 0;
	assert(strlen(name) < IDENT_MAX);
	quoted[len++] = syn->names.quote;
	for (; *name != '\0'; name++) {
		if (*name == syn->names.quote)
			quoted[len++] = syn->names.quote;
		quoted[len++] = *name;
	}
	quoted[len++] = syn->names.quote;
	quoted[len] = '\0';
	return sql_add(sql, "%s", quoted);
}

char *relation_quoted(const struct syntax *syn, void *mem_ctx, const struct relation *rel)
{
	char *sql = sql_new(mem_ctx);
	if (rel->schema[0] != '\0')
		sql = sql_add(ident_append(syn, sql, rel->schema), ".");
	return ident_append(syn, sql, rel->name);
}

void ident_temporary(const struct relation *rel, const char *prefix, char out[static IDENT_MAX])
{
	char both[2 * IDENT_MAX + 2], hex[DIGEST_SIZE];
	int len = snprintf(both, sizeof both, "%s\n%s", rel->schema, rel->name);
	digest_hex(both, (size_t)len, hex);
	snprintf(out, IDENT_MAX, "%.40s%.16s", prefix, hex);
}

char *literal_quoted(const struct syntax *syn, void *mem_ctx, const char *text)
{
	char *sql = sql_add(sql_new(mem_ctx), "'");
	for (; *text != '\0'; text++) {
		bool doubled = *text == '\'' || (*text == '\\' && syn->lexer.literal_backslash);
		sql = sql_add(sql, "%.*s%c", doubled, text, *text);
	}
	return sql_add(sql, "'");
}
