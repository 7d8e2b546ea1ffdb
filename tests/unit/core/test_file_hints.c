/* SPDX-License-Identifier: MIT
 *
 * test_file_hints.c: whoever asked hears of writes to his files, through one inotify instance for all of them.
 */
#include "base/clock.h"
#include "base/span.h"
#include "support/harness.h"
#include "work/file_hints.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *const suffixes[] = {"", "-wal", NULL};

/* ---- a file system that hangs ---- */

static sem_t hangs, answers;

/* Files whose names end so may be read by nobody. */
static const char *denied;

/* Happens after a file below a directory "busy", or that directory, has begun to be watched, before that is noted. */
static void (*meanwhile)(int fd, int wd);

/* Stands before that of the C library. What lies in a directory "hanging" is on a file system that hangs. */
int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	if (strstr(path, "/hanging") != NULL) {
		sem_post(&hangs);
		sem_wait(&answers);
	}
	if (denied != NULL && strstr(path, denied) != NULL) {
		errno = EACCES;
		return -1;
	}
	int wd = (int)syscall(SYS_inotify_add_watch, fd, path, mask);
	if (wd >= 0 && meanwhile != NULL && strstr(path, "/busy") != NULL)
		meanwhile(fd, wd);
	return wd;
}

struct listener {
	struct viewd_hints *hints;
	int wake;
};

static void write_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	REQUIRE(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
}

