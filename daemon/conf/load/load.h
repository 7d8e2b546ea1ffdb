/* SPDX-License-Identifier: MIT
 *
 * load.h: the record that the steps of one conf_load share. Private to conf/load/. [any], a load on one thread.
 *
 * load.c reads files and sorts their sections, build.c and database.c turn sections into structs, define.c collects
 * definitions and indexes, check.c looks across sections. Every step reports and goes on, so that all problems are
 * found at once.
 */
#ifndef VIEWD_CONF_LOAD_LOAD_H
#define VIEWD_CONF_LOAD_LOAD_H

#include "conf/conf.h"
#include "conf/read/names.h"
#include "conf/read/report.h"
#include "conf/read/scan.h"
#include "conf/schema/option.h"
#include "conf/snapshot/box.h"

struct load_file {
	struct scan scan;
	const char *base_dir; /* absolute, in the snapshot's arena */
	int dir_fd;           /* of base_dir; -1 until it is needed */
};

/* A section and where it is. */
struct load_section {
	unsigned file;
	const struct scan_section *sec;
	const char *name; /* NAME of [view NAME] */
};

struct load_sections {
	struct load_section *items;
	size_t n;
};

struct load_dialect;

struct load {
	void *tmp;             /* talloc context that ends with the load */
	struct arena *scratch; /* text of the files */
	struct arena *arena;   /* the snapshot's */
	struct conf_box *box;
	struct report *report;
	const struct conf_dialects *dialects; /* may be NULL */
	struct load_file *files;
	struct load_section daemon;   /* sec NULL: there is none */
	struct load_section defaults; /* likewise */
	struct load_sections databases;
	struct load_sections views;
	const struct load_dialect **asked; /* dialects asked for so far */
	size_t n_asked;
	bool listed; /* the installed ones were listed */
	struct conf_dialect *installed;
	size_t n_installed;
	struct name_set *absent; /* suffixes of definition_NAME that no installed dialect has, said once each */
};

/* The place of an entry or, entry NULL, of the section header. */
struct report_at load_at(const struct load_section *s, const struct scan_entry *entry);

/* The entries of a section; NULL when it has none. */
const struct scan_entry *load_entries(const struct load *load, const struct load_section *s);

/* build.c and database.c: sections into the snapshot. Problems are reported. */
void build_daemon(struct load *load);
void build_views(struct load *load);
void build_databases(struct load *load);

/* define.c: the definitions and indexes of one section into *view; inherited: the view built from [view-defaults].
 * *origins_r: one for each row, "default", then theirs; to be freed with talloc. *n_r: how many. */
void define_view(struct load *load, const struct load_section *s, const struct conf_view *inherited,
                 struct conf_view *view, struct conf_origin **origins_r, size_t *n_r);

/* check.c: references across sections. */
void check_references(struct load *load);

#endif
