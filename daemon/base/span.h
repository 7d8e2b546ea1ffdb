/* SPDX-License-Identifier: MIT
 *
 * span.h: durations and sizes with units. [any]
 */
#ifndef VIEWD_BASE_SPAN_H
#define VIEWD_BASE_SPAN_H

#include "base/macros.h"
#include "viewd_dialect.h"

#define SPAN_MS INT64_C(1000)
#define SPAN_SECOND INT64_C(1000000)
#define SPAN_MINUTE (60 * SPAN_SECOND)
#define SPAN_HOUR (60 * SPAN_MINUTE)
#define SPAN_DAY (24 * SPAN_HOUR)
#define SPAN_WEEK (7 * SPAN_DAY)

/* Parses 250ms 30s 5m 2h 1d 1w 1h30m 0; units us ms s m h d w, descending, no blanks; a bare number other than 0 is an
 * error. err.msg says what was wrong, err.hint gives an example. */
bool span_parse(const char *text, int64_t *us_r, struct viewd_err *err) MUST_CHECK;

/* Shortest exact form ("1h30m"); 0 gives "0". Buffer at least 64 bytes. Returns buf. */
char *span_format(int64_t us, char *buf, size_t size);

/* For people: "1.2ms", "3.4s", "5m12s", "2h3m", "4d2h". Buffer at least 32 bytes. Returns buf. */
char *span_human(int64_t us, char *buf, size_t size);

/* Parses 512 4KiB 64MiB 2GiB into bytes. */
bool size_parse(const char *text, int64_t *bytes_r, struct viewd_err *err) MUST_CHECK;
char *size_format(int64_t bytes, char *buf, size_t size);

#endif
