/* SPDX-License-Identifier: MIT
 *
 * describe.h: the option tables as documentation. [any]
 */
#ifndef VIEWD_CONF_SCHEMA_DESCRIBE_H
#define VIEWD_CONF_SCHEMA_DESCRIBE_H

#include "conf/conf.h"

#include <stdio.h>

enum conf_describe_format {
	CONF_DESCRIBE_MAN,    /* the FILE FORMAT and OPTIONS parts of viewd.conf(5), troff with man macros */
	CONF_DESCRIBE_SAMPLE, /* a viewd.conf in which every key stands as a comment with its default */
	CONF_DESCRIBE_SCHEMA  /* a JSON schema (json-schema.org, draft 7) */
};

/* Writes to out: the keys of every database, then what each of the dialects adds. Returns 0, or -1 when out reports an
 * error. */
int conf_describe(FILE *out, enum conf_describe_format format, const struct conf_dialect *dialects, size_t n_dialects);

/* For conf_describe: the schema alone (describe_schema.c). */
void describe_schema(FILE *out, const struct conf_dialect *dialects, size_t n_dialects);

#endif