static struct listener listen_to(struct file_hints *hub, const char *path)
{
	struct listener l = {.wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
	l.hints = file_hints_ops.open(hub, path, suffixes, l.wake);
	REQUIRE(l.hints != NULL);
	return l;
}

static void stop_listening(struct listener *l)
{
	file_hints_ops.close(&l->hints);
	close(l->wake);
}

/* The loop reads what there is. One of the rounds may be the end of its rest. */
static void loop_reads(struct loop *loop)
{
	loop_once(loop, 20000);
	loop_once(loop, 20000);
}

/* The loop has seen what there is (NULL: it has), and the listener looks once. */
static bool hears(struct loop *loop, struct listener *l)
{
	uint64_t count;
	int why = 0;
	if (loop != NULL)
		loop_reads(loop);
	bool heard = read(l->wake, &count, sizeof count) == (ssize_t)sizeof count && file_hints_ops.take(l->hints, &why);
	CHECK_INT(why, 0);
	return heard;
}

static struct file_hints *begin(struct loop **loop_r)
{
	*loop_r = loop_new();
	struct file_hints *hub = file_hints_new(*loop_r);
	file_hints_begin(hub);
	return hub;
}

static void end(struct loop *loop, struct file_hints *hub)
{
	file_hints_free(&hub);
	loop_free(&loop);
}

static void own_files_only(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	write_file(harness_path("a.db"));
	write_file(harness_path("b.db"));
	struct listener a = listen_to(hub, harness_path("a.db")), b = listen_to(hub, harness_path("b.db"));
	CHECK(!hears(loop, &a));
	write_file(harness_path("a.db"));
	CHECK(hears(loop, &a));
	CHECK(!hears(loop, &b));
	write_file(harness_path("a.db-viewd"));
	write_file(harness_path("a.db2"));
	CHECK(!hears(loop, &a));
	write_file(harness_path("b.db"));
	CHECK(hears(loop, &b));
	CHECK(!hears(loop, &a));
	stop_listening(&a);
	write_file(harness_path("b.db"));
	CHECK(hears(loop, &b));
	stop_listening(&b);
	end(loop, hub);
}

/* A writer that writes all the time would share its processor with whoever is woken up for each write. */
static void a_busy_writer(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	int why, told = 0;
	write_file(harness_path("busy.db"));
	struct listener busy = listen_to(hub, harness_path("busy.db"));
	int64_t began = clock_system()->mono(clock_system());
	for (int i = 0; i < 2000; i++) {
		write_file(harness_path("busy.db"));
		loop_once(loop, 0);
		told += file_hints_ops.take(busy.hints, &why);
	}
	int64_t took = clock_system()->mono(clock_system()) - began;
	CHECK(told > 0 && told <= took / (2 * SPAN_MS) + 1);
	hears(loop, &busy);
	write_file(harness_path("busy.db"));
	CHECK(hears(loop, &busy));
	stop_listening(&busy);
	end(loop, hub);
}

static void files_that_come_later(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	write_file(harness_path("c.db"));
	struct listener c = listen_to(hub, harness_path("c.db"));
	write_file(harness_path("c.db-wal"));
	CHECK(hears(loop, &c));
	write_file(harness_path("c.db-wal"));
	CHECK(hears(loop, &c));
	REQUIRE(rename(harness_path("c.db"), harness_path("old")) == 0);
	CHECK(hears(loop, &c));
	write_file(harness_path("c.db"));
	CHECK(hears(loop, &c));
	write_file(harness_path("c.db"));
	CHECK(hears(loop, &c));
	stop_listening(&c);
	end(loop, hub);
}

/* The number in inotify ends with the file, and the next one of that name has another. */
static void a_file_that_is_replaced(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	write_file(harness_path("d.db"));
	struct listener d = listen_to(hub, harness_path("d.db")), same = listen_to(hub, harness_path("d.db"));
	for (int i = 0; i < 3; i++) {
		REQUIRE(unlink(harness_path("d.db")) == 0);
		write_file(harness_path("d.db"));
		CHECK(hears(loop, &d));
		CHECK(hears(loop, &same));
		write_file(harness_path("d.db"));
		CHECK(hears(loop, &d));
		CHECK(hears(loop, &same));
	}
	stop_listening(&d);
	stop_listening(&same);
	end(loop, hub);
}

static void a_thousand_with_one_instance(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	static struct listener many[1000];
	char name[32];
	for (size_t i = 0; i < ARRAY_LEN(many); i++) {
		snprintf(name, sizeof name, "m%zu.db", i);
		write_file(harness_path(name));
		many[i] = listen_to(hub, harness_path(name));
	}
	for (size_t i = 0; i < ARRAY_LEN(many); i++) /* that its file was made has been told late */
		while (hears(i < 10 ? loop : NULL, &many[i]))
			;
	write_file(harness_path("m999.db"));
	CHECK(hears(loop, &many[999]));
	CHECK(!hears(loop, &many[998]));
	for (size_t i = 0; i < ARRAY_LEN(many); i++)
		stop_listening(&many[i]);
	end(loop, hub);
}

static void a_file_that_is_absent(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	errno = 0;
	CHECK(file_hints_ops.open(hub, harness_path("absent.db"), suffixes, -1) == NULL);
	CHECK_INT(errno, ENOENT);
	errno = 0;
	CHECK(file_hints_ops.open(hub, harness_path("nowhere/absent.db"), suffixes, -1) == NULL);
	CHECK_INT(errno, ENOENT);
	end(loop, hub);
}

/* Nobody would tell of what is written to it. ELOOP stands for ENOSPC, which depends on the machine. */
static void a_file_that_cannot_be_watched(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	int why = 0;
	write_file(harness_path("e.db"));
	struct listener e = listen_to(hub, harness_path("e.db"));
	REQUIRE(symlink("e.db-wal", harness_path("e.db-wal")) == 0);
	loop_reads(loop);
	CHECK(file_hints_ops.take(e.hints, &why));
	CHECK_INT(why, ELOOP);
	stop_listening(&e);
	errno = 0;
	CHECK(file_hints_ops.open(hub, harness_path("e.db"), suffixes, -1) == NULL);
	CHECK_INT(errno, ELOOP);
	end(loop, hub);
}

/* SQLite makes a file with the rights that the application's mask leaves, and widens them then. */
static void a_file_that_is_denied_at_first(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	write_file(harness_path("n.db"));
	struct listener n = listen_to(hub, harness_path("n.db"));
	denied = "n.db-wal";
	write_file(harness_path("n.db-wal"));
	CHECK(hears(loop, &n));
	denied = NULL;
	REQUIRE(chmod(harness_path("n.db-wal"), 0640) == 0);
	CHECK(hears(loop, &n));
	write_file(harness_path("n.db-wal"));
	CHECK(hears(loop, &n));
	stop_listening(&n);
	end(loop, hub);
}

static void a_file_that_stays_denied(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	int why = 0;
	write_file(harness_path("o.db"));
	struct listener o = listen_to(hub, harness_path("o.db"));
	denied = "o.db-wal";
	write_file(harness_path("o.db-wal"));
	int64_t deadline = harness_deadline(INT64_C(10000000));
	while (why == 0 && harness_pause(deadline)) {
		write_file(harness_path("o.db"));
		loop_reads(loop);
		file_hints_ops.take(o.hints, &why);
	}
	CHECK_INT(why, EACCES);
	errno = 0;
	CHECK(file_hints_ops.open(hub, harness_path("o.db"), suffixes, -1) == NULL);
	CHECK_INT(errno, EACCES);
	denied = NULL;
	stop_listening(&o);
	end(loop, hub);
}

static long events_kept(void)
{
	FILE *f = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	long n = 0;
	REQUIRE(f != NULL && fscanf(f, "%ld", &n) == 1);
	fclose(f);
	return n;
}

/* The event that tells of a file is among those that are lost. */
static void more_events_than_the_system_keeps(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	write_file(harness_path("f.db"));
	write_file(harness_path("g.db"));
	struct listener f = listen_to(hub, harness_path("f.db")), g = listen_to(hub, harness_path("g.db"));
	write_file(harness_path("quiet.db"));
	struct listener quiet = listen_to(hub, harness_path("quiet.db"));
	while (hears(loop, &quiet))
		;
	for (long i = 0, n = events_kept(); i <= n; i++)
		write_file(harness_path(i % 2 == 0 ? "f.db" : "g.db"));
	write_file(harness_path("quiet.db-wal"));
	bool heard = false;
	for (int i = 0; i < 1000 && !heard; i++)
		heard = hears(loop, &quiet);
	CHECK(heard);
	write_file(harness_path("quiet.db-wal"));
	CHECK(hears(loop, &quiet));
	stop_listening(&f);
	stop_listening(&g);
	stop_listening(&quiet);
	end(loop, hub);
}

/* ---- between the watch and the note of it ---- */

static struct loop *busy_loop;
static int rounds;

/* Another thread ends the watch, and the event that tells of it is among those that are lost. */
static void end_and_lose(int fd, int wd)
{
	meanwhile = NULL;
	for (long i = 0, n = events_kept(); i <= n; i++)
		write_file(harness_path(i % 2 == 0 ? "i.db" : "j.db"));
	REQUIRE(inotify_rm_watch(fd, wd) == 0);
	for (int i = 0; i < 200; i++)
		loop_once(busy_loop, 0);
}

static void an_end_that_is_lost_before_the_note(void)
{
	struct file_hints *hub = begin(&busy_loop);
	write_file(harness_path("i.db"));
	write_file(harness_path("j.db"));
	struct listener i = listen_to(hub, harness_path("i.db")), j = listen_to(hub, harness_path("j.db"));
	REQUIRE(mkdir(harness_path("busy"), 0700) == 0);
	write_file(harness_path("busy/k.db"));
	meanwhile = end_and_lose;
	struct listener k = listen_to(hub, harness_path("busy/k.db"));
	while (hears(busy_loop, &k))
		;
	write_file(harness_path("busy/k.db-wal"));
	CHECK(hears(busy_loop, &k));
	stop_listening(&i);
	stop_listening(&j);
	stop_listening(&k);
	end(busy_loop, hub);
}

/* Ten times, so that a test without the fix ends. */
static void end_another(int fd, int wd UNUSED)
{
	if (++rounds > 10)
		return;
	int other = (int)syscall(SYS_inotify_add_watch, fd, harness_path("l.db"), IN_MODIFY);
	REQUIRE(other >= 0 && inotify_rm_watch(fd, other) == 0);
	loop_reads(busy_loop);
}

static void others_end_all_the_time(void)
{
	struct file_hints *hub = begin(&busy_loop);
	write_file(harness_path("l.db"));
	REQUIRE(mkdir(harness_path("busy"), 0700) == 0);
	write_file(harness_path("busy/m.db"));
	rounds = 0;
	meanwhile = end_another;
	struct listener m = listen_to(hub, harness_path("busy/m.db"));
	meanwhile = NULL;
	CHECK_INT(rounds, 6); /* three for the directory, three for the file */
	CHECK(hears(NULL, &m));
	CHECK(!hears(NULL, &m));
	write_file(harness_path("busy/m.db"));
	CHECK(hears(busy_loop, &m));
	stop_listening(&m);
	end(busy_loop, hub);
}

static void *open_hanging(void *hub)
{
	return file_hints_ops.open(hub, harness_path("hanging/h.db"), suffixes, -1);
}

/* Without the fix this one never ends. */
static void a_file_system_that_hangs(void)
{
	struct loop *loop;
	struct file_hints *hub = begin(&loop);
	struct listener before;
	pthread_t thread;
	void *hung;
	sem_init(&hangs, 0, 0);
	sem_init(&answers, 0, 0);
	write_file(harness_path("before.db"));
	write_file(harness_path("after.db"));
	before = listen_to(hub, harness_path("before.db"));
	REQUIRE(pthread_create(&thread, NULL, open_hanging, hub) == 0);
	sem_wait(&hangs);
	struct listener after = listen_to(hub, harness_path("after.db"));
	write_file(harness_path("after.db-wal"));
	CHECK(hears(loop, &after));
	stop_listening(&after);
	stop_listening(&before);
	sem_post(&answers);
	pthread_join(thread, &hung);
	CHECK(hung == NULL);
	end(loop, hub);
}

static const struct harness_test tests[] = {
	{"own files only", own_files_only},
	{"a busy writer", a_busy_writer},
	{"files that come later", files_that_come_later},
	{"a file that is replaced", a_file_that_is_replaced},
	{"a thousand with one instance", a_thousand_with_one_instance},
	{"a file that is absent", a_file_that_is_absent},
	{"a file that cannot be watched", a_file_that_cannot_be_watched},
	{"a file that is denied at first", a_file_that_is_denied_at_first},
	{"a file that stays denied", a_file_that_stays_denied},
	{"more events than the system keeps", more_events_than_the_system_keeps},
	{"an end that is lost before the note", an_end_that_is_lost_before_the_note},
	{"others end all the time", others_end_all_the_time},
	{"a file system that hangs", a_file_system_that_hangs},
};
HARNESS_MAIN(SUITE("file hints", tests))
