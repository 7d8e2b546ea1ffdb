# control socket and viewctl
libviewd_la_SOURCES +=
