/* SPDX-License-Identifier: MIT */
#include "daemon.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/paths.h"
#include "base/span.h"
#include "conf/snapshot/diff.h"
#include "core/runtime.h"
#include "ctl/serve/server.h"
#include "ctl/serve/web.h"
#include "reload.h"
#include "sys/logging.h"
#include "sys/notify.h"
#include "sys/on_failure.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* Every database may use its slots, and beside them cancel, close and look. Watches are not counted. */
#define MAX_THREADS 512
/* How long running statements get to obey their cancel. */
#define STOP_GRACE (10 * SPAN_SECOND)

struct daemon {
	const char *conf_path;
	struct conf *conf; /* the first one, until the engine has it */
	struct registry *registry;
	struct loop *loop;
	struct worker_pool *pool;
	struct engine *eng;
	struct reload *reload;
	struct on_failure *hooks;
	struct ctl ctl;
	struct ctl_server *server;
	struct web *web;
	struct loop_signal *on_hup, *on_term, *on_int;
	struct loop_timer *stop_timer;
	struct watchdog *dog;
	struct logging *logging;
	bool stopping;
	uint64_t files_max; /* the soft limit of open files as it was given; 0: not known */
	bool left_alone;    /* stopped with workers inside a call */
	int exit_code;
};

/* ---- steps of the start; each is undone in reverse --------------------------------------------------------------- */

static bool print_problems(const struct conf_problems *problems)
{
	for (size_t i = 0; i < problems->n; i++)
		log_event(problems->items[i].warning ? VIEWD_LOG_WARNING : VIEWD_LOG_ERROR, "%s", problems->items[i].text);
	return problems->n_errors == 0;
}

static bool start_conf(struct daemon *d, struct viewd_err *err)
{
	void *tmp = talloc_new(NULL);
	struct conf_problems problems;
	d->registry = registry_new(NULL);
	d->conf = reload_build(tmp, d->conf_path, d->registry, true, &problems);
	print_problems(&problems);
	if (d->conf == NULL) {
		d->exit_code = DAEMON_EXIT_CONFIG;
		err_set(err, VIEWD_ERR_CONFIG, "%s has %zu errors", d->conf_path, problems.n_errors);
	} else
		log_set_level((enum viewd_log_level)d->conf->daemon.log_level);
	talloc_free(tmp);
	return d->conf != NULL;
}

/* A worker that does not come back still uses what it was given: that goes with the process. */
static bool somebody_works(const struct daemon *d)
{
	return d->pool != NULL && worker_pending(d->pool) > 0;
}

static void stop_conf(struct daemon *d)
{
	conf_unref(&d->conf);
	if (!d->left_alone)
		talloc_free(d->registry);
}

static bool start_loop(struct daemon *d, struct viewd_err *err)
{
	d->loop = loop_new();
	if (d->loop == NULL)
		return err_set(err, VIEWD_ERR_RESOURCE, "the event loop cannot be made");
	d->pool = worker_pool_new(d->loop, MAX_THREADS);
	return true;
}

static void stop_loop(struct daemon *d)
{
	if (d->pool != NULL)
		worker_pool_free(&d->pool, !d->left_alone);
	if (!d->left_alone)
		loop_free(&d->loop);
}

static bool start_log(struct daemon *d, struct viewd_err *err UNUSED)
{
	d->logging = logging_start(d->loop);
	return true;
}

static void stop_log(struct daemon *d)
{
	logging_stop(&d->logging, d->left_alone);
}

static bool start_state_dir(struct daemon *d, struct viewd_err *err UNUSED)
{
	struct viewd_err why;
	if (!paths_make_dir(d->conf->daemon.state_dir, 0700, &why))
		log_warning("state_dir %s, cannot be made, pauses will not survive a restart (%s)", d->conf->daemon.state_dir,
		            why.msg);
	return true;
}

static void end_when_idle(void *ctx)
{
	struct daemon *d = ctx;
	if (engine_idle(d->eng) && on_failure_idle(d->hooks))
		loop_stop(d->loop);
}

static bool start_engine(struct daemon *d, struct viewd_err *err UNUSED)
{
	const struct engine_parts parts = {
		.loop = d->loop,
		.pool = d->pool,
		.registry = d->registry,
		.clock = clock_system(),
		.state_dir = d->conf->daemon.state_dir,
		.on_idle = end_when_idle,
		.on_idle_ctx = d,
	};
	d->eng = engine_new(&parts);
	d->hooks = on_failure_new(d->loop, d->pool, d->eng, d->files_max);
	d->reload = reload_new(d->eng, d->loop, d->pool, d->registry, d->conf_path);
	d->ctl = (struct ctl){.engine = d->eng, .reload = d->reload, .registry = d->registry, .version = PACKAGE_VERSION};
	return true;
}

