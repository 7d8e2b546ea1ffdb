/* SPDX-License-Identifier: MIT
 *
 * wave.h: a set of instances to work on together, once each, in dependency order. [loop]
 */
#ifndef VIEWD_CORE_FLOW_WAVE_H
#define VIEWD_CORE_FLOW_WAVE_H

#include "core/model/job_record.h"

/* The order of a wave's members, and the effect of a failure on those behind. */
enum wave_order {
	WAVE_UPSTREAM_FIRST,   /* refresh: a failure ends those behind with UPSTREAM_FAILED */
	WAVE_GUESSED,          /* creation: mentions and edges; a failure only ends the wait */
	WAVE_DOWNSTREAM_FIRST, /* drop: a failure ends those behind (what they are read by still exists) */
	WAVE_ANY               /* verify, plan */
};

/* In member.after, besides the index: this one waits no more. */
#define WAVE_RELEASED (UINT32_C(1) << 31)

/* One instance in one wave. */
struct member {
	struct wave *wave;
	struct view *view;   /* NULL: it has ended, and its instance is gone */
	struct member *next; /* list of the instance, later of the job */
	struct member *next_idle;
	struct member *head;      /* of a group: the first, which counts for all; NULL: itself */
	struct member *next_mate; /* of the same group in this wave */
	uint32_t n_waits;         /* members before it that have not ended */
	bool blocked;             /* one of those failed */
	bool ended;
	bool conditional; /* runs only when something before it wrote rows */
	bool changed;     /* something did */
	enum view_trigger trigger;
	uint32_t *after; /* indexes of members that wait for it, some with WAVE_RELEASED */
	uint32_t n_after;
};

struct wave {
	struct engine *eng;
	enum job_kind kind;
	enum wave_order order;
	enum view_trigger trigger;
	bool full;
	bool create_missing;
	bool replace, keep, cascade;
	bool by_hand; /* somebody waits: fail rather than wait for a database that is down */
	bool propagate;
	uint64_t n_set_up_before; /* engine.captures.n_set_up at the start: an instance set up later is no member */
	size_t n, n_left;
	size_t n_asked, n_asked_left; /* the members somebody asked for come first; followers are not reported */
	bool listed;                  /* in the list of finished waves: to be reported, or freed */
	bool reported;
	struct member *members;
	struct engine_item *items; /* NULL when nobody asked to be told */
	engine_done_fn *done;
	void *ctx;
	struct wave *next;
	LIST_ENTRY(wave) link; /* of the engine's, while it lives */
};

struct wave_spec {
	enum job_kind kind;
	enum wave_order order;
	enum view_trigger trigger;
	bool full;
	bool create_missing;
	bool replace; /* what others have made of the objects goes */
	bool keep;    /* ... stays */
	bool cascade; /* what depends on dropped objects goes, whatever the key says */
	bool by_hand;
	bool propagate;       /* instances downstream with on_change join: they run if what they read wrote rows */
	engine_done_fn *done; /* may be NULL */
	void *ctx;
};

/* A group starts as one: what its members wait for, its head waits for. */
static inline struct member *wave_head(struct member *m)
{
	return m->head != NULL ? m->head : m;
}

/* Nothing before it is waited for any more, and it may run. */
static inline bool wave_is_ready(struct member *m)
{
	const struct member *head = wave_head(m);
	return head->n_waits == 0 && !head->blocked && !m->ended;
}

/* Finds out which members wait for which. Part of wave_start. */
void wave_link(struct wave *wave);

/* Starts a wave over the given instances (duplicates are one). done is called from the loop, also for an empty wave. */
void wave_start(struct engine *eng, const struct wave_spec *spec, struct view *const *views, size_t n);

/* Takes all ready members of that kind off the instance. */
struct member *wave_take(struct view *view, enum job_kind kind);

/* Nothing came of it: taken members wait again, except those somebody waits for, which are returned. */
struct member *wave_put_back(struct view *view, struct member *members);

/* A member's work has ended. item holds result, did, rows, error ...; its view and label are filled in here. */
void wave_member_end(struct member *member, const struct engine_item *item);

/* Ends all of a list of taken members alike. */
void wave_end_taken(struct member *members, const struct engine_item *item);

/* A choice among the waiting members of an instance. */
enum wave_which {
	WAVE_ALL,
	WAVE_CANCELLABLE, /* all but capture work: nobody wants to be rid of that */
	WAVE_BY_HAND,     /* those somebody waits for */
	WAVE_BY_ITSELF    /* refreshes that nobody asked for */
};

/* Ends waiting members of the instance with that result (cancel, removal, pause). */
void wave_end_waiting(struct view *view, enum wave_which which, enum view_result result, const struct viewd_err *err);

/* The view's database is away, for who knows how long: members in other databases that wait for the view go on without
 * it, and are told when it has written rows after all. Requests by hand stay: they end when the database cannot be
 * reached. */
void wave_release(struct view *view);

/* Takes an instance that is about to be freed out of all waves; nothing of it waits any more. */
void wave_forget(const struct view *view);

/* Reports the finished waves; called by each turn. */
void wave_report_finished(struct engine *eng);

#endif
