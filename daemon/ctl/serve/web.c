/* SPDX-License-Identifier: MIT */
#include "ctl/serve/web.h"

#include "base/address.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/span.h"
#include "conf/snapshot/show.h"
#include "ctl/serve/server.h"
#include "loop/loop.h"

#include <string.h>
#include <unistd.h>

/* The address may belong to a network that is still to come. */
#define RETRY (30 * SPAN_SECOND)

struct web {
	struct loop *loop;
	const struct ctl *ctl;
	struct ctl_server *server; /* NULL: listens nowhere */
	char *address;             /* of the server */
	char *wanted;              /* what the configuration in force says; NULL: off */
	struct loop_timer *retry;
	char *told; /* the failure that was logged last */
};

static void forget(struct web *web)
{
	ctl_server_free(&web->server);
	TALLOC_FREE(web->address);
}

static void serve(struct web *web, int fd, const char *address)
{
	const struct ctl_limits limits = ctl_limits_web();
	forget(web);
	web->address = mem_strdup(web, address);
	web->server = ctl_server_new_web(web->loop, fd, web->ctl, &limits);
	loop_timer_clear(web->retry);
	TALLOC_FREE(web->told);
	if (address_is_loopback(address))
		log_info("http, listening on %s", address);
	else
		log_warning("http, listening on %s: other machines can read what it shows, without TLS and without a password",
		            address);
}

/* Where two addresses have one port, the old one may be in the way of the new one. Then the old one is let go, and
 * taken again if that does not help. */
static int listen_instead(struct web *web, const char *address, struct viewd_err *err)
{
	struct viewd_err why;
	char *before = mem_strdup(web, web->address);
	forget(web);
	int fd = address_listen(address, err);
	int old = fd < 0 ? address_listen(before, &why) : -1;
	if (old >= 0)
		serve(web, old, before);
	talloc_free(before);
	return fd;
}

static bool is_same(const char *a, const char *b)
{
	return a != NULL && b != NULL && strcmp(a, b) == 0;
}

static void note_wanted(struct web *web, const char *address)
{
	talloc_free(web->wanted);
	web->wanted = address != NULL ? mem_strdup(web, address) : NULL;
}

static void close_it(struct web *web)
{
	if (web->server != NULL)
		log_info("http, listening on %s no longer", web->address);
	forget(web);
	loop_timer_clear(web->retry);
}

/* Is it our own socket that is in the way? */
static bool we_are_in_the_way(const struct web *web, const char *address, const struct viewd_err *err)
{
	return err->cls == VIEWD_ERR_EXISTS && web->server != NULL &&
	       strcmp(strrchr(address, ':'), strrchr(web->address, ':')) == 0;
}

static bool move(struct web *web, const char *address, bool dry_run, struct viewd_err *err)
{
	int fd = address_listen(address, err);
	if (fd < 0 && we_are_in_the_way(web, address, err)) {
		if (dry_run)
			return true;
		fd = listen_instead(web, address, err);
	}
	if (fd < 0)
		return false;
	if (dry_run)
		close(fd);
	else
		serve(web, fd, address);
	return true;
}

bool web_take(struct web *web, const struct conf *conf, bool dry_run, struct viewd_err *err)
{
	const char *address = conf->daemon.http_listen;
	if (!is_same(web->address, address) && address != NULL && !move(web, address, dry_run, err))
		/* An address that has failed since the start is tried again anyway, and is no fault of this configuration. */
		return is_same(web->wanted, address);
	if (dry_run)
		return true;
	if (address == NULL)
		close_it(web);
	note_wanted(web, address);
	return true;
}

static void log_failure(struct web *web, const struct conf *conf, const struct viewd_err *err)
{
	char *place = conf_daemon_place(web, conf, "http_listen");
	char *text = mem_printf(web, "%s: %s", place, err->msg);
	if (web->told == NULL || strcmp(web->told, text) != 0)
		log_error("%s; views are kept all the same, and it is tried again every %d seconds", text,
		          (int)(RETRY / SPAN_SECOND));
	talloc_free(place);
	talloc_free(web->told);
	web->told = text;
}

void web_start(struct web *web, const struct conf *conf)
{
	struct viewd_err err;
	const char *address = conf->daemon.http_listen;
	if (address == NULL || is_same(web->address, address) || move(web, address, false, &err)) {
		note_wanted(web, address);
		return;
	}
	note_wanted(web, address);
	log_failure(web, conf, &err);
	loop_timer_set(web->retry, RETRY);
}

static void on_retry(void *ctx)
{
	struct web *web = ctx;
	const struct conf *conf = engine_conf(web->ctl->engine);
	if (conf != NULL && web->server == NULL)
		web_start(web, conf);
}

struct web *web_new(struct loop *loop, const struct ctl *ctl)
{
	struct web *web = mem_new(NULL, struct web);
	web->loop = loop;
	web->ctl = ctl;
	web->retry = loop_timer_new(loop, on_retry, web);
	return web;
}

void web_free(struct web **web_ptr)
{
	struct web *web = *web_ptr;
	if (web == NULL)
		return;
	*web_ptr = NULL;
	forget(web);
	loop_timer_free(&web->retry);
	talloc_free(web);
}
