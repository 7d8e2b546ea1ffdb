/* SPDX-License-Identifier: MIT
 *
 * fake_server.c: the servers in memory, their scripts' effect on calls, and what tests ask about them. One lock guards
 * all.
 */
#include "plugins/fake_private.h"

#include "base/err.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <talloc.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static struct fake_server *servers;
static size_t violations;
static int64_t fixed_now;

/* How often a waiting call looks at its clock and at the control file. */
#define SLICE_US 5000

void fake_lock(void)
{
	pthread_mutex_lock(&lock);
}

void fake_unlock(void)
{
	pthread_mutex_unlock(&lock);
}

void fake_wake(void)
{
	pthread_cond_broadcast(&changed);
}

void fake_violation(const char *what)
{
	fprintf(stderr, "fake dialect: contract broken: %s\n", what);
	violations++;
}

void fake_wait(int64_t us)
{
	struct timespec until;
	clock_gettime(CLOCK_REALTIME, &until);
	int64_t ns = until.tv_nsec + us % 1000000 * 1000;
	until.tv_sec += us / 1000000 + ns / 1000000000;
	until.tv_nsec = ns % 1000000000;
	pthread_cond_timedwait(&changed, &lock, &until);
}

int64_t fake_now(const struct viewd_conn *conn)
{
	return fixed_now != 0 ? fixed_now : conn->host->now(conn->host->ctx);
}

