/* SPDX-License-Identifier: MIT */
#include "sys/logging.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "sys/journal.h"
#include "work/spool.h"

#define ROOM ((size_t)1024 * 1024)
#define STOP_WAIT (2 * SPAN_SECOND)
#define LAST_WAIT SPAN_SECOND

struct logging {
	struct spool *spool;
	bool journal;
};

static void put_line(void *ctx, enum viewd_log_level level, const char *line)
{
	spool_put(ctx, level, line);
}

static void flush(void *ctx)
{
	(void)spool_flush(ctx, LAST_WAIT); /* what nobody reads is lost either way */
}

static void write_out(void *ctx, enum viewd_log_level level, const char *line)
{
	const struct logging *logging = ctx;
	if (!logging->journal || !journal_send(level, line))
		log_write(level, line);
}

struct logging *logging_start(struct loop *loop)
{
	struct logging *logging = mem_new(NULL, struct logging);
	logging->journal = log_is_journal();
	logging->spool = spool_new(loop, ROOM, write_out, logging);
	if (logging->spool == NULL) {
		talloc_free(logging);
		return NULL;
	}
	log_set_flush(flush);
	log_set_sink(put_line, logging->spool);
	return logging;
}

void logging_stop(struct logging **logging, bool keep)
{
	if (*logging == NULL)
		return;
	bool written = spool_flush((*logging)->spool, STOP_WAIT);
	if (keep || !written)
		return;
	log_set_flush(NULL);
	log_set_sink(NULL, NULL);
	if (spool_free(&(*logging)->spool, STOP_WAIT))
		talloc_free(*logging);
	*logging = NULL;
}
