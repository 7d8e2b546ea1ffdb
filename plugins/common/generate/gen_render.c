/* SPDX-License-Identifier: MIT
 *
 * gen_render.c: the statements of create, refresh and drop, as `viewctl render` prints them.
 */
#include "base/err.h"
#include "base/kind.h"
#include "common/generate/generate.h"

#include <talloc.h>

static bool emit(struct viewd_text_sink *sink, const char *sql)
{
	return sink->fn(sink->ctx, sql);
}

/* The nodes and logs that keep a view incrementally follow from keys, types and sizes of tables, which no file
 * tells. */
#define CREATE_NOTE \
	"-- refresh_mode = incremental: change logs, their triggers and inner nodes are made before the first\n" \
	"-- incremental refresh. Which ones follows from the database: viewctl explain tells.\n"
#define REFRESH_NOTE \
	"-- refresh_mode = incremental: these compute all rows. The statements that look for keys, compute and write " \
	"the\n" \
	"-- rows of these, and move sums follow from the database: viewctl explain tells by which key and through which\n" \
	"-- tables.\n"

static const char *noted(const struct gen *gen, const char *note, const char *sql)
{
	if (gen->method != VIEWD_METHOD_TABLE || gen->view->mode != VIEWD_MODE_INCREMENTAL)
		return sql;
	char *text = talloc_asprintf(gen->mem, "%s%s", note, sql);
	assert(text != NULL);
	return text;
}

/* Statements end early when the sink has had enough; that is no error. */
static void render_indexes(const struct gen *gen, struct viewd_text_sink *sink)
{
	for (size_t i = 0; i < gen_index_count(gen); i++)
		if (!emit(sink, gen_index_create(gen, i, &gen->rel)))
			return;
}

static bool render_create(const struct gen *gen, const struct viewd_render_flags *flags, struct viewd_text_sink *sink,
                          struct viewd_err *err)
{
	char *create = gen_create(gen, flags, err);
	if (create == NULL)
		return false;
	bool native_replace = gen->method == VIEWD_METHOD_SIMPLE && gen->syn->has.view_or_replace;
	if (flags->or_replace && !native_replace &&
	    !emit(sink, gen_drop(gen, &gen->rel, kind_of_method(gen->method), true, flags->cascade)))
		return true;
	if (!emit(sink, noted(gen, CREATE_NOTE, create)) || gen->method == VIEWD_METHOD_SIMPLE)
		return true;
	if (gen->view->with_data &&
	    !emit(sink, gen->method == VIEWD_METHOD_TABLE ? gen_insert(gen, &gen->rel) : gen_refresh(gen, false)))
		return true;
	render_indexes(gen, sink);
	return true;
}

static bool render_diff(const struct gen *gen, struct viewd_text_sink *sink, struct viewd_err *err)
{
	struct relation stage;
	if (gen->columns->n == 0) {
		err_set(err, VIEWD_ERR_CONFIG,
		        "diff refresh cannot be shown without a connection (its columns are not declared)");
		return err_hint(err, "set columns, or look at refresh_mode = full");
	}
	gen_diff_name(gen, &stage);
	const char *const steps[] = {gen_diff_stage(gen, &stage),     gen_insert(gen, &stage),
	                             gen_diff_index(gen, &stage),     gen_diff_delete(gen, &stage),
	                             gen_diff_insert(gen, &stage),    gen_keyless_delete(gen),
	                             gen_keyless_insert(gen, &stage), gen_diff_drop(gen, &stage)};
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		if (steps[i] != NULL && !emit(sink, steps[i]))
			break;
	return true;
}

static bool render_refresh(const struct gen *gen, struct viewd_text_sink *sink, struct viewd_err *err)
{
	if (gen->method == VIEWD_METHOD_SIMPLE)
		return true;
	if (gen->method == VIEWD_METHOD_MATERIALIZED) {
		emit(sink, gen_refresh(gen, gen->view->mode == VIEWD_MODE_CONCURRENTLY));
		return true;
	}
	if (gen->view->mode == VIEWD_MODE_DIFF)
		return render_diff(gen, sink, err);
	if (emit(sink, noted(gen, REFRESH_NOTE, gen_delete(gen, &gen->rel))))
		emit(sink, gen_insert(gen, &gen->rel));
	return true;
}

bool gen_render(const struct gen *gen, enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                struct viewd_text_sink statements, struct viewd_err *err)
{
	switch (kind) {
	case VIEWD_RENDER_CREATE:
		return render_create(gen, flags, &statements, err);
	case VIEWD_RENDER_REFRESH:
		return render_refresh(gen, &statements, err);
	case VIEWD_RENDER_DROP:
		break;
	}
	emit(&statements, gen_drop(gen, &gen->rel, kind_of_method(gen->method), flags->if_exists, flags->cascade));
	return true;
}
