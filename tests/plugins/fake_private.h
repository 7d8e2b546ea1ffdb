/* SPDX-License-Identifier: MIT
 *
 * fake_private.h: what the files of the fake dialect share.
 */
#ifndef VIEWD_TESTS_PLUGINS_FAKE_PRIVATE_H
#define VIEWD_TESTS_PLUGINS_FAKE_PRIVATE_H

#include "plugins/fake.h"

#define FAKE_OPS(X) \
	X(check_database) \
	X(check_view) \
	X(render) \
	X(open) \
	X(close) \
	X(cancel) \
	X(alive) \
	X(prepare) \
	X(inspect) \
	X(apply) \
	X(refresh) \
	X(record_failure) \
	X(verify) \
	X(history) \
	X(capture) \
	X(watch_open) \
	X(watch_next) \
	X(refresh_group)
enum fake_op {
#define FAKE_OP_ENUM(name) FAKE_##name,
	FAKE_OPS(FAKE_OP_ENUM) FAKE_OP_COUNT
#undef FAKE_OP_ENUM
};

enum fake_act { FAKE_FAIL, FAKE_DELAY, FAKE_BLOCK, FAKE_HANG };

struct fake_rule {
	enum fake_act act;
	int op; /* enum fake_op, or FAKE_OP_COUNT for all */
	char object[64];
	enum viewd_err_class cls;
	long times, skip;
	int64_t delay_us;
	struct fake_rule *next;
};

struct fake_run {
	int64_t started_us, duration_us, rows;
	char trigger[16];
	const char *action, *result; /* static words */
	char error[128];
	struct fake_run *next; /* newest first */
};

/* A relation, or the record of one that is gone (kind NONE). */
struct fake_object {
	char *name;
	enum viewd_kind kind;
	uint64_t id, recorded_id; /* the object is ours when both are equal */
	char *owner;              /* the view that it was recorded for, or NULL */
	char *definition;
	char hash[17], index_hash[17];
	enum viewd_method method;
	bool drop_on_remove, touched, populated;
	int64_t rows;
	uint64_t content;
	int64_t filled_us, duration_us;
	size_t compared; /* inspections that were asked to compare types */
	struct fake_run *runs;
	struct fake_object *next; /* of its bucket */
};

#define FAKE_BUCKETS 4096
#define FAKE_TRACE 8192

struct fake_server {
	char *name;
	char *control;
	long control_read;      /* bytes of it that have been obeyed */
	int64_t control_looked; /* when, monotonic */
	struct fake_object *buckets[FAKE_BUCKETS];
	struct fake_rule *rules;
	uint64_t next_id;
	unsigned epoch; /* grows when connections break */
	enum viewd_err_class down;
	bool readonly;
	size_t calls[FAKE_OP_COUNT];
	struct {
		uint8_t op;
		char object[31];
	} * trace;
	size_t n_trace;
	size_t n_running, most_running, n_waiting, n_connections;
	struct fake_capture *captures[FAKE_BUCKETS];
	struct fake_request *requests;
	char *redefined;           /* a table that is something else now: still to be told */
	struct viewd_watch *watch; /* holds the lock, unless its connection broke */
	size_t n_watches;
	unsigned hints;       /* changes when there may be something to look at */
	bool deaf;            /* hints get lost */
	bool behind;          /* no look comes to its end */
	char *storm;          /* a table that is being written */
	long storm_left;      /* so many times more */
	bool rival;           /* another daemon holds the lock */
	unsigned watch_epoch; /* grows when the watch's connection breaks */
	struct fake_server *next;
};

struct viewd_conn {
	struct fake_server *server;
	const struct viewd_host *host;
	char *database;
	unsigned epoch;
	bool busy, cancelled, in_cancel, broken;
};

/* The marks of its view that a refresh has read before it read data. */
#define FAKE_SEEN 16
struct fake_seen {
	int64_t dirty[FAKE_SEEN];
	size_t n;
	int64_t seq;
};

/* Everything below is called with the lock held. */
void fake_lock(void);
void fake_unlock(void);
struct fake_server *fake_server_named(const char *name);
struct fake_server *fake_server_of_url(const char *url);
/* Runs one command; false when it is wrong. */
bool fake_command(struct fake_server *s, const char *line);
void fake_obey_control(struct fake_server *s);
int fake_op_of(const char *word); /* -1: none */

