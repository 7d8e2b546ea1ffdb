/* SPDX-License-Identifier: MIT
 *
 * queries.h: the SQL of one search for affected keys (docs/adr/010-affected-keys.md). Texts live as long as the search.
 */
#ifndef VIEWD_COMMON_INCREMENTAL_SEARCH_QUERIES_H
#define VIEWD_COMMON_INCREMENTAL_SEARCH_QUERIES_H

#include "common/incremental/part.h"

#define SEARCH_EARLY_MAX 5000 /* images: a search in vain is to take next to no time */

struct search {
	struct db *db;
	void *mem;
	const char *view;
	const struct part *part;
	int64_t limit;
	struct key_set *keys;
	bool early; /* what logs hold is not known: as at the last refresh */
};

/* Has the log of the source unread images? [any] */
bool search_has_news(const struct search *search, const struct part_source *source);

/* Is the source's partner to be asked which of its images count? A caller may know that it is not worth it. [any] */
bool search_has_partner(const struct search *search, const struct part_source *source);

/* Values that images ask their partner for; and which of these values it has, in rows that meet its filters. [any] */
char *search_asked_query(const struct search *search, const struct part_source *source);
char *search_met_query(const struct search *search, const struct part_source *source, const struct key_set *asked);

/* The columns of images that lead on. met: of those that have met their partner by these values; NULL: it was not
 * asked. [any] */
char *search_images_query(const struct search *search, const struct part_source *source, const struct key_set *met);

/* The columns of `next` that lead on, for the values that the way of `from` has led to. [any] */
char *search_step_query(const struct search *search, const struct part_source *from, const struct part_source *next,
                        const struct key_set *values);

/* The values are keys, of which those stay that the source has. [any] */
char *search_keys_query(const struct search *search, const struct part_source *source, const struct key_set *values);

#endif
