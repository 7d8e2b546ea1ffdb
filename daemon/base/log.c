/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include "base/err.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LAST_WORDS_MS 1000

static const char *const level_words[] = {
	[VIEWD_LOG_ERROR] = "error",
	[VIEWD_LOG_WARNING] = "warning",
	[VIEWD_LOG_INFO] = "info",
	[VIEWD_LOG_DEBUG] = "debug",
};
/* Syslog priorities that the journal reads from the "<N>" prefix (sd-daemon(3)). */
static const char level_priority[] = {'3', '4', '6', '7'};

static _Atomic int min_level = VIEWD_LOG_INFO;
static log_sink_fn *_Atomic sink_fn;
static void *_Atomic sink_ctx;
static log_flush_fn *_Atomic flush_fn;

void log_set_level(enum viewd_log_level level)
{
	min_level = (int)level;
}

enum viewd_log_level log_level(void)
{
	return (enum viewd_log_level)min_level;
}

bool log_level_parse(const char *word, enum viewd_log_level *out_r)
{
	for (size_t i = 0; i < ARRAY_LEN(level_words); i++)
		if (strcmp(word, level_words[i]) == 0) {
			*out_r = (enum viewd_log_level)i;
			return true;
		}
	return false;
}

/* A thread that logs meanwhile never meets one without the other. */
void log_set_sink(log_sink_fn *fn, void *ctx)
{
	if (fn != NULL)
		sink_ctx = ctx;
	sink_fn = fn;
}

void log_set_flush(log_flush_fn *fn)
{
	flush_fn = fn;
}

void log_last_words(const char *text)
{
	log_flush_fn *flush = flush_fn;
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	if (flush != NULL)
		flush(sink_ctx);
	if (poll(&fd, 1, LAST_WORDS_MS) > 0 && (fd.revents & POLLOUT) != 0)
		log_write(VIEWD_LOG_ERROR, text);
}

/* C0, DEL, and C1 as UTF-8 writes it (C2 80 .. C2 9F); len_r: its bytes. */
static bool is_control(const char *in, size_t *len_r)
{
	unsigned char c = (unsigned char)in[0], next = (unsigned char)in[1];
	*len_r = c == 0xc2 && next >= 0x80 && next < 0xa0 ? 2 : 1;
	return *len_r == 2 || c < 0x20 || c == 0x7f;
}

/* Control characters could forge lines or drive a terminal: they become \xNN. */
static void escape(const char *in, char *out, size_t size)
{
	size_t n = 0, control = 0, len;
	for (; *in != '\0' && n + 5 < size; in++) {
		unsigned char c = (unsigned char)*in;
		if (control == 0 && is_control(in, &len))
			control = len;
		if (control == 0)
			out[n++] = (char)c;
		else
			n += (size_t)snprintf(out + n, size - n, "\\x%02x", c);
		control -= control > 0;
	}
	out[n] = '\0';
}

/* A service manager names the stream it gave, and whoever redirects stderr leaves the name (systemd.exec(5)). */
bool log_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;
	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

/* Nowhere is left to complain when it fails. */
void log_write(enum viewd_log_level level, const char *line)
{
	char out[2200];
	int len = log_is_journal() ? snprintf(out, sizeof out, "<%c>%s\n", level_priority[level], line)
	                           : snprintf(out, sizeof out, "viewd: %s: %s\n", level_words[level], line);
	struct pollfd fd = {.fd = STDERR_FILENO, .events = POLLOUT};
	size_t size = len < (int)sizeof out ? (size_t)len : sizeof out - 1;
	for (const char *p = out; size > 0;) {
		ssize_t n = write(STDERR_FILENO, p, size);
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else if (n == 0 || (errno == EAGAIN && poll(&fd, 1, -1) < 0) || (errno != EINTR && errno != EAGAIN))
			return;
	}
}

void log_event(enum viewd_log_level level, const char *fmt, ...)
{
	if ((int)level > min_level)
		return;
	char raw[2048], line[2100];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(raw, sizeof raw, fmt, ap);
	va_end(ap);
	err_redact(raw);
	escape(raw, line, sizeof line);
	log_sink_fn *fn = sink_fn;
	if (fn != NULL)
		fn(sink_ctx, level, line);
	else
		log_write(level, line);
}
