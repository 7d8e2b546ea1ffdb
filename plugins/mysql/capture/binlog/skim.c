/* SPDX-License-Identifier: MIT
 *
 * skim.c: passing over large events of the binary log without keeping them.
 *
 * The library holds an event twice, and both buffers grow by being copied: 64 MiB in a row that is updated are 393 MiB.
 * Of rows only the number of their table counts, which stands at the event's beginning. So the beginning is looked at
 * where the library would read it next, and what follows is taken from the socket and thrown away. Under TLS or
 * compression only the library can read what is there.
 *
 * A packet is three bytes of length, a number and the content; one that is full is continued by the next
 * (https://mariadb.com/kb/en/0-packet/). The content is a status byte and the event: time, type, server (4), length
 * (4), end (4), flags (2), and of row events the table (6) (https://mariadb.com/kb/en/2-binlog-event-header/).
 */
#include "mysql/capture/binlog/events.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include <ma_pvio.h>

#include "base/err.h"

#define LARGE (1u << 16)
#define PACKET_HEAD 4u
#define PACKET_MAX 0xffffffu
#define BEGINNING 30u         /* to the end of the table's number */
#define READ_TIMEOUT_MS 30000 /* in the middle of an event */

static uint64_t number(const unsigned char *bytes, size_t n)
{
	uint64_t value = 0;

	while (n-- > 0)
		value = value << 8 | bytes[n];
	return value;
}

static size_t in_cache(const struct st_ma_pvio *pvio)
{
	return pvio->cache != NULL && pvio->cache_pos < pvio->cache + pvio->cache_size
	           ? (size_t)(pvio->cache + pvio->cache_size - pvio->cache_pos)
	           : 0;
}

/* Bytes that come next, as far as they are there, without taking it. */
static size_t peek(const struct binlog *log, unsigned char *out, size_t want)
{
	const struct st_ma_pvio *pvio = log->my->net.pvio;
	size_t n = in_cache(pvio);

	n = n < want ? n : want;
	if (n > 0)
		memcpy(out, pvio->cache_pos, n);
	ssize_t got = n < want ? recv(binlog_fd(log), out + n, want - n, MSG_PEEK | MSG_DONTWAIT) : 0;
	return got > 0 ? n + (size_t)got : n;
}

static bool lost(struct viewd_err *err)
{
	return err_set(err, VIEWD_ERR_LOST, "connection lost in the middle of an event of the binary log");
}

/* Bytes that have arrived, at least a byte. */
static bool receive(struct binlog *log, unsigned char *out, size_t size, size_t *n_r, struct viewd_err *err)
{
	struct pollfd pfd = {.fd = binlog_fd(log), .events = POLLIN};
	ssize_t got;

	do {
		int rc = poll(&pfd, 1, READ_TIMEOUT_MS);
		if (rc == 0 || (rc < 0 && errno != EINTR))
			return lost(err);
		got = rc > 0 ? recv(pfd.fd, out, size, MSG_DONTWAIT) : -1;
	} while (got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK));
	*n_r = got > 0 ? (size_t)got : 0;
	return got > 0 || lost(err);
}

/* Takes n bytes, of which the first are kept. */
static bool take_bytes(struct binlog *log, size_t n, unsigned char *kept, size_t n_kept, struct viewd_err *err)
{
	struct st_ma_pvio *pvio = log->my->net.pvio;
	unsigned char scratch[LARGE];

	for (size_t done = 0, got; done < n; done += got) {
		got = in_cache(pvio) < sizeof scratch ? in_cache(pvio) : sizeof scratch;
		got = got < n - done ? got : n - done;
		if (got > 0) {
			memcpy(scratch, pvio->cache_pos, got);
			pvio->cache_pos += got;
		} else if (!receive(log, scratch, n - done < sizeof scratch ? n - done : sizeof scratch, &got, err)) {
			return false;
		}
		if (done < n_kept)
			memcpy(kept + done, scratch, got < n_kept - done ? got : n_kept - done);
	}
	return true;
}

static bool take_packets(struct binlog *log, struct viewd_err *err)
{
	unsigned char head[PACKET_HEAD];
	NET *net = &log->my->net;
	size_t length;

	do {
		if (!take_bytes(log, PACKET_HEAD, head, sizeof head, err))
			return false;
		length = number(head, 3);
		if (head[3] != (unsigned char)net->pkt_nr)
			return err_set(err, VIEWD_ERR_LOST, "packets of the binary log are out of order");
		net->compress_pkt_nr = ++net->pkt_nr;
		if (!take_bytes(log, length, NULL, 0, err))
			return false;
	} while (length == PACKET_MAX);
	return true;
}

bool binlog_skim(struct binlog *log, bool *skimmed_r, struct viewd_err *err)
{
	unsigned char bytes[PACKET_HEAD + 1 + 19 + 6];
	const unsigned char *event = bytes + PACKET_HEAD + 1;
	const NET *net = &log->my->net;

	_Static_assert(sizeof bytes == BEGINNING, "all of the beginning");
	*skimmed_r = false;
	if (net->pvio == NULL || net->pvio->ctls != NULL || net->compress || peek(log, bytes, sizeof bytes) < sizeof bytes)
		return true;
	if (number(bytes, 3) < LARGE || bytes[3] != (unsigned char)net->pkt_nr || bytes[PACKET_HEAD] != 0)
		return true;
	const struct skimmed skimmed = {.length = number(bytes, 3),
	                                .type = event[4],
	                                .end = (int64_t)number(event + 13, 4),
	                                .flags = (unsigned)number(event + 17, 2),
	                                .table_id = number(event + 19, 6)};
	if (!events_may_skim(&skimmed))
		return true;
	if (!take_packets(log, err))
		return false;
	events_skimmed(log, &skimmed);
	*skimmed_r = true;
	return true;
}