static void stop_engine(struct daemon *d)
{
	d->left_alone = somebody_works(d);
	if (d->left_alone)
		return;
	reload_free(&d->reload);
	on_failure_free(&d->hooks);
	engine_free(&d->eng);
}

/* Nobody else makes the directory of a plain user's own socket. */
static bool make_socket_dir(const char *socket, struct viewd_err *err)
{
	void *tmp = talloc_new(NULL);
	char *own = paths_control_socket(tmp, "");
	bool made = strcmp(own, socket) != 0 || geteuid() == 0 || paths_make_dir(dirname(own), 0700, err);
	talloc_free(tmp);
	return made;
}

static bool start_control(struct daemon *d, struct viewd_err *err)
{
	if (!make_socket_dir(d->conf->daemon.control_socket, err))
		return false;
	d->server = ctl_server_new(d->loop, d->conf->daemon.control_socket, &d->ctl, NULL, err);
	return d->server != NULL;
}

static void stop_control(struct daemon *d)
{
	ctl_server_free(&d->server);
}

static bool take_address(void *ctx, const struct conf *conf, bool dry_run, struct viewd_err *err)
{
	struct daemon *d = ctx;
	return d->web == NULL || web_take(d->web, conf, dry_run, err);
}

static bool start_http(struct daemon *d, struct viewd_err *err UNUSED)
{
	const struct reload_outside outside = {.key = "http_listen", .take = take_address, .ctx = d};
	d->web = web_new(d->loop, &d->ctl);
	web_start(d->web, d->conf);
	reload_set_outside(d->reload, &outside);
	return true;
}

static void stop_http(struct daemon *d)
{
	web_free(&d->web);
}

static void give_up(void *ctx)
{
	struct daemon *d = ctx;
	log_warning("some statements did not end in time; they are left to their servers");
	loop_stop(d->loop);
}

static void on_stop(void *ctx)
{
	struct daemon *d = ctx;
	if (d->stopping) {
		log_warning("told to stop a second time, stopping at once");
		loop_stop(d->loop);
		return;
	}
	d->stopping = true;
	log_info("stopping");
	notify_stopping(STOP_GRACE + 5 * SPAN_SECOND);
	web_free(&d->web);
	ctl_server_free(&d->server);
	on_failure_stop(d->hooks, end_when_idle, d);
	engine_stop(d->eng);
	loop_timer_set(d->stop_timer, STOP_GRACE);
	end_when_idle(d);
}

static void on_reload(void *ctx)
{
	struct daemon *d = ctx;
	if (!d->stopping)
		reload_request(d->reload, false, NULL, NULL);
}

static bool start_signals(struct daemon *d, struct viewd_err *err UNUSED)
{
	d->on_hup = loop_signal_new(d->loop, SIGHUP, on_reload, d);
	d->on_term = loop_signal_new(d->loop, SIGTERM, on_stop, d);
	d->on_int = loop_signal_new(d->loop, SIGINT, on_stop, d);
	d->stop_timer = loop_timer_new(d->loop, give_up, d);
	d->dog = watchdog_new(d->loop);
	return true;
}

static void stop_signals(struct daemon *d)
{
	watchdog_free(&d->dog);
	loop_timer_free(&d->stop_timer);
	loop_signal_free(&d->on_hup);
	loop_signal_free(&d->on_term);
	loop_signal_free(&d->on_int);
}

static bool start_views(struct daemon *d, struct viewd_err *err UNUSED)
{
	struct conf_diff *diff = conf_diff_new(NULL, NULL, d->conf);
	engine_commit(d->eng, d->conf, diff);
	talloc_free(diff);
	log_info("viewd %s, ready: %zu views on %zu databases", PACKAGE_VERSION, d->conf->n_views, d->conf->n_databases);
	conf_unref(&d->conf);
	notify_ready("running");
	return true;
}

struct step {
	const char *name;
	bool (*start)(struct daemon *d, struct viewd_err *err);
	void (*stop)(struct daemon *d); /* NULL: nothing to undo */
};

