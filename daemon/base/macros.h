/* SPDX-License-Identifier: MIT
 *
 * macros.h: what the compiler is told and small things that C lacks, used everywhere.
 */
#ifndef VIEWD_BASE_MACROS_H
#define VIEWD_BASE_MACROS_H

#include <assert.h>
#include <stddef.h>

#ifdef NDEBUG
#error "viewd asserts what must not go on, out of memory among it: build without NDEBUG"
#endif

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, first) __attribute__((format(printf, fmt, first)))
#define UNUSED __attribute__((unused))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#endif