/* Counts the call, waits and fails as scripted. conn may be NULL (calls without a connection). */
bool fake_enter(struct fake_server *s, struct viewd_conn *conn, enum fake_op op, const char *object,
                struct viewd_err *err);
void fake_leave(struct viewd_conn *conn);
void fake_violation(const char *what);
void fake_wake(void);

struct fake_object *fake_find(struct fake_server *s, const char *name); /* NULL when never heard of */
struct fake_object *fake_need(struct fake_server *s, const char *name); /* made when absent */
void fake_forget(struct fake_server *s, struct fake_object *o);
uint64_t fake_hash(uint64_t seed, const char *text);
/* The next name after FROM; *pos NULL: the first. False at the end. */
bool fake_next_source(const char *definition, const char **pos, char *name, size_t size);
/* The rows that the definition yields now; false with the missing name in err. */
bool fake_evaluate(struct fake_server *s, const char *definition, int depth, int64_t *rows_r, uint64_t *content_r,
                   struct viewd_err *err);
bool fake_is_base(const char *name);
int64_t fake_now(const struct viewd_conn *conn);
int64_t fake_mono(void);
/* Lets go of the lock until something changes, or so long. */
void fake_wait(int64_t us);

/* Marks: a source changed (what these views are registered for stays clean); what a refresh reads and settles; what a
 * view is registered for. */
void fake_touch(struct fake_server *s, const char *source, const struct viewd_group_item *const *but, size_t n_but);
struct fake_seen fake_read_marks(struct fake_server *s, const char *view);
void fake_settle_marks(struct fake_server *s, const char *view, const struct fake_seen *seen);
bool fake_is_captured(struct fake_server *s, const char *view);
void fake_uncapture(struct fake_server *s, const char *view);
void fake_lag(struct fake_server *s, bool behind);
void fake_storm(struct fake_server *s, const char *source, long times);
void fake_request_refresh(struct fake_server *s, const char *view);
void fake_rewind_marks(struct fake_server *s);
void fake_free_captures(struct fake_server *s);
/* The size of the server's objects, roughly: they stand for what a real database keeps elsewhere. */
size_t fake_bytes(const struct fake_server *s);

/* The dialect's functions that need no connection, and what they share with the others; without the lock. */
void fake_plain_name(const char *relation, char *out, size_t size);
void fake_digests(const struct viewd_view_spec *view, char *hash, char *index_hash);
bool fake_judge_database(const struct viewd_database_spec *db, struct viewd_err *err);
bool fake_judge_view(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                     struct viewd_resolved *out, struct viewd_text_sink mentions, struct viewd_err *err);
bool fake_render_view(const struct viewd_database_spec *db, const struct viewd_view_spec *view,
                      enum viewd_render_kind kind, const struct viewd_render_flags *flags,
                      struct viewd_text_sink statements, struct viewd_err *err);

/* Pieces of a refresh, with the lock. fake_fill_rows leaves the marks alone. */
bool fake_is_ours(const struct fake_object *o, const struct viewd_view_spec *view);
bool fake_fill_rows(struct viewd_conn *conn, struct fake_object *o, const struct viewd_view_spec *view,
                    struct viewd_outcome *out, struct viewd_err *err);
void fake_remember_run(struct viewd_conn *conn, struct fake_object *o, const struct viewd_refresh_request *req,
                       const char *result, const struct viewd_err *failure);

/* Without the lock. */
bool fake_refresh_group(struct viewd_conn *conn, const struct viewd_group_item *const *items, size_t n,
                        size_t *failed_r, struct viewd_err *err);

/* The dialect's functions of change capture; without the lock. */
bool fake_capture(struct viewd_conn *conn, const struct viewd_view_spec *view, const struct viewd_capture_request *req,
                  struct viewd_captured *out, struct viewd_text_sink warnings, struct viewd_err *err);
struct viewd_watch *fake_watch_open(const struct viewd_host *host, const struct viewd_database_spec *db,
                                    struct viewd_err *err);
bool fake_watch_next(struct viewd_watch *w, int64_t timeout_us, struct viewd_signal_sink signals,
                     struct viewd_err *err);
void fake_watch_wake(struct viewd_watch *w);
void fake_watch_close(struct viewd_watch **watch);

#endif
