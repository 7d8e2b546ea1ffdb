/* SPDX-License-Identifier: MIT
 *
 * http.c: libcurl over a unix socket.
 */
#include "client/http.h"

#include "base/macros.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <talloc.h>

#define REPLY_MAX ((size_t)256 << 20)
#define CONNECT_TIMEOUT_MS 5000L
#define TICK_MS 100

static size_t take_body(char *data, size_t size, size_t n, void *ctx)
{
	struct http_reply *reply = ctx;
	size_t len = size * n;
	if (reply->len + len > REPLY_MAX)
		return 0;
	reply->body = talloc_realloc_size(NULL, reply->body, reply->len + len + 1);
	assert(reply->body != NULL);
	memcpy(reply->body + reply->len, data, len);
	reply->len += len;
	reply->body[reply->len] = '\0';
	return len;
}

static void set_options(CURL *curl, const struct http_call *call, const char *url, struct http_reply *reply)
{
	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, call->socket);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)((call->timeout_us + 999) / 1000));
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, reply);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reply->error);
	if (call->body != NULL)
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body);
}

/* A connect that takes too long is a daemon that cannot be reached, and not the caller's time limit. */
static enum http_end judge_reply(CURL *curl, CURLcode rc, const struct http_call *call, struct http_reply *reply)
{
	double connected = 0;
	long os_errno = 0;
	curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME, &connected);
	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &os_errno);
	if (rc == CURLE_OK)
		return HTTP_REPLIED;
	if (rc == CURLE_COULDNT_CONNECT || (rc == CURLE_OPERATION_TIMEDOUT && connected == 0 && call->timeout_us == 0)) {
		snprintf(reply->error, sizeof(reply->error), "%s",
		         os_errno != 0 ? strerror((int)os_errno) : curl_easy_strerror(rc));
		reply->os_error = (int)os_errno;
		return HTTP_UNREACHABLE;
	}
	if (reply->error[0] == '\0')
		snprintf(reply->error, sizeof(reply->error), "%s", curl_easy_strerror(rc));
	return rc == CURLE_OPERATION_TIMEDOUT ? HTTP_TIMED_OUT : HTTP_BROKEN;
}

/* As curl_easy_perform. */
static CURLcode perform_ticking(CURL *curl, const struct http_call *call)
{
	CURLcode rc = CURLE_OK;
	CURLM *multi = curl_multi_init();
	int running = 1, left = 0;
	assert(multi != NULL);
	curl_multi_add_handle(multi, curl);
	for (curl_multi_perform(multi, &running); running > 0; curl_multi_perform(multi, &running)) {
		curl_multi_poll(multi, NULL, 0, TICK_MS, NULL);
		call->tick(call->tick_ctx);
	}
	for (CURLMsg *msg; (msg = curl_multi_info_read(multi, &left)) != NULL;)
		if (msg->msg == CURLMSG_DONE)
			rc = msg->data.result;
	curl_multi_remove_handle(multi, curl);
	curl_multi_cleanup(multi);
	return rc;
}

enum http_end http_do(void *mem_ctx, const struct http_call *call, struct http_reply *reply)
{
	*reply = (struct http_reply){0};
	CURL *curl = curl_easy_init();
	assert(curl != NULL);
	char *url = talloc_asprintf(NULL, "http://viewd%s%s%s", call->path, call->query[0] != '\0' ? "?" : "", call->query);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
	headers = curl_slist_append(headers, "Expect:");
	set_options(curl, call, url, reply);
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	CURLcode rc = call->tick != NULL ? perform_ticking(curl, call) : curl_easy_perform(curl);
	enum http_end end = judge_reply(curl, rc, call, reply);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_slist_free_all(headers);
	curl_easy_cleanup(curl);
	talloc_free(url);
	if (reply->body == NULL)
		reply->body = talloc_strdup(NULL, "");
	talloc_steal(mem_ctx, reply->body);
	return end;
}

/* ---- streams ----------------------------------------------------------------------------------------------------- */

struct http_stream {
	CURLM *multi;
	CURL *curl;
	struct http_call call;
	char *url;
	struct http_reply reply;
	CURLcode rc;
	bool over;
};

struct http_stream *http_stream_open(void *mem_ctx, const struct http_call *call)
{
	struct http_stream *stream = talloc_zero(mem_ctx, struct http_stream);
	assert(stream != NULL);
	stream->call = *call;
	stream->url =
		talloc_asprintf(stream, "http://viewd%s%s%s", call->path, call->query[0] != '\0' ? "?" : "", call->query);
	stream->multi = curl_multi_init();
	stream->curl = curl_easy_init();
	assert(stream->multi != NULL && stream->curl != NULL);
	set_options(stream->curl, &stream->call, stream->url, &stream->reply);
	curl_multi_add_handle(stream->multi, stream->curl);
	return stream;
}

static size_t whole_lines(const struct http_stream *stream)
{
	const char *body = stream->reply.body;
	const char *last = body != NULL ? memrchr(body, '\n', stream->reply.len) : NULL;
	return last != NULL ? (size_t)(last - body) + 1 : 0;
}

static void go_on(struct http_stream *stream)
{
	int running = 0, left = 0;
	curl_multi_perform(stream->multi, &running);
	for (CURLMsg *msg; (msg = curl_multi_info_read(stream->multi, &left)) != NULL;)
		if (msg->msg == CURLMSG_DONE) {
			stream->over = true;
			stream->rc = msg->data.result;
		}
}

enum http_news http_stream_wait(struct http_stream *stream, int64_t timeout_us)
{
	if (!stream->over)
		go_on(stream);
	if (!stream->over && whole_lines(stream) == 0) {
		curl_multi_poll(stream->multi, NULL, 0, (int)((timeout_us + 999) / 1000), NULL);
		go_on(stream);
	}
	return stream->over ? HTTP_OVER : whole_lines(stream) > 0 ? HTTP_NEWS : HTTP_QUIET;
}

char *http_stream_take(struct http_stream *stream)
{
	long status = 0;
	size_t n = whole_lines(stream);
	curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &status);
	if (n == 0 || status >= 400)
		return NULL;
	char *lines = talloc_strndup(stream, stream->reply.body, n);
	stream->reply.len -= n;
	memmove(stream->reply.body, stream->reply.body + n, stream->reply.len + 1);
	return lines;
}

enum http_end http_stream_close(void *mem_ctx, struct http_stream **stream_p, struct http_reply *reply)
{
	struct http_stream *stream = *stream_p;
	enum http_end end = judge_reply(stream->curl, stream->rc, &stream->call, &stream->reply);
	curl_easy_getinfo(stream->curl, CURLINFO_RESPONSE_CODE, &stream->reply.status);
	curl_multi_remove_handle(stream->multi, stream->curl);
	curl_easy_cleanup(stream->curl);
	curl_multi_cleanup(stream->multi);
	*reply = stream->reply;
	reply->body = stream->reply.body != NULL ? talloc_steal(mem_ctx, stream->reply.body) : talloc_strdup(mem_ctx, "");
	talloc_free(stream);
	*stream_p = NULL;
	return end;
}