int64_t fake_mono(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* ---- servers ---------------------------------------------------------------------------------------------------- */

struct fake_server *fake_server_named(const char *name)
{
	for (struct fake_server *s = servers; s != NULL; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	struct fake_server *s = talloc_zero(NULL, struct fake_server);
	s->name = talloc_strdup(s, name);
	s->next = servers;
	servers = s;
	return s;
}

/* fail=refresh:a:conflict:2 is the command `fail refresh a conflict 2`. */
static void obey_url(struct fake_server *s, const char *params)
{
	char *copy = talloc_strdup(s, params), *save = NULL;
	for (char *p = strtok_r(copy, "&", &save); p != NULL; p = strtok_r(NULL, "&", &save)) {
		if (strncmp(p, "control=", 8) == 0) {
			s->control = talloc_strdup(s, p + 8);
			continue;
		}
		for (char *c = p; *c != '\0'; c++)
			if (*c == ':' || *c == '=')
				*c = ' ';
		if (!fake_command(s, p))
			fprintf(stderr, "fake dialect: wrong URL parameter: %s\n", p);
	}
	talloc_free(copy);
}

struct fake_server *fake_server_of_url(const char *url)
{
	const char *start = strstr(url, "://");
	start = start == NULL ? url : start + 3;
	size_t len = strcspn(start, "/?");
	const char *at = memchr(start, '@', len);
	if (at != NULL) {
		len -= (size_t)(at + 1 - start);
		start = at + 1;
	}
	char *name = talloc_strndup(NULL, start, len);
	size_t before = 0;
	for (struct fake_server *s = servers; s != NULL; s = s->next)
		before += strcmp(s->name, name) == 0;
	struct fake_server *s = fake_server_named(name);
	const char *params = strchr(start, '?');
	if (before == 0 && params != NULL)
		obey_url(s, params + 1);
	talloc_free(name);
	return s;
}

/* ---- objects ---------------------------------------------------------------------------------------------------- */

uint64_t fake_hash(uint64_t seed, const char *text)
{
	/* FNV-1a */
	uint64_t h = seed ^ UINT64_C(14695981039346656037);
	for (; *text != '\0'; text++)
		h = (h ^ (uint8_t)*text) * UINT64_C(1099511628211);
	return h;
}

static struct fake_object **bucket(struct fake_server *s, const char *name)
{
	return &s->buckets[fake_hash(0, name) % FAKE_BUCKETS];
}

struct fake_object *fake_find(struct fake_server *s, const char *name)
{
	struct fake_object *o = *bucket(s, name);
	while (o != NULL && strcmp(o->name, name) != 0)
		o = o->next;
	return o;
}

struct fake_object *fake_need(struct fake_server *s, const char *name)
{
	struct fake_object *o = fake_find(s, name);
	if (o != NULL)
		return o;
	o = calloc(1, sizeof *o);
	o->name = strdup(name);
	o->id = ++s->next_id;
	o->rows = -1;
	struct fake_object **b = bucket(s, name);
	o->next = *b;
	*b = o;
	if (fake_is_base(name)) {
		o->kind = VIEWD_KIND_TABLE;
		o->populated = true;
		o->rows = 1;
	}
	return o;
}

static void free_object(struct fake_object *o)
{
	while (o->runs != NULL) {
		struct fake_run *run = o->runs;
		o->runs = run->next;
		free(run);
	}
	free(o->name);
	free(o->owner);
	free(o->definition);
	free(o);
}

void fake_forget(struct fake_server *s, struct fake_object *o)
{
	struct fake_object **link = bucket(s, o->name);
	while (*link != o)
		link = &(*link)->next;
	*link = o->next;
	free_object(o);
}

bool fake_is_base(const char *name)
{
	return strncmp(name, "t_", 2) == 0;
}

bool fake_next_source(const char *definition, const char **pos, char *name, size_t size)
{
	const char *p = *pos;
	if (p == NULL) {
		p = strcasestr(definition, " from ");
		if (p == NULL)
			return false;
		p += 6;
	}
	p += strspn(p, " ,\n\t");
	size_t len = 0;
	for (; isalnum((unsigned char)*p) || strchr("_.\"-", *p) != NULL; p++) {
		if (*p == '\0')
			break;
		if (*p == '.')
			len = 0; /* the last part counts */
		else if (*p != '"' && len + 1 < size)
			name[len++] = *p;
	}
	name[len] = '\0';
	*pos = p;
	return len > 0;
}

bool fake_evaluate(struct fake_server *s, const char *definition, int depth, int64_t *rows_r, uint64_t *content_r,
                   struct viewd_err *err)
{
	char name[128];
	int64_t rows = 0;
	uint64_t content = fake_hash(1, definition);
	for (const char *pos = NULL; fake_next_source(definition, &pos, name, sizeof name);) {
		struct fake_object *o = fake_is_base(name) ? fake_need(s, name) : fake_find(s, name);
		int64_t n;
		uint64_t c;
		if (o == NULL || o->kind == VIEWD_KIND_NONE || depth > 32) {
			err_set(err, VIEWD_ERR_MISSING, "relation \"%s\" does not exist", name);
			return err_object(err, "%s", name);
		}
		if (o->kind != VIEWD_KIND_VIEW || o->definition == NULL) {
			n = o->rows > 0 ? o->rows : 0;
			c = o->content;
		} else if (!fake_evaluate(s, o->definition, depth + 1, &n, &c, err))
			return false;
		rows += n;
		content = content * 31 + c + (uint64_t)n;
	}
	*rows_r = rows;
	*content_r = content;
	return true;
}

static size_t text_bytes(const char *text)
{
	return text != NULL ? strlen(text) + 1 + 16 : 0;
}

size_t fake_bytes(const struct fake_server *s)
{
	size_t n = 0;
	for (size_t i = 0; i < FAKE_BUCKETS; i++)
		for (const struct fake_object *o = s->buckets[i]; o != NULL; o = o->next)
			n += sizeof *o + 16 + text_bytes(o->name) + text_bytes(o->owner) + text_bytes(o->definition);
	return n;
}

/* ---- calls ------------------------------------------------------------------------------------------------------ */

static void note_call(struct fake_server *s, enum fake_op op, const char *object)
{
	s->calls[op]++;
	if (s->n_trace == FAKE_TRACE)
		return;
	if (s->trace == NULL)
		s->trace = talloc_zero_size(s, FAKE_TRACE * sizeof *s->trace);
	s->trace[s->n_trace].op = (uint8_t)op;
	snprintf(s->trace[s->n_trace++].object, sizeof s->trace->object, "%s", object);
}

static bool applies(const struct fake_rule *r, enum fake_op op, const char *object)
{
	return (r->op == (int)op || r->op == FAKE_OP_COUNT) &&
	       (strcmp(r->object, "*") == 0 || strcmp(r->object, object) == 0);
}

static const struct fake_rule *waiting_rule(const struct fake_server *s, enum fake_op op, const char *object)
{
	for (const struct fake_rule *r = s->rules; r != NULL; r = r->next)
		if (r->act != FAKE_FAIL && applies(r, op, object))
			return r;
	return NULL;
}

static bool is_broken(const struct viewd_conn *conn)
{
	return conn != NULL && (conn->broken || conn->epoch != conn->server->epoch);
}

/* Until the script lets it go on. The rule may go away meanwhile: it is looked up again each time. */
static void wait_as_scripted(struct fake_server *s, const struct viewd_conn *conn, enum fake_op op, const char *object)
{
	int64_t start = fake_mono();
	const struct fake_rule *r;
	s->n_waiting++;
	while ((r = waiting_rule(s, op, object)) != NULL) {
		bool deaf = r->act == FAKE_HANG;
		if (!deaf && (is_broken(conn) || (conn != NULL && conn->cancelled)))
			break;
		if (r->act == FAKE_DELAY && fake_mono() - start >= r->delay_us)
			break;
		fake_wait(SLICE_US);
		fake_obey_control(s);
	}
	s->n_waiting--;
}

static bool fail_as_scripted(struct fake_server *s, struct viewd_conn *conn, enum fake_op op, const char *object,
                             struct viewd_err *err)
{
	for (struct fake_rule *r = s->rules; r != NULL; r = r->next) {
		if (r->act != FAKE_FAIL || r->times == 0 || !applies(r, op, object))
			continue;
		if (r->skip > 0) {
			r->skip--;
			continue;
		}
		if (r->times > 0)
			r->times--;
		if (conn != NULL && (r->cls == VIEWD_ERR_LOST || r->cls == VIEWD_ERR_CONNECT))
			conn->broken = true;
		return err_set(err, r->cls, "scripted %s", err_class_word(r->cls));
	}
	return true;
}

static bool server_lets(struct fake_server *s, const struct viewd_conn *conn, enum fake_op op, struct viewd_err *err)
{
	bool writes = op == FAKE_prepare || op == FAKE_apply || op == FAKE_refresh;
	if (op == FAKE_check_database || op == FAKE_check_view || op == FAKE_render)
		return true;
	if (s->down != VIEWD_ERR_OK && (conn == NULL || is_broken(conn)))
		return err_set(err, s->down, "server '%s' is down", s->name);
	if (is_broken(conn))
		return err_set(err, VIEWD_ERR_LOST, "the connection to server '%s' broke", s->name);
	if (s->readonly && writes)
		return err_set(err, VIEWD_ERR_STANDBY, "server '%s' is read-only", s->name);
	return true;
}

bool fake_enter(struct fake_server *s, struct viewd_conn *conn, enum fake_op op, const char *object,
                struct viewd_err *err)
{
	fake_obey_control(s);
	note_call(s, op, object);
	if (conn != NULL) {
		if (conn->busy)
			fake_violation("two calls on one connection");
		conn->busy = true;
		conn->cancelled = false;
	}
	if (op == FAKE_refresh && ++s->n_running > s->most_running)
		s->most_running = s->n_running;
	if (waiting_rule(s, op, object) != NULL)
		wait_as_scripted(s, conn, op, object);
	if (op == FAKE_refresh)
		s->n_running--;
	bool ok = server_lets(s, conn, op, err) && fail_as_scripted(s, conn, op, object, err);
	if (ok && conn != NULL && conn->cancelled)
		ok = err_set(err, VIEWD_ERR_CANCELLED, "cancelled");
	if (!ok)
		fake_leave(conn);
	return ok;
}

void fake_leave(struct viewd_conn *conn)
{
	if (conn != NULL)
		conn->busy = false;
}

/* ---- for tests -------------------------------------------------------------------------------------------------- */

size_t fake_calls(const char *server, const char *op, const char *object)
{
	size_t n = 0;
	fake_lock();
	struct fake_server *s = fake_server_named(server);
	int wanted = op == NULL ? -1 : fake_op_of(op);
	for (size_t i = 0; object == NULL && i < FAKE_OP_COUNT; i++)
		n += wanted < 0 || wanted == (int)i ? s->calls[i] : 0;
	for (size_t i = 0; object != NULL && i < s->n_trace; i++)
		n += (wanted < 0 || s->trace[i].op == wanted) && strcmp(s->trace[i].object, object) == 0;
	fake_unlock();
	return n;
}

char *fake_trace(void *mem_ctx, const char *server, const char *op)
{
	fake_lock();
	struct fake_server *s = fake_server_named(server);
	char *text = talloc_strdup(mem_ctx, "");
	for (size_t i = 0; i < s->n_trace; i++)
		if (s->trace[i].op == fake_op_of(op))
			text = talloc_asprintf_append_buffer(text, "%s%s", text[0] != '\0' ? " " : "", s->trace[i].object);
	fake_unlock();
	return text;
}

static size_t look(const char *server, size_t offset)
{
	fake_lock();
	size_t n;
	memcpy(&n, (const char *)fake_server_named(server) + offset, sizeof n);
	fake_unlock();
	return n;
}

size_t fake_running(const char *server)
{
	return look(server, offsetof(struct fake_server, n_running));
}

size_t fake_most_running(const char *server)
{
	return look(server, offsetof(struct fake_server, most_running));
}

size_t fake_waiting(const char *server)
{
	return look(server, offsetof(struct fake_server, n_waiting));
}

size_t fake_connections(const char *server)
{
	return look(server, offsetof(struct fake_server, n_connections));
}

size_t fake_watches(const char *server)
{
	return look(server, offsetof(struct fake_server, n_watches));
}

enum viewd_kind fake_kind(const char *server, const char *object)
{
	fake_lock();
	const struct fake_object *o = fake_find(fake_server_named(server), object);
	enum viewd_kind kind = o != NULL ? o->kind : VIEWD_KIND_NONE;
	fake_unlock();
	return kind;
}

int64_t fake_rows(const char *server, const char *object)
{
	fake_lock();
	const struct fake_object *o = fake_find(fake_server_named(server), object);
	int64_t rows = o != NULL && o->populated ? o->rows : -1;
	fake_unlock();
	return rows;
}

size_t fake_violations(void)
{
	fake_lock();
	size_t n = violations;
	fake_unlock();
	return n;
}

void fake_set_now(int64_t wall_us)
{
	fake_lock();
	fixed_now = wall_us;
	fake_unlock();
}

static void free_server(struct fake_server *s)
{
	for (size_t i = 0; i < FAKE_BUCKETS; i++)
		while (s->buckets[i] != NULL) {
			struct fake_object *o = s->buckets[i];
			s->buckets[i] = o->next;
			free_object(o);
		}
	fake_free_captures(s);
	talloc_free(s);
}

void fake_reset(void)
{
	fake_lock();
	while (servers != NULL) {
		struct fake_server *s = servers;
		servers = s->next;
		if (s->n_connections + s->n_watches == 0)
			free_server(s);
	}
	violations = 0;
	fixed_now = 0;
	fake_unlock();
}
