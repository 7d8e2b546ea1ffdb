/* SPDX-License-Identifier: MIT */
#include "conf/read/scan.h"

#include "base/utf8.h"

#include <stdio.h>
#include <string.h>
#include <talloc.h>

/* A stretch of the current line. */
struct part {
	const char *p;
	size_t len;
};

struct scanner {
	void *mem_ctx;
	struct arena *arena;
	struct report *report;
	unsigned file;
	unsigned line;
	const char *start;   /* of the line */
	size_t offset;       /* of the line in the file */
	const char *section; /* for messages; NULL before the first */
	bool skip;           /* the section's header was wrong: its keys are looked at but not kept */
	bool good;
	struct scan *out;
};

static bool fail_at(struct scanner *s, const char *at, const char *key, const char *text)
{
	struct report_at where = {.file = s->file, .line = s->line, .section = s->section, .key = key};
	where.column = (unsigned)(at - s->start) + 1;
	report_error(s->report, &where, "%s", text);
	s->good = false;
	return false;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct part strip(struct part t)
{
	while (t.len > 0 && is_blank(t.p[0])) {
		t.p++;
		t.len--;
	}
	while (t.len > 0 && is_blank(t.p[t.len - 1]))
		t.len--;
	return t;
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
	       c == '-';
}

static const char *fold(struct scanner *s, struct part t)
{
	char *copy = arena_strndup(s->arena, t.p, t.len);
	for (char *p = copy; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p - 'A' + 'a');
	return copy;
}

/* Bytes that no line may hold, whatever it says. */
static bool check_bytes(struct scanner *s, struct part t)
{
	for (size_t i = 0; i < t.len;) {
		unsigned char c = (unsigned char)t.p[i];
		if (c == '\0')
			return fail_at(s, t.p + i, NULL, "a NUL byte; a configuration file is text");
		if (c == '\r')
			return fail_at(s, t.p + i, NULL, "a carriage return inside the line; end lines with LF or CRLF");
		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return fail_at(s, t.p + i, NULL, "a control character; a configuration file is text");
		size_t n = utf8_sequence(t.p + i, t.len - i);
		if (n == 0)
			return fail_at(s, t.p + i, NULL, "a byte that is not UTF-8; save the file as UTF-8");
		i += n;
	}
	return true;
}

/* Words of name characters, one blank between them. */
static bool check_section_name(struct scanner *s, struct part t)
{
	size_t word = 0;
	if (t.len == 0)
		return fail_at(s, t.p, NULL, "a section without a name; write [viewd], [database NAME] or [view NAME]");
	for (size_t i = 0; i < t.len; i++) {
		if (t.p[i] == ':')
			return fail_at(s, t.p + i, NULL,
			               "':' in a section name would hide the section; a name holds a-z 0-9 _ . - only");
		if (t.p[i] == ' ' && word > 0)
			word = 0;
		else if (!is_name_char(t.p[i]))
			return fail_at(
				s, t.p + i, NULL,
				"a character that no section name may hold; write [view NAME] with one blank, NAME of a-z 0-9 _ . -");
		else if (++word > SCAN_NAME_MAX)
			return fail_at(s, t.p + i, NULL, "the name is too long; a name has at most 64 characters");
	}
	return true;
}

static void add_section(struct scanner *s, const char *name)
{
	struct scan *out = s->out;
	if (out->n_sections % 256 == 0)
		out->sections = talloc_realloc(s->mem_ctx, out->sections, struct scan_section, out->n_sections + 256);
	assert(out->sections != NULL);
	out->sections[out->n_sections++] =
		(struct scan_section){.name = name, .line = s->line, .first = (uint32_t)out->n_entries, .offset = s->offset};
	s->section = name;
}

static bool scan_header(struct scanner *s, struct part t)
{
	s->skip = true;
	s->section = NULL;
	const char *close = memchr(t.p, ']', t.len);
	if (close == NULL)
		return fail_at(s, t.p + t.len, NULL, "a section header without ']'; write [view NAME]");
	struct part rest = strip((struct part){close + 1, (size_t)(t.p + t.len - close - 1)});
	if (rest.len > 0 && (rest.p[0] == ';' || rest.p[0] == '#'))
		return fail_at(s, rest.p, NULL, "a comment behind a section header; put it on a line of its own");
	if (rest.len > 0)
		return fail_at(s, rest.p, NULL, "text behind a section header; a header stands alone on its line");
	struct part name = strip((struct part){t.p + 1, (size_t)(close - t.p - 1)});
	if (!check_section_name(s, name))
		return false;
	add_section(s, fold(s, name));
	s->skip = false;
	return true;
}

static bool check_key(struct scanner *s, struct part key)
{
	if (key.len == 0)
		return fail_at(s, key.p, NULL, "a value without a key; write key = value");
	if (key.len > SCAN_NAME_MAX)
		return fail_at(s, key.p, NULL, "the key is too long; a key has at most 64 characters");
	for (size_t i = 0; i < key.len; i++)
		if (!is_name_char(key.p[i]))
			return fail_at(s, key.p + i, NULL, "a character that no key may hold; a key holds a-z 0-9 _ . - only");
	return true;
}

/* A value that begins with a quote ends at the next one; iniparser drops the rest without a word. */
static bool scan_quoted(struct scanner *s, struct scan_entry *entry, struct part t)
{
	char quote = t.p[0];
	const char *end = t.len > 1 ? memchr(t.p + 1, quote, t.len - 1) : NULL;
	if (end == NULL)
		return fail_at(s, t.p, entry->key,
		               "the quote is not closed; end the value with the same quote on the same line");
	const char *backslash = memchr(t.p + 1, '\\', (size_t)(end - t.p - 1));
	if (backslash != NULL)
		return fail_at(s, backslash, entry->key,
		               "a backslash in a quoted value is read differently by versions of iniparser; "
		               "put the text into a file (definition_file)");
	struct part rest = strip((struct part){end + 1, (size_t)(t.p + t.len - end - 1)});
	if (rest.len > 0 && rest.p[0] != ';' && rest.p[0] != '#')
		return fail_at(s, rest.p, entry->key,
		               quote == '"' ? "text behind the closing quote would be lost; wrap the whole value in '...'"
		                            : "text behind the closing quote would be lost; wrap the whole value in \"...\"");
	entry->quoted = true;
	entry->value = arena_strndup(s->arena, t.p + 1, (size_t)(end - t.p - 1));
	return true;
}

static bool scan_unquoted(struct scanner *s, struct scan_entry *entry, struct part t)
{
	size_t cut = 0;
	while (cut < t.len && t.p[cut] != ';' && t.p[cut] != '#')
		cut++;
	if (cut < t.len && cut > 0 && !is_blank(t.p[cut - 1]))
		return fail_at(s, t.p + cut, entry->key,
		               t.p[cut] == ';' ? "the value would be cut at ';'; wrap it in '...' or \"...\""
		                               : "the value would be cut at '#'; wrap it in '...' or \"...\"");
	if (cut < t.len)
		entry->comment_column = (uint32_t)(t.p + cut - s->start) + 1;
	struct part value = strip((struct part){t.p, cut});
	entry->value = arena_strndup(s->arena, value.p, value.len);
	return true;
}

static bool check_duplicate(struct scanner *s, const struct scan_section *sec, const char *key, const char *at)
{
	if (sec->n >= SCAN_KEYS_MAX)
		return fail_at(s, at, key, "too many keys in one section; a section has at most 512");
	for (uint32_t i = sec->first; i < sec->first + sec->n; i++) {
		if (strcmp(s->out->entries[i].key, key) != 0)
			continue;
		char text[120];
		snprintf(text, sizeof text, "the key is set twice (first at line %u); keep one of them",
		         s->out->entries[i].line);
		return fail_at(s, at, key, text);
	}
	return true;
}

static void add_entry(struct scanner *s, const struct scan_entry *entry)
{
	struct scan *out = s->out;
	if (out->n_entries % 1024 == 0)
		out->entries = talloc_realloc(s->mem_ctx, out->entries, struct scan_entry, out->n_entries + 1024);
	assert(out->entries != NULL);
	out->entries[out->n_entries++] = *entry;
	out->sections[out->n_sections - 1].n++;
}

static bool scan_setting(struct scanner *s, struct part t)
{
	const char *equals = memchr(t.p, '=', t.len);
	if (equals == NULL)
		return fail_at(s, t.p, NULL, "neither a section, a comment nor a setting; write key = value");
	struct part key = strip((struct part){t.p, (size_t)(equals - t.p)});
	if (!check_key(s, key))
		return false;
	struct part value = strip((struct part){equals + 1, (size_t)(t.p + t.len - equals - 1)});
	struct scan_entry entry = {.key = fold(s, key), .line = s->line};
	entry.column = (uint32_t)(value.p - s->start) + 1;
	bool quoted = value.len > 0 && (value.p[0] == '"' || value.p[0] == '\'');
	if (!(quoted ? scan_quoted(s, &entry, value) : scan_unquoted(s, &entry, value)) || s->skip)
		return false;
	if (s->section == NULL)
		return fail_at(s, key.p, entry.key,
		               "a setting before the first section; put it under [viewd], [database ...] or [view ...]");
	if (!check_duplicate(s, &s->out->sections[s->out->n_sections - 1], entry.key, key.p))
		return false;
	add_entry(s, &entry);
	return true;
}

static bool scan_line(struct scanner *s, struct part t)
{
	bool long_line = t.len > SCAN_LINE_MAX;
	if (t.len > 0 && t.p[t.len - 1] == '\r')
		t.len--;
	if (!check_bytes(s, t)) /* first: a file that is no text has no lines either */
		return false;
	if (long_line)
		return fail_at(s, t.p + SCAN_LINE_MAX, NULL,
		               "the line is longer than 1022 bytes; put a long query into a file (definition_file)");
	t = strip(t);
	if (t.len == 0)
		return true;
	if (t.p[t.len - 1] == '\\')
		return fail_at(
			s, t.p + t.len - 1, NULL,
			"a backslash at the end would join the next line; put a long query into a file (definition_file)");
	if (t.p[0] == ';' || t.p[0] == '#')
		return true;
	return t.p[0] == '[' ? scan_header(s, t) : scan_setting(s, t);
}

bool scan_bytes(void *mem_ctx, struct arena *arena, struct report *report, unsigned file, const char *bytes, size_t len,
                struct scan *out_r)
{
	*out_r = (struct scan){0};
	struct scanner s = {.mem_ctx = mem_ctx, .arena = arena, .report = report, .file = file, .good = true, .out = out_r};
	size_t at = 0;
	if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0) {
		s.start = bytes;
		s.line = 1;
		fail_at(&s, bytes, NULL, "a byte order mark; save the file as UTF-8 without BOM");
		s.line = 0;
		at = 3;
	}
	while (at < len) {
		const char *newline = memchr(bytes + at, '\n', len - at);
		size_t n = newline != NULL ? (size_t)(newline - bytes) - at : len - at;
		s.start = bytes + at;
		s.offset = at;
		s.line++;
		scan_line(&s, (struct part){s.start, n});
		at += n + 1;
	}
	return s.good;
}