static const struct step steps[] = {
	{"configuration", start_conf, stop_conf},
	{"event loop", start_loop, stop_loop},
	{"log", start_log, stop_log},
	{"state directory", start_state_dir, NULL},
	{"engine", start_engine, stop_engine},
	{"signals", start_signals, stop_signals},
	{"control socket", start_control, stop_control},
	{"http", start_http, stop_http},
	{"views", start_views, NULL},
};

static int run_daemon(struct daemon *d)
{
	size_t done = 0;
	bool ok = true;
	for (; done < ARRAY_LEN(steps) && ok; done++) {
		struct viewd_err err = {.cls = VIEWD_ERR_OK};
		ok = steps[done].start(d, &err);
		if (ok)
			continue;
		log_error("cannot start (%s: %s)%s%s", steps[done].name, err.msg, err.hint[0] != '\0' ? "; " : "", err.hint);
		if (d->exit_code == DAEMON_EXIT_OK)
			d->exit_code = DAEMON_EXIT_FAILURE;
	}
	if (ok)
		loop_run(d->loop);
	while (done-- > 0)
		if (steps[done].stop != NULL)
			steps[done].stop(d);
	return d->exit_code;
}

/* ---- arguments --------------------------------------------------------------------------------------------------- */

/* Would a start go well? The unit asks before each one. */
static int check(const char *conf_path)
{
	void *tmp = talloc_new(NULL);
	struct conf_problems problems;
	struct registry *registry = registry_new(tmp);
	struct conf *conf = reload_build(tmp, conf_path, registry, false, &problems);
	bool good = print_problems(&problems) && conf != NULL;
	if (good)
		printf("%s: %zu views on %zu databases, no errors\n", conf_path, conf->n_views, conf->n_databases);
	conf_unref(&conf);
	talloc_free(tmp);
	return good ? DAEMON_EXIT_OK : DAEMON_EXIT_CONFIG;
}

static int usage(FILE *out, const char *conf_path, int code)
{
	fprintf(out,
	        "usage: viewd [-c FILE] [--check]\n"
	        "keeps derived data fresh, in each database whose dialect is installed\n\n"
	        "  -c, --config FILE  configuration (default %s)\n"
	        "      --check        only say whether the configuration is good (exit 0, or %d)\n"
	        "  -V, --version      print the version\n"
	        "  -h, --help         print this\n\n"
	        "viewd stays in the foreground. SIGHUP reloads, SIGTERM stops. See viewd(8).\n",
	        conf_path, DAEMON_EXIT_CONFIG);
	return code;
}

/* Each database takes files of its own, and the soft limit is often 1,024, for programs that use select(). Returns what
 * it was, 0 if that is not known. */
static uint64_t raise_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 0;
	rlim_t given = limit.rlim_cur;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		log_debug("the limit of open files cannot be raised (%s)", strerror(errno));
	return given;
}

/* A file or connection that got the number of a closed stderr would be given the log. */
static void hold_standard_streams(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			return;
}

/* Fills in what argv says. Returns the exit status when that is all, -1 to go on. */
static int read_arguments(int argc, char **argv, struct daemon *d, bool *only_check)
{
	static const struct option options[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 'k'},
		{"version", no_argument, NULL, 'V'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	for (int c; (c = getopt_long(argc, argv, "c:Vh", options, NULL)) != -1;)
		switch (c) {
		case 'c':
			d->conf_path = optarg;
			break;
		case 'k':
			*only_check = true;
			break;
		case 'V':
			puts("viewd " PACKAGE_VERSION);
			return DAEMON_EXIT_OK;
		case 'h':
			return usage(stdout, d->conf_path, DAEMON_EXIT_OK);
		default:
			return usage(stderr, d->conf_path, DAEMON_EXIT_USAGE);
		}
	return optind < argc ? usage(stderr, d->conf_path, DAEMON_EXIT_USAGE) : -1;
}

int daemon_main(int argc, char **argv)
{
	void *mem = talloc_new(NULL);
	struct daemon d = {.conf_path = paths_conf(mem)};
	bool only_check = false;
	int code = read_arguments(argc, argv, &d, &only_check);
	if (code < 0) {
		umask(0077);
		hold_standard_streams();
		d.files_max = raise_file_limit();
		signal(SIGPIPE, SIG_IGN);
		signal(SIGCHLD, SIG_DFL); /* ignored ones, which who starts viewd may hand down, leave no status */
		code = only_check ? check(d.conf_path) : run_daemon(&d);
	}
	if (!d.left_alone)
		talloc_free(mem);
	return code;
}
