/* SPDX-License-Identifier: MIT
 *
 * test_web.c: the address of http_listen: who is let in, what is answered, and how it moves.
 */
#include "ctl_support.h"

#include "base/address.h"
#include "ctl/serve/host.h"
#include "ctl/serve/web.h"
#include "support/harness.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <talloc.h>
#include <unistd.h>

/* A socket that listens on a port that the system has chosen. */
static int listen_anywhere(unsigned *port_r)
{
	struct sockaddr_in addr = {.sin_family = AF_INET};
	socklen_t len = sizeof addr;
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	REQUIRE(fd >= 0 && bind(fd, (struct sockaddr *)&addr, len) == 0 && listen(fd, 16) == 0);
	REQUIRE(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
	*port_r = ntohs(addr.sin_port);
	return fd;
}

static void web_rig_start(struct rig *rig)
{
	rig_start(rig, NULL);
	ctl_server_free(&rig->server);
	rig->limits = ctl_limits_web();
	int fd = listen_anywhere(&rig->port);
	rig->server = ctl_server_new_web(rig->loop, fd, &rig->ctl, &rig->limits);
}

static char *ask_as(struct rig *rig, const char *path, const char *host)
{
	return rig_ask(rig, talloc_asprintf(harness_ctx(), "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, host));
}

static void looks_are_answered(void)
{
	static const char *const paths[] = {"/v1/status", "/v1/info", "/v1/graph", "/v1/show?view=alpha", "/healthz"};
	static const char *const headers[] = {"Content-Security-Policy: default-src 'none'",
	                                      "X-Content-Type-Options: nosniff", "Cache-Control: no-store"};
	struct rig rig;
	web_rig_start(&rig);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *reply = ask_as(&rig, paths[i], "localhost:7432");
		CHECK_CONTAINS(reply, "200 OK");
		json_decref(rig_json(reply));
		for (size_t k = 0; k < ARRAY_LEN(headers); k++)
			CHECK_CONTAINS(reply, headers[k]);
	}
	rig_check_error(ask_as(&rig, "/v2", "localhost"), " 404 ", "usage", "path '/v2' is not known");
	rig_stop(&rig);
}

static char *head_of(struct rig *rig, const char *path)
{
	return rig_ask(rig, talloc_asprintf(harness_ctx(), "HEAD %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path));
}

/* Status line and headers are those of GET, but for those of the way that the body is sent in. */
static void head_is_get_without_body(void)
{
	static const char *const paths[] = {"/v1/info", "/v1/status", "/v1/show?view=none", "/viewd.css", "/healthz",
	                                    "/readyz",  "/metrics",   "/v1/events",         "/",          "/v2"};
	struct rig rig;
	web_rig_start(&rig);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		char *reply = head_of(&rig, paths[i]), *end = strstr(reply, "\r\n\r\n");
		CHECK(end != NULL && end[4] == '\0');
		CHECK_CONTAINS(reply, strcmp(paths[i], "/v2") == 0 || strstr(paths[i], "none") != NULL ? " 404 "
		                      : strcmp(paths[i], "/readyz") == 0                               ? " 503 "
		                                                                                       : " 200 ");
		CHECK_CONTAINS(reply, "X-Content-Type-Options: nosniff");
	}
	char *whole = ask_as(&rig, "/v1/info", "localhost");
	CHECK_CONTAINS(head_of(&rig, "/v1/info"),
	               talloc_asprintf(harness_ctx(), "Content-Length: %zu\r\n", strlen(strstr(whole, "\r\n\r\n") + 4)));
	rig_check_error(rig_ask(&rig, "DELETE /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"), " 405 ", "usage",
	                "takes GET");
	CHECK_CONTAINS(ask_as(&rig, "/healthz", "localhost"), " 200 ");
	rig_stop(&rig);
}

static void ready_tells_who_is_not(void)
{
	struct rig rig;
	web_rig_start(&rig);
	char *reply = ask_as(&rig, "/readyz", "127.0.0.1");
	CHECK_CONTAINS(reply, " 503 ");
	CHECK_CONTAINS(reply, "{\"view\":\"beta\",\"database\":\"shop\",\"state\":\"FAILED\"}");
	rig.engine.paused = true;
	CHECK_CONTAINS(ask_as(&rig, "/readyz", "127.0.0.1"), "200 OK");
	rig_stop(&rig);
}

static void changes_are_refused(void)
{
	struct rig rig;
	web_rig_start(&rig);
	rig_check_error(ask_as(&rig, "/v1/refresh?view=alpha", "localhost"), " 403 ", "denied", "only shows");
	rig_check_error(ask_as(&rig, "/v1/plan?reload=true", "localhost"), " 403 ", "denied", "only shows");
	rig_check_error(rig_ask(&rig, "POST /v1/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}"),
	                " 405 ", "usage", "takes GET");
	CHECK_CONTAINS(rig_ask(&rig, "DELETE /v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"), "Allow: GET, HEAD\r\n");
	CHECK_INT(rig.engine.n_refresh, 0);
	rig_stop(&rig);
}

static void strange_hosts_are_refused(void)
{
	static const char *const good[] = {"localhost", "LOCALHOST:7432", "127.0.0.1",     "10.1.2.3:80",     "[::1]:7432",
	                                   "[fe80::1]", "localhost.",     "views.example", "VIEWS.example:80"};
	static const char *const bad[] = {"evil.example",
	                                  "localhost.evil.example",
	                                  "127.0.0.1.evil.example",
	                                  "localhost:80x",
	                                  "[::1",
	                                  "[::1]x",
	                                  "[evil]",
	                                  "127.0.0",
	                                  "",
	                                  "views.example@evil",
	                                  "::1"};
	const char *names[] = {"views.example"};
	const struct conf_list list = {.items = names, .n = 1};
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		CHECK(host_is_ours(good[i], &list));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		CHECK(!host_is_ours(bad[i], &list));
	struct rig rig;
	web_rig_start(&rig);
	rig_check_error(ask_as(&rig, "/v1/status", "evil.example"), " 403 ", "denied",
	                "host 'evil.example' is not served here");
	rig_check_error(rig_ask(&rig, "GET /v1/status HTTP/1.1\r\n\r\n"), " 400 ", "usage", "no Host");
	rig_check_error(rig_ask(&rig, "GET /v1/status HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n"), " 400 ",
	                "usage", "more than one");
	rig_check_error(rig_ask(&rig, "GET http://evil.example/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n"), " 403 ",
	                "denied", "not served");
	rig_stop(&rig);
}

/* Requests that never get past the HTTP library. */
static void what_is_no_request_gets_json_too(void)
{
	struct rig rig;
	web_rig_start(&rig);
	rig_check_error(rig_ask(&rig, "nonsense\r\n\r\n"), " 400 ", "usage", "no HTTP");
	rig_check_error(rig_ask(&rig, "POST /v1/refresh HTTP/1.1\r\nHost: localhost\r\nContent-Length: 104857600\r\n\r\n"),
	                " 413 ", "usage", "too long");
	CHECK_CONTAINS(rig_ask(&rig, "nonsense\r\n\r\n"), "nosniff");
	rig_stop(&rig);
}

static struct conf *conf_with(const char *address)
{
	struct conf_problems problems;
	const char *path =
		harness_file("web.conf", talloc_asprintf(harness_ctx(),
	                                             "[viewd]\nhttp_listen = %s\n"
	                                             "[database shop]\nurl = sqlite:////nowhere.db\n"
	                                             "[view a]\ndatabase = shop\ndefinition = SELECT 1 AS x\n",
	                                             address));
	struct conf *conf = conf_load(harness_ctx(), path, NULL, &problems);
	REQUIRE(conf != NULL);
	return conf;
}

static bool take(struct web *web, const char *address, bool dry_run, struct viewd_err *err)
{
	struct conf *conf = conf_with(address);
	bool done = web_take(web, conf, dry_run, err);
	conf_unref(&conf);
	return done;
}

static void it_opens_moves_and_closes(void)
{
	struct rig rig;
	struct viewd_err err = {0};
	unsigned port, taken;
	rig_start(&rig, NULL);
	int fd = listen_anywhere(&port);
	int other = listen_anywhere(&taken);
	close(fd);
	const char *address = talloc_asprintf(harness_ctx(), "127.0.0.1:%u", port);
	struct web *web = web_new(rig.loop, &rig.ctl);
	rig.port = port;
	CHECK(take(web, address, true, &err));
	CHECK(rig_dial(&rig) == -1);
	CHECK_OK(take(web, address, false, &err), &err);
	CHECK_CONTAINS(ask_as(&rig, "/healthz", "localhost"), "200 OK");
	CHECK(!take(web, talloc_asprintf(harness_ctx(), "127.0.0.1:%u", taken), false, &err));
	CHECK_CONTAINS(err.msg, "nobody can listen on 127.0.0.1:");
	CHECK_INT(err.cls, VIEWD_ERR_EXISTS);
	CHECK_CONTAINS(ask_as(&rig, "/healthz", "localhost"), "200 OK");
	/* the same port of another address: the old socket does not stand in the way */
	CHECK(take(web, talloc_asprintf(harness_ctx(), "127.0.0.2:%u", port), false, &err));
	CHECK(rig_dial(&rig) == -1);
	CHECK(take(web, address, false, &err));
	CHECK(take(web, "off", false, &err));
	CHECK(rig_dial(&rig) == -1);
	close(other);
	web_free(&web);
	rig_stop(&rig);
}

/* A collector that cannot be served is no reason to let views go stale. */
static void a_start_does_not_fail(void)
{
	struct rig rig;
	struct viewd_err err = {0};
	unsigned taken;
	rig_start(&rig, NULL);
	int other = listen_anywhere(&taken);
	const char *address = talloc_asprintf(harness_ctx(), "127.0.0.1:%u", taken);
	struct conf *conf = conf_with(address);
	struct web *web = web_new(rig.loop, &rig.ctl);
	expect_log("web.conf:2: [viewd] http_listen: nobody can listen on 127.0.0.1:");
	web_start(web, conf);
	CHECK_OK(take(web, address, false, &err), &err);
	close(other);
	web_start(web, conf);
	rig.port = taken;
	CHECK_CONTAINS(ask_as(&rig, "/healthz", "localhost"), "200 OK");
	conf_unref(&conf);
	web_free(&web);
	rig_stop(&rig);
}

static const struct harness_test tests[] = {
	{"looks are answered", looks_are_answered},
	{"HEAD is GET without its body", head_is_get_without_body},
	{"readyz tells who is not", ready_tells_who_is_not},
	{"changes are refused", changes_are_refused},
	{"strange hosts are refused", strange_hosts_are_refused},
	{"what is no request gets JSON too", what_is_no_request_gets_json_too},
	{"it opens, moves and closes", it_opens_moves_and_closes},
	{"a start does not fail", a_start_does_not_fail},
};
HARNESS_MAIN(SUITE("web", tests))
