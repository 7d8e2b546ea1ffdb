# loop, plugin loader, scheduling, workers, engine, reload
libviewd_la_SOURCES += \
	daemon/base/hash.h \
	daemon/base/mem.h \
	daemon/core/commands.c \
	daemon/core/engine.h \
	daemon/core/engine/capture.c daemon/core/engine/capture.h \
	daemon/core/engine/clock_step.c daemon/core/engine/clock_step.h \
	daemon/core/engine/commit.c \
	daemon/core/engine/connect_check.c daemon/core/engine/connect_check.h \
	daemon/core/engine/database.c daemon/core/engine/database.h \
	daemon/core/engine/group_align.c daemon/core/engine/group_align.h \
	daemon/core/engine/inspection.c daemon/core/engine/inspection.h \
	daemon/core/engine/on_due.c daemon/core/engine/on_due.h \
	daemon/core/engine/on_signal.c daemon/core/engine/on_signal.h \
	daemon/core/engine/outcome.c daemon/core/engine/outcome.h \
	daemon/core/engine/removal.c daemon/core/engine/removal.h \
	daemon/core/engine/side_jobs.c daemon/core/engine/side_jobs.h \
	daemon/core/engine/uninstall.c daemon/core/engine/uninstall.h \
	daemon/core/exec/exec.h \
	daemon/core/exec/job.c daemon/core/exec/job.h \
	daemon/core/exec/run.c daemon/core/exec/run.h \
	daemon/core/exec/run_group.c \
	daemon/core/exec/session.c daemon/core/exec/session.h \
	daemon/core/exec/uninstall_run.c daemon/core/exec/uninstall_run.h \
	daemon/core/exec/watch.c daemon/core/exec/watch.h \
	daemon/core/flow/flow_events.h \
	daemon/core/flow/ready.c daemon/core/flow/ready.h \
	daemon/core/flow/wave.c daemon/core/flow/wave.h \
	daemon/core/flow/wave_link.c \
	daemon/core/life.c \
	daemon/core/model/counts.h \
	daemon/core/model/edges.c daemon/core/model/edges.h \
	daemon/core/model/events.c daemon/core/model/events.h \
	daemon/core/model/group.c daemon/core/model/group.h \
	daemon/core/model/intern.c daemon/core/model/intern.h \
	daemon/core/model/job_record.h \
	daemon/core/model/pause.c daemon/core/model/pause.h \
	daemon/core/model/queue.c daemon/core/model/queue.h \
	daemon/core/model/record.c daemon/core/model/record.h \
	daemon/core/model/model.h \
	daemon/core/model/view.c \
	daemon/core/model/view_status.h \
	daemon/core/model/view_words.c daemon/core/model/view_words.h \
	daemon/core/model/views.c daemon/core/model/views.h \
	daemon/core/offline/doctor.c daemon/core/offline/doctor.h \
	daemon/core/offline/explain.c daemon/core/offline/explain.h \
	daemon/core/offline/import.c daemon/core/offline/import.h \
	daemon/core/offline/offline.c daemon/core/offline/offline.h \
	daemon/core/offline/orphans.c daemon/core/offline/orphans.h \
	daemon/core/offline/plan.c daemon/core/offline/plan.h \
	daemon/core/plan/capturable.c daemon/core/plan/capturable.h \
	daemon/core/plan/change.c daemon/core/plan/change.h \
	daemon/core/plan/decide.c daemon/core/plan/decide.h \
	daemon/core/plan/disabled.c daemon/core/plan/disabled.h \
	daemon/core/plan/doubt.c daemon/core/plan/doubt.h \
	daemon/core/plan/due.c daemon/core/plan/due.h \
	daemon/core/plan/freshness.c daemon/core/plan/freshness.h \
	daemon/core/plan/group_due.c daemon/core/plan/group_due.h \
	daemon/core/plan/groupable.c daemon/core/plan/groupable.h \
	daemon/core/plan/timing.c daemon/core/plan/timing.h \
	daemon/core/report/measure.c daemon/core/report/measure.h \
	daemon/core/report/observe.c daemon/core/report/observe.h \
	daemon/core/report/past.c daemon/core/report/past.h \
	daemon/core/report/planned.c daemon/core/report/planned.h \
	daemon/core/report/status.c \
	daemon/core/report/tally.c daemon/core/report/tally.h \
	daemon/core/report/wait.c daemon/core/report/wait.h \
	daemon/core/report/why.c \
	daemon/core/runtime.h \
	daemon/core/turn/begin.c daemon/core/turn/begin.h \
	daemon/core/turn/finish.c daemon/core/turn/finish.h \
	daemon/core/turn/finish_group.c daemon/core/turn/finish_group.h \
	daemon/core/turn/finish_view.c daemon/core/turn/finish_view.h \
	daemon/core/turn/group_start.c daemon/core/turn/group_start.h \
	daemon/core/turn/start.c daemon/core/turn/start.h \
	daemon/core/turn/turn.c daemon/core/turn/turn.h \
	daemon/work/file_hints.c daemon/work/file_hints.h \
	daemon/loop/loop.c daemon/loop/loop.h \
	daemon/plugin/host.c daemon/plugin/host.h \
	daemon/plugin/loader.c daemon/plugin/loader.h \
	daemon/plugin/vet.c daemon/plugin/vet.h \
	daemon/sched/coalesce.c daemon/sched/coalesce.h \
	daemon/sched/backoff.c daemon/sched/backoff.h \
	daemon/sched/cron.c daemon/sched/cron.h \
	daemon/sched/graph.c daemon/sched/graph.h \
	daemon/sched/schedule.c daemon/sched/schedule.h \
	daemon/sched/zone.c daemon/sched/zone.h \
	daemon/daemon.c daemon/daemon.h \
	daemon/reload.c daemon/reload.h \
	daemon/reload_plan.c daemon/reload_plan.h \
	daemon/sys/journal.c daemon/sys/journal.h \
	daemon/sys/logging.c daemon/sys/logging.h \
	daemon/sys/notify.c daemon/sys/notify.h \
	daemon/sys/on_failure.c daemon/sys/on_failure.h \
	daemon/work/program.c daemon/work/program.h \
	daemon/work/spool.c daemon/work/spool.h \
	daemon/work/worker.c daemon/work/worker.h
