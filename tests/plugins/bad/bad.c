/* SPDX-License-Identifier: MIT
 *
 * bad.c: plugins that must not be used, one for each BAD_... given to the compiler. Whatever the loader calls in them
 * before it refuses leaves a line on stderr and ends the process.
 */
#include "viewd_dialect.h"

#include <stdio.h>
#include <stdlib.h>

static void called(const char *what)
{
	fprintf(stderr, "bad plugin: %s was called\n", what);
	abort();
}

static bool check_database(const struct viewd_database_spec *db, struct viewd_err *err)
{
	(void)db;
	(void)err;
	called("check_database");
	return true;
}

#ifdef BAD_UNRESOLVED
extern int nobody_has_this(void);
int (*keeps_the_reference)(void) = nobody_has_this;
#endif

#ifndef BAD_MAJOR
#define BAD_MAJOR VIEWD_ABI_MAJOR
#endif
#ifndef BAD_MINOR
#define BAD_MINOR VIEWD_ABI_MINOR
#endif
#ifndef BAD_SIZE
#define BAD_SIZE sizeof(struct viewd_dialect)
#endif
#ifndef BAD_NAME
#define BAD_NAME "bad"
#endif

#ifndef BAD_SCHEMES
#define BAD_SCHEMES "worse"
#endif
static const char *const schemes[] = {BAD_SCHEMES, NULL};

/* Only their presence counts. */
#define FN(name) .name = (__typeof__(((struct viewd_dialect *)NULL)->name))(void *)called

#ifndef BAD_SYMBOL
#define BAD_SYMBOL viewd_dialect
#endif

extern const struct viewd_dialect BAD_SYMBOL;
__attribute__((visibility("default"))) const struct viewd_dialect BAD_SYMBOL = {
	.abi_major = BAD_MAJOR,
	.abi_minor = BAD_MINOR,
	.struct_size = BAD_SIZE,
	.name = BAD_NAME,
	.version = "1",
	.schemes = schemes,
	.check_database = check_database,
	FN(check_view),
	FN(render),
	FN(open),
	FN(close),
	FN(cancel),
	FN(alive),
	FN(prepare),
	FN(inspect),
	FN(apply),
	FN(refresh),
	FN(record_failure),
#ifndef BAD_LACKS_VERIFY
	FN(verify),
#endif
	FN(history),
};
