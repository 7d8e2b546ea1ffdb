# loop, plugin loader, scheduling, workers, engine, reload
libviewd_la_SOURCES +=
