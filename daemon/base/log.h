/* SPDX-License-Identifier: MIT
 *
 * log.h: one line an event, to stderr (with sd-daemon level prefixes when the journal reads it).
 *
 * Message grammar: lower case, subject first, cause in parentheses, no full stop:
 *   view 'daily_sales', refresh failed (lock timeout after 2s)
 * Control characters in a message are escaped. Passwords in URLs are replaced by ***. The level, the sink and its flush
 * are the only mutable globals of the program (set once at start and on reload). [any]
 */
#ifndef VIEWD_BASE_LOG_H
#define VIEWD_BASE_LOG_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* The least important level that is written. */
void log_set_level(enum viewd_log_level level);
enum viewd_log_level log_level(void);

/* Level words: error warning info debug. Returns false for an unknown word. */
bool log_level_parse(const char *word, enum viewd_log_level *out_r) MUST_CHECK;

/* Where lines go: the daemon's queue (sys/logging.h), a test's sink; NULL restores stderr. The function must be
 * thread-safe. */
typedef void log_sink_fn(void *ctx, enum viewd_log_level level, const char *line);
void log_set_sink(log_sink_fn *fn, void *ctx);

/* Waits, for a bounded time, until what the sink was given is written. NULL: it writes at once. ctx is the sink's. */
typedef void log_flush_fn(void *ctx);
void log_set_flush(log_flush_fn *fn);

/* Writes one line to stderr, with a level prefix when the journal reads it. Blocks while nobody does. */
void log_write(enum viewd_log_level level, const char *line);
/* Is stderr the stream that $JOURNAL_STREAM names? */
bool log_is_journal(void);
/* Before abort(): flushes, and writes a text unless stderr is blocked. Allocates nothing. */
void log_last_words(const char *text);

void log_event(enum viewd_log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);
#define log_error(...) log_event(VIEWD_LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_event(VIEWD_LOG_WARNING, __VA_ARGS__)
#define log_info(...) log_event(VIEWD_LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_event(VIEWD_LOG_DEBUG, __VA_ARGS__)

#endif
