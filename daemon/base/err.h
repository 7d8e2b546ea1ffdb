/* SPDX-License-Identifier: MIT
 *
 * err.h: filling, wrapping and describing the error record (struct viewd_err of viewd_dialect.h).
 *
 * Rules: a function that can fail returns bool and takes struct viewd_err * last. Err is untouched on success. Layers
 * below core never log a failure, they fill err; whoever decides what to do about it logs it once. [any]
 */
#ifndef VIEWD_BASE_ERR_H
#define VIEWD_BASE_ERR_H

#include "base/macros.h"
#include "viewd_dialect.h"

/* Fills *err; clears the other fields. Returns false, so that `return err_set(...)` reads well. err may be NULL. */
bool err_set(struct viewd_err *err, enum viewd_err_class cls, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* As err_set, with errno's number and text appended in parentheses. */
bool err_sys(struct viewd_err *err, enum viewd_err_class cls, int errnum, const char *fmt, ...) PRINTF_LIKE(4, 5);

/* Puts "context: " in front of the message; keeps class, code, object, hint. Returns false. */
bool err_wrap(struct viewd_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Sets the hint (what would be right). Returns false. */
bool err_hint(struct viewd_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Sets the object concerned. Returns false. */
bool err_object(struct viewd_err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* The word of a class ("conflict"); never NULL. */
const char *err_class_word(enum viewd_err_class cls);
/* The meaning of the class, for help and the manual; never NULL. */
const char *err_class_doc(enum viewd_err_class cls);
/* Does policy allow an automatic retry for this class? */
bool err_class_retries(enum viewd_err_class cls);

/* The native code as users know it: SQLSTATE if there is one, else the number; "" if neither. Static or err-owned. */
const char *err_code(const struct viewd_err *err, char buf[static 16]);

/* Replaces the password in every URL and behind every password= inside text by "***" (a shorter one by as many stars as
 * it has characters), in place. Safe on any text. */
void err_redact(char *text);

#endif
