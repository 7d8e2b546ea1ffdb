/* SPDX-License-Identifier: MIT
 *
 * ctl_support.c: a control server over the fake engine, and raw clients, all on one thread.
 */
#include "ctl_support.h"

#include "support/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <talloc.h>
#include <unistd.h>

static struct conf *load_conf(void)
{
	struct conf_problems problems;
	const char *path =
		harness_file("viewd.conf", "[database shop]\nurl = sqlite:////nowhere.db\n"
	                               "[view alpha]\ndatabase = shop\ndefinition = SELECT 1 AS one\nevery = 5m\n"
	                               "[view beta]\ndatabase = shop\ndefinition = SELECT 2 AS two\n");
	struct conf *conf = conf_load(harness_ctx(), path, NULL, &problems);
	harness_check(conf != NULL, __FILE__, __LINE__, "%s", problems.n > 0 ? problems.items[0].text : "");
	return conf;
}

void rig_start(struct rig *rig, void (*tweak)(struct ctl_limits *limits))
{
	struct viewd_err err = {0};
	(void)harness_dir();
	*rig = (struct rig){.loop = loop_new(), .path = harness_path("control.sock"), .limits = ctl_limits_default()};
	rig->engine.conf = load_conf();
	rig->ctl = (struct ctl){.engine = &rig->engine, .version = "1.2.3"};
	if (tweak != NULL)
		tweak(&rig->limits);
	rig->server = ctl_server_new(rig->loop, rig->path, &rig->ctl, &rig->limits, &err);
	REQUIRE_OK(rig->server != NULL, &err);
}

void rig_stop(struct rig *rig)
{
	ctl_server_free(&rig->server);
	loop_free(&rig->loop);
	conf_unref(&rig->engine.conf);
}

void rig_run(struct rig *rig, int64_t us)
{
	int64_t deadline = harness_deadline(us);
	do {
		loop_once(rig->loop, 1000);
	} while (harness_pause(deadline));
}

static int dial_port(unsigned port)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 && fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

int rig_dial(struct rig *rig)
{
	if (rig->port != 0)
		return dial_port(rig->port);
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", rig->path);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

size_t rig_send(struct rig *rig, int fd, const void *data, size_t len)
{
	size_t done = 0;
	int64_t deadline = harness_deadline(2000000);
	while (done < len) {
		ssize_t n = send(fd, (const char *)data + done, len - done, MSG_NOSIGNAL);
		if (n > 0)
			done += (size_t)n;
		else if (errno != EAGAIN)
			break;
		loop_once(rig->loop, 1000);
		if (n <= 0 && !harness_pause(deadline))
			break;
	}
	return done;
}

char *rig_receive(struct rig *rig, int fd, int64_t timeout_us, bool *ended_r)
{
	char *out = talloc_strdup(harness_ctx(), "");
	char buf[65536];
	int64_t deadline = harness_deadline(timeout_us);
	bool ended = false;
	do {
		loop_once(rig->loop, 1000);
		ssize_t n;
		while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
			out = talloc_strndup_append_buffer(out, buf, (size_t)n);
		ended = n == 0 || (n < 0 && errno != EAGAIN);
	} while (!ended && harness_pause(deadline));
	if (ended_r != NULL)
		*ended_r = ended;
	return out;
}

char *rig_ask(struct rig *rig, const char *text)
{
	bool ended = false;
	int fd = rig_dial(rig);
	REQUIRE(fd >= 0);
	rig_send(rig, fd, text, strlen(text));
	char *reply = rig_receive(rig, fd, 5000000, &ended);
	CHECK(ended);
	close(fd);
	return reply;
}

char *rig_body(const char *reply)
{
	const char *body = strstr(reply, "\r\n\r\n");
	char *out = talloc_strdup(harness_ctx(), "");
	if (body == NULL)
		return out;
	bool chunked = strstr(reply, "Transfer-Encoding: chunked") != NULL;
	for (body += 4; *body != '\0';) {
		char *end = NULL;
		size_t len = chunked ? strtoul(body, &end, 16) : strlen(body);
		const char *data = chunked ? end + 2 : body;
		if (len == 0 || strlen(data) < len)
			break;
		out = talloc_strndup_append_buffer(out, data, len);
		body = data + len + (chunked ? 2 : 0);
	}
	return out;
}

char *rig_post(struct rig *rig, const char *path, const char *body)
{
	return rig_ask(rig, talloc_asprintf(harness_ctx(), "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s",
	                                    path, strlen(body), body));
}

json_t *rig_json(const char *reply)
{
	json_t *json = json_loads(rig_body(reply), 0, NULL);
	harness_check(json != NULL, __FILE__, __LINE__, "no JSON in: %.200s", reply);
	return json;
}

void rig_check_error(const char *reply, const char *status, const char *cls, const char *message)
{
	json_t *json = rig_json(reply);
	json_t *error = json_object_get(json, "error");
	CHECK_CONTAINS(reply, status);
	CHECK_INT(json_integer_value(json_object_get(json, "schema")), 1);
	CHECK_STR(json_string_value(json_object_get(error, "class")), cls);
	CHECK_CONTAINS(json_string_value(json_object_get(error, "message")), message);
	CHECK(json_object_get(error, "code") != NULL && json_object_get(error, "hint") != NULL);
	json_decref(json);
}

bool rig_still_answers(struct rig *rig)
{
	return strstr(rig_ask(rig, GET("/v1/status")), "200 OK") != NULL;
}
