/* SPDX-License-Identifier: MIT
 *
 * generate.h: the SQL text of create, refresh and drop. render prints it, the recipes run it: what is shown is what is
 * done. [any]
 *
 * A form the server lacks is never produced: it is rewritten (OR REPLACE becomes DROP IF EXISTS + CREATE) or refused
 * with the reason.
 */
#ifndef VIEWD_COMMON_GENERATE_GENERATE_H
#define VIEWD_COMMON_GENERATE_GENERATE_H

#include "common/generate/columns.h"
#include "common/sqltext/ident.h"

/* Everything that the text is made from. All names unquoted. */
struct gen {
	const struct syntax *syn;
	void *mem; /* results are talloc'ed here */
	struct relation rel;
	enum viewd_method method;
	const char *definition;        /* cleaned */
	const struct columns *columns; /* declared (offline) or resolved (connected); n 0: unknown */
	const struct viewd_view_spec *view;
	const char *tag;               /* NULL offline */
	const struct relation *source; /* rows come from this filled stage, not from the definition; NULL: the definition */
	const struct row_key *row_key; /* NULL offline */
	bool stage;                    /* the table is a diff's stage: it gets syn->diff.stage_key */
};

/* The definition wrapped so that columns come by name in the relation's order; the definition itself when nothing is
 * known. */
char *gen_query(const struct gen *gen);

/* CREATE VIEW / CREATE MATERIALIZED VIEW ... / CREATE TABLE (empty). NULL: refused, err says why. */
char *gen_create(const struct gen *gen, const struct viewd_render_flags *flags, struct viewd_err *err);

/* The table that a table method needs, under another name (swap) and with another tag. */
char *gen_create_table(const struct gen *gen, const struct relation *as, bool if_not_exists);

/* INSERT INTO target (columns) query. */
char *gen_insert(const struct gen *gen, const struct relation *target);

/* DELETE FROM target (all rows). */
char *gen_delete(const struct gen *gen, const struct relation *target);

/* REFRESH MATERIALIZED VIEW [CONCURRENTLY]. */
char *gen_refresh(const struct gen *gen, bool concurrently);

/* DROP VIEW / MATERIALIZED VIEW / TABLE. */
char *gen_drop(const struct gen *gen, const struct relation *rel, enum viewd_kind kind, bool if_exists, bool cascade);

/* The steps of a diff refresh: make the stage (a temporary table), fill it with gen_insert, index it (NULL: not
 * needed), delete, insert, drop it. Needs unique_key and columns. Rows with a NULL in their key are left alone by
 * these: gen_keyless_differ yields 0 when both sides have the same ones, else the next two exchange them.
 * gen_diff_count: rows of the relation, and how many of them have such a key. */
void gen_diff_name(const struct gen *gen, struct relation *stage);
char *gen_diff_stage(const struct gen *gen, const struct relation *stage);
char *gen_diff_index(const struct gen *gen, const struct relation *stage);
char *gen_diff_delete(const struct gen *gen, const struct relation *stage);
char *gen_diff_insert(const struct gen *gen, const struct relation *stage);
char *gen_diff_drop(const struct gen *gen, const struct relation *stage);
char *gen_diff_count(const struct gen *gen);
char *gen_keyless_differ(const struct gen *gen, const struct relation *stage);
char *gen_keyless_delete(const struct gen *gen);
char *gen_keyless_insert(const struct gen *gen, const struct relation *stage);

/* A diff whose differences are found out before the write transaction: gone and fresh are temporary tables of row
 * numbers, of rows of the relation that must go and rows of the stage that must come; the keyless ones add rows with a
 * NULL in their key. */
char *gen_delta_gone(const struct gen *gen, const struct relation *stage, const struct relation *gone,
                     const char *row_id);
char *gen_delta_fresh(const struct gen *gen, const struct relation *stage, const struct relation *fresh,
                      const char *row_id);
char *gen_delta_keyless_gone(const struct gen *gen, const struct relation *gone, const char *row_id);
char *gen_delta_keyless_fresh(const struct gen *gen, const struct relation *stage, const struct relation *fresh,
                              const char *row_id);
char *gen_delta_delete(const struct gen *gen, const struct relation *gone, const char *row_id);
char *gen_delta_insert(const struct gen *gen, const struct relation *stage, const struct relation *fresh,
                       const char *row_id);

/* verify: one statement yielding rows of the definition, missing, unexpected. */
char *gen_verify(const struct gen *gen);

/* Indexes. The name holds a digest of the text, so an index of that name has that text. number 0 ..
 * gen_index_count()-1; the unique_key comes first where it is kept as an index. */
size_t gen_index_count(const struct gen *gen);
void gen_index_name(const struct gen *gen, size_t number, char out[static IDENT_MAX]);
char *gen_index_create(const struct gen *gen, size_t number, const struct relation *on);
char *gen_index_drop(const struct gen *gen, const char *index_name);

/* All statements of one render call, in order. */
bool gen_render(const struct gen *gen, enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                struct viewd_text_sink statements, struct viewd_err *err) MUST_CHECK;

#endif
