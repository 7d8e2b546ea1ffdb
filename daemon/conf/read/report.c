/* SPDX-License-Identifier: MIT */
#include "conf/read/report.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>

struct item {
	char *text;
	unsigned file;
	unsigned line;
	unsigned number; /* order of discovery */
	enum kind { PROBLEM_ERROR, PROBLEM_WARNING, PROBLEM_OF_MACHINE } kind;
};

struct report {
	struct item *items;
	size_t n;
	size_t n_errors, n_of_machine;
	const char **files;
	unsigned n_files;
};

static void *checked(void *mem)
{
	if (mem == NULL)
		abort();
	return mem;
}

struct report *report_new(void *mem_ctx)
{
	return checked(talloc_zero(mem_ctx, struct report));
}

unsigned report_file(struct report *report, const char *path)
{
	report->files = checked(talloc_realloc(report, report->files, const char *, report->n_files + 1));
	report->files[report->n_files] = checked(talloc_strdup(report, path));
	return report->n_files++;
}

const char *report_file_name(const struct report *report, unsigned file)
{
	return report->files[file];
}

unsigned report_n_files(const struct report *report)
{
	return report->n_files;
}

static char *place(const struct report *report, const struct report_at *at)
{
	char *text = checked(talloc_strdup(report, report->files[at->file]));
	if (at->line > 0)
		text = checked(talloc_asprintf_append_buffer(text, ":%u", at->line));
	if (at->column > 0)
		text = checked(talloc_asprintf_append_buffer(text, ":%u", at->column));
	if (at->section != NULL && at->key != NULL)
		return checked(talloc_asprintf_append_buffer(text, ": [%s] %s: ", at->section, at->key));
	if (at->section != NULL)
		return checked(talloc_asprintf_append_buffer(text, ": [%s]: ", at->section));
	return checked(talloc_strdup_append_buffer(text, ": "));
}

/* Control characters, also the two-byte ones of UTF-8 (U+0080..U+009F), could drive the reader's terminal. */
static void mask_controls(char *text)
{
	for (unsigned char *p = (unsigned char *)text; *p != '\0'; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		if (p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0)
			p[0] = p[1] = '?';
	}
}

PRINTF_LIKE(4, 0)
static void add_problem(struct report *report, const struct report_at *at, enum kind kind, const char *fmt, va_list ap)
{
	char *text = place(report, at);
	text = checked(talloc_vasprintf_append_buffer(text, fmt, ap));
	mask_controls(text);
	if (report->n % 64 == 0)
		report->items = checked(talloc_realloc(report, report->items, struct item, report->n + 64));
	report->items[report->n] =
		(struct item){.text = text, .file = at->file, .line = at->line, .number = (unsigned)report->n, .kind = kind};
	report->n++;
	report->n_errors += kind == PROBLEM_ERROR;
	report->n_of_machine += kind == PROBLEM_OF_MACHINE;
}

void report_error(struct report *report, const struct report_at *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_problem(report, at, PROBLEM_ERROR, fmt, ap);
	va_end(ap);
}

void report_warning(struct report *report, const struct report_at *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_problem(report, at, PROBLEM_WARNING, fmt, ap);
	va_end(ap);
}

void report_machine(struct report *report, const struct report_at *at, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	add_problem(report, at, PROBLEM_OF_MACHINE, fmt, ap);
	va_end(ap);
}

void report_err(struct report *report, const struct report_at *at, const struct viewd_err *err)
{
	if (err->hint[0] != '\0')
		report_error(report, at, "%s; %s", err->msg, err->hint);
	else
		report_error(report, at, "%s", err->msg);
}

size_t report_n_errors(const struct report *report)
{
	return report->n_errors;
}

static int by_place(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	if (x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

void report_finish(struct report *report, void *mem_ctx, struct conf_problems *out_r)
{
	if (report->n > 0)
		qsort(report->items, report->n, sizeof *report->items, by_place);
	struct conf_problem *items = checked(talloc_array(mem_ctx, struct conf_problem, report->n));
	for (size_t i = 0; i < report->n; i++)
		items[i] = (struct conf_problem){.text = talloc_steal(items, report->items[i].text),
		                                 .warning = report->items[i].kind != PROBLEM_ERROR,
		                                 .of_machine = report->items[i].kind == PROBLEM_OF_MACHINE};
	*out_r = (struct conf_problems){
		.items = items, .n = report->n, .n_errors = report->n_errors, .n_of_machine = report->n_of_machine};
	report->n = report->n_errors = report->n_of_machine = 0;
}
