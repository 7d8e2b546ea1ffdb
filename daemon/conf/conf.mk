# configuration files
libviewd_la_SOURCES +=
