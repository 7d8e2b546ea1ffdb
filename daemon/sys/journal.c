/* SPDX-License-Identifier: MIT */
#define SD_JOURNAL_SUPPRESS_LOCATION

#include "sys/journal.h"

#include "base/log.h"
#include "base/mem.h"

#include <string.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#define SOCKET "/run/systemd/journal/socket"

/* The main events, by what their lines begin with and how they go on behind the subject; the ids are told in viewd(8)
 * and never change. */
static const struct {
	const char *subject, *rest;
	const char *id;
} events[] = {
	{"viewd ", ", ready: ", "5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e11"},
	{"view '", ", refresh failed ", "5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e12"},
	{"database '", ", cannot be used ", "5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e13"},
	{"log", ", dropped ", "5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e14"},
	{"stopping", "", "5f1d5c1b7a0e4d0c9f3d8a4d1c0b7e15"},
};

static void add_field(void *mem_ctx, struct journal_entry *out, const char *name, const char *value, size_t len)
{
	out->fields[out->n++] = mem_printf(mem_ctx, "%s=%.*s", name, (int)len, value);
}

/* The name in quotes behind the subject that lines begin with; NULL: they are about something else. */
static const char *name_behind(const char *line, const char *subject, size_t *len_r)
{
	size_t len = strlen(subject);
	if (strncmp(line, subject, len) != 0)
		return NULL;
	*len_r = strcspn(line + len, "'");
	return line + len;
}

/* A view that several databases have is called DATABASE:NAME. */
static void add_subject(void *mem_ctx, struct journal_entry *out, const char *line)
{
	size_t len = 0;
	const char *view = name_behind(line, "view '", &len), *database = name_behind(line, "database '", &len);
	const char *colon = view != NULL ? memchr(view, ':', len) : NULL;
	if (database != NULL)
		add_field(mem_ctx, out, "VIEWD_DATABASE", database, len);
	if (colon != NULL) {
		add_field(mem_ctx, out, "VIEWD_DATABASE", view, (size_t)(colon - view));
		len -= (size_t)(colon + 1 - view);
		view = colon + 1;
	}
	if (view != NULL)
		add_field(mem_ctx, out, "VIEWD_VIEW", view, len);
}

static bool begins_with(const char *text, const char *part)
{
	return strncmp(text, part, strlen(part)) == 0;
}

/* NULL: none of the main events. Subjects hold no comma. */
static const char *event_id(const char *line)
{
	const char *rest = line + strcspn(line, ",");
	for (size_t i = 0; i < ARRAY_LEN(events); i++)
		if (begins_with(line, events[i].subject) &&
		    (events[i].rest[0] != '\0' ? begins_with(rest, events[i].rest) : rest[0] == '\0'))
			return events[i].id;
	return NULL;
}

void journal_entry(void *mem_ctx, enum viewd_log_level level, const char *line, struct journal_entry *out)
{
	static const char *const priorities[] = {
		[VIEWD_LOG_ERROR] = "3",
		[VIEWD_LOG_WARNING] = "4",
		[VIEWD_LOG_INFO] = "6",
		[VIEWD_LOG_DEBUG] = "7",
	};
	*out = (struct journal_entry){.n = 0};
	add_field(mem_ctx, out, "PRIORITY", priorities[level], 1);
	add_field(mem_ctx, out, "SYSLOG_IDENTIFIER", "viewd", strlen("viewd"));
	add_field(mem_ctx, out, "MESSAGE", line, strlen(line));
	add_subject(mem_ctx, out, line);
	const char *id = event_id(line);
	if (id != NULL)
		add_field(mem_ctx, out, "MESSAGE_ID", id, strlen(id));
}

/* sd_journal_sendv() says that it is done as well when there is no socket to give the entry to. */
bool journal_send(enum viewd_log_level level, const char *line)
{
	if (access(SOCKET, W_OK) != 0)
		return false;
	void *tmp = talloc_new(NULL);
	struct journal_entry entry;
	struct iovec parts[JOURNAL_FIELDS];
	journal_entry(tmp, level, line, &entry);
	for (size_t i = 0; i < entry.n; i++)
		parts[i] = (struct iovec){entry.fields[i], strlen(entry.fields[i])};
	bool sent = sd_journal_sendv(parts, (int)entry.n) >= 0;
	talloc_free(tmp);
	return sent;
}
