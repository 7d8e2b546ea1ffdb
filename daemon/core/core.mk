# loop, plugin loader, scheduling, workers, engine, reload
libviewd_la_SOURCES += \
	daemon/base/mem.h \
	daemon/core/capturable.c \
	daemon/core/capture.c daemon/core/capture.h \
	daemon/core/change.c daemon/core/change.h \
	daemon/core/clocks.c daemon/core/clocks.h \
	daemon/core/commit.c \
	daemon/core/database.c daemon/core/database.h \
	daemon/core/decide.c daemon/core/decide.h \
	daemon/core/dispatch.c daemon/core/dispatch.h \
	daemon/core/doubt.c daemon/core/doubt.h \
	daemon/core/due.c daemon/core/due.h \
	daemon/core/disabled.c daemon/core/disabled.h \
	daemon/core/edges.c daemon/core/edges.h \
	daemon/core/engine.c daemon/core/engine.h \
	daemon/core/freshness.c daemon/core/freshness.h \
	daemon/core/group.c daemon/core/group.h \
	daemon/core/group_job.c \
	daemon/core/groupable.c \
	daemon/core/intern.c daemon/core/intern.h \
	daemon/core/job.c daemon/core/job.h \
	daemon/core/leave.c daemon/core/leave.h \
	daemon/core/leave_run.c daemon/core/leave_run.h \
	daemon/core/observe.c daemon/core/observe.h \
	daemon/core/offline.c daemon/core/offline.h \
	daemon/core/outcome.c daemon/core/outcome.h \
	daemon/core/pause.c daemon/core/pause.h \
	daemon/core/retire.c daemon/core/retire.h \
	daemon/core/roster.c daemon/core/roster.h \
	daemon/core/run.c daemon/core/run.h \
	daemon/core/run_group.c \
	daemon/core/runtime.h \
	daemon/core/session.c daemon/core/session.h \
	daemon/core/state.h \
	daemon/core/status.c \
	daemon/core/view.c daemon/core/view.h \
	daemon/core/watch.c daemon/core/watch.h \
	daemon/core/wave.c daemon/core/wave.h \
	daemon/core/wave_link.c \
	daemon/loop/loop.c daemon/loop/loop.h \
	daemon/plugin/host.c daemon/plugin/host.h \
	daemon/plugin/loader.c daemon/plugin/loader.h \
	daemon/sched/coalesce.c daemon/sched/coalesce.h \
	daemon/sched/backoff.c daemon/sched/backoff.h \
	daemon/sched/cron.c daemon/sched/cron.h \
	daemon/sched/graph.c daemon/sched/graph.h \
	daemon/sched/schedule.c daemon/sched/schedule.h \
	daemon/sched/zone.c daemon/sched/zone.h \
	daemon/daemon.c daemon/daemon.h \
	daemon/reload.c daemon/reload.h \
	daemon/sys/journal.c daemon/sys/journal.h \
	daemon/sys/logging.c daemon/sys/logging.h \
	daemon/sys/notify.c daemon/sys/notify.h \
	daemon/work/spool.c daemon/work/spool.h \
	daemon/work/worker.c daemon/work/worker.h
